/** A store in the memory of this process: for one process, and for specs. What it holds ends with the process. */
import cluster from 'node:cluster'
import { totalmem } from 'node:os'
import { clock, integer, readOptions, type Checks } from '../options.ts'
import { ExpiringTable, type Placement } from './memory/expiring-table.ts'
import { endedGrantLifetime } from './engine/new-record.ts'
import { nameOf } from './memory/record-name.ts'
import { bytesOf, bytesOfSeen, shareOf } from './memory/size.ts'
import { SeenTable } from './memory/seen-table.ts'
import { bytesOfWrite, placementOf, sumOf, writeOf, type Write } from './memory/write.ts'
import type { Batch, BatchOutcome, BatchStore, FirstStep, Json, Key, Store, StoredRecord, Taken } from './store.ts'

/** The options of `memoryStore()`. */
export interface MemoryStoreOptions {
  /** Reads the time: milliseconds since the epoch. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined
  /**
   * Records held at most, spent ones and those that wait to be swept included. A write that would need one more
   * rejects: nothing that protects against replay, and no grant, is ever dropped to make room. Default: 4,000,000.
   */
  readonly maxEntries?: number | undefined
  /**
   * Bytes of memory the records take at most, as far as that can be told. A write that would need more rejects; one
   * that makes a record no larger does not. Default: a quarter of the memory this process may have, which is its
   * container's where that is less than the machine's. More than 8 GiB are as many.
   */
  readonly maxBytes?: number | undefined
}

export const memoryStoreChecks = {
  clock: clock(),
  maxEntries: integer({ min: 1, default: 4_000_000 }),
  maxBytes: integer({ min: 1 })
} satisfies Checks<MemoryStoreOptions>

/** There are addresses for twice as many: of no write there is found to be none when others of it are done. */
const mostBytes = 2 ** 33
/** Each operation gives back at most this many records: more than it can add, few enough not to be felt. */
const sweepSteps = 8
/** Entries of the table given back, at most, for a write that finds the store full, before it is refused. */
const sweepStepsWhenFull = 1_000
/** At how many places of seen ids each operation looks, on the average: each add takes one, and few are empty. */
const seenSteps = 16

/**
 * Makes a store that keeps everything in memory. Values are held as JSON text, so nobody can change a record through an
 * object that was written or read. Expired records are given back a few at a time, as the store is used: there is no
 * timer, and no operation takes longer because many records expire at once.
 *
 * What was added only to be there once (with `null` for a value, no grant, and 32 bytes in base64url for an id, as used
 * assertion ids and DPoP proofs are) takes some 55 bytes of memory each, most of it outside the heap.
 *
 * In a worker of `node:cluster` it warns, once: what one worker wrote no other finds, so that codes fail at random and
 * used assertions are good again.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * app.use(authorizationServer({ issuer, clients, keys, store: memoryStore({ maxEntries: 100_000 }) }))
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const {
    clock,
    maxEntries,
    maxBytes: asked = shareOf(totalmem(), process.constrainedMemory())
  } = readOptions(options, memoryStoreChecks)
  if (cluster.isWorker) warnOfWorkers()
  return new MemoryStore(clock, maxEntries, Math.min(asked, mostBytes))
}

let warned = false

function warnOfWorkers(): void {
  if (warned) return
  warned = true
  const instead = 'use sqliteStore(), postgresStore() or redisStore()'
  process.emitWarning(`memoryStore() is not shared between the workers of node:cluster: ${instead}`, 'ClienteleWarning')
}

class MemoryStore implements BatchStore {
  private readonly table = new ExpiringTable()
  /**
   * Records that `add` wrote with `null`, no grant and a digest for an id, as long as nothing but `add` and `delete`
   * asks for them. No name is in both tables.
   */
  private readonly seen = new SeenTable()
  private readonly clock: () => number
  private readonly maxEntries: number
  private readonly maxBytes: number
  private closed = false

  constructor(clock: () => number, maxEntries: number, maxBytes: number) {
    this.clock = clock
    this.maxEntries = maxEntries
    this.maxBytes = maxBytes
  }

  get(key: Key): Promise<StoredRecord | undefined> {
    return this.step(now => {
      const entry = this.find(key, nameOf(key), now)
      const text = entry === undefined ? undefined : this.table.textOf(entry)
      if (entry === undefined || text === undefined) return undefined
      return { value: JSON.parse(text) as Json, version: this.table.versionOf(entry) }
    })
  }

  set(key: Key, value: Json, ttl: number): Promise<void> {
    return this.step(now => {
      const placement = placementOf(key, value, ttl, now)
      if (!this.isGrantDeleted(key, now)) this.place(key, nameOf(key), placement, now)
    })
  }

  add(key: Key, value: Json, ttl: number): Promise<boolean> {
    return this.step(now => this.addRecord(key, placementOf(key, value, ttl, now), now))
  }

  take(key: Key): Promise<Taken> {
    return this.step((now): Taken => {
      const entry = this.find(key, nameOf(key), now)
      if (entry === undefined) return { outcome: 'absent' }
      const text = this.table.spend(entry)
      return text === undefined ? { outcome: 'spent' } : { outcome: 'taken', value: JSON.parse(text) as Json }
    })
  }

  swap(key: Key, version: StoredRecord['version'], value: Json, ttl: number): Promise<boolean> {
    return this.step(now => {
      const placement = placementOf(key, value, ttl, now)
      if (!this.allows({ operation: 'swap', key, version, value, ttl }, now)) return false
      this.place(key, nameOf(key), placement, now)
      return true
    })
  }

  delete(key: Key): Promise<void> {
    return this.step(now => this.remove(key, now))
  }

  batch(steps: Batch): Promise<BatchOutcome> {
    return this.step(now => {
      // before anything is done: of what one step would refuse or has no room for, nothing is left by the others (but
      // where the process itself has no memory any more)
      const writes = steps.map(step => writeOf(step, now))
      if (!this.allows(steps[0], now)) return 'refused'
      this.makeRoomForAll(writes, now)
      for (const { operation, key, name, placement } of writes) {
        if (placement === undefined) this.remove(key, now)
        else if (operation === 'add') this.addRecord(key, placement, now)
        else if (!this.isGrantDeleted(key, now)) this.place(key, name, placement, now)
      }
      return 'done'
    })
  }

  deleteGrant(grant: string): Promise<void> {
    return this.step(now => {
      this.table.endGroup(grant)
      // written even when the store is full: an end that could not be recorded would let the grant's records come back
      this.table.place(tombstoneOf(grant), { text: undefined, expires: now + endedGrantLifetime, group: undefined }, now)
    })
  }

  close(): Promise<void> {
    this.closed = true
    this.table.clear()
    this.seen.clear()
    return Promise.resolve()
  }

  /** Runs one operation as one step; what it throws arrives as a rejection. */
  private step<T>(operation: (now: number) => T): Promise<T> {
    return new Promise(resolve => {
      if (this.closed) throw new Error('the store is closed')
      const now = this.clock()
      this.table.sweep(now, sweepSteps)
      this.seen.sweep(now, seenSteps)
      resolve(operation(now))
    })
  }

  private addRecord(key: Key, placement: Placement, now: number): boolean {
    const name = nameOf(key)
    if (this.isGrantDeleted(key, now)) return false
    if (key.grant === undefined && placement.text === 'null') {
      const added = this.addSeen(key, name, placement.expires, now)
      if (added !== 'unfit') return added
    }
    // a spent record is in the way too: were it replaced, a second caller could take what was taken
    if (this.find(key, name, now) !== undefined) return false
    this.place(key, name, placement, now)
    return true
  }

  private remove(key: Key, now: number): void {
    const entry = this.table.find(nameOf(key), key.grant, now)
    if (entry !== undefined) this.table.remove(entry)
    else if (key.grant === undefined) this.seen.remove(key.kind, key.id)
  }

  /** Whether there is a record, spent or not. It is kept as it was: only to be there, where it is of those. */
  private isTaken(key: Key, now: number): boolean {
    if (this.table.find(nameOf(key), key.grant, now) !== undefined) return true
    return key.grant === undefined && (this.seen.expiryOf(key.kind, key.id) ?? 0) > now
  }

  /** Whether the step would be done, were it alone. */
  private allows(step: FirstStep, now: number): boolean {
    if (step.operation !== 'add' && step.operation !== 'swap') return true
    if (this.isGrantDeleted(step.key, now)) return false
    if (step.operation === 'add') return !this.isTaken(step.key, now)
    const entry = this.find(step.key, nameOf(step.key), now)
    return entry !== undefined && this.table.versionOf(entry) === step.version && !this.table.isSpent(entry)
  }

  private isGrantDeleted({ grant }: Key, now: number): boolean {
    return grant !== undefined && this.table.find(tombstoneOf(grant), undefined, now) !== undefined
  }

  /** The record, which is kept like any other once it was asked for: it may need a version from now on, or be spent. */
  private find(key: Key, name: string, now: number): number | undefined {
    const entry = this.table.find(name, key.grant, now)
    if (entry !== undefined || key.grant !== undefined) return entry
    const expires = this.seen.expiryOf(key.kind, key.id)
    if (expires === undefined || expires <= now) return undefined
    this.seen.remove(key.kind, key.id)
    return this.table.place(name, { text: 'null', expires, group: undefined }, now)
  }

  private addSeen({ kind, id }: Key, name: string, expires: number, now: number): boolean | 'unfit' {
    if (!this.table.vacate(name, now)) return false
    if ((this.isFull() || this.lacks(bytesOfSeen)) && this.seen.expiryOf(kind, id) === undefined) {
      this.makeRoom(now)
      this.makeMemory(now, () => bytesOfSeen)
    }
    return this.seen.add(kind, id, expires, now)
  }

  private place({ kind, id, grant }: Key, name: string, placement: Placement, now: number): void {
    const isSeen = grant === undefined && this.seen.expiryOf(kind, id) !== undefined
    if (this.isFull() && !isSeen && !this.table.has(name, grant)) this.makeRoom(now)
    const bytes = bytesOf(name, placement.text, placement.group)
    if (this.lacks(bytes)) this.makeMemory(now, () => bytes - (isSeen ? bytesOfSeen : this.table.bytesUnder(name, grant)))
    if (isSeen) this.seen.remove(kind, id)
    this.table.place(name, placement, now)
  }

  /** Makes room for all of it, or throws: placed one by one, nothing of it is refused any more. */
  private makeRoomForAll(writes: readonly Write[], now: number): void {
    if (!this.isFull(writes.length) && !this.lacks(sumOf(writes, bytesOfWrite))) return
    const placed = writes.filter(({ key, placement }) => placement !== undefined && !this.isGrantDeleted(key, now))
    const added = placed.filter(({ key }) => !this.isTaken(key, now)).length
    if (added > 0) this.makeRoom(now, added)
    const bytesBefore = ({ name, key }: Write): number => this.table.bytesUnder(name, key.grant)
    const moreOf = (write: Write): number => Math.max(0, bytesOfWrite(write) - bytesBefore(write))
    this.makeMemory(now, () => sumOf(placed, moreOf))
  }

  /** Whether so many records more would be too many. */
  private isFull(more = 1): boolean {
    return this.table.size + this.seen.size + more > this.maxEntries
  }

  /** Whether so many bytes more would be too many. */
  private lacks(bytes: number): boolean {
    return this.lacking(bytes) > 0
  }

  private lacking(bytes: number): number {
    return this.table.bytes + this.seen.size * bytesOfSeen + bytes - this.maxBytes
  }

  private makeRoom(now: number, more = 1): void {
    if (!this.isFull(more)) return
    this.table.sweep(now, sweepStepsWhenFull)
    // tombstones are written beyond what is allowed, so that more than one may have to go
    if (this.isFull(more)) this.seen.makeRoom(now, this.table.size + this.seen.size - this.maxEntries + more)
    if (this.isFull(more)) throw new Error(`the memory store is full: it holds ${this.maxEntries} records`)
  }

  /**
   * @param more says how many bytes more are needed, when that is asked: what is replaced may be given back meanwhile.
   */
  private makeMemory(now: number, more: () => number): void {
    if (more() <= 0 || !this.lacks(more())) return
    this.table.sweep(now, sweepStepsWhenFull)
    if (this.lacks(more())) this.seen.makeRoom(now, Math.ceil(this.lacking(more()) / bytesOfSeen))
    if (this.lacks(more())) throw new Error(`the memory store is full: its records take all of maxBytes, ${this.maxBytes} bytes`)
  }
}

/** No key has such a name: theirs start with a digit or with what stands for a kind. */
function tombstoneOf(grant: string): string {
  return `-${grant}`
}
