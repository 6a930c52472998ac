/**
 * The JWS algorithms a client may sign with, and what each asks of its key. Symmetric and asymmetric ones are two lists
 * that never meet: no public key can be taken for an HMAC key, whatever a header says (RFC 8725 §3.1).
 */
import { supportedMlDsa } from '../crypto/ml-dsa.ts'
import { valueLike, type Check } from '../options.ts'

export interface AsymmetricAlgorithm {
  readonly kty: 'RSA' | 'EC' | 'OKP' | 'AKP'
  /** The curve, where the algorithm fixes one (RFC 7518 §3.4, RFC 9864). */
  readonly crv?: string
}

export const asymmetricAlgorithms: ReadonlyMap<string, AsymmetricAlgorithm> = new Map<string, AsymmetricAlgorithm>([
  ['RS256', { kty: 'RSA' }],
  ['RS384', { kty: 'RSA' }],
  ['RS512', { kty: 'RSA' }],
  ['PS256', { kty: 'RSA' }],
  ['PS384', { kty: 'RSA' }],
  ['PS512', { kty: 'RSA' }],
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519' }],
  ['Ed25519', { kty: 'OKP', crv: 'Ed25519' }],
  ...supportedMlDsa.map((alg): [string, AsymmetricAlgorithm] => [alg, { kty: 'AKP' }])
])

interface SymmetricAlgorithm {
  readonly hash: string
  /** A key shorter than the hash's output MUST NOT be used (RFC 7518 §3.2). In bytes. */
  readonly shortestKey: number
}

export const symmetricAlgorithms: ReadonlyMap<string, SymmetricAlgorithm> = new Map([
  ['HS256', { hash: 'SHA-256', shortestKey: 32 }],
  ['HS384', { hash: 'SHA-384', shortestKey: 48 }],
  ['HS512', { hash: 'SHA-512', shortestKey: 64 }]
])

/** Every algorithm a client assertion can be verified with. */
export const assertionAlgorithms: readonly string[] = [...asymmetricAlgorithms.keys(), ...symmetricAlgorithms.keys()]

/** `Ed25519` is the fully specified name of what `EdDSA` means here (RFC 9864 §2.2): one algorithm under two names. */
export function sameAlgorithm(a: string, b: string): boolean {
  return a === b || (isEd25519(a) && isEd25519(b))
}

/** Whether an `alg` is one of these, by either of its names. */
export function isAccepted(alg: unknown, algorithms: readonly string[]): alg is string {
  return typeof alg === 'string' && algorithms.some(accepted => sameAlgorithm(accepted, alg))
}

/** An option that lists some of these algorithms, one at least. */
export function someOf(algorithms: readonly string[]): Check<readonly string[] | undefined> {
  return valueLike(
    `a list of ${algorithms.join(', ')}`,
    list => Array.isArray(list) && list.length > 0 && list.every(alg => algorithms.includes(alg as string))
  )
}

function isEd25519(alg: string): boolean {
  return alg === 'EdDSA' || alg === 'Ed25519'
}
