/** The methods whose client hands on what its platform says of it. */
import { randomUUID } from 'node:crypto'
import { kubernetes } from 'clientele/workloads'
import { jwtSpiffe, bearer } from '../../servers/workloads.ts'
import { makeIssuer } from '../../servers/trusted-issuer.ts'
import type { Parts } from '../../clients/attestation.ts'
import { sign } from './assertions.ts'
import { issuer, now, tokenPath } from './exchange.ts'
import { grant, sendChanged, type Change, type MethodScript } from './script.ts'
import { faultsOf } from './secrets.ts'

const cluster = await makeIssuer('https://oidc.cluster.example', 'ES256')
const another = await makeIssuer('https://oidc.other.example', 'ES256')
const spire = await makeIssuer('https://spire.prod.example', 'ES256')
const bundleAt = 'https://spire.prod.example/bundle'

/** What a cluster answers to whoever looks for its keys. */
const published = ({ issuer: of, jwk }: typeof cluster) => ({
  [`${of}/.well-known/openid-configuration`]: { issuer: of, jwks_uri: `${of}/openid/v1/jwks` },
  [`${of}/openid/v1/jwks`]: { keys: [jwk] }
})

const account = (name: string) => ({
  sub: `system:serviceaccount:ci:${name}`,
  'kubernetes.io': { namespace: 'ci', serviceaccount: { name, uid: '0b6d8c2e-1111-4222-8333-944455556666' } }
})

const podToken = ({ header, claims, key }: Parts = {}) =>
  sign(
    {
      iss: cluster.issuer,
      ...account('deployer'),
      aud: [issuer],
      jti: randomUUID(),
      iat: now - 60,
      nbf: now - 60,
      exp: now + 540,
      ...claims
    },
    { alg: 'ES256', kid: cluster.jwk.kid, ...header },
    key ?? cluster.privateKey
  )

const svid = ({ header, claims, key }: Parts = {}) =>
  sign(
    { sub: 'spiffe://prod.example/billing', aud: [issuer], iat: now - 60, exp: now + 240, ...claims },
    { alg: 'ES256', kid: spire.jwk.kid, typ: 'JWT', ...header },
    key ?? spire.privateKey
  )

/** Those who sign, and what the specifications want of every assertion. */
const faults = (what: string): readonly (readonly [string, string, Change])[] => [
  ['It was signed with another key', 'signature', { jwt: { key: another.privateKey } }],
  [`Its \`kid\` is at no key of ${what}`, 'key', { jwt: { header: { kid: 'another' } } }],
  ['It is for another audience', 'audience', { jwt: { claims: { aud: ['https://kubernetes.default.svc'] } } }],
  ['It has ended', 'expiry', { jwt: { claims: { iat: now - 600, nbf: now - 600, exp: now - 60 } } }]
]

export const federatedJwt: MethodScript = {
  method: 'federated_jwt',
  registered: { federated_credentials: [kubernetes({ issuer: cluster.issuer, namespace: 'ci', serviceAccount: 'deployer' })] },
  options: { workloads: { issuers: [kubernetes.issuer(cluster.issuer), kubernetes.issuer(another.issuer)] } },
  documents: { ...published(cluster), ...published(another) },
  async talk(send, change = {}) {
    const form = { ...grant, client_id: 'billing', client_assertion_type: bearer, client_assertion: await podToken(change.jwt) }
    return sendChanged(send, { path: tokenPath, form }, change)
  },
  faults: faultsOf([
    ['It is of another cluster', 'federated_issuer', { jwt: { claims: { iss: another.issuer } } }],
    ['It is of another service account', 'federated_subject', { jwt: { claims: account('reports') } }],
    [
      'Its name is right, and a claim of the rule is not',
      'federated_claims',
      { jwt: { claims: { 'kubernetes.io': { namespace: 'ci', serviceaccount: { name: 'reports' } } } } }
    ],
    ...faults('the cluster'),
    ['It was made for another kind of use', 'type', { jwt: { header: { typ: 'at+jwt' } } }]
  ])
}

export const spiffeJwt: MethodScript = {
  method: 'spiffe_jwt',
  registered: { spiffe_id: 'spiffe://prod.example/billing' },
  options: { workloads: { trustDomains: [{ trustDomain: 'prod.example', bundleEndpoint: bundleAt }] } },
  documents: { [bundleAt]: { keys: [{ ...spire.jwk, use: 'jwt-svid' }], spiffe_sequence: 1, spiffe_refresh_hint: 300 } },
  async talk(send, change = {}) {
    const form = { ...grant, client_id: 'billing', client_assertion_type: jwtSpiffe, client_assertion: await svid(change.jwt) }
    return sendChanged(send, { path: tokenPath, form }, change)
  },
  faults: faultsOf([
    ['It was sent as an assertion of the type `jwt-bearer`', 'assertion_type', { form: { client_assertion_type: bearer } }],
    ['It is of another workload', 'spiffe_id', { jwt: { claims: { sub: 'spiffe://prod.example/reports' } } }],
    ['It is of another trust domain', 'spiffe_id', { jwt: { claims: { sub: 'spiffe://dev.example/billing' } } }],
    ...faults('the bundle')
  ])
}
