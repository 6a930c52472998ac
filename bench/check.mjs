/** Whether an answer is worth counting. A fast wrong answer is not a fast answer. */
import { createPublicKey, verify } from 'node:crypto'
import { clientIdOf, issuer, resource, scope } from './cases.mjs'

/**
 * Judges one answer's status and body, cheaply enough to do it for all of them.
 *
 * @returns {{ answer?: object, fault?: string }} the answer, or what is wrong with it
 */
export function judge(bench, status, body, previous) {
  if (status !== 200) return { fault: `status ${status}: ${body.slice(0, 200)}` }
  let answer
  try {
    answer = JSON.parse(body)
  } catch {
    return { fault: `not JSON: ${body.slice(0, 200)}` }
  }
  const wrong = bench.grant === 'introspection' ? wrongInIntrospection(bench, answer) : wrongInTokens(bench, answer, previous)
  return wrong === undefined ? { answer } : { fault: `${wrong}: ${body.slice(0, 200)}` }
}

function wrongInIntrospection(bench, answer) {
  if (answer?.active !== true) return 'the token is not active'
  if (answer.client_id !== clientIdOf(bench) || typeof answer.exp !== 'number') return 'client_id or exp is wrong'
  return answer.scope === scope ? undefined : 'scope is wrong'
}

function wrongInTokens(bench, answer, previous) {
  const { access_token: token, token_type: type, expires_in: lifetime, refresh_token: refreshToken } = answer ?? {}
  if (typeof token !== 'string' || token.length < 20) return 'no access_token'
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return `token_type ${JSON.stringify(type)}`
  if (typeof lifetime !== 'number') return `expires_in ${JSON.stringify(lifetime)}`
  const isJwt = token.startsWith('eyJ') && token.split('.').length === 3
  if (isJwt !== (bench.token === 'jwt')) return `the access token is ${isJwt ? '' : 'not '}a JWT`
  if (bench.grant !== 'refresh_token') return undefined
  if (typeof refreshToken !== 'string' || refreshToken.length < 20) return 'no refresh_token'
  return refreshToken === previous?.refresh_token ? 'the refresh token did not rotate' : undefined
}

/** Judges a few answers of a window in full: tokens differ, and JWTs carry a good signature and the right claims. */
export function faultOfSample(bench, answers, jwks) {
  if (bench.grant === 'introspection') return undefined
  const tokens = answers.map(({ access_token }) => access_token)
  if (new Set(tokens).size !== tokens.length) return 'the same access token was issued twice'
  if (bench.token !== 'jwt') return undefined
  for (const token of tokens) {
    const fault = faultOfJwt(token, jwks)
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultOfJwt(token, jwks) {
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
