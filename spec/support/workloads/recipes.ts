/** The recipes of docs/clients, and what has to be there before they can be run as they stand: a server that knows their clients, and their files. */
import { createPrivateKey } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientCredentials, authorizationCode, jwtBearer, tlsCertificate, type ClientMetadata } from 'clientele'
import { kubernetes } from 'clientele/workloads'
import { exportJWK } from 'jose'
import { makeCertificate } from '../certificates/certificates.ts'
import { api, callback, clientAuthority } from '../journeys/clients.ts'
import { serverAuthority, startServer, type RunningServer } from '../journeys/server.ts'
import { keyPair } from '../keys/made-keys.ts'
import { makeIssuer, signAs } from '../servers/trusted-issuer.ts'
import { makeTrustDomain } from './trust-domain.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
/** Letters that every way of sending a secret can carry as they are. */
const secret = 'dO7mZ2yQ9tK4vB6xN1cR8sW3pL5hJ0fA'

/** One section of a page, and what stands in its block of code. */
export interface Recipe {
  /** The method, or what the section is about. */
  readonly title: string
  readonly code: string
}

/** The recipes of a page, in order: each section's block of the language. */
export function recipesOf(page: string, language: string): readonly Recipe[] {
  const sections = readFileSync(join(root, 'docs/clients', page), 'utf8')
    .split(/^## /m)
    .slice(1)
  return sections.flatMap(section => {
    const [title = ''] = section.split('\n')
    const code = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(section)?.[1]
    return code === undefined ? [] : [{ title: title.trim(), code }]
  })
}

/** Every block of the language on a page. */
export function blocksOf(page: string, language: string): readonly string[] {
  const text = readFileSync(join(root, 'docs/clients', page), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code)
}

export interface Kitchen {
  readonly server: RunningServer
  /** Where a recipe finds `client.key` and `client.crt`. */
  folderOf(title: string): string
  /** The recipe, with what is at the examples' addresses and paths here. */
  localised(recipe: Recipe): string
  /** The environment of its process. */
  readonly env: NodeJS.ProcessEnv
  close(): Promise<void>
}

const methods = [
  ...['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'tls_client_auth'],
  ...['self_signed_tls_client_auth', 'none', 'federated_jwt', 'spiffe_jwt', 'spiffe_x509']
] as const

export const clientOf = (title: string): string => `billing-${title.replaceAll(' ', '-').toLowerCase()}`

/** Serves every method, and writes what each client has into a folder. */
export async function openKitchen(): Promise<Kitchen> {
  const folder = mkdtempSync(join(tmpdir(), 'recipes-'))
  const { publicKey, privateKey } = await keyPair('RS256')
  const byAuthority = makeCertificate({ subject: clientOf('tls_client_auth'), issuer: clientAuthority })
  const byItself = makeCertificate({ subject: 'billing' })
  const cluster = await makeIssuer('https://oidc.cluster.example', 'RS256')
  const domain = await makeTrustDomain()
  const registered: Record<(typeof methods)[number], Partial<ClientMetadata>> = {
    client_secret_basic: { client_secret: secret },
    client_secret_post: { client_secret: secret },
    client_secret_jwt: { client_secret: secret },
    private_key_jwt: { jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' }] } },
    tls_client_auth: { tls_client_auth_subject_dn: `CN=${clientOf('tls_client_auth')}` },
    self_signed_tls_client_auth: { jwks: { keys: [{ ...byItself.jwk, x5c: [byItself.der.toString('base64')] }] } },
    none: { grant_types: ['authorization_code'], redirect_uris: [callback] },
    federated_jwt: {
      grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      federated_credentials: [kubernetes({ issuer: cluster.issuer, namespace: 'ci', serviceAccount: 'deployer' })]
    },
    spiffe_jwt: { spiffe_id: 'spiffe://prod.example/billing' },
    spiffe_x509: { spiffe_id: 'spiffe://prod.example/billing' }
  }
  const clients = methods.map(method => ({
    metadata: {
      client_id: clientOf(method),
      token_endpoint_auth_method: method,
      grant_types: ['client_credentials'],
      ...registered[method]
    }
  }))
  const workloads = {
    issuers: [kubernetes.issuer(cluster.issuer, { jwks: { keys: [cluster.jwk] } })],
    trustDomains: [{ trustDomain: domain.name, bundle: domain.bundle }]
  }
  const tokenIssuers = [authorizationCode(), clientCredentials(), jwtBearer({ workloads: true })]
  const resourcesOf = (issuer: string) => [api, `${issuer}/mcp`].map(resource => ({ resource, scopes: ['api:read'] }))
  const server = await startServer({
    clients,
    listeners: 'aliases',
    // Go and Java present no certificate to a server that names authorities of others
    clientCa: false,
    options: issuer => ({
      certificateSource: tlsCertificate({ ca: clientAuthority.pem }),
      workloads,
      tokenIssuers,
      resources: resourcesOf(issuer)
    })
  })
  server.app.use(server.server.protectedResourceMetadata({ resource: `${server.issuer}/mcp`, scopes: ['api:read'] }))

  const put = (path: string, content: string): void => {
    const file = join(folder, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, content)
  }
  const svid = domain.x509Svid('/billing')
  put('ca.pem', serverAuthority.pem)
  const claims = {
    sub: 'system:serviceaccount:ci:deployer',
    'kubernetes.io': { namespace: 'ci', serviceaccount: { name: 'deployer', uid: '1' } }
  }
  put('token', await signAs(cluster, server.issuer, Date.now() / 1000, { claims }))
  put('svid.jwt', await domain.jwtSvid('/billing', server.issuer))
  put('svid.pem', svid.pem)
  put('svid_key.pem', svid.keyPem)
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', privateKey)
  const der = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  put('private_key_jwt/client.key', String(der.export({ format: 'pem', type: 'pkcs8' })))
  for (const [method, { pem, keyPem }] of [
    ['tls_client_auth', byAuthority],
    ['self_signed_tls_client_auth', byItself]
  ] as const) {
    put(`${method}/client.crt`, pem)
    put(`${method}/client.key`, keyPem)
  }
  const places: readonly [string | RegExp, string][] = [
    ['https://mtls.as.example.com', server.mtlsOrigin ?? ''],
    ['https://as.example.com', server.issuer],
    ['/var/run/secrets/tokens/as', join(folder, 'token')],
    [/\/run\/spiffe\//g, `${folder}/`]
  ]
  return {
    server,
    folderOf(title) {
      const own = join(folder, title)
      mkdirSync(own, { recursive: true })
      return own
    },
    localised: ({ title, code }) =>
      places.reduce((text, [from, to]) => text.replaceAll(from, to), code.replace(/\bbilling\b/g, clientOf(title))),
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      CLIENT_SECRET: secret,
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      CURL_CA_BUNDLE: join(folder, 'ca.pem'),
      SSL_CERT_FILE: join(folder, 'ca.pem')
    },
    async close() {
      await server.close()
      rmSync(folder, { recursive: true })
    }
  }
}
