/** A rate limiter whose counters live in the server's own store, so that all nodes count together. */
import { RateLimiterRes } from 'rate-limiter-flexible'
import RateLimiterStoreAbstract from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js'
import type { Key, Store, StoredRecord } from '../stores/store.ts'

/** A counter as it is kept; `ends` in milliseconds since the epoch. */
interface Count {
  readonly points: number
  readonly ends: number
}

export interface GuessCounterOptions {
  readonly store: Store
  /** Isolates counters of one purpose from those of another. */
  readonly kind: string
  /** How many points a key has in one window. */
  readonly points: number
  /** Seconds. */
  readonly window: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** Counts up to `points` a key and window; the window begins with the first. Rejects with whatever the store rejects with. */
export class GuessCounter extends RateLimiterStoreAbstract {
  private readonly store: Store
  private readonly kind: string
  private readonly clock: () => number
  /** This process's changes of one key wait for one another: only other processes are raced. */
  private readonly underWay = new Map<string, Promise<unknown>>()

  constructor({ store, kind, points, window, clock }: GuessCounterOptions) {
    super({ storeClient: store, keyPrefix: '', points, duration: window })
    this.store = store
    this.kind = kind
    this.clock = clock
  }

  /** What the library asks of a store: the raw counter, or null. */
  async _get(id: string): Promise<Count | null> {
    return countIn(await this.store.get(this.keyOf(id))) ?? null
  }

  /** The counter as it stands, without the library's own dress: this is read on every authentication. */
  async peek(id: string): Promise<Count | null> {
    const count = countIn(await this.store.get(this.keyOf(id)))
    return count === undefined || count.ends <= this.clock() ? null : count
  }

  /** Adds points, or begins a window with them; `begin` begins one whatever was there. */
  _upsert(id: string, points: number, duration: number, begin = false): Promise<Count> {
    const before = this.underWay.get(id) ?? Promise.resolve()
    const after = before.catch(ignore).then(() => this.change(id, points, duration, begin))
    this.underWay.set(id, after)
    const forget = (): void => {
      if (this.underWay.get(id) === after) this.underWay.delete(id)
    }
    after.then(forget, forget)
    return after
  }

  async _delete(id: string): Promise<boolean> {
    const there = (await this._get(id)) !== null
    await this.store.delete(this.keyOf(id))
    return there
  }

  _getRateLimiterRes(_id: string, changed: number, { points, ends }: Count): RateLimiterRes {
    return new RateLimiterRes(Math.max(0, this.points - points), Math.max(0, ends - this.clock()), points, points === changed)
  }

  private async change(id: string, points: number, duration: number, begin: boolean): Promise<Count> {
    const key = this.keyOf(id)
    for (;;) {
      const now = this.clock()
      const found = begin ? undefined : await this.store.get(key)
      const known = countIn(found)
      const next: Count =
        known === undefined || known.ends <= now
          ? { points, ends: now + duration }
          : { points: known.points + points, ends: known.ends }
      const ttl = Math.max(1, Math.ceil((next.ends - now) / 1000))
      const record = { points: next.points, ends: next.ends }
      if (begin) await this.store.set(key, record, ttl)
      else if (
        !(found === undefined ? await this.store.add(key, record, ttl) : await this.store.swap(key, found.version, record, ttl))
      )
        continue
      return next
    }
  }

  private keyOf(id: string): Key {
    return { kind: this.kind, id }
  }
}

/** A record of our own, as {@link GuessCounter.change} writes it. */
function countIn(record: StoredRecord | undefined): Count | undefined {
  return record?.value as unknown as Count | undefined
}

function ignore(): void {
  // whoever asked for the change before this one has been told
}
