/** A key set ready for use: every key imported once, and found by what it is asked for. */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { hmacSha256 } from '../crypto/hmac.ts'
import { ConfigurationError } from '../options.ts'
import { isMlDsa, whyUnsupported } from '../crypto/ml-dsa.ts'
import { everySigningAlgorithm, type PrivateKeySet, type SigningAlgorithm } from './generate-keys.ts'

export interface SigningKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export interface KeyRing {
  /** In order: the first of an algorithm signs, further ones verify what they signed before, or will sign. */
  readonly keys: readonly SigningKey[]
  /** MACs under the set's own key. */
  readonly mac: ReturnType<typeof hmacSha256>
}

/**
 * Imports a key set.
 *
 * @param known keys that are imported already are taken from here.
 * @throws ConfigurationError naming the key that is wrong.
 */
export function keyRing(set: PrivateKeySet, path = 'keys', known?: KeyRing): KeyRing {
  const given: unknown = set
  if (typeof given !== 'object' || given === null || !Array.isArray((given as PrivateKeySet).keys)) {
    throw new ConfigurationError(path, 'must be a JWK Set with private keys, such as generateKeys() makes')
  }
  const keys: SigningKey[] = []
  set.keys.forEach((jwk, index) => {
    const at = `${path}.keys[${index}]`
    if (typeof (jwk as unknown) !== 'object' || (jwk as unknown) === null)
      throw new ConfigurationError(at, 'must be a private key in JWK form')
    if (jwk.kty === 'oct') return
    const key = known?.keys.find(({ kid }) => kid === jwk.kid) ?? importSigningKey(jwk, at)
    if (keys.some(({ kid }) => kid === key.kid)) throw new ConfigurationError(`${at}.kid`, 'is already the kid of another key')
    keys.push(key)
  })
  const mac = set.keys.find(jwk => jwk.kty === 'oct')
  const macKey = Buffer.from(typeof mac?.k === 'string' ? mac.k : '', 'base64url')
  if (macKey.length < 32) throw new ConfigurationError(path, 'must contain a key of type "oct" with at least 32 bytes')
  if (keys.length === 0)
    throw new ConfigurationError(path, `must contain a private key for one of ${everySigningAlgorithm.join(', ')}`)
  // copied, for what grew has room to spare
  return { keys: [...keys], mac: hmacSha256(macKey) }
}

function importSigningKey(jwk: JWK, path: string): SigningKey {
  const alg = everySigningAlgorithm.find(candidate => candidate === jwk.alg)
  if (alg === undefined) {
    const why = whyUnsupported(jwk.alg)
    const reason = why === undefined ? '' : `: ${String(jwk.alg)} ${why}`
    throw new ConfigurationError(`${path}.alg`, `must be one of ${everySigningAlgorithm.join(', ')}${reason}`)
  }
  if (typeof jwk.kid !== 'string' || jwk.kid === '') throw new ConfigurationError(`${path}.kid`, 'must be a non-empty string')
  const privateKey = importPrivateKey(jwk, path)
  if (!isKeyFor(alg, privateKey))
    throw new ConfigurationError(path, `must be a key ${alg} can sign with (RSA of at least 2048 bits, P-256, Ed25519 or ML-DSA)`)
  const publicKey = createPublicKey(privateKey)
  return { kid: jwk.kid, alg, privateKey, publicKey }
}

/** The public half, for others. */
export function publicJwk({ kid, alg, publicKey }: SigningKey): JWK {
  return { kid, alg, use: 'sig', ...(publicKey.export({ format: 'jwk' }) as JWK) }
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
  if (isMlDsa(alg)) return String(key.asymmetricKeyType) === alg.toLowerCase()
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
