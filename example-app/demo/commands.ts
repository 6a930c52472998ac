/**
 * Commands the demo prints when it is ready, to paste in any folder: for every method and tenant, one that gets a token
 * and, where a shell can, calls the API with it.
 */
import type { Config } from '../config/config.ts'
import { projectRoot } from '../views.ts'
import { demoFolder } from './settings.ts'

/** One client of the demo and how to try it. */
export interface DemoCommand {
  readonly method: string
  readonly command: string
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The commands, for any shell in any folder. */
export function commandsOf(config: Config, folder = demoFolder): DemoCommand[] {
  const { settings } = config
  const call = (command: string, issuer = settings.issuer) => apiCall(issuer, command)
  const token = `${settings.issuer}/oauth2/token`
  const mtlsToken = `https://localhost:${settings.tls?.port ?? 443}${config.issuer.pathname.replace(/\/$/, '')}/oauth2/token`
  const script = quoted(`${projectRoot}/example-app/demo/assertion.mjs`)
  const grant = '-d grant_type=client_credentials -d scope=api:read'
  const elsewhere = folder === demoFolder ? '' : ` ${quoted(folder)}`
  const assertion = (client_id: string) => `"$(node ${script} ${client_id}${elsewhere})"`
  const attested = (client_id: string) =>
    `node ${quoted(`${projectRoot}/example-app/demo/attestation.mjs`)} ${client_id}${elsewhere} | curl -sS -H @- ${token} ${grant}`
  const secretOf = (client_id: string) =>
    String(settings.clients.find(client => client.client_id === client_id)?.['client_secret'])
  const withAssertion = (client_id: string) =>
    `curl -sS ${token} ${grant} -d client_assertion_type=${assertionType} -d client_assertion=${assertion(client_id)}`
  const withCertificate = (client_id: string) =>
    `curl -sS --cacert ${quoted(`${folder}/ca.crt`)} --cert ${quoted(`${folder}/${client_id}.crt`)} --key ${quoted(`${folder}/${client_id}.key`)} ${mtlsToken} ${grant} -d client_id=${client_id}`
  return [
    { method: 'client_secret_basic', command: call(`curl -sS -u demo-basic:${secretOf('demo-basic')} ${token} ${grant}`) },
    {
      method: 'client_secret_post',
      command: call(`curl -sS ${token} ${grant} -d client_id=demo-post -d client_secret=${secretOf('demo-post')}`)
    },
    { method: 'client_secret_jwt', command: call(withAssertion('demo-secret-jwt')) },
    { method: 'private_key_jwt', command: call(withAssertion('demo-private-key-jwt')) },
    { method: 'tls_client_auth', command: call(withCertificate('demo-tls')) },
    { method: 'self_signed_tls_client_auth', command: call(withCertificate('demo-self-signed-tls')) },
    { method: 'attest_jwt_client_auth', command: call(attested('demo-attested')) },
    // its token is bound to a key, and a call of the API needs a proof that no shell makes
    { method: 'attest_jwt_client_auth_dpop', command: attested('demo-attested-dpop') },
    ...settings.tenants.map(({ path, clients }) => {
      const issuer = settings.issuer + path
      const basic = `${clients[0]?.client_id ?? ''}:${String(clients[0]?.['client_secret'])}`
      return { method: `the tenant ${path}`, command: call(`curl -sS -u ${basic} ${issuer}/oauth2/token ${grant}`, issuer) }
    })
  ]
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
A demo server is ready. Paste any of these, in any folder: it gets a token, shows it, and calls the API with it.

${lines.join('\n')}
# none: a public client. Open this address, sign in as ${people}, and it ends in a token
${settings.issuer}/demo

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
