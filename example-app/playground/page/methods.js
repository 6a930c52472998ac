/** The client authentication methods: what each puts into a request. */
import { base64, random, utf8 } from './bytes.js'
import { secretKey } from './keys.js'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
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
