/**
 * The documents somebody agreed to, kept in the store: after a restart, and in another process, they are no strangers
 * that wait behind a flood of others.
 */
import { sha256 } from '../../crypto/sha256.ts'
import type { Key, Store } from '../../stores/store.ts'
import { namesDocument } from './identifier.ts'

/** Seconds. Whoever has not agreed again within a year is asked. */
export const consentKeptFor = 31_536_000

/** Notes that somebody agreed to the client, where it is one with a document. */
export async function noteConsented(store: Store, client_id: string): Promise<void> {
  if (namesDocument(client_id)) await store.set(keyOf(client_id), {}, consentKeptFor)
}

/** Whether somebody agreed to the client. */
export async function wasConsented(store: Store, client_id: string): Promise<boolean> {
  return (await store.get(keyOf(client_id))) !== undefined
}

function keyOf(client_id: string): Key {
  return { kind: 'consented_document', id: sha256(client_id).toString('base64url') }
}
