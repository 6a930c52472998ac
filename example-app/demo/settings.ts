/** The built-in demo: a client of every method, those who vouch for workloads, two people, one API and one tenant. */
import { join } from 'node:path'
import { checkConfig, type Config } from '../config/config.ts'
import { playedClients, playedInstances } from '../playground/clients.ts'
import { otherIssuer } from '../playground/trusted-parties.ts'
import { projectRoot } from '../views.ts'
import { demoMaterial, type DemoMaterial } from './material.ts'
import { certificateKey, publicPart, workloadClients, workloadSettings } from './workloads.ts'

interface DemoOptions {
  readonly issuer?: string
  readonly tlsPort?: number
  /** Where secrets, keys and certificates are kept. */
  readonly folder?: string
}

/** Where `npm start` keeps the demo's material, and the programs it names look for it. */
export const demoFolder = join(projectRoot, 'data', 'demo')

/** The API every demo client may call. */
const demoApi = 'https://api.example.com'

/** The demo's configuration, as if it had been read from a file. */
export async function demoConfig({
  issuer = 'http://localhost:3000',
  tlsPort = 3443,
  folder = demoFolder
}: DemoOptions = {}): Promise<Config> {
  const material = await demoMaterial(folder, issuer)
  const resources = [{ resource: demoApi, scopes: ['api:read', 'api:write'], access_token_format: 'jwt' }]
  const settings = {
    issuer,
    clients: [...demoClients(material), ...playedClients(material)],
    accounts: [
      {
        sub: 'u-alice',
        username: 'alice',
        password: 'wonderland',
        claims: { name: 'Alice', email: 'alice@example.com', email_verified: true }
      },
      {
        sub: 'u-bob',
        username: 'bob',
        password: 'builder',
        claims: { name: 'Bob', email: 'bob@example.com', email_verified: true }
      }
    ],
    resources,
    trusted_issuers: [{ issuer: otherIssuer(issuer), jwks: { keys: [publicPart(material.jwk)] } }],
    attesters: [{ trust_anchors: ['attester-ca.crt'], clients: ['demo-attested', 'demo-attested-dpop', ...playedInstances] }],
    ...workloadSettings(material),
    client_documents: { hosts: ['*'] },
    mcp: {},
    tls: { port: tlsPort, key: 'server.key', cert: 'server.crt', client_ca: ['ca.crt'] },
    tenants: [
      {
        path: '/acme/banking',
        clients: [
          {
            client_id: 'acme-banking-app',
            client_name: 'Acme Banking',
            client_secret: material.secrets['acme-banking-app'],
            grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
            redirect_uris: ['http://localhost:8080/callback']
          }
        ],
        accounts: [{ sub: 'u-carol', username: 'carol', password: 'ledger', claims: { name: 'Carol' } }],
        resources
      }
    ]
  }
  return { ...checkConfig(settings, folder), demo: material }
}

function demoClients(material: DemoMaterial): object[] {
  const { issuer, secrets, jwk, selfSigned } = material
  const machine = (client_id: string, token_endpoint_auth_method: string, credential: object) => ({
    client_id,
    client_name: `Demo, ${token_endpoint_auth_method}`,
    token_endpoint_auth_method,
    grant_types: ['client_credentials'],
    response_types: [],
    scope: 'api:read api:write',
    ...credential
  })
  return [
    machine('demo-basic', 'client_secret_basic', { client_secret: secrets['demo-basic'] }),
    machine('demo-post', 'client_secret_post', { client_secret: secrets['demo-post'] }),
    machine('demo-secret-jwt', 'client_secret_jwt', { client_secret: secrets['demo-secret-jwt'] }),
    machine('demo-private-key-jwt', 'private_key_jwt', { jwks: { keys: [publicPart(jwk)] } }),
    machine('demo-tls', 'tls_client_auth', { tls_client_auth_subject_dn: 'CN=demo-tls' }),
    machine('demo-self-signed-tls', 'self_signed_tls_client_auth', { jwks: { keys: [certificateKey(selfSigned.cert)] } }),
    machine('demo-attested', 'attest_jwt_client_auth', {}),
    machine('demo-attested-dpop', 'attest_jwt_client_auth_dpop', {}),
    ...workloadClients(material).map(({ client_id, token_endpoint_auth_method, ...credential }) =>
      machine(client_id, token_endpoint_auth_method, credential)
    ),
    {
      client_id: 'demo-public',
      client_name: 'Demo Browser App',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`${issuer}/demo/callback`],
      scope: 'openid profile email offline_access api:read api:write'
    },
    {
      client_id: 'demo-tv',
      client_name: 'Demo Television',
      token_endpoint_auth_method: 'none',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      response_types: [],
      scope: 'openid profile email offline_access api:read api:write'
    },
    {
      client_id: 'demo-ciba',
      client_name: 'Demo Call Centre',
      client_secret: secrets['demo-ciba'],
      grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
      response_types: [],
      scope: 'openid profile email offline_access api:read api:write'
    }
  ]
}
