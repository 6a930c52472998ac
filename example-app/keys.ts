/** The keys and secrets of one issuer: made at the first start, kept in the store, the same for every process that shares it. */
import { hkdfSync } from 'node:crypto'
import { storedKeys, type StoredKeys, type Store } from 'clientele'
import { ConfigError } from './config/config-error.ts'
import type { Log } from './log.ts'

export interface IssuerKeys {
  readonly keys: StoredKeys
  /** A secret of this issuer's for one purpose: 32 bytes as base64url, the same at every start. */
  secretFor(purpose: string): string
}

/** @throws {@link ConfigError} where `KEYS_SECRET` does not fit what is stored; whatever the store rejects with. */
export async function issuerKeys(store: Store, issuer: string, log: Log): Promise<IssuerKeys> {
  const secret = process.env['KEYS_SECRET']
  const keys = await storedKeys({
    store,
    issuer,
    ...(secret !== undefined && secret !== '' && { secret }),
    onError: err => log.warn({ err, issuer }, 'the signing keys could not be looked up; those of before stay in use')
  }).catch((error: unknown) => {
    if (error instanceof Error && 'key' in error && error.key === 'secret')
      throw new ConfigError('KEYS_SECRET', error.message.replace(/^secret /, ''))
    throw error
  })
  return { keys, secretFor: purpose => secretOf(keys, issuer, purpose) }
}

/** Drawn from the key that stays when signing keys rotate. */
function secretOf(keys: StoredKeys, issuer: string, purpose: string): string {
  const root = keys.current().keys.find(({ kty }) => kty === 'oct')?.k ?? ''
  return Buffer.from(hkdfSync('sha256', Buffer.from(root, 'base64url'), issuer, purpose, 32)).toString('base64url')
}
