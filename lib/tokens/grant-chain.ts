/**
 * Grants that began with a token exchange (RFC 8693). Each is a grant of its own that knows its parent: what was
 * exchanged. Ending the parent, or revoking the token that was presented, ends them; ending one leaves its parent.
 */
import type { Key, Store } from '../stores/store.ts'
import { endExchanged, findGrant, isExchanged, rootOf, tokenDigest, type FoundGrant } from './grant.ts'

/** Key of the record that an access token was revoked before its time. */
export function revocationKey(jti: string, grant: string | undefined): Key {
  const id = tokenDigest(jti)
  return grant === undefined ? { kind: 'revoked_access_token', id } : { kind: 'revoked_access_token', id, grant: rootOf(grant) }
}

/**
 * A grant while everything it rests on lives: one look-up, and for one that began with an exchange one or two more a
 * generation.
 */
export async function findLivingGrant(store: Store, id: string): Promise<FoundGrant | undefined> {
  const found = await findGrant(store, id)
  const parent = found?.grant.exchanged
  if (parent === undefined) return found
  const { jti, grant } = parent
  if (jti !== undefined && (await store.get(revocationKey(jti, grant))) !== undefined) return undefined
  // that an older ancestor ended is seen by what it took along: they are all kept with it
  if (grant !== undefined && isExchanged(grant) && (await findLivingGrant(store, grant)) === undefined) return undefined
  return found
}

/** Ends a grant with everything that rests on it. */
export function endGrantOf(store: Store, id: string): Promise<void> {
  return isExchanged(id) ? endExchanged(store, id) : store.deleteGrant(id)
}
