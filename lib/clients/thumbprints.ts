/** Names and thumbprints of keys and certificates. */
import { hash } from 'node:crypto'
import type { JWK } from 'jose'

/** `kid:<kid>`, or `jkt:<RFC 7638 thumbprint>` where the key has none. */
export function keyCredential(jwk: JWK): string {
  return typeof jwk.kid === 'string' ? `kid:${jwk.kid}` : `jkt:${jwkThumbprint(jwk)}`
}

/** RFC 7638 §3.2, RFC 9964 §6: the members each kind of key has, in order. */
const thumbprintMembers: ReadonlyMap<unknown, readonly (keyof JWK)[]> = new Map<unknown, readonly (keyof JWK)[]>([
  ['AKP', ['alg', 'kty', 'pub']],
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']]
])

/** RFC 7638, of whatever stands there: a malformed key has a name too. */
export function jwkThumbprint(jwk: JWK): string {
  const members = thumbprintMembers.get(jwk.kty) ?? ['kty']
  return hash('sha256', JSON.stringify(Object.fromEntries(members.map(member => [member, jwk[member]]))), 'base64url')
}

/** The SHA-256 thumbprint of a certificate, as in `x5t#S256` (RFC 7515 §4.1.8). */
export function thumbprintOf(der: Uint8Array): string {
  return hash('sha256', der, 'base64url')
}
