/** What can be made wrong where somebody else vouches for the client: an attester, a platform, a trust domain. */
import { makeKey } from './keys.js'

const now = () => Math.floor(Date.now() / 1000)

/** Whether an attester vouches for the client's instances. */
export const isAttested = method => method.startsWith('attest_jwt_client_auth')
const attestationOf = draft => draft.jwts.find(({ name }) => name === 'OAuth-Client-Attestation')

/** An attestation that is signed by this page. */
const byStranger =
  (change = () => undefined) =>
  async draft => {
    const jwt = attestationOf(draft)
    change(jwt)
    Object.assign(jwt, { key: await makeKey(), signer: undefined })
  }

/** Whether a platform or a trust domain says in a JWT which workload the client is. */
export const isWorkload = method => method === 'federated_jwt' || method === 'spiffe_jwt'

/** A change of the token that the platform, or the trust domain, signs. */
const saying = change => draft => {
  const { claims } = draft.jwts.find(({ name }) => name === 'client_assertion')
  change(claims, draft)
}

/** A change of what the token says of the pod. */
const pod = change => saying(claims => (claims['kubernetes.io'] = { ...claims['kubernetes.io'], ...change }))

/** A change of the certificate. */
const certified = change => draft => Object.assign(draft.certificate, change(draft.certificate))

export const vouchedBreaks = [
  {
    id: 'other_attester',
    label: 'An attester nobody trusts',
    check: 'attester',
    methods: isAttested,
    apply: byStranger(jwt => delete jwt.header.x5c)
  },
  {
    id: 'forged_attestation',
    label: 'A forged attestation',
    check: 'attestation_signature',
    methods: isAttested,
    apply: byStranger()
  },
  {
    id: 'other_instance',
    label: 'An attestation for a client nobody knows',
    check: 'client',
    methods: isAttested,
    apply: draft => (attestationOf(draft).claims.sub = 'somebody-else')
  },
  {
    id: 'old_attestation',
    label: 'An attestation of last week',
    check: 'attestation_freshness',
    methods: isAttested,
    apply: draft => Object.assign(attestationOf(draft).claims, { iat: now() - 604800, exp: now() - 601200 })
  },
  {
    id: 'wrong_attestation_type',
    label: 'Another kind of JWT as attestation',
    check: 'attestation_type',
    methods: isAttested,
    apply: draft => (attestationOf(draft).header.typ = 'JWT')
  },
  {
    id: 'no_instance_key',
    label: 'An attestation for no key',
    check: 'attestation_confirmation',
    methods: isAttested,
    apply: draft => delete attestationOf(draft).claims.cnf
  },
  {
    id: 'stolen_attestation',
    label: 'A stolen attestation',
    check: 'pop_signature',
    methods: ['attest_jwt_client_auth'],
    apply: async draft => (draft.jwts[1].key = await makeKey())
  },
  {
    id: 'other_pop_audience',
    label: 'A proof for another server',
    check: 'pop_audience',
    methods: ['attest_jwt_client_auth'],
    apply: draft => (draft.jwts[1].claims.aud = 'https://other.example')
  },
  {
    id: 'old_pop',
    label: 'A proof of an hour ago',
    check: 'pop_freshness',
    methods: ['attest_jwt_client_auth'],
    apply: draft => (draft.jwts[1].claims.iat = now() - 3600)
  },
  {
    id: 'no_nonce',
    label: 'A proof without a nonce',
    check: 'dpop_proof',
    methods: ['attest_jwt_client_auth_dpop'],
    apply: draft => delete draft.jwts[1].claims.nonce
  },
  {
    id: 'other_platform',
    label: 'A platform nobody trusts',
    check: 'federated_issuer',
    methods: ['federated_jwt'],
    apply: saying(claims => (claims.iss = 'https://other.example'))
  },
  {
    id: 'issuer_slash',
    label: 'The platform with a slash more',
    check: 'federated_issuer',
    methods: ['federated_jwt'],
    apply: saying(claims => (claims.iss += '/'))
  },
  {
    id: 'legacy_token',
    label: 'A Kubernetes token that never ends',
    check: 'federated_issuer',
    methods: ['federated_jwt'],
    apply: saying(claims => {
      claims.iss = 'kubernetes/serviceaccount'
      for (const claim of ['aud', 'exp', 'iat', 'jti']) delete claims[claim]
    })
  },
  {
    id: 'several_audiences',
    label: 'Several audiences',
    check: 'audience',
    methods: isWorkload,
    apply: saying(claims => (claims.aud = [claims.aud, 'https://other.example']))
  },
  {
    id: 'week_life',
    label: 'Valid for a week',
    check: 'lifetime',
    methods: isWorkload,
    apply: saying(claims => (claims.exp = now() + 604800))
  },
  {
    id: 'other_workload',
    label: 'Another service account',
    check: 'federated_subject',
    methods: ['federated_jwt'],
    apply: saying(claims => (claims.sub = 'system:serviceaccount:playground:somebody-else'))
  },
  {
    id: 'other_namespace',
    label: 'Another namespace in its claims',
    check: 'federated_claims',
    methods: ['federated_jwt'],
    apply: pod({ namespace: 'elsewhere' })
  },
  {
    id: 'claim_list',
    label: 'A list where a value is wanted',
    check: 'federated_claims',
    methods: ['federated_jwt'],
    apply: pod({ namespace: ['playground'] })
  },
  {
    id: 'no_claims',
    label: 'Without the platform’s claims',
    check: 'federated_claims',
    methods: ['federated_jwt'],
    apply: saying(claims => delete claims['kubernetes.io'])
  },
  {
    id: 'nobodys_token',
    label: 'No client_id, and no client it fits',
    check: 'client',
    methods: ['federated_jwt'],
    apply: saying((claims, draft) => {
      claims.sub = 'system:serviceaccount:playground:somebody-else'
      delete draft.params.client_id
    })
  },
  {
    id: 'wrong_assertion_type',
    label: 'Sent as jwt-bearer',
    check: 'assertion_type',
    methods: ['spiffe_jwt'],
    apply: draft => (draft.params.client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
  },
  {
    id: 'other_spiffe_id',
    label: 'A workload beside it',
    check: 'spiffe_id',
    methods: ['spiffe_jwt'],
    // a prefix is no path: whole segments are compared
    apply: saying(claims => (claims.sub = claims.sub.replace('/page/', '/page-of-somebody-else/')))
  },
  {
    id: 'other_domain',
    label: 'Another trust domain',
    check: 'spiffe_id',
    methods: ['spiffe_jwt'],
    apply: saying(claims => (claims.sub = claims.sub.replace('demo.example', 'other.example')))
  },
  {
    id: 'no_spiffe_id',
    label: 'No SPIFFE ID',
    check: 'spiffe_id',
    methods: ['spiffe_jwt'],
    apply: saying(claims => (claims.sub = 'page/1'))
  },
  {
    id: 'other_svid',
    label: 'The SVID of another workload',
    check: 'spiffe_id',
    methods: ['spiffe_x509'],
    apply: certified(({ uris: [uri] }) => ({ uris: [`${uri}-of-somebody-else`] }))
  },
  {
    id: 'two_svids',
    label: 'Two SPIFFE IDs in one certificate',
    check: 'spiffe_id',
    methods: ['spiffe_x509'],
    apply: certified(({ uris: [uri] }) => ({ uris: [uri, `${uri}/2`] }))
  },
  {
    id: 'no_svid',
    label: 'A certificate without a SPIFFE ID',
    check: 'spiffe_id',
    methods: ['spiffe_x509'],
    apply: certified(() => ({ uris: [] }))
  },
  {
    id: 'foreign_svid',
    label: 'By another authority',
    check: 'certificate_chain',
    methods: ['spiffe_x509'],
    apply: certified(() => ({ by: 'authority' }))
  },
  {
    id: 'own_svid',
    label: 'By itself',
    check: 'certificate_chain',
    methods: ['spiffe_x509'],
    apply: certified(() => ({ by: 'itself', isUnknown: true }))
  },
  {
    id: 'signing_svid',
    label: 'A certificate that may sign others',
    check: 'certificate_usage',
    methods: ['spiffe_x509'],
    apply: certified(() => ({ signsCertificates: true }))
  }
]
