/**
 * Verifies the signatures of JWSs (RFC 7515 §5.2) with node:crypto: an answer from WebCrypto's thread costs several
 * times what most of them take. Never a yes where jose would say no: spec/crypto/jws-signature.spec.ts compares them.
 */
import { constants, createHmac, KeyObject, verify, type VerifyKeyObjectInput } from 'node:crypto'
import type { CryptoKey } from 'jose'
import { supportedMlDsa } from './ml-dsa.ts'
import { isEqual } from './comparison.ts'
import { hmacSha256 } from './hmac.ts'

/** What an algorithm asks of its key, as WebCrypto names it, and of whoever verifies. */
interface Scheme {
  readonly name: string
  readonly hash?: string
  readonly namedCurve?: string
  readonly options?: Omit<VerifyKeyObjectInput, 'key'>
  /** Whether it is verified on another thread, because that takes longer than the way there and back. */
  readonly elsewhere?: boolean | ((key: CryptoKey) => boolean)
}

/** Of those who sign, whoever sends a key chooses what it costs: 25 µs for most, and a millisecond for the largest. */
const largestAtOnce = 3072
const usualExponent = 65_537

const costs = new WeakMap<CryptoKey, boolean>()

function isCostly(key: CryptoKey): boolean {
  let costly = costs.get(key)
  if (costly === undefined) costs.set(key, (costly = takesLong(key)))
  return costly
}

function takesLong({ algorithm }: CryptoKey): boolean {
  const {
    modulusLength = Infinity,
    publicExponent = []
  }: { readonly name: string; readonly modulusLength?: number; readonly publicExponent?: Iterable<number> } = algorithm
  const exponent = [...publicExponent].reduce((value, octet) => value * 256 + octet, 0)
  return modulusLength > largestAtOnce || exponent > usualExponent
}

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
const curves = { 256: 'P-256', 384: 'P-384', 512: 'P-521' } as const
const sizes = [256, 384, 512] as const
const ed25519: Scheme = { name: 'Ed25519', elsewhere: true }

/** Those of client-keys/algorithms.ts. */
const schemes: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ...sizes.flatMap((size): [string, Scheme][] => {
    const hash = `SHA-${size}`
    return [
      [`HS${size}`, { name: 'HMAC', hash }],
      [`RS${size}`, { name: 'RSASSA-PKCS1-v1_5', hash, elsewhere: isCostly }],
      [`PS${size}`, { name: 'RSA-PSS', hash, options: pss, elsewhere: isCostly }],
      [`ES${size}`, { name: 'ECDSA', hash, namedCurve: curves[size], options: { dsaEncoding: 'ieee-p1363' }, elsewhere: true }]
    ]
  }),
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
  ...supportedMlDsa.map((name): [string, Scheme] => [name, { name, elsewhere: true }])
])

/**
 * Whether the last part of a compact JWS is the signature of the parts before, by this key and algorithm. The header is
 * not looked at: `alg` is the one in it, that the caller allows. False for a key that is of another algorithm, and for
 * what is no signature. Never throws or rejects.
 *
 * @param jws three parts in base64url, as `decodeUnverified` found them.
 */
export function isSignedBy(jws: string, key: CryptoKey, alg: string): boolean | Promise<boolean> {
  const scheme = schemes.get(alg)
  const end = jws.lastIndexOf('.')
  // no number of bytes encodes to 4n + 1 characters
  if (scheme === undefined || (jws.length - end - 1) % 4 === 1 || !isKeyOf(key, scheme)) return false
  const signed = Buffer.from(jws.slice(0, end), 'latin1')
  const signature = Buffer.from(jws.slice(end + 1), 'base64url')
  try {
    const keyObject = keyObjectOf(key)
    if (scheme.name === 'HMAC') return isEqual(signature, macOf(keyObject, digestOf(scheme), signed))
    const how = { ...scheme.options, key: keyObject }
    const digest = scheme.hash === undefined ? null : digestOf(scheme)
    const { elsewhere = false } = scheme
    const isElsewhere = typeof elsewhere === 'function' ? elsewhere(key) : elsewhere
    return isElsewhere ? verifyElsewhere(digest, signed, how, signature) : verify(digest, signed, how, signature)
  } catch {
    return false
  }
}

function verifyElsewhere(digest: string | null, signed: Buffer, key: VerifyKeyObjectInput, signature: Buffer): Promise<boolean> {
  return new Promise<boolean>(resolve => {
    verify(digest, signed, key, signature, (error, valid) => resolve(error === null && valid))
  }).catch(() => false)
}

/** Of several algorithms that one key could be used with, it is for one alone (RFC 8725 §3.1). */
function isKeyOf({ algorithm, type, usages }: CryptoKey, scheme: Scheme): boolean {
  const { name, hash, namedCurve } = algorithm as { name: string; hash?: { name: string }; namedCurve?: string }
  return (
    name === scheme.name &&
    hash?.name === (scheme.name === 'ECDSA' ? undefined : scheme.hash) &&
    namedCurve === scheme.namedCurve &&
    type !== 'private' &&
    usages.includes('verify')
  )
}

const macs = new WeakMap<KeyObject, ReturnType<typeof hmacSha256>>()

/** By SHA-256, which nearly everybody uses, in half the time. */
function macOf(key: KeyObject, digest: string, data: Buffer): Buffer {
  if (digest !== 'sha256') return createHmac(digest, key).update(data).digest()
  let mac = macs.get(key)
  if (mac === undefined) macs.set(key, (mac = hmacSha256(key.export())))
  return mac('', data)
}

const keyObjects = new WeakMap<CryptoKey, KeyObject>()

function keyObjectOf(key: CryptoKey): KeyObject {
  let object = keyObjects.get(key)
  if (object === undefined) keyObjects.set(key, (object = KeyObject.from(key)))
  return object
}

function digestOf({ hash = '' }: Scheme): string {
  return hash.replace('-', '').toLowerCase()
}
