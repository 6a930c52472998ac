/** Platforms and a trust domain, what they sign, and clients that it proves: for specs of the strategies alone, the router and the grant. */
import { CompactSign, type CryptoKey, type JWK } from 'jose'
import type { ClientMetadata, WorkloadsOptions } from '../../../lib/index.ts'
import { makeAuthority, makeCertificate, type CertificateOptions, type MadeCertificate } from '../certificates/certificates.ts'
import { keyUsage } from '../certificates/extensions.ts'
import { makeIssuer, signAs, type JwtParts } from './trusted-issuer.ts'

export const issuer = 'https://as.example.com'
export const bearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const jwtSpiffe = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

/** A platform whose tokens look like those of GitHub Actions. */
export const actions = await makeIssuer('https://actions.example', 'RS256')
/** One whose tokens look like those of a Kubernetes cluster. Its key has the same kid as the next one's. */
export const cluster = await makeIssuer('https://cluster.example')
export const other = await makeIssuer('https://other.example')

/** Claims of a token of each, beside those of any JWT. */
export const actionsClaims = {
  sub: 'repo:acme/app:environment:production',
  repository: 'acme/app',
  repository_id: '456789',
  repository_owner_id: '123456',
  environment: 'production',
  event_name: 'push',
  runner_environment: 'github-hosted',
  run_number: 7
}
export const clusterClaims = {
  sub: 'system:serviceaccount:ci:deployer',
  aud: [issuer],
  'kubernetes.io': {
    namespace: 'ci',
    serviceaccount: { name: 'deployer', uid: '0b6d8c2e-1111-4222-8333-944455556666' },
    pod: { name: 'deployer-7d4b', uid: 'aa6d8c2e-1111-4222-8333-944455556666' }
  }
}

/** What signs tokens at a time, in seconds since the epoch. */
export function signers(now: () => number) {
  const withDefaults = (defaults: object, parts: JwtParts): JwtParts => ({ ...parts, claims: { ...defaults, ...parts.claims } })
  return {
    actionsToken: (parts: JwtParts = {}) => signAs(actions, issuer, now(), withDefaults(actionsClaims, parts)),
    clusterToken: (parts: JwtParts = {}) => signAs(cluster, issuer, now(), withDefaults(clusterClaims, parts)),
    svid: (parts: JwtParts = {}) =>
      signAs(
        { ...spire, jwk: spireKey },
        issuer,
        now(),
        withDefaults({ iss: undefined, jti: undefined, sub: 'spiffe://prod.example/billing' }, parts)
      )
  }
}

/** The keeper of the trust domain `prod.example`: a key of JWT-SVIDs, and an authority with one below it. */
export const spire = await makeIssuer('spire', 'ES256')
export const spireKey: JWK = { ...spire.jwk, kid: 'spire-1', use: 'jwt-svid' }
export const root: MadeCertificate = makeAuthority({ subject: 'SPIRE root' })
export const between: MadeCertificate = makeAuthority({ subject: 'SPIRE intermediate', issuer: root })

export const x509Key = (authority: MadeCertificate): JWK => ({
  ...authority.jwk,
  use: 'x509-svid',
  x5c: [authority.der.toString('base64')]
})

/** An X.509-SVID of the trust domain. */
export function x509Svid(options: CertificateOptions & { readonly id?: string } = {}): MadeCertificate {
  const { id = 'spiffe://prod.example/billing', ...rest } = options
  const usual = { subject: 'svid', issuer: root, sans: { uri: [id] }, extensions: [keyUsage('digitalSignature', 'keyAgreement')] }
  return makeCertificate({ ...usual, ...rest })
}

export const bundle = { keys: [spireKey, { ...x509Key(root), kid: 'root' }], spiffe_sequence: 3 }

export const workloads: WorkloadsOptions = {
  issuers: [
    { issuer: actions.issuer, jwks: { keys: [actions.jwk] } },
    { issuer: cluster.issuer, jwks: { keys: [cluster.jwk] } },
    { issuer: other.issuer, jwks: { keys: [{ ...other.jwk, kid: 'other-1' }] } }
  ],
  trustDomains: [{ trustDomain: 'prod.example', bundle }]
}

const registered = { grant_types: ['client_credentials'], response_types: [] }

export const clients: readonly ClientMetadata[] = [
  {
    client_id: 'deployer',
    token_endpoint_auth_method: 'federated_jwt',
    federated_credentials: [
      {
        id: 'actions',
        issuer: actions.issuer,
        subject: 'repo:acme/app:*',
        claims: {
          repository_id: '456789',
          repository_owner_id: '123456',
          event_name: ['push', 'workflow_dispatch'],
          run_number: 7
        }
      },
      {
        id: 'cluster',
        issuer: cluster.issuer,
        subject: 'system:serviceaccount:ci:deployer',
        claims: { 'kubernetes.io': { namespace: 'ci', serviceaccount: { name: 'deployer' } } }
      }
    ],
    ...registered
  },
  {
    client_id: 'elsewhere',
    token_endpoint_auth_method: 'federated_jwt',
    federated_credentials: [{ issuer: other.issuer, subject: 'job' }],
    ...registered
  },
  { client_id: 'mesh', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://prod.example/billing', ...registered },
  { client_id: 'meshes', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://prod.example/client/*', ...registered },
  { client_id: 'dev', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://dev.example/billing', ...registered },
  { client_id: 'mtls', token_endpoint_auth_method: 'spiffe_x509', spiffe_id: 'spiffe://prod.example/billing', ...registered },
  { client_id: 'mtls-dev', token_endpoint_auth_method: 'spiffe_x509', spiffe_id: 'spiffe://dev.example/billing', ...registered },
  { client_id: 'reports', client_secret: 'aZ3kT9wQm4vR7yN2pL6sX8cF', ...registered }
]

/** Signs whatever bytes with whatever header. */
export async function signRaw(
  payload: string,
  header: Readonly<Record<string, unknown>>,
  key: CryptoKey | Uint8Array
): Promise<string> {
  return new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: 'ES256', ...header }).sign(key)
}
