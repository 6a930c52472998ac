/** The client authentication methods: what each puts into a request. */
import { base64, random, utf8 } from './bytes.js'
import { secretKey } from './keys.js'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const spiffeAssertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'
const now = () => Math.floor(Date.now() / 1000)

/** RFC 6749 §2.3.1: form-encoded before they are put together. */
const formEncoded = text => new URLSearchParams([['', text]]).toString().slice(1)

/** What an assertion of RFC 7523 says, addressed to the issuer alone. */
const assertionClaims = ({ client_id }, { issuer }) => ({
  iss: client_id,
  sub: client_id,
  aud: issuer,
  jti: random(12),
  iat: now(),
  exp: now() + 60
})

async function assertion(draft, setup, key, header) {
  draft.params.client_assertion_type = assertionType
  const claims = assertionClaims(draft.client, setup)
  draft.jwts.push({ name: 'client_assertion', title: 'Client assertion', in: 'params', header, claims, key })
}

/** An attestation by the demo's attester, and a proof by the key that it vouches for, with what the server gave for it. */
async function attested(draft, setup, key, header, name) {
  const answer = await fetch(setup.challenge, { method: 'POST' })
  const { attestation_challenge: challenge } = await answer.json()
  const { client_id } = draft.client
  const claims = { sub: client_id, iat: now(), exp: now() + 3600, cnf: { jwk: key.jwk } }
  const attestation = { typ: 'oauth-client-attestation+jwt', alg: 'ES256', x5c: [setup.attester] }
  const proof =
    name === 'DPoP' ? { htm: 'POST', htu: draft.url, nonce: answer.headers.get('dpop-nonce') } : { aud: setup.issuer, challenge }
  draft.jwts.push(
    { name: 'OAuth-Client-Attestation', title: 'Attestation', in: 'headers', header: attestation, claims, signer: 'attester' },
    { name, title: 'Proof of the instance', in: 'headers', header, claims: { ...proof, jti: random(12), iat: now() }, key }
  )
}

/** A token by one of those who vouch for workloads: the client keeps nothing that is secret. */
function vouchedFor(draft, setup, { type = assertionType, title, signer, kid, claims }) {
  draft.params.client_id = draft.client.client_id
  draft.params.client_assertion_type = type
  const header = { typ: 'JWT', alg: 'ES256', kid }
  draft.jwts.push({ name: 'client_assertion', title, in: 'params', header, claims: { ...claims, aud: setup.issuer }, signer })
}

/** By name: one sentence on what it is, and what it adds to a draft of a request. */
export const methods = {
  client_secret_basic: {
    about: 'The client sends its secret in the Authorization header. Everybody can do it; whoever sees it can do it again.',
    fill: draft => {
      const { client_id, client_secret } = draft.client
      draft.headers.Authorization = `Basic ${base64(utf8(`${formEncoded(client_id)}:${formEncoded(client_secret)}`))}`
    }
  },
  client_secret_post: {
    about: 'The client sends its secret in the body of the request.',
    fill: draft => {
      draft.params.client_id = draft.client.client_id
      draft.params.client_secret = draft.client.client_secret
    }
  },
  client_secret_jwt: {
    about: 'The client signs an assertion with its secret, which stays where it is. The server has to know the secret too.',
    fill: async (draft, setup) => {
      const key = await secretKey(draft.client.client_secret)
      await assertion(draft, setup, key, { typ: 'client-authentication+jwt', alg: 'HS256' })
    }
  },
  private_key_jwt: {
    about: 'The client signs an assertion with a key that nobody else has. The server knows its public half alone.',
    needsKey: true,
    fill: (draft, setup, key) => assertion(draft, setup, key, { typ: 'client-authentication+jwt', alg: key.alg, kid: key.kid })
  },
  tls_client_auth: {
    about: 'The client presents a certificate that an authority issued; the server knows the subject it registered.',
    certificate: 'authority',
    fill: draft => {
      draft.params.client_id = draft.client.client_id
      draft.certificate = { by: 'authority', subject: draft.client.client_id }
    }
  },
  self_signed_tls_client_auth: {
    about: 'The client presents a certificate it made itself; the server knows that very certificate.',
    certificate: 'itself',
    fill: draft => {
      draft.params.client_id = draft.client.client_id
      draft.certificate = { by: 'itself', subject: draft.client.client_id }
    }
  },
  attest_jwt_client_auth: {
    about:
      'The client’s maker vouches for this installation’s key, and the installation proves that it has it. Here the demo plays the attester.',
    needsInstance: true,
    fill: (draft, setup, key) =>
      attested(draft, setup, key, { typ: 'oauth-client-attestation-pop+jwt', alg: key.alg }, 'OAuth-Client-Attestation-PoP')
  },
  attest_jwt_client_auth_dpop: {
    about: 'The same, where the DPoP proof shows that the installation has the key.',
    needsInstance: true,
    hasProof: true,
    fill: (draft, setup, key) => attested(draft, setup, key, { typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk }, 'DPoP')
  },
  federated_jwt: {
    about:
      'The client has no secret: the platform it runs on signed a token that says which workload it is. Here the demo plays the platform, as a Kubernetes cluster.',
    fill: (draft, setup) => {
      const { iss, kid, pod } = setup.platform
      const claims = { iss, ...pod, jti: random(12), iat: now(), exp: now() + 3600 }
      vouchedFor(draft, setup, { title: 'Token of the platform', signer: 'platform', kid, claims })
    }
  },
  spiffe_jwt: {
    about:
      'The client is a SPIFFE workload, and shows the JWT-SVID that its trust domain gave it. Here the demo plays the trust domain.',
    fill: (draft, setup) => {
      const { kid, ids } = setup.domain
      const claims = { sub: ids.jwt, iat: now(), exp: now() + 300 }
      vouchedFor(draft, setup, { type: spiffeAssertionType, title: 'JWT-SVID', signer: 'domain', kid, claims })
    }
  },
  spiffe_x509: {
    about:
      'The same with a certificate: the client presents the X.509-SVID that its trust domain gave it. Only that domain’s authorities count.',
    certificate: 'domain',
    fill: (draft, setup) => {
      const { client_id } = draft.client
      draft.params.client_id = client_id
      draft.certificate = { by: 'domain', subject: client_id, uris: [setup.domain.ids.x509] }
    }
  },
  none: {
    about: 'A public client has nothing to prove itself with: an app on somebody’s device. PKCE protects its codes.',
    fill: draft => {
      draft.params.client_id = draft.client.client_id
    }
  }
}

/** A DPoP proof for a request (RFC 9449 §4.2), and for the token that it is sent with. */
export async function addProof(draft, url, key, ath) {
  const claims = { jti: random(12), htm: draft.verb ?? 'POST', htu: url, iat: now(), ...(ath && { ath }) }
  draft.jwts.push({
    name: 'DPoP',
    title: 'DPoP proof',
    in: 'headers',
    header: { typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk },
    claims,
    key
  })
}
