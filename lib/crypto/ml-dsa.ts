/**
 * ML-DSA (FIPS 204, RFC 9964), the signatures that no quantum computer is known to forge: there where the runtime has
 * them.
 */

import { generateKeyPairSync, type KeyObject } from 'node:crypto'

/** Its names as JWS algorithms, by the size of their keys. */
export const mlDsaAlgorithms = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const
/** One of them. */
export type MlDsaAlgorithm = (typeof mlDsaAlgorithms)[number]

/** WebCrypto, which verifies, has them since it can say what it supports. To ask it that warns of an experiment. */
interface Subtle {
  readonly supports?: unknown
}

function isThere(): boolean {
  const { SubtleCrypto } = globalThis as { readonly SubtleCrypto?: Subtle }
  if (typeof SubtleCrypto?.supports !== 'function') return false
  try {
    mlDsaKeyPair('ML-DSA-44')
    return true
  } catch {
    return false
  }
}

/** Those of them this process signs and verifies with: tried once, at its start. */
export const supportedMlDsa: readonly MlDsaAlgorithm[] = isThere() ? mlDsaAlgorithms : []

/** Whether an algorithm is one of them, whatever this process can do. */
export function isMlDsa(alg: unknown): alg is MlDsaAlgorithm {
  return mlDsaAlgorithms.some(known => known === alg)
}

/**
 * Why this process cannot do what others can, as the end of a sentence that begins with the algorithm; undefined where
 * it can, and for other algorithms.
 */
export function whyUnsupported(alg: unknown): string | undefined {
  if (!isMlDsa(alg) || supportedMlDsa.includes(alg)) return undefined
  return `needs Node 24.7 or later, and this is Node ${process.versions.node}`
}

/** A new pair of keys. @throws where the runtime has no such keys. */
export function mlDsaKeyPair(alg: MlDsaAlgorithm): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  // the types of the oldest Node this runs on know no such name
  return generateKeyPairSync(alg.toLowerCase() as 'ed25519')
}
