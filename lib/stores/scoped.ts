/** One store, shared by several that must not see each other's records. */
import type { Key, Store } from './store.ts'

/**
 * A view of a store in which everything kept belongs to one scope, such as one issuer of several: keys of one scope are
 * absent in every other, and ending a grant in one ends none of another. The guarantees are those of the store behind it.
 *
 * `close()` ends this view alone; the shared store stays open for whoever opened it.
 *
 * @param scope any characters; the same scope on the same store finds the same records.
 *
 * @example
 * const acme = scopedStore(store, 'https://as.example.com/acme')
 */
export function scopedStore(store: Store, scope: string): Store {
  // the length comes first, so that no scope's names can begin like another's
  const prefix = `${scope.length}:${scope}`
  const within = ({ kind, id, grant }: Key): Key =>
    grant === undefined ? { kind: prefix + kind, id } : { kind: prefix + kind, id, grant: prefix + grant }
  let closed = false
  const whileOpen = <T>(operation: () => Promise<T>): Promise<T> =>
    closed ? Promise.reject(new Error('the store is closed')) : operation()
  return {
    get: key => whileOpen(() => store.get(within(key))),
    set: (key, value, ttl) => whileOpen(() => store.set(within(key), value, ttl)),
    add: (key, value, ttl) => whileOpen(() => store.add(within(key), value, ttl)),
    take: key => whileOpen(() => store.take(within(key))),
    swap: (key, version, value, ttl) => whileOpen(() => store.swap(within(key), version, value, ttl)),
    delete: key => whileOpen(() => store.delete(within(key))),
    deleteGrant: grant => whileOpen(() => store.deleteGrant(prefix + grant)),
    close: () => {
      closed = true
      return Promise.resolve()
    }
  }
}
