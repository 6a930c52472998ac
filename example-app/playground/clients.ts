/** The clients the playground plays: one of each method. */
import type { DemoMaterial } from '../demo/material.ts'
import { podCredential, podOf, trustDomain } from '../demo/workloads.ts'

interface PlayedClient {
  readonly client_id: string
  readonly token_endpoint_auth_method: string
  readonly client_secret?: string | undefined
  readonly [member: string]: unknown
}

/** Names the client of a method. */
export function playName(method: string): string {
  return `play-${method.replaceAll('_', '-')}`
}

const secretMethods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt']

/** The demo's attester vouches for their instances. */
const attestedMethods = ['attest_jwt_client_auth', 'attest_jwt_client_auth_dpop']

/** Who the playground's workloads are, to those who vouch for them. */
export const playedPod = podOf('playground', 'client')
const playedIds = `spiffe://${trustDomain}/playground`
/** Any workload below these is the client of spiffe_jwt; the other has one SPIFFE ID. */
export const playedSpiffeIds = { jwt: `${playedIds}/page/1`, x509: `${playedIds}/x509` }

/** Those the attester vouches for, by name. */
export const playedInstances = attestedMethods.map(playName)

/** Those that have a secret, by name. */
export const playedSecrets = secretMethods.map(playName)

const grants = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']

const grantsOfConfidential = [
  'client_credentials',
  'urn:openid:params:grant-type:ciba',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:ietf:params:oauth:grant-type:jwt-bearer'
]

/** Their registrations. Pages publish the keys they make at `/playground/jwks`. */
export function playedClients(material: DemoMaterial): readonly PlayedClient[] {
  const { issuer, secrets } = material
  const client = (token_endpoint_auth_method: string, more: object): PlayedClient => ({
    client_id: playName(token_endpoint_auth_method),
    client_name: `Playground, ${token_endpoint_auth_method}`,
    token_endpoint_auth_method,
    grant_types: token_endpoint_auth_method === 'none' ? grants : [...grants, ...grantsOfConfidential],
    redirect_uris: [`${issuer}/playground/callback`],
    scope: 'openid profile offline_access api:read api:write',
    ...more
  })
  const jwks_uri = `${issuer}/playground/jwks`
  return [
    ...secretMethods.map(method => client(method, { client_secret: secrets[playName(method)] })),
    client('private_key_jwt', { jwks_uri }),
    client('tls_client_auth', { tls_client_auth_subject_dn: `CN=${playName('tls_client_auth')}` }),
    client('self_signed_tls_client_auth', { jwks_uri }),
    ...attestedMethods.map(method => client(method, {})),
    client('federated_jwt', { federated_credentials: [podCredential(material, playedPod)] }),
    client('spiffe_jwt', { spiffe_id: `${playedIds}/page/*` }),
    client('spiffe_x509', { spiffe_id: playedSpiffeIds.x509 }),
    client('none', {})
  ]
}
