/**
 * Which ids were seen, until when: the memory behind those records of the memory store that exist only to be there
 * once, such as used assertion ids and DPoP proofs. A record is its id's 32 bytes, its expiry to the millisecond and
 * the number of its kind, and nothing else: an id is never taken for another, and a million of them need no object
 * each.
 *
 * The records are spread over many small segments, each of which grows, shrinks and is cleared by itself, so that no
 * step waits for all of them.
 */
import { randomFillSync } from 'node:crypto'
import { readDigest, wordsOfDigest } from './digest-id.ts'
import { SeenKinds } from './seen-kinds.ts'
import { segmentBits, SeenSegment, type SeenKey, type Spread } from './seen-segment.ts'

const segmentCount = 2 ** segmentBits
/** Slots looked at after which {@link SeenTable.makeRoom} begins no further segment. */
const slotsForRoom = 50_000

export class SeenTable {
  private kinds = new SeenKinds()
  private readonly segments = new Array<SeenSegment | undefined>(segmentCount).fill(undefined)
  /** For each segment a time before which nothing in it expires. */
  private readonly soonest = new Float64Array(segmentCount).fill(Infinity)
  private readonly key: SeenKey = { kind: 0, words: new Uint32Array(wordsOfDigest) }
  private readonly spread: Spread
  /** The segment that is cleared next, and how many slots may be looked at for it by now. */
  private cursor = 0
  private allowance = 0

  /** @param spread is for specs: any function of the key keeps every guarantee but the speed. */
  constructor(spread: Spread = secretSpread()) {
    this.spread = spread
  }

  /** Number of records that take up memory, expired ones that were not given back yet included. */
  get size(): number {
    return this.kinds.held
  }

  /** Slots in memory, empty ones included. */
  get capacity(): number {
    return this.segments.reduce((sum, segment) => sum + (segment?.capacity ?? 0), 0)
  }

  /**
   * Writes a record unless there is one that has not expired, and says whether it did. Answers `unfit` for an id that
   * is no digest in base64url, and where all numbers of kinds are in use: such a record has to be kept elsewhere.
   */
  add(kind: string, id: string, expires: number, now: number): boolean | 'unfit' {
    if (!readDigest(id, this.key.words)) return 'unfit'
    const number = this.kinds.hold(kind)
    if (number === undefined) return 'unfit'
    this.key.kind = number
    const position = this.spread(this.key)
    const index = position >>> (32 - segmentBits)
    const segment = (this.segments[index] ??= new SeenSegment(this.spread, this.kinds))
    const added = segment.add(this.key, position, expires, now)
    if (!added) this.kinds.release(number)
    else if (expires < (this.soonest[index] ?? 0)) this.soonest[index] = expires
    return added
  }

  /** When the record expires, or has expired, in milliseconds since the epoch; undefined where there is none. */
  expiryOf(kind: string, id: string): number | undefined {
    const position = this.positionOf(kind, id)
    return position === undefined ? undefined : this.segments[position >>> (32 - segmentBits)]?.expiryOf(this.key, position)
  }

  /** Removes a record, expired or not, and answers when it expires; undefined where there is none. */
  remove(kind: string, id: string): number | undefined {
    const position = this.positionOf(kind, id)
    if (position === undefined) return undefined
    const index = position >>> (32 - segmentBits)
    const segment = this.segments[index]
    const expires = segment?.remove(this.key, position)
    if (segment?.size === 0) this.drop(index)
    return expires
  }

  /**
   * Gives back memory of what has expired, looking at `slots` slots on the average of all calls: what is due in a
   * segment is given back at once, as soon as enough calls went by for its size.
   */
  sweep(now: number, slots: number): void {
    this.allowance += slots
    for (let looked = 0; looked < slots; looked++) {
      if (this.isDue(this.cursor, now)) {
        const capacity = this.segments[this.cursor]?.capacity ?? 0
        if (capacity > this.allowance) return
        this.allowance -= capacity
        this.clearSegment(this.cursor, now)
      }
      this.cursor = (this.cursor + 1) % segmentCount
    }
    this.allowance = Math.min(this.allowance, slots)
  }

  /** Gives back at least so many records, if as many have expired and are found among some ten thousands. */
  makeRoom(now: number, records: number): void {
    const enough = this.size - records
    let looked = 0
    for (let index = 0; index < segmentCount && looked < slotsForRoom && this.size > enough; index++) {
      if (!this.isDue(index, now)) continue
      looked += this.segments[index]?.capacity ?? 0
      this.clearSegment(index, now)
    }
  }

  clear(): void {
    this.kinds = new SeenKinds()
    this.segments.fill(undefined)
    this.soonest.fill(Infinity)
  }

  private isDue(index: number, now: number): boolean {
    return (this.soonest[index] ?? Infinity) <= now
  }

  private clearSegment(index: number, now: number): void {
    const segment = this.segments[index]
    this.soonest[index] = segment?.clear(now) ?? Infinity
    if (segment?.size === 0) this.drop(index)
  }

  private drop(index: number): void {
    this.segments[index] = undefined
    this.soonest[index] = Infinity
  }

  /** Makes `key` the key of this record. Undefined where there can be none. */
  private positionOf(kind: string, id: string): number | undefined {
    const number = this.kinds.numberOf(kind)
    if (number === undefined || !readDigest(id, this.key.words)) return undefined
    this.key.kind = number
    return this.spread(this.key)
  }
}

/** A spread nobody outside this process can foresee, so that nobody can choose ids that meet. */
function secretSpread(): Spread {
  const factors = randomFillSync(new Uint32Array(wordsOfDigest)).map(factor => factor | 1)
  const start = randomFillSync(new Uint32Array(1))[0] ?? 0
  return ({ kind, words }) => {
    let spread = start ^ kind
    for (let index = 0; index < wordsOfDigest; index++) {
      spread = Math.imul(spread ^ (words[index] ?? 0), factors[index] ?? 1)
      spread ^= spread >>> 15
    }
    return spread
  }
}
