/** One store, shared by several that must not see each other's records. */
import { withBatchOf } from './batch.ts'
import type { Batch, FirstStep, Key, Store } from './store.ts'

/** Names of kinds that are remembered, at most. */
const mostKinds = 100

/**
 * A view of a store in which everything kept belongs to one scope, such as one issuer of several: keys of one scope are
 * absent in every other, and ending a grant in one ends none of another. The guarantees are those of the store behind
 * it.
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
  // few and known: a name is put together once
  const kinds = new Map<string, string>()
  const kindOf = (kind: string): string => {
    const known = kinds.get(kind)
    if (known !== undefined) return known
    const name = prefix + kind
    if (kinds.size < mostKinds) kinds.set(kind, name)
    return name
  }
  const within = ({ kind, id, grant }: Key): Key =>
    grant === undefined ? { kind: kindOf(kind), id } : { kind: kindOf(kind), id, grant: prefix + grant }
  let closed = false
  const refuse = (): Promise<never> => Promise.reject(new Error('the store is closed'))
  const view: Store = {
    get: key => (closed ? refuse() : store.get(within(key))),
    set: (key, value, ttl) => (closed ? refuse() : store.set(within(key), value, ttl)),
    add: (key, value, ttl) => (closed ? refuse() : store.add(within(key), value, ttl)),
    take: key => (closed ? refuse() : store.take(within(key))),
    swap: (key, version, value, ttl) => (closed ? refuse() : store.swap(within(key), version, value, ttl)),
    delete: key => (closed ? refuse() : store.delete(within(key))),
    deleteGrant: grant => (closed ? refuse() : store.deleteGrant(prefix + grant)),
    close: () => {
      closed = true
      return Promise.resolve()
    }
  }
  return withBatchOf(view, store, (batch, steps) => (closed ? refuse() : batch(mapKeys(steps, within))))
}

function mapKeys([first, ...rest]: Batch, within: (key: Key) => Key): Batch {
  return [mapped(first, within), ...rest.map(step => mapped(step, within))]
}

/** Written out: copying an object to change one member takes V8 some microseconds. */
function mapped<Step extends FirstStep>(step: Step, within: (key: Key) => Key): Step
function mapped(step: FirstStep, within: (key: Key) => Key): FirstStep {
  const key = within(step.key)
  switch (step.operation) {
    case 'delete':
      return { operation: step.operation, key }
    case 'swap':
      return { operation: step.operation, key, version: step.version, value: step.value, ttl: step.ttl }
    default:
      return { operation: step.operation, key, value: step.value, ttl: step.ttl }
  }
}
