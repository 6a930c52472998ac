/**
 * A part of a {@link SeenTable}: open addressing with linear probing, all of it in one piece of memory outside the
 * heap, which the garbage collector neither walks nor moves. Its capacity follows the records in small steps, so that
 * little is empty.
 */
import { wordsOfDigest } from './digest-id.ts'
import type { SeenKinds } from './seen-kinds.ts'

/** Key of a record: the number of its kind, and its id as words. */
export interface SeenKey {
  kind: number
  readonly words: Uint32Array
}

/** Spreads keys over 32 bits. */
export type Spread = (key: SeenKey) => number

/** The first bits of a key's spread select its segment. */
export const segmentBits = 10

const bytesOfSlot = 8 + 4 * wordsOfDigest + 2 + 1
const smallest = 8
/** Tags of a slot nothing was written to, and of one whose record has gone. All of records are greater. */
const free = 0
const gone = 1

export class SeenSegment {
  /** Number of its records, expired ones that were not cleared yet included. */
  size = 0
  capacity = 0
  /** Slots that are not free: records, and those that have gone. */
  private used = 0
  private expiries = new Float64Array()
  private words = new Uint32Array()
  private kinds = new Uint16Array()
  /** A few bits of each key's spread: all that is looked at while probing, so that it is in one or two cache lines. */
  private tags = new Uint8Array()
  private readonly spread: Spread
  private readonly holders: SeenKinds
  private readonly moved: SeenKey = { kind: 0, words: new Uint32Array(wordsOfDigest) }

  constructor(spread: Spread, holders: SeenKinds) {
    this.spread = spread
    this.holders = holders
    this.allocate(smallest)
  }

  /** When the record expires, or has expired, in milliseconds since the epoch; undefined where there is none. */
  expiryOf(key: SeenKey, position: number): number | undefined {
    const slot = this.slotOf(key, position)
    return slot === undefined ? undefined : this.expiries[slot]
  }

  /** Writes a record that its kind counts already, unless there is one that has not expired. Says whether it did. */
  add(key: SeenKey, position: number, expires: number, now: number): boolean {
    const present = this.slotOf(key, position)
    if (present !== undefined) {
      if ((this.expiries[present] ?? 0) > now) return false
      this.holders.release(key.kind)
      this.expiries[present] = expires
      return true
    }
    if (this.used >= this.capacity - (this.capacity >>> 3)) {
      this.expire(now)
      this.fit()
    }
    this.write(key, position, expires)
    return true
  }

  /** Removes a record, expired or not, and answers when it expires; undefined where there is none. */
  remove(key: SeenKey, position: number): number | undefined {
    const slot = this.slotOf(key, position)
    if (slot === undefined) return undefined
    const expires = this.expiries[slot]
    this.drop(slot)
    this.shrink()
    return expires
  }

  /** Gives back what has expired. Answers when the first of the others expires. */
  clear(now: number): number {
    const soonest = this.expire(now)
    this.shrink()
    return soonest
  }

  private expire(now: number): number {
    let soonest = Infinity
    for (let slot = this.capacity - 1; slot >= 0; slot--) {
      const expires = this.expiries[slot] ?? 0
      if (this.isRecord(slot)) {
        if (expires <= now) this.drop(slot)
        else if (expires < soonest) soonest = expires
      }
      // whoever probes past a slot that has nothing behind it finds nothing
      if (this.tags[slot] === gone && this.tags[this.after(slot)] === free) {
        this.tags[slot] = free
        this.used--
      }
    }
    return soonest
  }

  private drop(slot: number): void {
    this.tags[slot] = gone
    this.size--
    this.holders.release(this.kinds[slot] ?? 0)
  }

  private isRecord(slot: number): boolean {
    return (this.tags[slot] ?? free) > gone
  }

  private slotOf(key: SeenKey, position: number): number | undefined {
    const { tags } = this
    const sought = tagOf(position)
    for (let slot = this.homeOf(position); ; slot = this.after(slot)) {
      const tag = tags[slot]
      if (tag === free) return undefined
      if (tag === sought && this.isOf(key, slot)) return slot
    }
  }

  private isOf({ kind, words }: SeenKey, slot: number): boolean {
    const start = slot * wordsOfDigest
    for (let word = 0; word < wordsOfDigest; word++) if (this.words[start + word] !== words[word]) return false
    return this.kinds[slot] === kind
  }

  private write({ kind, words }: SeenKey, position: number, expires: number): void {
    let slot = this.homeOf(position)
    while (this.isRecord(slot)) slot = this.after(slot)
    if (this.tags[slot] === free) this.used++
    this.size++
    this.tags[slot] = tagOf(position)
    this.kinds[slot] = kind
    this.expiries[slot] = expires
    const start = slot * wordsOfDigest
    for (let word = 0; word < wordsOfDigest; word++) this.words[start + word] = words[word] ?? 0
  }

  private homeOf(position: number): number {
    return Math.floor((((position << segmentBits) >>> 0) / 2 ** 32) * this.capacity)
  }

  private after(slot: number): number {
    return slot + 1 === this.capacity ? 0 : slot + 1
  }

  private shrink(): void {
    if (this.size * 3 < this.capacity && this.capacity > smallest) this.fit()
  }

  /** Moves all records to memory of which they take up seven tenths; at seven eighths it is time to move again. */
  private fit(): void {
    const { capacity, tags, kinds, words, expiries, moved } = this
    this.allocate(Math.max(smallest, Math.ceil(((this.size + 1) * 10) / 7)))
    for (let slot = 0; slot < capacity; slot++) {
      if ((tags[slot] ?? free) <= gone) continue
      moved.kind = kinds[slot] ?? 0
      const start = slot * wordsOfDigest
      for (let word = 0; word < wordsOfDigest; word++) moved.words[word] = words[start + word] ?? 0
      this.write(moved, this.spread(moved), expiries[slot] ?? 0)
    }
  }

  private allocate(capacity: number): void {
    const memory = new ArrayBuffer(capacity * bytesOfSlot)
    this.expiries = new Float64Array(memory, 0, capacity)
    this.words = new Uint32Array(memory, capacity * 8, capacity * wordsOfDigest)
    this.kinds = new Uint16Array(memory, capacity * (8 + 4 * wordsOfDigest), capacity)
    this.tags = new Uint8Array(memory, capacity * (8 + 4 * wordsOfDigest + 2), capacity)
    this.capacity = capacity
    this.size = 0
    this.used = 0
  }
}

function tagOf(position: number): number {
  return (position & 0x7f) | 0x80
}
