/** The keys a server signs with, as they are made and kept. */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { JWK } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { mlDsaKeyPair, supportedMlDsa, whyUnsupported, type MlDsaAlgorithm } from '../crypto/ml-dsa.ts'
import { pooledRandomBytes } from '../crypto/random.ts'
import { ConfigurationError } from '../options.ts'

/**
 * The algorithms this server signs with. Each published key has exactly one; `EdDSA` and `Ed25519`, its fully specified
 * name (RFC 9864), have a key each, so that clients of either name find theirs.
 */
export const signingAlgorithms = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'] as const
/** An algorithm this library signs with. */
export type SigningAlgorithm = (typeof signingAlgorithms)[number] | MlDsaAlgorithm
/**
 * Those above, and those there are no keys for unless they are asked for: where the runtime can sign with them, their
 * signatures are long.
 */
export const everySigningAlgorithm: readonly SigningAlgorithm[] = [...signingAlgorithms, ...supportedMlDsa]

/**
 * A JWK Set with private keys: one per signing algorithm, and one of type `oct` for MACs. Keep it secret; JSON keeps it
 * whole.
 */
export interface PrivateKeySet {
  /** The private keys, each a JWK; the first of an algorithm signs, the others verify. */
  readonly keys: readonly JWK[]
}

/** Where keys change while the server runs: what they are now, and word of every change. */
export interface KeySource {
  /** The keys of this moment; the first of an algorithm signs, further ones verify. */
  current(): PrivateKeySet
  /** Calls the listener after every change, with the new keys. */
  subscribe(listener: (keys: PrivateKeySet) => void): void
}

const generate = promisify(generateKeyPair)

/**
 * Makes a fresh set of keys: one for each algorithm asked for, and one for MACs. Keep it where restarts and other nodes
 * find it; with new keys every token that is out becomes invalid.
 *
 * @example
 * const keys = await generateKeys() // or JSON.parse of what an earlier JSON.stringify(keys) kept
 */
export async function generateKeys(algorithms: readonly SigningAlgorithm[] = signingAlgorithms): Promise<PrivateKeySet> {
  const signing = await Promise.all(algorithms.map(generateSigningKey))
  return { keys: [...signing, generateMacKey()] }
}

/** A key for MACs: 256 random bits. */
export function generateMacKey(): JWK {
  return {
    kty: 'oct',
    kid: pooledRandomBytes(8).toString('base64url'),
    alg: 'HS256',
    k: pooledRandomBytes(32).toString('base64url')
  }
}

/**
 * One private key with its `kid`, the key's thumbprint (RFC 7638). Rejects with ConfigurationError for an algorithm
 * this runtime cannot sign with.
 */
export async function generateSigningKey(alg: SigningAlgorithm): Promise<JWK> {
  const { privateKey } = await generatePair(alg)
  const jwk = privateKey.export({ format: 'jwk' }) as JWK
  return { kid: await calculateJwkThumbprint({ ...jwk, alg }), alg, use: 'sig', ...jwk }
}

function generatePair(alg: SigningAlgorithm): Promise<{ privateKey: KeyObject }> {
  const why = whyUnsupported(alg)
  if (why !== undefined) return Promise.reject(new ConfigurationError('algorithms', `must leave out ${alg}: it ${why}`))
  switch (alg) {
    case 'ML-DSA-44':
    case 'ML-DSA-65':
    case 'ML-DSA-87':
      return Promise.resolve(mlDsaKeyPair(alg))
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
