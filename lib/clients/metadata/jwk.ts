/** Public keys of clients, as far as they can be judged without using them. */
import type { JWK } from 'jose'
import { isJsonObject } from '../../json.ts'

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
 * Members of a key that nobody but its holder may have (RFC 7518 §6, RFC 9964 §3): `p` and the like are of no use
 * without `d`, and say that it was there.
 */
export const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const

/** The list of keys in what is to be a JWK Set (RFC 7517 §5); undefined where there is none. */
export function keysInSet(jwks: unknown): readonly unknown[] | undefined {
  const keys = isJsonObject(jwks) ? jwks['keys'] : undefined
  return Array.isArray(keys) ? keys : undefined
}

/**
 * Finds the fault in something that is to be a key, as the end of a sentence; undefined: none that can be seen from
 * here.
 */
export function keyProblem(key: unknown): string | undefined {
  if (!isJsonObject(key)) return 'must be a key in JWK form'
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
