/** Records of the library's own, with the types they were written with; and the one way to change one that others may be changing. */
import { TemporarilyUnavailableError } from '../errors.ts'
import type { Json, Key, Store, StoredRecord } from './store.ts'

/** How often a change begins anew because another process was faster. In each round one of them wins. */
const mostRounds = 100

/** What {@link write} or {@link update} wrote under this key; undefined where there is nothing. */
export async function read<T>(store: Store, key: Key): Promise<T | undefined> {
  return valueIn<T>(await store.get(key))
}

/** Writes a record, whatever is there. `ttl` in seconds. */
export function write<T extends object>(store: Store, key: Key, value: T, ttl: number): Promise<void> {
  return store.set(key, value as Json, ttl)
}

/**
 * Changes a record by compare-and-set: of changes at the same time, in this process or in others, none is lost.
 *
 * @param change is called with what is there, again where that is another by then; undefined leaves it as it is. What it throws is what this
 * rejects with.
 * @param ttlOf seconds the new record is to live.
 * @returns what is there afterwards.
 * @throws TemporarilyUnavailableError where others were faster a hundred times over.
 */
export function update<T extends object>(
  store: Store,
  key: Key,
  change: (found: T | undefined) => T | undefined,
  ttlOf: (value: T) => number
): Promise<T | undefined> {
  return inTurn(store, key, () => changeRecord(store, key, change, ttlOf))
}

async function changeRecord<T extends object>(
  store: Store,
  key: Key,
  change: (found: T | undefined) => T | undefined,
  ttlOf: (value: T) => number
): Promise<T | undefined> {
  for (let round = 0; round < mostRounds; round++) {
    const record = await store.get(key)
    const found = valueIn<T>(record)
    const changed = change(found)
    if (changed === undefined) return found
    const value = changed as Json
    const ttl = ttlOf(changed)
    const done = record === undefined ? await store.add(key, value, ttl) : await store.swap(key, record.version, value, ttl)
    if (done) return changed
  }
  throw new TemporarilyUnavailableError({ reason: `a ${key.kind} was changed ${mostRounds} times meanwhile` })
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

function valueIn<T>(record: StoredRecord | undefined): T | undefined {
  return record?.value as T | undefined
}
