/** The credential records of a server's clients: read through a cache that is never older than it says, changed by compare-and-set alone. */
import { hash } from 'node:crypto'
import { update } from '../stores/records.ts'
import type { Key, Store, StoredRecord } from '../stores/store.ts'
import type { CredentialRecord } from './record.ts'
import { growingCache } from '../stores/growing-cache.ts'

/** What is known of one client. The same object for as long as the record is the same. */
export interface KnownRecord {
  readonly version: StoredRecord['version'] | undefined
  readonly record: CredentialRecord | undefined
}

export interface CredentialRecords {
  /** What is known now, if it is not too old. Asks the store in time for the next who asks, so that who asks often never waits. */
  cached(client_id: string): KnownRecord | undefined
  /** What the store says. Rejects where it does. */
  load(client_id: string): Promise<KnownRecord>
  /**
   * Changes a record, whoever else changes it at the same time. Seen on this node at once.
   *
   * @param change is called with what is there, again where that is another by then; returns undefined where there is nothing to change, and may throw.
   */
  change(client_id: string, change: (record: CredentialRecord | undefined) => CredentialRecord | undefined): Promise<void>
}

export interface CredentialRecordsOptions {
  readonly store: Store
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Seconds another node's change may go unseen here; 0 asks the store each time. */
  readonly maxAge: number
}

interface Cached {
  readonly known: KnownRecord
  /** Milliseconds since the epoch: when the store was asked. */
  readonly asked: number
}

const mostCached = 10_000
/** In characters of JSON, all records together. */
const mostCachedText = 33_554_432
/** Stores end every record some time: this one goes when the client does. In seconds. */
const century = 3_155_760_000

export function credentialRecords({ store, clock, maxAge }: CredentialRecordsOptions): CredentialRecords {
  const kept = growingCache<Cached>(mostCached, {
    most: mostCachedText,
    sizeOf: ({ known: { record } }) => (record === undefined ? 1 : JSON.stringify(record).length)
  })
  const loading = new Map<string, Promise<KnownRecord>>()

  const read = async (client_id: string): Promise<KnownRecord> => {
    const found = await store.get(keyOf(client_id))
    const before = kept.get(client_id)?.known
    if (before !== undefined && before.version === found?.version) return before
    return { version: found?.version, record: found?.value as CredentialRecord | undefined }
  }
  const load = async (client_id: string): Promise<KnownRecord> => {
    const shared = loading.get(client_id)
    if (shared !== undefined) return shared
    // counted from the question: what changes after the answer was made counts as unseen from then on
    const asked = clock()
    const loaded = read(client_id)
    loading.set(client_id, loaded)
    try {
      const known = await loaded
      // what was asked for before a change must not be kept after it
      if (loading.get(client_id) === loaded) kept.set(client_id, { known, asked })
      return known
    } finally {
      if (loading.get(client_id) === loaded) loading.delete(client_id)
    }
  }
  const forget = (client_id: string): void => {
    kept.delete(client_id)
    loading.delete(client_id)
  }
  return {
    cached(client_id) {
      const cached = kept.get(client_id)
      if (cached === undefined) return undefined
      const age = clock() - cached.asked
      // a clock that was put back says nothing about the age
      if (age < 0 || age >= maxAge * 1000) return undefined
      if (age >= maxAge * 500 && !loading.has(client_id)) load(client_id).catch(ignore)
      return cached.known
    },
    load,
    change: changer(store, forget)
  }
}

/** @param forget what is told of every change. */
function changer(store: Store, forget: (client_id: string) => void): CredentialRecords['change'] {
  return async (client_id, change) => {
    try {
      await update<CredentialRecord>(store, keyOf(client_id), change, () => century)
    } finally {
      forget(client_id)
    }
  }
}

function keyOf(client_id: string): Key {
  return { kind: 'client_credentials', id: hash('sha256', client_id, 'base64url') }
}

function ignore(): void {
  // who waits for the store hears of it; who does not is served from what is known until that is too old
}
