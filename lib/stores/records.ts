/**
 * Records of the library's own, with the types they were written with; and the one way to change one that others may be
 * changing.
 */
import { TemporarilyUnavailableError } from '../errors.ts'
import { inOneStep } from './batch.ts'
import type { FirstStep, Json, Key, Store, StoredRecord, Taken, WriteStep } from './store.ts'

/** Attempts at a change, at most: it begins anew where another process was faster. In each round one of them wins. */
export const mostRounds = 100

/** In seconds. Stores end every record some time: one that goes only when somebody ends it lives as long. */
export const century = 3_155_760_000

/** A record, and which state of it. */
export interface Found<T> {
  readonly value: T
  readonly version: StoredRecord['version']
}

/** Reads the value under this key; undefined where there is nothing. */
export async function read<T>(store: Store, key: Key): Promise<T | undefined> {
  return (await find<T>(store, key))?.value
}

/** The same, with its version. */
export function find<T>(store: Store, key: Key): Promise<Found<T> | undefined> {
  return store.get(key) as Promise<Found<T> | undefined>
}

/** Writes a record, whatever is there. `ttl` in seconds; members that are undefined are left out. */
export function write(store: Store, key: Key, value: object, ttl: number): Promise<void> {
  return store.set(key, value as Json, ttl)
}

/** The step of a batch that does as {@link write}. */
export function writing(key: Key, value: object, ttl: number): WriteStep {
  return { operation: 'set', key, value: value as Json, ttl }
}

/** Writes a record where there is none, and says whether it did. */
export function add(store: Store, key: Key, value: object, ttl: number): Promise<boolean> {
  return store.add(key, value as Json, ttl)
}

/** The step of a batch that does as {@link add}. */
function adding(key: Key, value: object, ttl: number): FirstStep {
  return { operation: 'add', key, value: value as Json, ttl }
}

/** Takes a record out, once: see {@link Store.take}. */
export function take<T>(store: Store, key: Key): Promise<Taken<T>> {
  return store.take(key) as Promise<Taken<T>>
}

/** Replaces that state of a record, and says whether it did. */
export function swap(store: Store, key: Key, version: Found<unknown>['version'], value: object, ttl: number): Promise<boolean> {
  return store.swap(key, version, value as Json, ttl)
}

/** The step of a batch that does as {@link swap}. */
export function swapping(key: Key, version: Found<unknown>['version'], value: object, ttl: number): FirstStep {
  return { operation: 'swap', key, version, value: value as Json, ttl }
}

type Change<T> = (found: T | undefined) => T | undefined | Promise<T | undefined>

/**
 * Changes a record by compare-and-set: of changes at the same time, in this process or in others, none is lost.
 *
 * @param change is called with what is there, again where that is another by then; undefined leaves it as it is. What
 * it throws or rejects with is what this rejects with.
 * @param ttlOf seconds the new record is to live.
 * @param steps what follows from the change: done in one step with it where the store can do that, and else right after
 * it.
 * @returns what is there afterwards.
 * @throws TemporarilyUnavailableError where others were faster a hundred times over.
 */
export function update<T extends object>(
  store: Store,
  key: Key,
  change: Change<T>,
  ttlOf: (value: T) => number,
  steps: readonly WriteStep[] = []
): Promise<T | undefined> {
  return inTurn(store, key, () => updateOutOfTurn(store, key, change, ttlOf, steps))
}

/**
 * The same, without waiting for this process's other changes of the record: for a change those may be waiting for
 * themselves.
 */
export async function updateOutOfTurn<T extends object>(
  store: Store,
  key: Key,
  change: Change<T>,
  ttlOf: (value: T) => number,
  steps: readonly WriteStep[] = []
): Promise<T | undefined> {
  for (let round = 0; round < mostRounds; round++) {
    const found = await find<T>(store, key)
    const changed = await change(found?.value)
    if (changed === undefined) return found?.value
    const ttl = ttlOf(changed)
    const first = found === undefined ? adding(key, changed, ttl) : swapping(key, found.version, changed, ttl)
    if (await inOneStep(store, [first, ...steps])) return changed
  }
  throw changedTooOften(key.kind)
}

/** The error where others were faster in each round. */
export function changedTooOften(kind: string): TemporarilyUnavailableError {
  return new TemporarilyUnavailableError({ reason: `a ${kind} was changed ${mostRounds} times meanwhile` })
}

/** The last change under way of each record. */
const underWay = new WeakMap<Store, Map<string, Promise<unknown>>>()

/** This process's changes of one record wait for one another: only other processes are raced. */
function inTurn<T>(store: Store, { kind, id, grant = '' }: Key, change: () => Promise<T>): Promise<T> {
  const name = `${kind}\n${grant}\n${id}`
  const changes = underWay.get(store) ?? new Map<string, Promise<unknown>>()
  underWay.set(store, changes)
  const before = changes.get(name)
  const changed = before === undefined ? change() : before.then(change, change)
  changes.set(name, changed)
  const forget = (): void => {
    if (changes.get(name) === changed) changes.delete(name)
  }
  changed.then(forget, forget)
  return changed
}
