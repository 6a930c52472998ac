/** Whether an answer is worth counting. A fast wrong answer is not a fast answer. */
import { createPublicKey, verify } from 'node:crypto'
import { resource, scope } from './cases.mjs'

/** Judges one answer's status and body, cheaply enough to do it for all of them. Returns what is wrong, or undefined. */
export function faultOf(bench, status, body) {
  if (status !== 200) return `status ${status}: ${body.slice(0, 200)}`
  let answer
  try {
    answer = JSON.parse(body)
  } catch {
    return `not JSON: ${body.slice(0, 200)}`
  }
  const { access_token: token, token_type: type, expires_in: lifetime } = answer ?? {}
  if (typeof token !== 'string' || token.length < 20) return `no access_token: ${body.slice(0, 200)}`
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return `token_type ${JSON.stringify(type)}`
  if (typeof lifetime !== 'number') return `expires_in ${JSON.stringify(lifetime)}`
  const isJwt = token.startsWith('eyJ') && token.split('.').length === 3
  if (isJwt !== (bench.token === 'jwt')) return `the access token is ${isJwt ? '' : 'not '}a JWT`
  return undefined
}

/** Judges a few answers of a window in full: tokens differ, and JWTs carry a good signature and the right claims. */
export function faultOfSample(bench, bodies, { issuer, jwks }) {
  const tokens = bodies.map(body => JSON.parse(body).access_token)
  if (new Set(tokens).size !== tokens.length) return 'the same access token was issued twice'
  if (bench.token !== 'jwt') return undefined
  for (const token of tokens) {
    const fault = faultOfJwt(token, issuer, jwks)
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultOfJwt(token, issuer, jwks) {
  const [header, payload, signature] = token.split('.')
  const { alg, kid } = decode(header)
  if (alg !== 'ES256') return `a JWT signed with ${alg}`
  const jwk = jwks.keys.find(candidate => candidate.kid === kid)
  if (jwk === undefined) return 'a JWT of a key that is not published'
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const input = Buffer.from(`${header}.${payload}`)
  if (!verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')))
    return 'a JWT with a bad signature'
  const claims = decode(payload)
  const right = claims.iss === issuer && [claims.aud].flat().includes(resource) && claims.scope === scope
  return right ? undefined : `a JWT with wrong claims: ${JSON.stringify(claims)}`
}

function decode(part) {
  return JSON.parse(Buffer.from(part, 'base64url').toString())
}
