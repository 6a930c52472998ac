/**
 * Remembers when entries expire, so that those whose time has come are found without looking at the others.
 *
 * Entries share buckets of time that are wider the further away their expiry is (at most a 256th of the time to live),
 * so several thousand buckets hold any number of entries, and an entry is handed out at most that much after its
 * expiry.
 */
import { ChunkedList } from './chunked-list.ts'

/** The calendar's own members of an entry. */
export interface Scheduled<E> {
  bucket: Bucket<E> | undefined
  bucketSlot: number
  /** Milliseconds from its expiry to the end of its bucket: small, where a time since the epoch is an object for V8. */
  early: number
}

export interface Bucket<E> {
  /** Every entry in the bucket has expired by then; milliseconds since the epoch. */
  readonly end: number
  readonly entries: ChunkedList<E>
}

const narrowest = 4 // 2 ** 4 ms

/** Whether an entry is in the calendar, and its time has not come. */
export function isDueAfter<E>({ bucket, early }: Scheduled<E>, now: number): boolean {
  return bucket !== undefined && bucket.end - early > now
}

export class ExpiryCalendar<E extends Scheduled<E>> {
  private readonly byEnd = new Map<number, Bucket<E>>()
  /** Latest first, so that the bucket that is due next is popped off the end. */
  private readonly inOrder: Bucket<E>[] = []

  /** Puts an entry in; times in milliseconds since the epoch. */
  schedule(entry: E, expires: number, now: number): void {
    const width = 2 ** Math.max(narrowest, Math.floor(Math.log2(expires - now)) - 8)
    const end = Math.ceil(expires / width) * width
    const bucket = this.byEnd.get(end) ?? this.open(end)
    entry.bucket = bucket
    entry.bucketSlot = bucket.entries.push(entry)
    const early = end - expires
    // a difference of two large numbers is an object for V8 too, until it is made small
    entry.early = (early | 0) === early ? early | 0 : early
  }

  /** Takes an entry out before its time. */
  cancel(entry: E): void {
    const entries = entry.bucket?.entries
    const last = entries?.pop()
    if (entries !== undefined && last !== undefined && last !== entry) {
      entries.replace(entry.bucketSlot, last)
      last.bucketSlot = entry.bucketSlot
    }
    entry.bucket = undefined
  }

  /** An entry that has expired, until it is cancelled; undefined where none is due. */
  due(now: number): E | undefined {
    let bucket = this.inOrder.at(-1)
    while (bucket !== undefined && bucket.end <= now) {
      const entry = bucket.entries.last()
      if (entry !== undefined) return entry
      this.inOrder.pop()
      this.byEnd.delete(bucket.end)
      bucket = this.inOrder.at(-1)
    }
    return undefined
  }

  clear(): void {
    this.byEnd.clear()
    this.inOrder.length = 0
  }

  private open(end: number): Bucket<E> {
    const bucket: Bucket<E> = { end, entries: new ChunkedList() }
    let low = 0
    let high = this.inOrder.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.inOrder[middle]?.end ?? 0) > end) low = middle + 1
      else high = middle
    }
    this.inOrder.splice(low, 0, bucket)
    this.byEnd.set(end, bucket)
    return bucket
  }
}
