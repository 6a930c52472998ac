/** Public JWKs of others: what one may be used for, and its imported form. */
import type { CryptoKey, JWK } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { importJWK } from 'jose/key/import'
import { asymmetricAlgorithms, sameAlgorithm } from './algorithms.ts'
import { whyUnsupported } from '../crypto/ml-dsa.ts'
import { rsaProblem } from '../crypto/rsa-strength.ts'

interface PublicKey {
  readonly key: CryptoKey
  readonly credential: string
}

const mostCandidates = 4
/** Bytes of an imported key, which is not on the heap, and of the objects around it. */
const importedSize = 4096
const publicMembers = ['kty', 'crv', 'x', 'y', 'n', 'e', 'pub'] as const
/**
 * The members that are read of a JWK, and so kept of one that somebody else published (RFC 7517 §4, RFC 7518 §6, RFC
 * 8037 §2, RFC 9964 §3).
 */
const readMembers = [...publicMembers, 'use', 'key_ops', 'alg', 'kid', 'x5c'] as const
/**
 * Any of them makes a key one that is not to be known: the private exponent or seed, and the whole of a symmetric key.
 */
const secretMembers = ['d', 'k', 'priv'] as const
const imported = new WeakMap<JWK, Map<string, Promise<PublicKey | undefined>>>()

/** A JWK without any private or symmetric part. Values from outside may be anything, so everything is looked at. */
export function isPublicKey(jwk: unknown): jwk is JWK {
  if (typeof jwk !== 'object' || jwk === null || secretMembers.some(member => member in jwk)) return false
  return 'kty' in jwk && jwk.kty !== 'oct'
}

/**
 * A copy of a JWK with no more than is read of one here, and judged here as the JWK would have been. Of a private or
 * symmetric part it keeps that there was one.
 */
export function keptKey(jwk: object): JWK {
  const given = jwk as Readonly<Record<string, unknown>>
  const kept: Record<string, unknown> = {}
  for (const member of readMembers) if (given[member] !== undefined) kept[member] = keptValue(given[member])
  for (const secret of secretMembers) if (secret in given) kept[secret] = ''
  return kept
}

/** An object is the right value of no member: null is as wrong, and smaller. */
function keptValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => (typeof item === 'string' ? item : null))
  return typeof value === 'object' ? null : value
}

/** Bytes that a kept JWK may come to take, the key it is imported to included. */
export function sizeOfKey(jwk: JWK): number {
  return importedSize + JSON.stringify(jwk).length
}

/**
 * Why a JWK cannot have made a signature with `alg`, as the end of a sentence ("the key …"); undefined where it can.
 * Never throws.
 */
export function unsuitable(jwk: unknown, alg: string): string | undefined {
  const algorithm = asymmetricAlgorithms.get(alg)
  if (algorithm === undefined) return `cannot be used with ${alg}${because(alg)}`
  if (!isPublicKey(jwk)) return 'is not a public JWK (a private or symmetric key must never be registered)'
  if (jwk.kty !== algorithm.kty) return `has another kty than ${algorithm.kty}`
  if (algorithm.crv !== undefined && jwk.crv !== algorithm.crv) return `has another crv than ${algorithm.crv}`
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'has a use other than "sig"'
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify')))
    return 'has key_ops without "verify"'
  if (jwk.alg !== undefined && !(typeof jwk.alg === 'string' && sameAlgorithm(jwk.alg, alg))) return `has another alg than ${alg}`
  // RFC 9964 §3: without it nobody knows which of them the key is for
  if (jwk.kty === 'AKP' && jwk.alg === undefined) return 'has no alg, which a key of type AKP needs'
  return unsuitableRsa(jwk)
}

function because(alg: string): string {
  const why = whyUnsupported(alg)
  return why === undefined ? '' : `, which ${why}`
}

/**
 * The JWKs that can have made a signature with this header, four at most: by kid where there is one, and by what they
 * are.
 */
export function suitableKeys(
  keys: readonly JWK[],
  { alg, kid }: { readonly alg: string; readonly kid?: string | undefined }
): readonly JWK[] {
  const fitting: JWK[] = []
  for (const jwk of kid !== undefined && keys.length >= largeSet ? keysNamed(keys, kid) : keys) {
    if ((kid === undefined || jwk.kid === kid) && unsuitable(jwk, alg) === undefined) fitting.push(jwk)
    if (fitting.length === mostCandidates) break
  }
  return fitting
}

/** Keys in a set that is not looked through for every signature. */
const largeSet = 32
const byName = new WeakMap<readonly JWK[], ReadonlyMap<unknown, readonly JWK[]>>()

function keysNamed(keys: readonly JWK[], kid: string): readonly JWK[] {
  const known = byName.get(keys)
  if (known !== undefined) return known.get(kid) ?? []
  const named = new Map<unknown, JWK[]>()
  for (const jwk of keys) {
    const others = named.get(jwk.kid)
    if (others === undefined) named.set(jwk.kid, [jwk])
    else others.push(jwk)
  }
  byName.set(keys, named)
  return named.get(kid) ?? []
}

/**
 * Why an RSA key is too weak or too costly, as the end of a sentence ("the key …"); undefined where it is not, and for
 * keys of other kinds.
 */
export function unsuitableRsa({ kty, n, e }: JWK): string | undefined {
  if (kty !== 'RSA') return undefined
  if (typeof n !== 'string') return 'has no modulus "n"'
  const modulus = significant(n)
  const bits = modulus.length === 0 ? 0 : modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  const problem = rsaProblem(bits, exponentOf(e))
  return problem && `is ${problem}`
}

function exponentOf(e: unknown): number {
  if (e === 'AQAB') return 65_537
  const bytes = typeof e === 'string' ? significant(e) : Buffer.alloc(0)
  if (bytes.length === 0) return 0
  // what six octets cannot hold is too large by far
  return bytes.length > 6 ? Infinity : bytes.readUIntBE(0, bytes.length)
}

/** The octets of a number, without zeros in front. */
function significant(base64url: string): Buffer {
  const octets = Buffer.from(base64url, 'base64url')
  const first = octets.findIndex(octet => octet !== 0)
  return first === -1 ? Buffer.alloc(0) : octets.subarray(first)
}

/**
 * The JWK as a key that verifies `alg`; undefined where it is malformed. Imported once per JWK object and alg. Never
 * rejects.
 */
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
  // of this kind of key it is a part
  if (jwk.kty === 'AKP') bare.alg = alg
  const key = await importJWK(bare, alg)
  if (key instanceof Uint8Array) return undefined
  const credential = typeof jwk.kid === 'string' ? `kid:${jwk.kid}` : `jkt:${await calculateJwkThumbprint(bare)}`
  return { key, credential }
}
