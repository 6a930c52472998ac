/**
 * A part of a {@link SeenTable}: open addressing with linear probing, all of it in one piece of memory outside the heap, which
 * the garbage collector neither walks nor moves. Its capacity follows the records in small steps, so that little is empty.
 */
import { wordsOfDigest } from './digest-id.ts'
import { kindLimit, type SeenKinds } from './seen-kinds.ts'

/** What names a record: the number of its kind, and its id as words. */
export interface SeenKey {
  kind: number
  readonly words: Uint32Array
}

/** Spreads keys over 32 bits. */
export type Spread = (key: SeenKey) => number

/** The first bits of a key's spread select its segment. */
export const segmentBits = 10

const bytesOfSlot = 8 + 4 * wordsOfDigest + 2
const smallest = 8
/** What stands in place of a kind in a slot nothing was ever written to, and in one whose record has gone. */
const free = 0
const gone = kindLimit
/** Of the words of an id the first stands apart: the one that is looked at while probing, in as few cache lines as can be. */
const restOfWords = wordsOfDigest - 1

export class SeenSegment {
  /** How many records it has, expired ones that were not cleared yet included. */
  size = 0
  capacity = 0
  /** Slots that are not free: records, and those that have gone. */
  private used = 0
  private expiries = new Float64Array()
  private words = new Uint32Array()
  private kinds = new Uint16Array()
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
    this.drop(slot, key.kind)
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
    for (let slot = 0; slot < this.capacity; slot++) {
      const kind = this.kinds[slot] ?? free
      if (kind === free || kind === gone) continue
      const expires = this.expiries[slot] ?? 0
      if (expires <= now) this.drop(slot, kind)
      else if (expires < soonest) soonest = expires
    }
    return soonest
  }

  private drop(slot: number, kind: number): void {
    this.kinds[slot] = gone
    this.size--
    this.holders.release(kind)
  }

  private slotOf({ kind: sought, words }: SeenKey, position: number): number | undefined {
    const first = words[0]
    for (let slot = this.homeOf(position); ; slot = this.after(slot)) {
      const kind = this.kinds[slot]
      if (kind === free) return undefined
      if (this.words[slot] === first && kind === sought && this.hasRest(slot, words)) return slot
    }
  }

  private hasRest(slot: number, words: Uint32Array): boolean {
    const start = this.capacity + slot * restOfWords
    for (let word = 0; word < restOfWords; word++) if (this.words[start + word] !== words[word + 1]) return false
    return true
  }

  private write({ kind, words }: SeenKey, position: number, expires: number): void {
    let slot = this.homeOf(position)
    while (this.kinds[slot] !== free && this.kinds[slot] !== gone) slot = this.after(slot)
    if (this.kinds[slot] === free) this.used++
    this.size++
    this.kinds[slot] = kind
    this.expiries[slot] = expires
    this.words[slot] = words[0] ?? 0
    const start = this.capacity + slot * restOfWords
    for (let word = 0; word < restOfWords; word++) this.words[start + word] = words[word + 1] ?? 0
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
    const { capacity, kinds, words, expiries, moved } = this
    this.allocate(Math.max(smallest, Math.ceil(((this.size + 1) * 10) / 7)))
    for (let slot = 0; slot < capacity; slot++) {
      moved.kind = kinds[slot] ?? free
      if (moved.kind === free || moved.kind === gone) continue
      moved.words[0] = words[slot] ?? 0
      const start = capacity + slot * restOfWords
      for (let word = 0; word < restOfWords; word++) moved.words[word + 1] = words[start + word] ?? 0
      this.write(moved, this.spread(moved), expiries[slot] ?? 0)
    }
  }

  private allocate(capacity: number): void {
    const memory = new ArrayBuffer(capacity * bytesOfSlot)
    this.expiries = new Float64Array(memory, 0, capacity)
    this.words = new Uint32Array(memory, capacity * 8, capacity * wordsOfDigest)
    this.kinds = new Uint16Array(memory, capacity * (8 + 4 * wordsOfDigest), capacity)
    this.capacity = capacity
    this.size = 0
    this.used = 0
  }
}
