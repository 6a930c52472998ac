/** Client secrets as HMAC keys (OpenID Connect Core §10.1: the octets of their UTF-8 representation). */
import { webcrypto } from 'node:crypto'
import type { CryptoKey } from 'jose'
import type { ClientSecret } from '../client.ts'
import { symmetricAlgorithms } from './algorithms.ts'

const imported = new WeakMap<ClientSecret, Map<string, Promise<CryptoKey>>>()

/** The secret as a key that verifies `alg`. Imported once per secret object and alg. */
export function importSecret(secret: ClientSecret, alg: string): Promise<CryptoKey> {
  const byAlg = imported.get(secret) ?? new Map<string, Promise<CryptoKey>>()
  imported.set(secret, byAlg)
  const known = byAlg.get(alg)
  if (known !== undefined) return known
  const hash = symmetricAlgorithms.get(alg)?.hash ?? alg
  const key = webcrypto.subtle.importKey('raw', Buffer.from(secret.value), { name: 'HMAC', hash }, false, ['verify'])
  byAlg.set(alg, key)
  return key
}
