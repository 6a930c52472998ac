/**
 * The least that could be called an answer. It reads no configuration, checks nothing it need not, and knows its one client;
 * whatever is slower than this buys something.
 */
import { createHash, createPrivateKey, createPublicKey, randomFillSync, sign, timingSafeEqual, verify } from 'node:crypto'
import { assertionClient, basicClient, publicHalf, resource, scope, tokenLifetime } from '../cases.mjs'

const pool = Buffer.alloc(8192)
let used = pool.length

function randomValue(bytes) {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.base64urlSlice(used - bytes, used)
}

const sha256 = value => createHash('sha256').update(value).digest()
const encode = value => Buffer.from(JSON.stringify(value)).base64urlSlice()

function basicIsRight(expected, authorization) {
  const text = Buffer.from(authorization.slice(6), 'base64').latin1Slice()
  const colon = text.indexOf(':')
  return text.slice(0, colon) === basicClient.client_id && timingSafeEqual(sha256(text.slice(colon + 1)), expected)
}

function assertionIsRight(jwt, key, issuer, seen) {
  const dot = jwt.lastIndexOf('.')
  const signature = Buffer.from(jwt.slice(dot + 1), 'base64url')
  if (!verify('sha256', Buffer.from(jwt.slice(0, dot)), { key, dsaEncoding: 'ieee-p1363' }, signature)) return false
  const claims = JSON.parse(Buffer.from(jwt.slice(jwt.indexOf('.') + 1, dot), 'base64url').latin1Slice())
  if (claims.iss !== assertionClient.client_id || claims.aud !== issuer || claims.exp * 1000 < Date.now()) return false
  if (seen.has(claims.jti)) return false
  seen.set(claims.jti, claims.exp)
  return true
}

function signedToken(key, header, issuer, client_id) {
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: issuer,
    sub: client_id,
    aud: resource,
    client_id,
    scope,
    iat,
    exp: iat + tokenLifetime,
    jti: randomValue(16)
  }
  const input = `${header}.${encode(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).base64urlSlice()}`
}

/** A handler of `(req, res)` for token requests, and the keys it signs with. */
export function least({ issuer, bench, clientJwk, signingJwk }) {
  const secret = sha256(basicClient.client_secret)
  const clientKey = createPublicKey({ key: clientJwk, format: 'jwk' })
  const signingKey = createPrivateKey({ key: signingJwk, format: 'jwk' })
  const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: signingJwk.kid })
  const seen = new Map()
  const tokens = new Map()
  const { client_id } = bench.method === 'basic' ? basicClient : assertionClient

  function isRight(req, form) {
    if (bench.method === 'basic') return basicIsRight(secret, req.headers.authorization)
    return assertionIsRight(form.get('client_assertion'), clientKey, issuer, seen)
  }

  function mint() {
    if (bench.token === 'jwt') return signedToken(signingKey, header, issuer, client_id)
    const token = randomValue(32)
    tokens.set(token, { client_id, scope, expires_at: Date.now() + tokenLifetime * 1000 })
    return token
  }

  const answer = (req, res) => {
    let body = ''
    req.on('data', chunk => (body += chunk.latin1Slice()))
    req.on('end', () => {
      const right = isRight(req, new URLSearchParams(body))
      const answer = right
        ? `{"access_token":"${mint()}","token_type":"Bearer","expires_in":${tokenLifetime},"scope":"${scope}"}`
        : '{"error":"invalid_client"}'
      res.writeHead(right ? 200 : 401, {
        'Content-Type': 'application/json',
        'Content-Length': answer.length,
        'Cache-Control': 'no-store'
      })
      res.end(answer)
    })
  }
  return { answer, jwks: { keys: [publicHalf(signingJwk)] } }
}
