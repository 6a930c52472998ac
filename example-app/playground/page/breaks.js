/** What can be made wrong, and the check of the decision that each promises to fail. */
import { base64, random, utf8 } from './bytes.js'
import { makeKey } from './keys.js'
import { isAttested, isWorkload, vouchedBreaks } from './vouched-breaks.js'

const assertionOf = draft => draft.jwts.find(({ name }) => name === 'client_assertion')
const signsAssertions = method => method === 'private_key_jwt' || method === 'client_secret_jwt'
/** Its own assertion, or a token that somebody signed for it. */
const presentsJwt = method => signsAssertions(method) || isWorkload(method)
const now = () => Math.floor(Date.now() / 1000)

/** A change of the assertion. */
const changed = change => draft => change(assertionOf(draft))

/** `check` is the check of the decision, or the error where no client authentication is refused. */
export const breaks = [
  {
    id: 'wrong_secret',
    label: 'Another secret',
    check: 'secret',
    methods: ['client_secret_basic', 'client_secret_post'],
    apply: wrongSecret
  },
  {
    id: 'unknown_client',
    label: 'A client nobody knows',
    check: 'client',
    methods: ['client_secret_basic', 'client_secret_post', 'federated_jwt', 'spiffe_jwt', 'none'],
    apply: unknownClient
  },
  {
    id: 'two_methods',
    label: 'Two methods at once',
    check: 'one_mechanism',
    methods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'federated_jwt', 'spiffe_jwt'],
    apply: twoMethods
  },
  {
    id: 'other_method',
    label: 'A method it is not registered for',
    check: 'registered_method',
    methods: ['client_secret_basic', 'client_secret_post'],
    apply: otherMethod
  },
  {
    id: 'wrong_audience',
    label: 'Another audience',
    check: 'audience',
    methods: presentsJwt,
    apply: changed(jwt => (jwt.claims.aud = 'https://other.example'))
  },
  {
    id: 'expired',
    label: 'Expired',
    check: 'expiry',
    methods: presentsJwt,
    apply: changed(jwt => Object.assign(jwt.claims, { iat: now() - 600, exp: now() - 540 }))
  },
  {
    id: 'clock_ahead',
    label: 'A clock 5 minutes ahead',
    check: 'issued_at',
    methods: presentsJwt,
    apply: changed(jwt => Object.assign(jwt.claims, { iat: now() + 300, exp: now() + 360 }))
  },
  {
    id: 'not_yet',
    label: 'Not valid yet',
    check: 'not_before',
    methods: presentsJwt,
    apply: changed(jwt => (jwt.claims.nbf = now() + 300))
  },
  { id: 'replayed', label: 'Sent twice', check: 'replay', methods: signsAssertions, apply: draft => (draft.twice = true) },
  { id: 'other_key', label: 'Another key', check: 'signature', methods: presentsJwt, apply: otherKey },
  {
    id: 'unknown_key',
    label: 'A key nobody registered',
    check: 'key',
    methods: method => method === 'private_key_jwt' || isWorkload(method),
    apply: changed(jwt => (jwt.header.kid = 'nobody'))
  },
  {
    id: 'alg_none',
    label: 'Algorithm none',
    check: 'algorithm',
    methods: presentsJwt,
    apply: changed(jwt => (jwt.header.alg = 'none'))
  },
  {
    id: 'wrong_type',
    label: 'Another kind of JWT',
    check: 'type',
    methods: presentsJwt,
    apply: changed(jwt => (jwt.header.typ = 'at+jwt'))
  },
  { id: 'no_jti', label: 'Without a jti', check: 'jti', methods: signsAssertions, apply: changed(jwt => delete jwt.claims.jti) },
  {
    id: 'other_issuer',
    label: 'In another’s name',
    check: 'issuer_and_subject',
    methods: signsAssertions,
    apply: changed(jwt => (jwt.claims.iss = 'somebody-else'))
  },
  {
    id: 'long_life',
    label: 'Valid for a day',
    check: 'lifetime',
    methods: signsAssertions,
    apply: changed(jwt => (jwt.claims.exp = now() + 86400))
  },
  { id: 'no_jwt', label: 'No JWT at all', check: 'assertion_format', methods: presentsJwt, apply: noJwt },
  {
    id: 'no_certificate',
    label: 'No certificate',
    check: 'certificate',
    methods: byCertificate,
    apply: draft => (draft.certificate.by = 'nobody')
  },
  {
    id: 'other_authority',
    label: 'Another authority',
    check: 'certificate_chain',
    methods: ['tls_client_auth'],
    apply: draft => (draft.certificate.by = 'itself')
  },
  {
    id: 'other_subject',
    label: 'Another subject',
    check: 'certificate_subject',
    methods: ['tls_client_auth'],
    apply: draft => (draft.certificate.subject = 'somebody-else')
  },
  {
    id: 'expired_certificate',
    label: 'An expired certificate',
    check: 'certificate_validity',
    methods: ['self_signed_tls_client_auth', 'spiffe_x509'],
    apply: draft => (draft.certificate.isExpired = true)
  },
  {
    id: 'expired_link',
    label: 'An expired certificate',
    check: 'certificate_chain',
    methods: ['tls_client_auth'],
    apply: draft => (draft.certificate.isExpired = true)
  },
  {
    id: 'other_certificate',
    label: 'Another certificate',
    check: 'certificate_key',
    methods: ['self_signed_tls_client_auth'],
    apply: draft => (draft.certificate.isUnknown = true)
  },
  {
    id: 'two_clients',
    label: 'Two client_ids',
    check: 'one_client_id',
    methods: ['client_secret_basic'],
    apply: draft => (draft.params.client_id = 'somebody-else')
  },
  ...vouchedBreaks,
  {
    id: 'wrong_proof',
    label: 'A DPoP proof for another address',
    check: 'invalid_dpop_proof',
    methods: method => !isAttested(method),
    needs: 'dpop',
    apply: wrongProof
  },
  {
    id: 'wrong_verifier',
    label: 'Another PKCE verifier',
    check: 'invalid_grant',
    methods: () => true,
    needs: 'authorization_code',
    apply: draft => (draft.params.code_verifier = random(32))
  }
]

function byCertificate(method) {
  return method === 'tls_client_auth' || method === 'self_signed_tls_client_auth' || method === 'spiffe_x509'
}

/** Those that mean something for a method, a grant and what else is chosen. */
export function breaksFor(method, chosen) {
  return breaks.filter(
    ({ methods, needs }) =>
      (typeof methods === 'function' ? methods(method) : methods.includes(method)) &&
      (needs === undefined || chosen.includes(needs))
  )
}

function basic(client_id, client_secret) {
  return `Basic ${base64(utf8(`${client_id}:${client_secret}`))}`
}

function wrongSecret(draft) {
  if (draft.headers.Authorization !== undefined) draft.headers.Authorization = basic(draft.client.client_id, 'not-the-secret')
  else draft.params.client_secret = 'not-the-secret'
}

function unknownClient(draft) {
  if (draft.headers.Authorization !== undefined) draft.headers.Authorization = basic('nobody', 'secret')
  else draft.params.client_id = 'nobody'
}

function twoMethods(draft) {
  if (draft.headers.Authorization === undefined) draft.headers.Authorization = basic(draft.client.client_id, 'a-second-proof')
  else Object.assign(draft.params, { client_id: draft.client.client_id, client_secret: 'a-second-proof' })
}

function otherMethod(draft) {
  const { client_id, client_secret } = draft.client
  if (draft.headers.Authorization === undefined) {
    draft.headers.Authorization = basic(client_id, client_secret)
    delete draft.params.client_id
    delete draft.params.client_secret
  } else {
    delete draft.headers.Authorization
    Object.assign(draft.params, { client_id, client_secret })
  }
}

async function otherKey(draft) {
  const jwt = assertionOf(draft)
  if (jwt.key?.alg === 'HS256') {
    const secret = crypto.getRandomValues(new Uint8Array(48))
    const privateKey = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    jwt.key = { privateKey, alg: 'HS256' }
  } else Object.assign(jwt, { key: await makeKey(), signer: undefined })
}

function noJwt(draft) {
  draft.jwts = draft.jwts.filter(({ name }) => name !== 'client_assertion')
  draft.params.client_assertion = 'this is no JWT'
  draft.params.client_id = draft.client.client_id
}

function wrongProof(draft) {
  const proof = draft.jwts.find(({ name }) => name === 'DPoP')
  proof.claims.htu = 'https://other.example/token'
}
