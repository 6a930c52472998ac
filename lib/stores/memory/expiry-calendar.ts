/**
 * Remembers when rows expire, so that those whose time has come are found without looking at the others.
 *
 * Rows share buckets of time that are wider the further away their expiry is (at most a 256th of the time to live), so
 * several thousand buckets hold any number of rows, and a row is handed out at most that much after its expiry.
 */
import { none, type NamedRows } from './named-rows.ts'

interface Bucket {
  /** Every row in the bucket has expired by then; milliseconds since the epoch. */
  readonly end: number
  readonly number: number
  /** The first of its rows. */
  first: number
}

const narrowest = 4 // 2 ** 4 ms

export class ExpiryCalendar {
  private readonly rows: NamedRows
  private readonly later: number
  /** The column of the row before; of the first, it has the number of its bucket, less than {@link none} or equal. */
  private readonly earlier: number
  private readonly byEnd = new Map<number, Bucket>()
  private readonly byNumber: (Bucket | undefined)[] = []
  /** Latest first, so that the bucket that is due next is popped off the end. */
  private readonly inOrder: Bucket[] = []

  /** @param columns two of the rows', which are the calendar's alone. */
  constructor(rows: NamedRows, [later, earlier]: readonly [number, number]) {
    this.rows = rows
    this.later = later
    this.earlier = earlier
  }

  /** Puts a row in; times in milliseconds since the epoch. */
  schedule(row: number, expires: number, now: number): void {
    const width = 2 ** Math.max(narrowest, Math.floor(Math.log2(expires - now)) - 8)
    const end = Math.ceil(expires / width) * width
    const bucket = this.byEnd.get(end) ?? this.open(end)
    const { first } = bucket
    this.rows.set(row, this.later, first)
    this.rows.set(row, this.earlier, ~bucket.number)
    if (first !== none) this.rows.set(first, this.earlier, row)
    bucket.first = row
  }

  /** Takes a row out before its time. */
  cancel(row: number): void {
    const later = this.rows.get(row, this.later)
    const earlier = this.rows.get(row, this.earlier)
    const bucket = this.byNumber[~earlier]
    if (bucket === undefined) this.rows.set(earlier, this.later, later)
    else bucket.first = later
    if (later !== none) this.rows.set(later, this.earlier, earlier)
  }

  /** A row that has expired, until it is cancelled; undefined where none is due. */
  due(now: number): number | undefined {
    let bucket = this.inOrder.at(-1)
    while (bucket !== undefined && bucket.end <= now) {
      if (bucket.first !== none) return bucket.first
      this.inOrder.pop()
      this.byEnd.delete(bucket.end)
      this.byNumber[bucket.number] = undefined
      bucket = this.inOrder.at(-1)
    }
    return undefined
  }

  clear(): void {
    this.byEnd.clear()
    this.byNumber.length = 0
    this.inOrder.length = 0
  }

  private open(end: number): Bucket {
    const vacant = this.byNumber.indexOf(undefined)
    const number = vacant === -1 ? this.byNumber.length : vacant
    const bucket: Bucket = { end, number, first: none }
    let low = 0
    let high = this.inOrder.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.inOrder[middle]?.end ?? 0) > end) low = middle + 1
      else high = middle
    }
    this.inOrder.splice(low, 0, bucket)
    this.byEnd.set(end, bucket)
    this.byNumber[number] = bucket
    return bucket
  }
}
