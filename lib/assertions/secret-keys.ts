/** Client secrets as HMAC keys (OpenID Connect Core §10.1: the octets of their UTF-8 representation). */
import { webcrypto } from 'node:crypto'
import type { CryptoKey } from 'jose'
import { symmetricAlgorithms } from './algorithms.ts'

/** One live secret of a client. */
export interface SecretKey {
  /** The id of the secret. */
  readonly id: string
  /** Its octets: the same object every time, because the imported key is cached by it. */
  readonly key: Uint8Array
}

const imported = new WeakMap<Uint8Array, Map<string, Promise<CryptoKey>>>()

/** The secret as a key that verifies `alg`. Imported once per octets object and alg. */
export function importSecret({ key: octets }: SecretKey, alg: string): Promise<CryptoKey> {
  const byAlg = imported.get(octets) ?? new Map<string, Promise<CryptoKey>>()
  imported.set(octets, byAlg)
  const known = byAlg.get(alg)
  if (known !== undefined) return known
  const hash = symmetricAlgorithms.get(alg)?.hash ?? alg
  const key = webcrypto.subtle.importKey('raw', octets, { name: 'HMAC', hash }, false, ['verify'])
  byAlg.set(alg, key)
  return key
}
