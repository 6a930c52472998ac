/** Several operations in one step where the store can do that, and one after the other where it cannot. */
import { types } from 'node:util'
import { asMade } from './as-made.ts'
import { operations, type Batch, type BatchStore, type FirstStep, type Store, type WriteStep } from './store.ts'

/**
 * Does these steps, and says whether it did: false where the first said no, and then none of the others was done.
 *
 * A store that does them in one step leaves all of them behind, or none, whatever happens meanwhile. One after the
 * other, a failure can leave the first ones behind alone; callers put first what harms nobody without the others.
 */
export async function inOneStep(store: Store, steps: Batch): Promise<boolean> {
  const [first, ...rest] = steps
  const batch = rest.length > 0 ? batchOf(store) : undefined
  if (batch !== undefined) {
    const outcome = await batch(steps)
    // a store that answers anything else than it promised has not said that it is done
    if (outcome !== 'apart') return outcome === 'done'
  }
  if (!(await decide(store, first))) return false
  for (const step of rest) await write(store, step)
  return true
}

/**
 * The store's own `batch`, where that is what its other operations are; undefined where somebody may have put something
 * before these: an object nearer than the one that has `batch` has an operation of its own, or a Proxy stands between.
 * Asked at each use: operations can be replaced at any time.
 */
export function batchOf(store: Store): BatchStore['batch'] | undefined {
  for (let at: object | null = store; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    if (types.isProxy(at)) return undefined
    if (Object.hasOwn(at, 'batch')) return isBatchStore(store) ? steps => store.batch(steps) : undefined
    const owner = at
    if (operations.some(operation => Object.hasOwn(owner, operation))) return undefined
  }
  return undefined
}

const wrappers = asMade<Store>(operations)

/**
 * The operations of a view as an object's own: they can be called apart from it, and copied into another store. Its
 * `batch` is not copied with them into a third one, whose operations it would go round, and goes round none that is put
 * in the place of one of its own.
 */
export function withOwnOperations(view: BatchStore): Store {
  const store: Store = {
    get: key => view.get(key),
    set: (key, value, ttl) => view.set(key, value, ttl),
    add: (key, value, ttl) => view.add(key, value, ttl),
    take: key => view.take(key),
    swap: (key, version, value, ttl) => view.swap(key, version, value, ttl),
    delete: key => view.delete(key),
    deleteGrant: grant => view.deleteGrant(grant),
    close: () => view.close()
  }
  wrappers.note(store)
  const batch: BatchStore['batch'] = steps => (wrappers.has(store) ? view.batch(steps) : Promise.resolve('apart'))
  return Object.defineProperty(store, 'batch', { value: batch, configurable: true, writable: true, enumerable: false })
}

function isBatchStore(store: Store): store is BatchStore {
  return 'batch' in store && typeof store.batch === 'function'
}

function decide(store: Store, step: FirstStep): Promise<boolean> {
  switch (step.operation) {
    case 'add':
      return store.add(step.key, step.value, step.ttl).then(isTrue)
    case 'swap':
      return store.swap(step.key, step.version, step.value, step.ttl).then(isTrue)
    default:
      return write(store, step).then(() => true)
  }
}

function write(store: Store, step: WriteStep): Promise<void> {
  return step.operation === 'set' ? store.set(step.key, step.value, step.ttl) : store.delete(step.key)
}

/** Anything else a store answers is no promise that it was done. */
function isTrue(answer: unknown): boolean {
  return answer === true
}
