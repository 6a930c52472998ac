/** One store, shared by several that must not see each other's records. */
import { batchOf, withOwnOperations } from './batch.ts'
import type { Batch, BatchOutcome, BatchStore, FirstStep, Json, Key, Store, StoredRecord, Taken } from './store.ts'

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
  return withOwnOperations(new ScopedStore(store, scope))
}

/** Names of kinds that are remembered, at most. */
const mostKinds = 100

/** The view itself. Its operations are of the prototype: every tenant has one of these. */
export class ScopedStore implements BatchStore {
  private readonly store: Store
  private readonly prefix: string
  /** Few and known: a name is put together once. */
  private readonly kinds = new Map<string, string>()
  private closed = false

  constructor(store: Store, scope: string) {
    this.store = store
    // the length comes first, so that no scope's names can begin like another's
    this.prefix = `${scope.length}:${scope}`
  }

  get(key: Key): Promise<StoredRecord | undefined> {
    return this.closed ? refuse() : this.store.get(this.within(key))
  }

  set(key: Key, value: Json, ttl: number): Promise<void> {
    return this.closed ? refuse() : this.store.set(this.within(key), value, ttl)
  }

  add(key: Key, value: Json, ttl: number): Promise<boolean> {
    return this.closed ? refuse() : this.store.add(this.within(key), value, ttl)
  }

  take(key: Key): Promise<Taken> {
    return this.closed ? refuse() : this.store.take(this.within(key))
  }

  swap(key: Key, version: StoredRecord['version'], value: Json, ttl: number): Promise<boolean> {
    return this.closed ? refuse() : this.store.swap(this.within(key), version, value, ttl)
  }

  delete(key: Key): Promise<void> {
    return this.closed ? refuse() : this.store.delete(this.within(key))
  }

  deleteGrant(grant: string): Promise<void> {
    return this.closed ? refuse() : this.store.deleteGrant(this.prefix + grant)
  }

  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }

  batch(steps: Batch): Promise<BatchOutcome> {
    const batch = batchOf(this.store)
    if (batch === undefined) return Promise.resolve('apart')
    return this.closed ? refuse() : batch(mapKeys(steps, key => this.within(key)))
  }

  private within({ kind, id, grant }: Key): Key {
    return grant === undefined ? { kind: this.kindOf(kind), id } : { kind: this.kindOf(kind), id, grant: this.prefix + grant }
  }

  private kindOf(kind: string): string {
    const known = this.kinds.get(kind)
    if (known !== undefined) return known
    const name = this.prefix + kind
    if (this.kinds.size < mostKinds) this.kinds.set(kind, name)
    return name
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('the store is closed'))
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
