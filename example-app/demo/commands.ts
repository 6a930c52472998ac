/** What the demo prints when it is ready: for every client, a command to paste that gets a token. */
import { relative } from 'node:path'
import type { Config } from '../config/config.ts'
import { projectRoot } from '../views.ts'
import { demoFolder } from './settings.ts'

/** One client of the demo and how to try it. */
export interface DemoCommand {
  readonly method: string
  readonly command: string
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The commands, for a shell whose current folder is `cwd`. */
export function commandsOf(config: Config, folder = demoFolder, cwd = process.cwd()): DemoCommand[] {
  const { settings } = config
  const token = `${settings.issuer}/oauth2/token`
  const mtlsToken = `https://localhost:${settings.tls?.port ?? 443}${config.issuer.pathname.replace(/\/$/, '')}/oauth2/token`
  const at = (path: string) => quoted(relative(cwd, path) || '.')
  const script = at(`${projectRoot}/example-app/demo/assertion.mjs`)
  const grant = '-d grant_type=client_credentials -d scope=api:read'
  const elsewhere = folder === demoFolder ? '' : ` ${at(folder)}`
  const assertion = (client_id: string) => `"$(node ${script} ${client_id}${elsewhere})"`
  const attested = (client_id: string) =>
    `node ${at(`${projectRoot}/example-app/demo/attestation.mjs`)} ${client_id}${elsewhere} | curl -sS -H @- ${token} ${grant}`
  const secretOf = (client_id: string) =>
    String(settings.clients.find(client => client.client_id === client_id)?.['client_secret'])
  const withAssertion = (client_id: string) =>
    `curl -sS ${token} ${grant} -d client_assertion_type=${assertionType} -d client_assertion=${assertion(client_id)}`
  const withCertificate = (client_id: string) =>
    `curl -sS --cacert ${at(`${folder}/ca.crt`)} --cert ${at(`${folder}/${client_id}.crt`)} --key ${at(`${folder}/${client_id}.key`)} ${mtlsToken} ${grant} -d client_id=${client_id}`
  return [
    { method: 'client_secret_basic', command: `curl -sS -u demo-basic:${secretOf('demo-basic')} ${token} ${grant}` },
    {
      method: 'client_secret_post',
      command: `curl -sS ${token} ${grant} -d client_id=demo-post -d client_secret=${secretOf('demo-post')}`
    },
    { method: 'client_secret_jwt', command: withAssertion('demo-secret-jwt') },
    { method: 'private_key_jwt', command: withAssertion('demo-private-key-jwt') },
    { method: 'tls_client_auth', command: withCertificate('demo-tls') },
    { method: 'self_signed_tls_client_auth', command: withCertificate('demo-self-signed-tls') },
    { method: 'attest_jwt_client_auth', command: attested('demo-attested') },
    { method: 'attest_jwt_client_auth_dpop', command: attested('demo-attested-dpop') },
    ...settings.tenants.map(({ path, clients }) => ({
      method: `the tenant ${path}`,
      command: `curl -sS -u ${clients[0]?.client_id ?? ''}:${String(clients[0]?.['client_secret'])} ${settings.issuer}${path}/oauth2/token ${grant}`
    }))
  ]
}

/** The text printed after the ready line. */
export function demoCommands(config: Config): string {
  const { settings } = config
  const people = settings.accounts.map(({ username, password }) => `${username} / ${password}`).join(', ')
  const lines = commandsOf(config).flatMap(({ method, command }) => [`# ${method}`, command, ''])
  return `
A demo server is ready. Paste any of these to get a token:

${lines.join('\n')}
# none: a public client. Open this address, sign in as ${people}, and it ends in a token
${settings.issuer}/demo

# a device without a keyboard: open this address, and the code or picture it shows on your phone or in another tab
${settings.issuer}/demo/device

# a call centre asks for alice, who decides at ${settings.issuer}/ciba; the second command takes what the first one answers
${cibaCommands(config).join('\n')}

`
}

/** Backchannel authentication, in two steps. */
export function cibaCommands({ settings }: Config): string[] {
  const { issuer, clients } = settings
  const secret = String(clients.find(({ client_id }) => client_id === 'demo-ciba')?.['client_secret'])
  const curl = `curl -sS -u demo-ciba:${secret} ${issuer}/oauth2`
  return [
    `${curl}/bc-authorize -d scope='openid api:read' -d login_hint=alice -d binding_message=A-42`,
    `${curl}/token -d grant_type=urn:openid:params:grant-type:ciba -d auth_req_id=<auth_req_id>`
  ]
}

function quoted(path: string): string {
  return /^[\w./@%+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
