/**
 * Commands the demo prints when it is ready, to paste in any folder: for every method and tenant, one that gets a token
 * and, where a shell can, calls the API with it.
 */
import type { Config } from '../config/config.ts'
import { projectRoot } from '../views.ts'
import { documentClients } from './documents.ts'
import { demoFolder } from './settings.ts'

/** One client of the demo and how to try it. */
export interface DemoCommand {
  readonly method: string
  readonly command: string
  /** Whether the command has a secret in it, which is for whoever started the server alone. */
  readonly hasSecret: boolean
}

const bearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const spiffe = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'
const asked = '-d scope=api:read'
const credentials = `-d grant_type=client_credentials ${asked}`

/** The commands, for any shell in any folder. */
export function commandsOf(config: Config): DemoCommand[] {
  const { issuer, clients } = config.settings
  const secretOf = (client_id: string) => String(clients.find(client => client.client_id === client_id)?.['client_secret'])
  const withSecret = (method: string, client: string): DemoCommand => ({
    method,
    command: apiCall(issuer, `curl -sS ${client} ${issuer}/oauth2/token ${credentials}`),
    hasSecret: true
  })
  const without = (method: string, command: string): DemoCommand => ({ method, command, hasSecret: false })
  return [
    withSecret('client_secret_basic', `-u demo-basic:${secretOf('demo-basic')}`),
    withSecret('client_secret_post', `-d client_id=demo-post -d client_secret=${secretOf('demo-post')}`),
    ...secretless(config).map(({ method, command, isBound = false }) =>
      // a token that is bound to a key needs a proof with every call, which no shell makes
      without(method, isBound ? command : apiCall(issuer, command))
    ),
    ...tenantCommands(config)
  ]
}

interface TokenCommand {
  readonly method: string
  readonly command: string
  readonly isBound?: boolean
}

/** Those whose command reads what it needs, or has it made, in the folder of the demo. */
function secretless(config: Config): TokenCommand[] {
  const { settings, issuer } = config
  const folder = config.demo?.folder ?? demoFolder
  const elsewhere = folder === demoFolder ? '' : ` ${quoted(folder)}`
  const script = (name: string, argument: string) =>
    `node ${quoted(`${projectRoot}/example-app/demo/${name}.mjs`)} ${argument}${elsewhere}`
  const path = issuer.pathname.replace(/\/$/, '')
  const origin = `https://localhost:${settings.tls?.port ?? 443}`
  const token = `curl -sS ${settings.issuer}/oauth2/token`
  const asserted = (type: string, jwt: string) =>
    `${token} ${credentials} -d client_assertion_type=${type} -d client_assertion="$(${jwt})"`
  const withAssertion = (client_id: string) => asserted(bearer, script('assertion', client_id))
  const attested = (client_id: string) =>
    `${script('attestation', client_id)} | curl -sS -H @- ${settings.issuer}/oauth2/token ${credentials}`
  const withCertificate = (client_id: string) => {
    const files = `--cacert ${quoted(`${folder}/ca.crt`)} --cert ${quoted(`${folder}/${client_id}.crt`)} --key ${quoted(`${folder}/${client_id}.key`)}`
    return `curl -sS ${files} ${origin}${path}/oauth2/token ${credentials} -d client_id=${client_id}`
  }
  const workloadGrant = `${token} -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer ${asked} -d assertion="$(${script('workload', 'pod')})"`
  const { machine } = documentClients(origin, path)
  return [
    { method: 'client_secret_jwt', command: withAssertion('demo-secret-jwt') },
    { method: 'private_key_jwt', command: withAssertion('demo-private-key-jwt') },
    { method: 'private_key_jwt, a client with a document', command: withAssertion(machine) },
    { method: 'tls_client_auth', command: withCertificate('demo-tls') },
    { method: 'self_signed_tls_client_auth', command: withCertificate('demo-self-signed-tls') },
    { method: 'federated_jwt', command: asserted(bearer, script('workload', 'pod')) },
    { method: 'spiffe_jwt', command: asserted(spiffe, script('workload', 'svid')) },
    { method: 'spiffe_x509', command: withCertificate('demo-spiffe-x509') },
    { method: 'a workload’s token as a grant, without client authentication', command: workloadGrant },
    { method: 'attest_jwt_client_auth', command: attested('demo-attested') },
    { method: 'attest_jwt_client_auth_dpop', command: attested('demo-attested-dpop'), isBound: true }
  ]
}

function tenantCommands({ settings }: Config): DemoCommand[] {
  return settings.tenants.map(({ path, clients }) => {
    const issuer = settings.issuer + path
    const basic = `${clients[0]?.client_id ?? ''}:${String(clients[0]?.['client_secret'])}`
    const command = apiCall(issuer, `curl -sS -u ${basic} ${issuer}/oauth2/token ${credentials}`)
    return { method: `the tenant ${path}`, command, hasSecret: true }
  })
}

/** Calls the demo API with the token that a command gets; the answer with the token is shown on the way. */
function apiCall(issuer: string, command: string): string {
  return `curl -sS ${issuer}/api/whoami -H "Authorization: Bearer $(${command} | node ${member()})"`
}

/** Takes a member out of an answer: the access token where none is named. */
function member(name = ''): string {
  return `${quoted(`${projectRoot}/example-app/demo/token.mjs`)}${name === '' ? '' : ` ${name}`}`
}

/** The text printed after the ready line. */
export function demoCommands(config: Config): string {
  const { settings } = config
  const people = settings.accounts.map(({ username, password }) => `${username} / ${password}`).join(', ')
  const lines = commandsOf(config).flatMap(({ method, command }) => [`# ${method}`, command, ''])
  return `
A demo server is ready. Paste any of these, in any folder: it gets a token, shows it and, unless a key binds it, calls the API with it.

${lines.join('\n')}
# none: a public client. Open this address, sign in as ${people}, and it ends in a token
${settings.issuer}/demo

# none: the same, by a client that nobody registered. Its client_id is the address of its document
${settings.issuer}/demo/document

# a device without a keyboard: open this address, and the code or picture it shows on your phone or in another tab
${settings.issuer}/demo/device

# a call centre asks for alice. Paste the first, allow it at ${settings.issuer}/ciba as alice, and paste the second
${cibaCommands(config).join('\n')}

`
}

/** Backchannel authentication, in two steps. */
export function cibaCommands({ settings }: Config): string[] {
  const { issuer, clients } = settings
  const secret = String(clients.find(({ client_id }) => client_id === 'demo-ciba')?.['client_secret'])
  const curl = `curl -sS -u demo-ciba:${secret} ${issuer}/oauth2`
  const ask = `${curl}/bc-authorize -d scope='openid api:read' -d login_hint=alice -d binding_message=A-42`
  const redeem = `${curl}/token -d grant_type=urn:openid:params:grant-type:ciba -d auth_req_id=$ASKED`
  return [`ASKED=$(${ask} | node ${member('auth_req_id')})`, apiCall(issuer, redeem)]
}

function quoted(path: string): string {
  return /^[\w./@%+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
