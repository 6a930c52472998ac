/** The least that could be called minting a token. */
import { createPrivateKey, randomFillSync, sign } from 'node:crypto'
import { issuer, resource, scope, tokenLifetime } from '../cases.mjs'

const pool = Buffer.alloc(8192)
let used = pool.length

export function randomValue(bytes) {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.base64urlSlice(used - bytes, used)
}

const encode = value => Buffer.from(JSON.stringify(value)).base64urlSlice()

/** A function that makes JWT access tokens of one client (RFC 9068). */
export function signer(signingJwk, client_id) {
  const key = createPrivateKey({ key: signingJwk, format: 'jwk' })
  const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: signingJwk.kid })
  return () => {
    const iat = Math.floor(Date.now() / 1000)
    const exp = iat + tokenLifetime
    const claims = { iss: issuer, sub: client_id, aud: resource, client_id, scope, iat, exp, jti: randomValue(16) }
    const input = `${header}.${encode(claims)}`
    return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).base64urlSlice()}`
  }
}
