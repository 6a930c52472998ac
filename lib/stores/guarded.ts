/**
 * A store that cannot answer is no fault of this server's: whoever asked is told to come back (503), and gets no token.
 */
import { TemporarilyUnavailableError } from '../errors.ts'
import { batchOf, withOwnOperations } from './batch.ts'
import type { Batch, BatchOutcome, BatchStore, Json, Key, Store, StoredRecord, Taken } from './store.ts'

/**
 * The same store; what its operations reject with or throw arrives as {@link TemporarilyUnavailableError}, the cause in
 * it.
 */
export function guardedStore(store: Store): Store {
  return withOwnOperations(new GuardedStore(store))
}

/** The guarded store itself. Its operations are of the prototype: every tenant has one of these. */
export class GuardedStore implements BatchStore {
  private readonly store: Store

  constructor(store: Store) {
    this.store = store
  }

  get(key: Key): Promise<StoredRecord | undefined> {
    return guarded('get', () => this.store.get(key))
  }

  set(key: Key, value: Json, ttl: number): Promise<void> {
    return guarded('set', () => this.store.set(key, value, ttl))
  }

  add(key: Key, value: Json, ttl: number): Promise<boolean> {
    return guarded('add', () => this.store.add(key, value, ttl))
  }

  take(key: Key): Promise<Taken> {
    return guarded('take', () => this.store.take(key))
  }

  swap(key: Key, version: StoredRecord['version'], value: Json, ttl: number): Promise<boolean> {
    return guarded('swap', () => this.store.swap(key, version, value, ttl))
  }

  delete(key: Key): Promise<void> {
    return guarded('delete', () => this.store.delete(key))
  }

  deleteGrant(grant: string): Promise<void> {
    return guarded('deleteGrant', () => this.store.deleteGrant(grant))
  }

  close(): Promise<void> {
    return this.store.close()
  }

  batch(steps: Batch): Promise<BatchOutcome> {
    const batch = batchOf(this.store)
    return batch === undefined ? Promise.resolve('apart') : guarded('batch', () => batch(steps))
  }
}

function guarded<T>(operation: keyof BatchStore, ask: () => Promise<T>): Promise<T> {
  try {
    // a promise of the store's own, without what a function that awaits costs beside it
    return Promise.resolve(ask()).catch((cause: unknown) => {
      throw failed(operation, cause)
    })
  } catch (cause) {
    return Promise.reject(failed(operation, cause))
  }
}

function failed(operation: keyof BatchStore, cause: unknown): TemporarilyUnavailableError {
  return new TemporarilyUnavailableError({ reason: `the store's ${operation}() failed; see the cause`, cause })
}
