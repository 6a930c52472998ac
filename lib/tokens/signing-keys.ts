/** The keys this server signs with, and the one it makes MACs with. */
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  hash,
  sign,
  timingSafeEqual,
  verify,
  type JsonWebKey,
  type KeyObject
} from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { ConfigurationError } from '../options.ts'
import { pooledRandomBytes } from './random.ts'

/**
 * The algorithms this server signs with. Each published key has exactly one; `EdDSA` and `Ed25519`, its fully specified name (RFC 9864), have a key each,
 * so that clients of either name find theirs.
 */
export const signingAlgorithms = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'] as const
export type SigningAlgorithm = (typeof signingAlgorithms)[number]

/** A JWK Set with private keys: one per signing algorithm, and one of type `oct` for MACs. Keep it secret; JSON keeps it whole. */
export interface PrivateKeySet {
  readonly keys: readonly JWK[]
}

/** What a key signs with: node's digest name and options. Ed25519 hashes by itself. */
const howToSign = {
  ES256: { digest: 'sha256', options: { dsaEncoding: 'ieee-p1363' as const } },
  RS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: {
    digest: 'sha256',
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  },
  EdDSA: { digest: null, options: {} },
  Ed25519: { digest: null, options: {} }
}

interface SigningKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly publicJwk: JWK
}

const generate = promisify(generateKeyPair)

/**
 * Makes a fresh set of keys: one for each algorithm asked for, and one for MACs. Keep it where restarts and other nodes find
 * it; with new keys every token that is out becomes invalid.
 *
 * @example
 * const keys = await generateKeys() // or JSON.parse of what an earlier JSON.stringify(keys) kept
 */
export async function generateKeys(algorithms: readonly SigningAlgorithm[] = signingAlgorithms): Promise<PrivateKeySet> {
  const signing = await Promise.all(algorithms.map(generateSigningKey))
  const mac: JWK = {
    kty: 'oct',
    kid: pooledRandomBytes(8).toString('base64url'),
    alg: 'HS256',
    k: pooledRandomBytes(32).toString('base64url')
  }
  return { keys: [...signing, mac] }
}

async function generateSigningKey(alg: SigningAlgorithm): Promise<JWK> {
  const { privateKey } = await generatePair(alg)
  const jwk = privateKey.export({ format: 'jwk' }) as JWK
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' }
}

function generatePair(alg: SigningAlgorithm): Promise<{ privateKey: KeyObject }> {
  switch (alg) {
    case 'ES256':
      return generate('ec', { namedCurve: 'P-256' })
    case 'EdDSA':
    case 'Ed25519':
      return generate('ed25519')
    case 'RS256':
    case 'PS256':
      return generate('rsa', { modulusLength: 2048 })
  }
}

/** Signs and verifies what this server issues. */
export class SigningKeys {
  private readonly byAlgorithm = new Map<string, SigningKey>()
  private readonly byId = new Map<string, SigningKey>()
  private readonly headers = new Map<string, string>()
  private readonly macKey: Buffer

  /** @throws ConfigurationError naming the key that is wrong. */
  constructor(set: PrivateKeySet, path = 'keys') {
    const given: unknown = set
    if (typeof given !== 'object' || given === null || !Array.isArray((given as PrivateKeySet).keys)) {
      throw new ConfigurationError(path, 'must be a JWK Set with private keys, such as generateKeys() makes')
    }
    set.keys.forEach((jwk, index) => {
      if (typeof (jwk as unknown) !== 'object' || (jwk as unknown) === null)
        throw new ConfigurationError(`${path}.keys[${index}]`, 'must be a private key in JWK form')
      if (jwk.kty !== 'oct') this.add(importSigningKey(jwk, `${path}.keys[${index}]`), `${path}.keys[${index}]`)
    })
    const mac = set.keys.find(jwk => jwk.kty === 'oct')
    this.macKey = Buffer.from(typeof mac?.k === 'string' ? mac.k : '', 'base64url')
    if (this.macKey.length < 32) throw new ConfigurationError(path, 'must contain a key of type "oct" with at least 32 bytes')
    if (this.byId.size === 0)
      throw new ConfigurationError(path, `must contain a private key for one of ${signingAlgorithms.join(', ')}`)
  }

  private add(key: SigningKey, path: string): void {
    if (this.byId.has(key.kid)) throw new ConfigurationError(`${path}.kid`, 'is already the kid of another key')
    this.byId.set(key.kid, key)
    // the first key of an algorithm signs; further ones verify what they signed before
    if (!this.byAlgorithm.has(key.alg)) this.byAlgorithm.set(key.alg, key)
  }

  /** The algorithms there is a key for. */
  algorithms(): readonly string[] {
    return [...this.byAlgorithm.keys()]
  }

  /** The public halves, for `jwks_uri`. */
  publicKeys(): { keys: readonly JWK[] } {
    return { keys: [...this.byId.values()].map(({ publicJwk }) => publicJwk) }
  }

  /** A compact JWS over the claims. @throws when there is no key for the algorithm: check {@link algorithms} first. */
  async sign(alg: string, typ: string, claims: object): Promise<string> {
    const key = this.byAlgorithm.get(alg)
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
    const key = [...this.byId.values()].find(candidate => this.header(candidate, typ) === header)
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
    return createHmac('sha256', this.macKey).update(`${purpose}\0`).update(data).digest()
  }

  /** Whether `mac` is {@link mac} of the same purpose and data, in constant time. */
  verifyMac(purpose: string, data: Uint8Array, mac: Uint8Array): boolean {
    const expected = this.mac(purpose, data)
    return mac.length === expected.length && timingSafeEqual(mac, expected)
  }

  private header(key: SigningKey, typ: string): string {
    const name = `${typ} ${key.kid}`
    const kept = this.headers.get(name)
    if (kept !== undefined) return kept
    const header = Buffer.from(JSON.stringify({ alg: key.alg, typ, kid: key.kid })).toString('base64url')
    this.headers.set(name, header)
    return header
  }
}

/** `at_hash` and its siblings: the left half of the hash the algorithm signs with (OpenID Connect Core §3.1.3.6). */
export function halfHash(alg: string, value: string): string {
  const digest = hash(alg === 'EdDSA' || alg === 'Ed25519' ? 'sha512' : 'sha256', value, 'buffer')
  return digest.subarray(0, digest.length / 2).toString('base64url')
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

function importSigningKey(jwk: JWK, path: string): SigningKey {
  const alg = signingAlgorithms.find(candidate => candidate === jwk.alg)
  if (alg === undefined) throw new ConfigurationError(`${path}.alg`, `must be one of ${signingAlgorithms.join(', ')}`)
  if (typeof jwk.kid !== 'string' || jwk.kid === '') throw new ConfigurationError(`${path}.kid`, 'must be a non-empty string')
  const privateKey = importPrivateKey(jwk, path)
  if (!isKeyFor(alg, privateKey))
    throw new ConfigurationError(path, `must be a key ${alg} can sign with (RSA of at least 2048 bits, P-256 or Ed25519)`)
  const publicKey = createPublicKey(privateKey)
  const publicJwk = { ...(publicKey.export({ format: 'jwk' }) as JWK), kid: jwk.kid, alg, use: 'sig' }
  return { kid: jwk.kid, alg, privateKey, publicKey, publicJwk }
}

function importPrivateKey(jwk: JWK, path: string): KeyObject {
  try {
    return createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch {
    // the cause is left out: node's message may quote the key
    throw new ConfigurationError(path, 'must be a private key in JWK form')
  }
}

function isKeyFor(alg: SigningAlgorithm, key: KeyObject): boolean {
  const details = key.asymmetricKeyDetails
  switch (alg) {
    case 'ES256':
      return key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1'
    case 'EdDSA':
    case 'Ed25519':
      return key.asymmetricKeyType === 'ed25519'
    case 'RS256':
    case 'PS256':
      return key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 2048
  }
}
