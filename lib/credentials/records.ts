/** The credential records of a server's clients: read through a cache, changed by compare-and-set alone. */
import { hash } from 'node:crypto'
import { cachedRecords, type CachedRecords } from '../stores/cached-records.ts'
import { century, update } from '../stores/records.ts'
import type { Key, Store } from '../stores/store.ts'
import type { CredentialRecord } from './record.ts'

/** Found by client_id. */
export interface CredentialRecords extends CachedRecords<CredentialRecord> {
  /**
   * Changes a record, whoever else changes it at the same time. Seen on this node at once.
   *
   * @param change is called with what is there, again where that is another by then; returns undefined where there is
   * nothing to change, and may throw.
   */
  change(client_id: string, change: (record: CredentialRecord | undefined) => CredentialRecord | undefined): Promise<void>
}

interface CredentialRecordsOptions {
  readonly store: Store
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Seconds another node's change may go unseen here; 0 asks the store each time. */
  readonly maxAge: number
}

export function credentialRecords(options: CredentialRecordsOptions): CredentialRecords {
  const records = cachedRecords<CredentialRecord, CredentialRecord>({ ...options, keyOf, valueOf: record => record })
  // copied last: what begins as a copy and gets more members has a hidden class of its own, and every tenant has these
  return {
    async change(client_id, change) {
      try {
        await update<CredentialRecord>(options.store, keyOf(client_id), change, () => century)
      } finally {
        records.forget(client_id)
      }
    },
    ...records
  }
}

function keyOf(client_id: string): Key {
  return { kind: 'client_credentials', id: hash('sha256', client_id, 'base64url') }
}
