/**
 * Generated secrets as a store keeps them: as SHA-256 under a key the store does not have, or, for the one method that computes with
 * the secret itself, encrypted under another. Whoever reads the store learns no secret, and can try none.
 */
import { timingSafeEqual } from 'node:crypto'
import type { ClientSecret } from '../../clients/client.ts'
import { open, seal } from '../../crypto/seal.ts'
import { sha256 } from '../../crypto/sha256.ts'

/** One generated secret at rest. Times are seconds since the epoch. */
export interface StoredSecret {
  readonly type: 'secret'
  /** Names the secret among its client's. */
  readonly id: string
  readonly created_at: number
  /** After this the secret is refused; absent: never. */
  readonly expires_at?: number | undefined
  /** The digest, base64url; or */
  readonly digest?: string | undefined
  /** the secret itself, {@link seal}ed. */
  readonly sealed?: string | undefined
}

export interface SecretKeeperOptions {
  /** A MAC under a key of the server's that outlives restarts; `purpose` keeps what is derived for different uses apart. */
  readonly mac: (purpose: string, data: Uint8Array) => Uint8Array
  readonly random: (size: number) => Uint8Array
}

/** Turns generated secrets into what is kept of them, and back into what can be compared. */
export interface SecretKeeper {
  /** `readable`: sealed, so that the server can compute with it (`client_secret_jwt`). Otherwise no one can ever read it again. */
  keep(
    client_id: string,
    secret: Pick<StoredSecret, 'id' | 'created_at' | 'expires_at'> & { readonly value: string; readonly readable: boolean }
  ): StoredSecret
  /** What was kept; one that was kept under another key, or for another client, matches nothing. */
  restore(client_id: string, stored: StoredSecret): ClientSecret
  /** Whether this is the secret that was kept, in time that depends on its length alone. */
  matches(client_id: string, stored: StoredSecret, secret: string): boolean
}

/**
 * Makes the keeper of one server. What it kept is only of use to a keeper with the same MAC key.
 *
 * The digest is of key, client_id and secret: the key fills exactly one block of SHA-256, and a digest copied to another client's record matches
 * nothing there. It suits generated secrets alone: one that a person made up could be tried by whoever has the key.
 */
export function secretKeeper({ mac, random }: SecretKeeperOptions): SecretKeeper {
  const nothing = new Uint8Array()
  let digesting: string | undefined
  let sealing: Uint8Array | undefined
  const digestKey = () => (digesting ??= Buffer.from(mac('client_secret_digest', nothing)).toString('hex'))
  const sealingKey = () => (sealing ??= mac('client_secret_encryption', nothing))
  const digestFor = (client_id: string) => {
    const prefix = `${digestKey()}${client_id}\0`
    return (secret: string) => sha256(prefix + secret)
  }
  const restore: SecretKeeper['restore'] = (client_id, { id, expires_at, digest, sealed }) => {
    if (digest !== undefined)
      return { id, expires_at, digest: { value: Buffer.from(digest, 'base64url'), of: digestFor(client_id) } }
    return { id, expires_at, value: sealed === undefined ? undefined : open(sealingKey(), bindTo(client_id, id), sealed) }
  }
  return {
    restore,
    keep(client_id, { value, readable, ...rest }) {
      if (readable) return { ...rest, type: 'secret', sealed: seal(sealingKey(), bindTo(client_id, rest.id), value, random) }
      return { ...rest, type: 'secret', digest: digestFor(client_id)(value).toString('base64url') }
    },
    matches(client_id, stored, secret) {
      const { value, digest } = restore(client_id, stored)
      const of = digestFor(client_id)
      const kept = digest?.value ?? (value === undefined ? undefined : of(value))
      return kept !== undefined && isEqual(of(secret), kept)
    }
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Sealed with it: a sealed secret moved to another client's record does not open. */
function bindTo(client_id: string, id: string): string {
  return `${client_id}\0${id}`
}
