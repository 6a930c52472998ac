/** A store that cannot answer is no fault of this server's: whoever asked is told to come back (503), and gets no token. */
import { TemporarilyUnavailableError } from '../errors.ts'
import type { Store } from '../stores/store.ts'

/** The same store; what its operations reject with or throw arrives as {@link TemporarilyUnavailableError}, the cause in it. */
export function guardedStore(store: Store): Store {
  const guarded = async <T>(operation: keyof Store, answer: () => Promise<T>): Promise<T> => {
    try {
      return await answer()
    } catch (cause) {
      throw failed(operation, cause)
    }
  }
  return {
    // the two of every token request, without what a function that awaits costs
    get(key) {
      try {
        return Promise.resolve(store.get(key)).catch(getFailed)
      } catch (cause) {
        return Promise.reject(failed('get', cause))
      }
    },
    set(key, value, ttl) {
      try {
        return Promise.resolve(store.set(key, value, ttl)).catch(setFailed)
      } catch (cause) {
        return Promise.reject(failed('set', cause))
      }
    },
    add: (key, value, ttl) => guarded('add', () => store.add(key, value, ttl)),
    take: key => guarded('take', () => store.take(key)),
    swap: (key, version, value, ttl) => guarded('swap', () => store.swap(key, version, value, ttl)),
    delete: key => guarded('delete', () => store.delete(key)),
    deleteGrant: grant => guarded('deleteGrant', () => store.deleteGrant(grant)),
    close: () => store.close()
  }
}

function getFailed(cause: unknown): never {
  throw failed('get', cause)
}

function setFailed(cause: unknown): never {
  throw failed('set', cause)
}

function failed(operation: keyof Store, cause: unknown): TemporarilyUnavailableError {
  return new TemporarilyUnavailableError({ reason: `the store's ${operation}() failed; see the cause`, cause })
}
