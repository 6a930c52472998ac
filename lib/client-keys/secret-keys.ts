/** Client secrets as HMAC keys (OpenID Connect Core §10.1: the octets of their UTF-8 representation). */
import { webcrypto } from 'node:crypto'
import type { CryptoKey } from 'jose'
import { clientSecrets, type Client, type ClientSecret } from '../clients/client.ts'
import { isLive } from '../clients/credentials.ts'
import type { Clock } from '../client-request.ts'
import { symmetricAlgorithms } from './algorithms.ts'

/** One live secret of a client. */
export interface SecretKey {
  /** The id of the secret. */
  readonly id: string
  /** Its octets: the same object every time, because the imported key is cached by it. */
  readonly key: Uint8Array
}

const octetsOf = new WeakMap<ClientSecret, Uint8Array>()
const imported = new WeakMap<Uint8Array, Map<string, Promise<CryptoKey>>>()

/**
 * The client's secrets that may be used now: not those that have expired (RFC 7591 §3.2.1), nor those whose time has
 * not come.
 */
export function liveSecrets(client: Client, clock: Clock): readonly SecretKey[] {
  const now = clock() / 1000
  const live = clientSecrets(client).filter(secret => isLive(secret, now))
  return live.flatMap(secret => {
    // one that is kept as a digest signs nothing
    const { id, value } = secret
    return value === undefined ? [] : [{ id, key: octets(secret, value) }]
  })
}

function octets(secret: ClientSecret, value: string): Uint8Array {
  const known = octetsOf.get(secret) ?? new TextEncoder().encode(value)
  octetsOf.set(secret, known)
  return known
}

/** The secret as a key that verifies `alg`. Imported once per octets object and alg. */
export function importSecret({ key: bytes }: SecretKey, alg: string): Promise<CryptoKey> {
  const byAlg = imported.get(bytes) ?? new Map<string, Promise<CryptoKey>>()
  imported.set(bytes, byAlg)
  const known = byAlg.get(alg)
  if (known !== undefined) return known
  const hash = symmetricAlgorithms.get(alg)?.hash ?? alg
  const key = webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash }, false, ['verify'])
  byAlg.set(alg, key)
  return key
}
