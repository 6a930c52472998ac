/** Signs and verifies with the keys of this server. */
import { constants, createHash, hash, sign, verify } from 'node:crypto'
import type { JWK } from 'jose'
import { isEqual } from '../crypto/comparison.ts'
import { isMlDsa } from '../crypto/ml-dsa.ts'
import { ConfigurationError, objectLike, required } from '../options.ts'
import type { KeySource, PrivateKeySet } from './generate-keys.ts'
import { keyRing, publicJwk, type KeyRing, type SigningKey } from './key-ring.ts'

/** Node's digest name and options for signatures of each algorithm. Ed25519 and ML-DSA hash by themselves. */
const howToSign = {
  ES256: { digest: 'sha256', options: { dsaEncoding: 'ieee-p1363' as const } },
  RS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: {
    digest: 'sha256',
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  },
  EdDSA: { digest: null, options: {} },
  Ed25519: { digest: null, options: {} },
  'ML-DSA-44': { digest: null, options: {} },
  'ML-DSA-65': { digest: null, options: {} },
  'ML-DSA-87': { digest: null, options: {} }
}

/**
 * The keys of a server, as far as they can be told from something else: what is wrong within them is said by {@link
 * SigningKeys}.
 */
export const keysCheck = required(
  objectLike<PrivateKeySet | KeySource>('a JWK Set with private keys, such as generateKeys() makes', value => {
    const isSource = typeof value['current'] === 'function' && typeof value['subscribe'] === 'function'
    return isSource || Array.isArray(value['keys'])
  })
)

/** Which keys are new, and which are gone. */
export interface KeyChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** The ids of the keys that one ring has and the other has not. */
function missing(ring: KeyRing, other: KeyRing): readonly string[] {
  return ring.keys.map(({ kid }) => kid).filter(kid => !other.keys.some(key => key.kid === kid))
}

/** Signs and verifies what this server issues. */
export class SigningKeys {
  private ring: KeyRing
  private headers: Map<string, string> | undefined = undefined
  /** Written when they are first asked for, which anybody may do over and over. */
  private published: readonly JWK[] | undefined = undefined

  /**
   * @param keys a fixed set, or a source whose changes are followed. A change that cannot be used leaves the keys as
   * they were.
   * @param onChange told which keys came and went, by their `kid`.
   * @throws ConfigurationError naming the key that is wrong.
   */
  constructor(keys: PrivateKeySet | KeySource, path = 'keys', onChange?: (change: KeyChange) => void) {
    const source = isKeySource(keys) ? keys : undefined
    this.ring = keyRing(source === undefined ? (keys as PrivateKeySet) : source.current(), path)
    source?.subscribe(changed => {
      const before = this.ring
      this.ring = keyRing(changed, path, before)
      this.headers = this.published = undefined
      const change = { added: missing(this.ring, before), removed: missing(before, this.ring) }
      if (change.added.length > 0 || change.removed.length > 0) onChange?.(change)
    })
  }

  /** The algorithms there is a key for. */
  algorithms(): readonly string[] {
    return [...new Set(this.ring.keys.map(({ alg }) => alg))]
  }

  /** The public halves, for `jwks_uri`. */
  publicKeys(): { keys: readonly JWK[] } {
    return { keys: (this.published ??= this.ring.keys.map(publicJwk)) }
  }

  /** A compact JWS over the claims. @throws when there is no key for the algorithm: check {@link algorithms} first. */
  async sign(alg: string, typ: string, claims: object): Promise<string> {
    const key = this.ring.keys.find(candidate => candidate.alg === alg)
    if (key === undefined) throw new ConfigurationError('keys', `must contain a private key for ${alg}`)
    const input = `${this.header(key, typ)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
    const signature = await signatureOf(key, Buffer.from(input))
    return `${input}.${signature.toString('base64url')}`
  }

  /**
   * The claims of a JWS this server signed with this `typ`; undefined for anything else. Says nothing about expiry,
   * audience or revocation.
   */
  verify(jws: string, typ: string): Readonly<Record<string, unknown>> | undefined {
    const [header, payload, signature, ...rest] = jws.split('.')
    if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return undefined
    const key = this.ring.keys.find(candidate => this.header(candidate, typ) === header)
    if (key === undefined) return undefined
    const bytes = Buffer.from(signature, 'base64url')
    // node's decoder skips what it does not know: a token has one spelling
    if (bytes.toString('base64url') !== signature) return undefined
    const { digest, options } = howToSign[key.alg]
    const valid = verify(digest, Buffer.from(`${header}.${payload}`), { key: key.publicKey, ...options }, bytes)
    return valid ? (JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>) : undefined
  }

  /** An HMAC-SHA256 under the server's own key; `purpose` keeps MACs of different uses apart. */
  mac(purpose: string, data: Uint8Array): Buffer {
    return this.ring.mac(`${purpose}\0`, data)
  }

  /** Whether `mac` is {@link mac} of the same purpose and data, in constant time. */
  verifyMac(purpose: string, data: Uint8Array, mac: Uint8Array): boolean {
    return isEqual(mac, this.mac(purpose, data))
  }

  private header(key: SigningKey, typ: string): string {
    const name = `${typ} ${key.kid}`
    const kept = this.headers?.get(name)
    if (kept !== undefined) return kept
    const header = Buffer.from(JSON.stringify({ alg: key.alg, typ, kid: key.kid })).toString('base64url')
    this.headers ??= new Map()
    this.headers.set(name, header)
    return header
  }
}

/** `at_hash` and its siblings: the left half of the hash the algorithm signs with (OpenID Connect Core §3.1.3.6). */
export function halfHash(alg: string, value: string): string {
  const digest = digestFor(alg, value)
  return digest.subarray(0, digest.length / 2).toString('base64url')
}

function digestFor(alg: string, value: string): Buffer {
  if (isMlDsa(alg)) return createHash('shake256', { outputLength: 64 }).update(value).digest()
  return hash(alg === 'EdDSA' || alg === 'Ed25519' ? 'sha512' : 'sha256', value, 'buffer')
}

/** An elliptic signature is quicker than handing it to another thread; an RSA one would hold up every other request. */
function signatureOf(key: SigningKey, data: Buffer): Buffer | Promise<Buffer> {
  const { digest, options } = howToSign[key.alg]
  const input = { key: key.privateKey, ...options }
  if (key.alg !== 'RS256' && key.alg !== 'PS256') return sign(digest, data, input)
  return new Promise((resolve, reject) => {
    sign(digest, data, input, (error, signature) => {
      if (error === null) resolve(signature)
      else reject(error)
    })
  })
}

function isKeySource(keys: PrivateKeySet | KeySource): keys is KeySource {
  return typeof (keys as Partial<KeySource> | null | undefined)?.current === 'function'
}
