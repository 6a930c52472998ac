/**
 * Records read through a cache that is never older than it says, and that asks the store once for all who ask at the
 * same time.
 */
import { growingCache } from './growing-cache.ts'
import type { Key, Store, StoredRecord } from './store.ts'

/** State of the record of one id. The same object for as long as the record is the same. */
export interface Known<Value> {
  /** Undefined where there is no record. */
  readonly version: StoredRecord['version'] | undefined
  readonly value: Value | undefined
}

export interface CachedRecords<Value> {
  /** The state known now; undefined where there is none or it is too old. */
  cached(id: string): Known<Value> | undefined
  /** The same, and asks the store in time for the next who asks, so that who asks often never waits. */
  cachedAhead(id: string): Known<Value> | undefined
  /** Asks the store, or waits for a question under way. Rejects where the store does. */
  load(id: string): Promise<Known<Value>>
  /** The next to ask gets what the store says now, whatever is on its way from it. */
  forget(id: string): void
}

export interface CachedRecordsOptions<Stored, Value> {
  readonly store: Store
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Seconds another node's change may go unseen here; 0 asks the store each time. */
  readonly maxAge: number
  readonly keyOf: (id: string) => Key
  /** Makes the value of a record; called when it is another than before. */
  readonly valueOf: (record: Stored, id: string) => Value | undefined
}

interface Cached<Value> {
  readonly known: Known<Value>
  /** Milliseconds since the epoch: when the store was asked. */
  readonly asked: number
  /** In characters of JSON. */
  readonly size: number
}

const mostCached = 10_000
/** In characters of JSON, all records together: anyone may have large ones looked up. */
const mostCachedText = 33_554_432
const nothing: Known<never> = Object.freeze({ version: undefined, value: undefined })

/**
 * The records of one kind in one store, of the ten thousand ids that were asked for last, and of as many where nothing
 * was.
 */
export function cachedRecords<Stored, Value>(options: CachedRecordsOptions<Stored, Value>): CachedRecords<Value> {
  const { store, clock, maxAge, keyOf, valueOf } = options
  const present = growingCache<Cached<Value>>(mostCached, { most: mostCachedText, sizeOf: ({ size }) => size })
  // apart, so that made-up ids drive none out that is there
  const absent = growingCache<Cached<Value>>(mostCached)
  const loading = new UnderWay<Cached<Value>>()

  const read = async (id: string): Promise<Cached<Value>> => {
    // counted from the question: what changes after the answer was made counts as unseen from then on
    const asked = clock()
    const found = await store.get(keyOf(id))
    if (found === undefined) return { known: nothing, asked, size: 1 }
    const before = present.get(id)
    if (before?.known.version === found.version) return { ...before, asked }
    const known = { version: found.version, value: valueOf(found.value as Stored, id) }
    return { known, asked, size: JSON.stringify(found.value).length }
  }
  const keep = (id: string, cached: Cached<Value>): void => {
    const [into, outOf] = cached.known === nothing ? [absent, present] : [present, absent]
    into.set(id, cached)
    outOf.delete(id)
  }
  const load = async (id: string): Promise<Known<Value>> => {
    const shared = loading.get(id)
    if (shared !== undefined) return (await shared).known
    const answer = read(id)
    loading.set(id, answer)
    try {
      const cached = await answer
      // what was asked for before a change must not be kept after it
      if (loading.get(id) === answer) keep(id, cached)
      return cached.known
    } finally {
      if (loading.get(id) === answer) loading.delete(id)
    }
  }
  /** @param ahead which part of its time an answer may have lived before the store is asked for the next. */
  const find = (id: string, ahead: number): Known<Value> | undefined => {
    const cached = present.get(id) ?? absent.get(id)
    if (cached === undefined) return undefined
    const age = clock() - cached.asked
    // a clock that was put back says nothing about the age
    if (age < 0 || age >= maxAge * 1000) return undefined
    if (age >= maxAge * 1000 * ahead && loading.get(id) === undefined) load(id).catch(ignore)
    return cached.known
  }
  return {
    cached: id => find(id, 1),
    cachedAhead: id => find(id, 0.5),
    load,
    forget(id) {
      present.delete(id)
      absent.delete(id)
      loading.delete(id)
    }
  }
}

/** Questions that are not answered yet: most of the time none are, and there is no table of them. */
class UnderWay<Answer> {
  private answers: Map<string, Promise<Answer>> | undefined = undefined

  get(id: string): Promise<Answer> | undefined {
    return this.answers?.get(id)
  }

  set(id: string, answer: Promise<Answer>): void {
    this.answers ??= new Map()
    this.answers.set(id, answer)
  }

  delete(id: string): void {
    this.answers?.delete(id)
    if (this.answers?.size === 0) this.answers = undefined
  }
}

function ignore(): void {
  // who waits for the store hears of it; who does not is served from what is known until that is too old
}
