/**
 * A store that cannot answer is no fault of this server's: whoever asked is told to come back (503), and gets no token.
 */
import { TemporarilyUnavailableError } from '../errors.ts'
import { withBatchOf } from './batch.ts'
import type { BatchStore, Store } from './store.ts'

/**
 * The same store; what its operations reject with or throw arrives as {@link TemporarilyUnavailableError}, the cause in
 * it.
 */
export function guardedStore(store: Store): Store {
  const guarded = <T>(operation: keyof BatchStore, ask: () => Promise<T>): Promise<T> => {
    try {
      // a promise of the store's own, without what a function that awaits costs beside it
      return Promise.resolve(ask()).catch((cause: unknown) => {
        throw failed(operation, cause)
      })
    } catch (cause) {
      return Promise.reject(failed(operation, cause))
    }
  }
  const told: Store = {
    get: key => guarded('get', () => store.get(key)),
    set: (key, value, ttl) => guarded('set', () => store.set(key, value, ttl)),
    add: (key, value, ttl) => guarded('add', () => store.add(key, value, ttl)),
    take: key => guarded('take', () => store.take(key)),
    swap: (key, version, value, ttl) => guarded('swap', () => store.swap(key, version, value, ttl)),
    delete: key => guarded('delete', () => store.delete(key)),
    deleteGrant: grant => guarded('deleteGrant', () => store.deleteGrant(grant)),
    close: () => store.close()
  }
  return withBatchOf(told, store, (batch, steps) => guarded('batch', () => batch(steps)))
}

function failed(operation: keyof BatchStore, cause: unknown): TemporarilyUnavailableError {
  return new TemporarilyUnavailableError({ reason: `the store's ${operation}() failed; see the cause`, cause })
}
