/** Tokens, decoded, and verified with the keys that the server publishes. */
import { fromBase64url, textOf, utf8 } from './bytes.js'

const algorithms = {
  RS256: [{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, { name: 'RSASSA-PKCS1-v1_5' }],
  PS256: [
    { name: 'RSA-PSS', hash: 'SHA-256' },
    { name: 'RSA-PSS', saltLength: 32 }
  ],
  ES256: [
    { name: 'ECDSA', namedCurve: 'P-256' },
    { name: 'ECDSA', hash: 'SHA-256' }
  ],
  EdDSA: [{ name: 'Ed25519' }, { name: 'Ed25519' }],
  Ed25519: [{ name: 'Ed25519' }, { name: 'Ed25519' }]
}

/** Header and claims of a JWT; undefined for a token that is none. */
export function decode(token) {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    return { header: JSON.parse(textOf(fromBase64url(parts[0]))), claims: JSON.parse(textOf(fromBase64url(parts[1]))) }
  } catch {
    return undefined
  }
}

/** One sentence: whether the signature is by a key of the server’s. */
export async function verify(token, jwks) {
  const { header } = decode(token)
  const jwk = jwks.keys.find(({ kid }) => kid === header.kid)
  const [imported, verified] = algorithms[header.alg] ?? []
  if (jwk === undefined || imported === undefined) return 'No published key fits its kid and alg.'
  const [head, body, signature] = token.split('.')
  try {
    const key = await crypto.subtle.importKey(
      'jwk',
      { ...jwk, key_ops: undefined, use: undefined, alg: undefined },
      imported,
      false,
      ['verify']
    )
    const isGood = await crypto.subtle.verify(verified, key, fromBase64url(signature), utf8(`${head}.${body}`))
    return isGood ? `Its signature is good, by the published key ${jwk.kid} (${header.alg}).` : 'Its signature is not good.'
  } catch {
    return `This browser cannot verify ${header.alg}.`
  }
}
