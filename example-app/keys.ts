/**
 * The keys and secrets of one issuer: made at the first start, kept in the store, the same for every process that
 * shares it.
 */
import { hkdfSync } from 'node:crypto'
import { storedKeys, type StoredKeys, type Store } from 'clientele'
import { ConfigError } from './config/config-error.ts'
import type { Log } from './log.ts'

export interface IssuerKeys {
  readonly keys: StoredKeys
  /** A secret of this issuer's for one purpose: 32 bytes as base64url, the same at every start. */
  secretFor(purpose: string): string
}

/** Said at the start of a server that people rely on, whose keys lie open in its store. */
export const keysLieOpen =
  'KEYS_SECRET is not set: the signing keys lie unencrypted in the store, and whoever reads it, or a backup of it, can sign any token of this server'

/** @throws {@link ConfigError} where `KEYS_SECRET` does not fit what is stored; whatever the store rejects with. */
export async function issuerKeys(store: Store, issuer: string, log: Log): Promise<IssuerKeys> {
  const { KEYS_SECRET: secret = '', KEYS_SECRET_PREVIOUS: previous = '' } = process.env
  if (previous !== '' && secret === '') throw new ConfigError('KEYS_SECRET', 'must be given where KEYS_SECRET_PREVIOUS is')
  const keys = await storedKeys({
    store,
    issuer,
    ...(secret !== '' && { secret }),
    ...(previous !== '' && { previousSecrets: [previous] }),
    onError: err => log.warn({ err, issuer }, 'the signing keys could not be looked up; those of before stay in use')
  }).catch((error: unknown) => {
    const key = error instanceof Error && 'key' in error ? error.key : undefined
    if (key === 'previousSecrets[0]') throw new ConfigError('KEYS_SECRET_PREVIOUS', 'must be a string of at least 32 characters')
    if (error instanceof Error && key === 'secret')
      throw new ConfigError(
        'KEYS_SECRET',
        error.message.replace(/^secret /, '').replace('name it in previousSecrets', 'name it in KEYS_SECRET_PREVIOUS')
      )
    throw error
  })
  return { keys, secretFor: purpose => secretOf(keys, issuer, purpose) }
}

/** Drawn from the key that stays when signing keys rotate. */
function secretOf(keys: StoredKeys, issuer: string, purpose: string): string {
  const root = keys.current().keys.find(({ kty }) => kty === 'oct')?.k ?? ''
  return Buffer.from(hkdfSync('sha256', Buffer.from(root, 'base64url'), issuer, purpose, 32)).toString('base64url')
}
