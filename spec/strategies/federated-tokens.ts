/** Tokens of platforms that are let in, and tokens that are not: for the strategy alone and over HTTP. */
import { SignJWT } from 'jose'
import { assembleJws, signAs } from '../support/servers/trusted-issuer.ts'
import { actions, actionsClaims, cluster, clusterClaims, issuer, other, signers } from '../support/servers/workloads.ts'

/** Seconds since the epoch. */
export const now = 1_800_000_000
export const { actionsToken, clusterToken } = signers(() => now)

/** What is refused, at which check, and how: each for the strategy alone and over HTTP. */
const refused: [string, string, () => Promise<string> | string, string?][] = [
  [
    'the name of a repository that somebody else registered',
    'federated_claims',
    () => actionsToken({ claims: { repository_id: '99' } })
  ],
  ['a pull request of a fork', 'federated_claims', () => actionsToken({ claims: { event_name: 'pull_request' } })],
  ['a claim as another type', 'federated_claims', () => actionsToken({ claims: { run_number: '7' } })],
  ['a claim as a list of the wanted value', 'federated_claims', () => actionsToken({ claims: { repository_id: ['456789'] } })],
  ['a claim that is missing', 'federated_claims', () => actionsToken({ claims: { repository_id: undefined } })],
  [
    'a subject that begins alike',
    'federated_subject',
    () => actionsToken({ claims: { sub: 'repo:acme/app-evil:environment:production' } })
  ],
  ['a subject with nothing below it', 'federated_subject', () => actionsToken({ claims: { sub: 'repo:acme/app:' } })],
  ['a subject that is the pattern itself', 'federated_subject', () => actionsToken({ claims: { sub: 'repo:acme/app' } })],
  ['no subject', 'federated_subject', () => actionsToken({ claims: { sub: undefined } })],
  ['a subject that is a number', 'federated_subject', () => actionsToken({ claims: { sub: 7 } })],
  ['another service account', 'federated_subject', () => clusterToken({ claims: { sub: 'system:serviceaccount:ci:other' } })],
  [
    'another namespace in the claims',
    'federated_claims',
    () => clusterToken({ claims: { 'kubernetes.io': { ...clusterClaims['kubernetes.io'], namespace: 'x' } } })
  ],
  ['no claims of Kubernetes', 'federated_claims', () => clusterToken({ claims: { 'kubernetes.io': undefined } })],
  [
    'a dotted name for a nested claim',
    'federated_claims',
    () => clusterToken({ claims: { 'kubernetes.io': undefined, 'kubernetes.io.namespace': 'ci' } })
  ],
  [
    'a list where an object is wanted',
    'federated_claims',
    () => clusterToken({ claims: { 'kubernetes.io': [clusterClaims['kubernetes.io']] } })
  ],
  [
    'wanted claims in its prototype alone',
    'federated_claims',
    () => actionsToken({ claims: { ...own('__proto__', actionsClaims), repository_id: undefined } })
  ],
  [
    'wanted claims one level too deep',
    'federated_claims',
    () => clusterToken({ claims: { 'kubernetes.io': { 'kubernetes.io': clusterClaims['kubernetes.io'] } } })
  ],
  ['a token for another audience', 'audience', () => actionsToken({ claims: { aud: 'https://github.com/acme' } })],
  ['Kubernetes’ own audience', 'audience', () => clusterToken({ claims: { aud: ['https://kubernetes.default.svc'] } })],
  [
    'two audiences, one of them this issuer',
    'audience',
    () => clusterToken({ claims: { aud: [issuer, 'https://kubernetes.default.svc'] } })
  ],
  ['the token endpoint as audience', 'audience', () => actionsToken({ claims: { aud: `${issuer}/oauth2/token` } })],
  ['no audience', 'audience', () => actionsToken({ claims: { aud: undefined } })],
  ['an empty list of audiences', 'audience', () => actionsToken({ claims: { aud: [] } })],
  [
    'a legacy Kubernetes token',
    'federated_issuer',
    () => clusterToken({ claims: { iss: 'kubernetes/serviceaccount', exp: undefined, aud: undefined } })
  ],
  ['a life of a year', 'lifetime', () => clusterToken({ claims: { exp: now + 31_536_000 } })],
  ['a life of a day and a second', 'lifetime', () => clusterToken({ claims: { exp: now + 86_401 } })],
  ['a year that is nearly over', 'lifetime', () => clusterToken({ claims: { iat: now - 31_535_000 } })],
  ['the issuer with a slash', 'federated_issuer', () => actionsToken({ claims: { iss: `${actions.issuer}/` } })],
  ['the issuer in another case', 'federated_issuer', () => actionsToken({ claims: { iss: 'https://ACTIONS.example' } })],
  ['an issuer nobody trusts', 'federated_issuer', () => actionsToken({ claims: { iss: 'https://evil.example' } })],
  ['a list as issuer', 'federated_issuer', () => actionsToken({ claims: { iss: [actions.issuer] } })],
  ['a prototype member as issuer', 'federated_issuer', () => actionsToken({ claims: { iss: '__proto__' } })],
  ['no issuer', 'federated_issuer', () => actionsToken({ claims: { iss: undefined } })],
  [
    'a trusted issuer that the client has no credential of',
    'federated_issuer',
    () => signAs(other, issuer, now, { claims: { sub: 'job' } })
  ],
  ['this server itself as issuer', 'federated_issuer', () => actionsToken({ claims: { iss: issuer } })],
  ['an HMAC under the public key', 'algorithm', () => hmac()],
  [
    'no signature at all',
    'algorithm',
    () => assembleJws({ alg: 'none' }, { iss: actions.issuer, aud: issuer, ...actionsClaims }, '')
  ],
  ['another issuer’s kid', 'key', () => actionsToken({ header: { kid: 'other-1' } })],
  ['another issuer’s key under this one’s kid', 'signature', () => clusterToken({ key: other.privateKey })],
  ['a changed claim under the old signature', 'signature', () => tampered()],
  ['a crit header', 'header', () => assembleJws({ alg: 'ES256', crit: ['b64'], b64: true }, { iss: cluster.issuer })],
  ['a kid that is a number', 'header', () => assembleJws({ alg: 'ES256', kid: 7 }, { iss: cluster.issuer })],
  ...[
    'at+jwt',
    'dpop+jwt',
    'logout+jwt',
    'oauth-id-jag+jwt',
    'oauth-client-attestation+jwt',
    'oauth-client-attestation-pop+jwt',
    'application/at+jwt',
    'x',
    ''
  ].map((typ): [string, string, () => Promise<string>] => [`the type "${typ}"`, 'type', () => actionsToken({ header: { typ } })]),
  ['a type that is a number', 'type', () => actionsToken({ header: { typ: 7 } })],
  ['an end 61 s ago', 'expiry', () => actionsToken({ claims: { iat: now - 600, exp: now - 61 } })],
  ['no end', 'expiry', () => actionsToken({ claims: { exp: undefined } })],
  ['an end as text', 'expiry', () => actionsToken({ claims: { exp: String(now + 60) } })],
  ['a beginning to come', 'not_before', () => actionsToken({ claims: { nbf: now + 62 } })],
  ['made in the future', 'issued_at', () => actionsToken({ claims: { iat: now + 62, exp: now + 100 } })],
  ['no iat', 'issued_at', () => actionsToken({ claims: { iat: undefined } })],
  ['a client that has a secret', 'registered_method', () => actionsToken(), 'reports'],
  ['a client that is not there', 'client', () => actionsToken(), 'nobody'],
  ['another client’s token', 'federated_issuer', () => actionsToken(), 'elsewhere']
]

const own = (name: string, value: unknown): object => Object.fromEntries([[name, value]])

const hmac = () =>
  new SignJWT({ iss: actions.issuer, aud: issuer, iat: now, exp: now + 60, ...actionsClaims })
    .setProtectedHeader({ alg: 'HS256', kid: actions.jwk.kid ?? '' })
    .sign(Buffer.from(JSON.stringify(actions.jwk)))

async function tampered(): Promise<string> {
  const [header, payload = '', signature] = (await actionsToken({ claims: { repository_id: '99' } })).split('.')
  const changed = Buffer.from(payload, 'base64url').toString().replace('"99"', '"456789"')
  return [header, Buffer.from(changed).toString('base64url'), signature].join('.')
}

export const accepted: [string, () => Promise<string>, string][] = [
  ['of the first platform', () => actionsToken(), 'federated:actions'],
  ['of the second', () => clusterToken(), 'federated:cluster'],
  ['with its audience as a list of one', () => actionsToken({ claims: { aud: [issuer] } }), 'federated:actions'],
  ['with typ JWT', () => actionsToken({ header: { typ: 'JWT' } }), 'federated:actions'],
  ['with the explicit type', () => actionsToken({ header: { typ: 'client-authentication+jwt' } }), 'federated:actions'],
  [
    'with keys in its header that are not looked at',
    () => actionsToken({ header: { jku: 'https://evil.example', x5u: 'https://evil.example', jwk: {} } }),
    'federated:actions'
  ],
  ['without jti', () => actionsToken({ claims: { jti: undefined } }), 'federated:actions'],
  [
    'with the other of two wanted values',
    () => actionsToken({ claims: { event_name: 'workflow_dispatch' } }),
    'federated:actions'
  ],
  [
    'with further segments below its subject',
    () => actionsToken({ claims: { sub: 'repo:acme/app:ref:refs/heads/main' } }),
    'federated:actions'
  ],
  ['a day long', () => actionsToken({ claims: { exp: now + 86_400 } }), 'federated:actions']
]

/** Every row has all four: what is missing in one is taken for a callback. */
export const rows = refused.map(([name, check, token, client_id]) => [name, check, token, client_id ?? 'deployer'] as const)
