/** Public keys of clients, as far as they can be judged without using them. */
import type { JWK } from 'jose'

/** In characters of JSON. A key of 8192 bits with its chain of certificates is smaller. */
const longestKey = 16_384

/** RFC 7517 §4, RFC 7518 §6, RFC 8037 §2, RFC 9964 §3; addresses (`x5u`, `jku`) are never followed, and not kept. */
export const jwkMembers = [
  'kty',
  'use',
  'alg',
  'kid',
  'crv',
  'x',
  'y',
  'n',
  'e',
  'pub',
  'x5t',
  'x5t#S256',
  'key_ops',
  'x5c'
] as const

/**
 * Finds the fault in something that is to be a key, as the end of a sentence; undefined: none that can be seen from
 * here.
 */
export function keyProblem(key: unknown): string | undefined {
  if (typeof key !== 'object' || key === null || Array.isArray(key)) return 'must be a key in JWK form'
  return sizeOf(key) > longestKey ? `must be at most ${longestKey} characters long` : undefined
}

function sizeOf(key: object): number {
  try {
    return JSON.stringify(key).length
  } catch {
    // what is no JSON is no JWK
    return Infinity
  }
}

/** The same key without the members nobody reads. */
export function knownJwk(jwk: JWK): JWK {
  return Object.fromEntries(jwkMembers.filter(member => jwk[member] !== undefined).map(member => [member, jwk[member]]))
}
