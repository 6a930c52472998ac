/** The least that could be called client authentication, method by method. */
import { createHash, createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto'
import { issuer } from '../cases.mjs'

const sha256 = value => createHash('sha256').update(value).digest()

/** Whether `(req, form)` comes from the one client there is. */
export function authenticates({ bench, client, clientSecret }) {
  const { client_id } = client
  const digest = sha256(clientSecret)
  const isSecret = secret => timingSafeEqual(sha256(secret), digest)
  switch (bench.method) {
    case 'client_secret_basic':
      return ({ headers }) => {
        const text = Buffer.from(headers.authorization.slice(6), 'base64').latin1Slice()
        const colon = text.indexOf(':')
        return text.slice(0, colon) === client_id && isSecret(text.slice(colon + 1))
      }
    case 'client_secret_post':
      return (_, form) => form.get('client_id') === client_id && isSecret(form.get('client_secret'))
    case 'client_secret_jwt':
      return assertionCheck(client_id, (input, signature) =>
        timingSafeEqual(createHmac('sha256', clientSecret).update(input).digest(), signature)
      )
    case 'private_key_jwt': {
      const key = createPublicKey({ key: client.jwks.keys[0], format: 'jwk' })
      const how = bench.alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key
      return assertionCheck(client_id, (input, signature) => verify('sha256', Buffer.from(input), how, signature))
    }
  }
}

function assertionCheck(client_id, isSigned) {
  const seen = new Map()
  return (_, form) => {
    const jwt = form.get('client_assertion')
    const dot = jwt.lastIndexOf('.')
    if (!isSigned(jwt.slice(0, dot), Buffer.from(jwt.slice(dot + 1), 'base64url'))) return false
    const claims = JSON.parse(Buffer.from(jwt.slice(jwt.indexOf('.') + 1, dot), 'base64url').latin1Slice())
    if (claims.iss !== client_id || claims.aud !== issuer || claims.exp * 1000 < Date.now()) return false
    if (seen.has(claims.jti)) return false
    seen.set(claims.jti, claims.exp)
    return true
  }
}
