/** What the site leads to, and in which order. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { addressOf } from './markdown.mjs'

const read = document => readFileSync(fileURLToPath(new URL(`../${document}`, import.meta.url)), 'utf8')

/** The documents that a table or list of contents links to, in its order. */
function listedIn(folder) {
  const links = read(`docs/${folder}/README.md`).matchAll(/\]\((\w+)\.md\)/g)
  return [...new Set([...links].map(([, name]) => name))]
}

const item = (text, document) => ({ text, link: addressOf(document) })
const guide = (text, name) => item(text, `docs/${name}.md`)
const inFolder = folder => listedIn(folder).map(name => guide(name, `${folder}/${name}`))

const learn = {
  text: 'Learn',
  items: [
    guide('What client authentication is', 'client-authentication'),
    guide('Every method', 'methods/README'),
    guide('The playground', 'playground')
  ]
}

const methods = { text: 'Methods', items: inFolder('methods') }

const guides = [
  {
    text: 'Build',
    items: [
      item('The first token', 'README.md'),
      guide('Other frameworks', 'frameworks'),
      guide('Login and consent pages', 'interaction'),
      guide('The authorization endpoint', 'authorization-endpoint'),
      guide('Devices and CIBA', 'device-and-ciba'),
      guide('Grants on somebody’s word', 'grants'),
      guide('Sign-in elsewhere', 'sign-in'),
      guide('Logout', 'logout'),
      guide('People', 'people'),
      guide('MCP servers', 'mcp'),
      guide('Tenants', 'tenants'),
      guide('Your API', 'your-api'),
      guide('Introspection and revocation', 'introspection-and-revocation')
    ]
  },
  {
    text: 'Clients',
    items: [
      guide('Credentials that change', 'credentials'),
      guide('Certificates, as deployed', 'certificates'),
      guide('Attestation', 'attestation'),
      guide('Clients without secrets', 'workloads'),
      guide('A page for each platform', 'workloads/README'),
      guide('Sender-constrained tokens', 'sender-constrained-tokens'),
      guide('Registration', 'registration'),
      guide('Client documents', 'client-documents'),
      {
        text: 'In the client',
        items: [
          guide('openid-client', 'clients/openid-client'),
          guide('oauth4webapi', 'clients/oauth4webapi'),
          guide('MCP SDK', 'clients/mcp-sdk'),
          guide('curl', 'clients/curl'),
          guide('Go', 'clients/go'),
          guide('Java', 'clients/java')
        ]
      },
      {
        text: 'On each platform',
        items: [
          guide('Kubernetes', 'workloads/kubernetes'),
          guide('GitHub Actions', 'workloads/github-actions'),
          guide('GitLab CI', 'workloads/gitlab-ci'),
          guide('Google Cloud', 'workloads/google-cloud'),
          guide('AWS', 'workloads/aws'),
          guide('Azure', 'workloads/azure'),
          guide('SPIFFE', 'workloads/spiffe')
        ]
      }
    ]
  },
  {
    text: 'Operate',
    items: [
      guide('Seeing why', 'events'),
      guide('Stores', 'stores'),
      guide('Signing keys', 'keys'),
      guide('Security', 'security'),
      guide('Trying a rule before it bites', 'shadow'),
      guide('Attacks for your tests', 'attacks'),
      guide('The command line', 'command-line'),
      guide('The example app’s settings', 'configuration'),
      guide('Operating the example app', 'operating'),
      item('How fast', 'bench/README.md')
    ]
  },
  {
    text: 'Come from elsewhere',
    items: [
      guide('passport-http', 'from-passport-http'),
      guide('oauth2orize', 'from-oauth2orize'),
      guide('oidc-provider', 'from-oidc-provider'),
      guide('node-oauth2-server', 'from-node-oauth2-server'),
      guide('better-auth', 'from-better-auth')
    ]
  },
  {
    text: 'Extend',
    items: [
      guide('Architecture', 'architecture'),
      guide('Adding a method', 'adding-a-method'),
      guide('Adding a grant', 'adding-a-grant'),
      guide('Decisions', 'decisions/README'),
      guide('RFC coverage', 'rfc-coverage'),
      guide('Conformance', 'conformance'),
      item('Contributing', 'CONTRIBUTING.md'),
      item('Reporting a weakness', 'SECURITY.md'),
      item('Changelog', 'CHANGELOG.md')
    ]
  }
]

const reference = {
  text: 'Reference',
  items: [
    guide('Options', 'options'),
    { text: 'API', link: '/api/index.html', target: '_self' },
    guide('Why a client was refused', 'errors/README'),
    guide('What lint finds', 'lint/README')
  ]
}

const folder = (text, name) => [learn, { text, link: `/${name}/`, items: inFolder(name) }, reference]

export const nav = [
  { text: 'Learn', link: '/client-authentication', activeMatch: '^/(?:client-authentication|methods/)' },
  { text: 'Start', link: '/start' },
  { text: 'Options', link: '/options' },
  { text: 'Errors', link: '/errors/', activeMatch: '^/errors/' },
  { text: 'API', link: '/api/index.html', target: '_self' },
  { text: 'Playground', link: '/playground' }
]

export const sidebar = {
  '/errors/': folder('Why a client was refused', 'errors'),
  '/lint/': folder('What lint finds', 'lint'),
  '/': [learn, methods, ...guides, reference]
}

const linksOf = items =>
  items.flatMap(({ link, items: inner = [] }) => [...(link === undefined ? [] : [link]), ...linksOf(inner)])

/** Every address that the contents lead to. */
export const listed = new Set([nav, ...Object.values(sidebar)].flatMap(linksOf))
