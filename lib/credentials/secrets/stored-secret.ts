/**
 * Generated secrets as a store keeps them: as SHA-256 under a key the store does not have, or, for the one method that
 * computes with the secret itself, encrypted under another. Whoever reads the store learns no secret, and can try none.
 */
import type { SecretKeeper } from '../../clients/stored-secret.ts'
import { open, seal } from '../../crypto/seal.ts'
import { sha256 } from '../../crypto/sha256.ts'
import { isEqual } from '../../crypto/comparison.ts'

interface SecretKeeperOptions {
  /**
   * A MAC under a key of the server's that outlives restarts; `purpose` keeps what is derived for different uses apart.
   */
  readonly mac: (purpose: string, data: Uint8Array) => Uint8Array
  readonly random: (size: number) => Uint8Array
}

const nothing = new Uint8Array()

/**
 * Makes the keeper of one server. What it kept is only of use to a keeper with the same MAC key.
 *
 * The digest is of key, client_id and secret: the key fills exactly one block of SHA-256, and a digest copied to
 * another client's record matches nothing there. It suits generated secrets alone: one that a person made up could be
 * tried by whoever has the key.
 */
export function secretKeeper({ mac, random }: SecretKeeperOptions): SecretKeeper {
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

/** Sealed with it: a sealed secret moved to another client's record does not open. */
function bindTo(client_id: string, id: string): string {
  return `${client_id}\0${id}`
}
