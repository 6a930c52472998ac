/** Key sets as they rest in a store: encrypted under a secret from outside it, where there is one. */
import { hkdfSync } from 'node:crypto'
import { open, seal } from '../crypto/seal.ts'
import { ConfigurationError } from '../options.ts'

/** A record as it rests: readable, or sealed. */
export interface Kept<Record> {
  readonly keys?: Record
  readonly sealed?: string
}

/** Seals and opens records of one issuer. */
export interface Seal<Record> {
  /** The record as it may be kept: readable where there is no secret. */
  close(record: Record): Kept<Record>
  /**
   * The record behind what was kept, and whether it was kept as {@link close} would keep it now.
   *
   * @throws ConfigurationError for a sealed record that none of the secrets opens.
   */
  open(kept: Kept<Record>): { readonly record: Record; readonly current: boolean }
}

/**
 * AES-256-GCM under a key drawn from the secret by HKDF; what was sealed for one issuer opens for no other.
 *
 * @param secrets the first seals; all of them open. Empty: nothing is sealed.
 */
export function sealOf<Record>(issuer: string, secrets: readonly string[]): Seal<Record> {
  const keys = secrets.map(secret => Buffer.from(hkdfSync('sha256', secret, issuer, 'clientele stored keys', 32)))
  const [sealing] = keys
  return {
    close: record => (sealing === undefined ? { keys: record } : { sealed: seal(sealing, issuer, JSON.stringify(record)) }),
    open({ keys: readable, sealed }) {
      if (readable !== undefined) return { record: readable, current: sealing === undefined }
      for (const key of keys) {
        const text = sealed === undefined ? undefined : open(key, issuer, sealed)
        if (text !== undefined) return { record: JSON.parse(text) as Record, current: key === sealing }
      }
      throw new ConfigurationError(
        'secret',
        'must be the secret the stored keys were encrypted with (or name it in previousSecrets)'
      )
    }
  }
}
