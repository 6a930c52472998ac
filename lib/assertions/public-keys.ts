/** Public JWKs of others: what one may be used for, and its imported form. */
import { calculateJwkThumbprint, importJWK, type CryptoKey, type JWK } from 'jose'
import { asymmetricAlgorithms, sameAlgorithm } from './algorithms.ts'

export interface PublicKey {
  readonly key: CryptoKey
  readonly credential: string
}

const mostCandidates = 4
const shortestRsa = 2048
// verification grows with the modulus, and the client chooses it
const longestRsa = 8192
const publicMembers = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const
const imported = new WeakMap<JWK, Map<string, Promise<PublicKey | undefined>>>()

/** A JWK without any private or symmetric part. Values from outside may be anything, so everything is looked at. */
export function isPublicKey(jwk: unknown): jwk is JWK {
  return typeof jwk === 'object' && jwk !== null && !('d' in jwk) && !('k' in jwk) && 'kty' in jwk && jwk.kty !== 'oct'
}

/** Why a JWK cannot have made a signature with `alg`, as the end of a sentence ("the key …"); undefined where it can. Never throws. */
export function unsuitable(jwk: unknown, alg: string): string | undefined {
  const algorithm = asymmetricAlgorithms.get(alg)
  if (algorithm === undefined) return `cannot be used with ${alg}`
  if (!isPublicKey(jwk)) return 'is not a public JWK (a private or symmetric key must never be registered)'
  if (jwk.kty !== algorithm.kty) return `has another kty than ${algorithm.kty}`
  if (algorithm.crv !== undefined && jwk.crv !== algorithm.crv) return `has another crv than ${algorithm.crv}`
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'has a use other than "sig"'
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify')))
    return 'has key_ops without "verify"'
  if (jwk.alg !== undefined && !(typeof jwk.alg === 'string' && sameAlgorithm(jwk.alg, alg))) return `has another alg than ${alg}`
  return jwk.kty === 'RSA' ? unsuitableRsa(jwk) : undefined
}

/** The JWKs that can have made a signature with this header, four at most: by what they are first, and by kid among those. */
export function suitableKeys(
  keys: readonly JWK[],
  { alg, kid }: { readonly alg: string; readonly kid?: string | undefined }
): readonly JWK[] {
  const fitting = keys.filter(jwk => unsuitable(jwk, alg) === undefined && (kid === undefined || jwk.kid === kid))
  return fitting.slice(0, mostCandidates)
}

function unsuitableRsa({ n }: JWK): string | undefined {
  if (typeof n !== 'string') return 'has no modulus "n"'
  const modulus = Buffer.from(n, 'base64url')
  const first = modulus.findIndex(byte => byte !== 0)
  const bits = first === -1 ? 0 : (modulus.length - first) * 8 - Math.clz32(modulus[first] ?? 0) + 24
  if (bits < shortestRsa) return `is an RSA key of ${bits} bits, and at least ${shortestRsa} are needed (RFC 7518 §3.3)`
  return bits > longestRsa ? `is an RSA key of ${bits} bits, and at most ${longestRsa} are accepted` : undefined
}

/** The JWK as a key that verifies `alg`; undefined where it is malformed. Imported once per JWK object and alg. Never rejects. */
export function importPublicKey(jwk: JWK, alg: string): Promise<PublicKey | undefined> {
  const byAlg = imported.get(jwk) ?? new Map<string, Promise<PublicKey | undefined>>()
  imported.set(jwk, byAlg)
  const known = byAlg.get(alg)
  if (known !== undefined) return known
  const key = importOnce(jwk, alg).catch(() => undefined)
  byAlg.set(alg, key)
  return key
}

async function importOnce(jwk: JWK, alg: string): Promise<PublicKey | undefined> {
  // use, key_ops and alg were judged by our rules; the import sees the key alone
  const bare: JWK = Object.fromEntries(
    publicMembers.filter(member => jwk[member] !== undefined).map(member => [member, jwk[member]])
  )
  const key = await importJWK(bare, alg)
  if (key instanceof Uint8Array) return undefined
  const credential = typeof jwk.kid === 'string' ? `kid:${jwk.kid}` : `jkt:${await calculateJwkThumbprint(bare)}`
  return { key, credential }
}
