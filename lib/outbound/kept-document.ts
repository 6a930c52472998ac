/**
 * One document of an address that an operator trusts, kept for a while: one fetch at a time, shared by all who wait;
 * asked again at once where something is missing from it, but not at the pace of whoever makes up what is missing.
 */
import { GuardedFetchError } from './fetching.ts'

/** The result of {@link keptDocument}. */
interface KeptDocument<T> {
  /**
   * The document. Fetches it where none is kept, where it is no longer fresh, or where `satisfied` says that it is not
   * the one needed. `problem`: why the last fetch failed, as a clause. Never rejects: while the source fails there is
   * the last good one, within the stale limit, or none.
   */
  get(satisfied: (value: T) => boolean): Promise<{ readonly value: T | undefined; readonly problem: string | undefined }>
}

/** The options of {@link keptDocument}. `freshFor` and `staleLimit` are seconds. */
interface KeptDocumentOptions<T> {
  /** Fetches and reads it. A GuardedFetchError says why it is refused; of anything else nothing is told. */
  readonly load: (previous: T | undefined) => Promise<{ readonly value: T; readonly freshFor: number }>
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** For how long it is used beyond its freshness while it cannot be fetched again. */
  readonly staleLimit: number
}

/** Seconds after a failed fetch before the next. */
const failureCooldown = 10
/**
 * Fetches for the sake of what is missing that may follow one another at once, and the seconds after which there is one
 * more.
 */
const mostExtra = 5
const extraEvery = 30

/** Keeps one document. */
export function keptDocument<T>(options: KeptDocumentOptions<T>): KeptDocument<T> {
  return new Kept(options)
}

class Kept<T> implements KeptDocument<T> {
  private readonly options: KeptDocumentOptions<T>
  private value: T | undefined
  private problem: string | undefined
  /** Milliseconds since the epoch. */
  private freshUntil = 0
  private staleUntil = 0
  private retryAt = 0
  private extra = mostExtra
  private extraAt = 0
  private fetching: Promise<void> | undefined

  constructor(options: KeptDocumentOptions<T>) {
    this.options = options
  }

  async get(satisfied: (value: T) => boolean): Promise<{ value: T | undefined; problem: string | undefined }> {
    if (this.isGood(satisfied)) return { value: this.value, problem: undefined }
    // a fetch that was under way may have been answered before what is missing was there
    const underWay = this.fetching
    if (underWay !== undefined) await underWay
    if (!this.isGood(satisfied) && this.mayFetch()) await (this.fetching ??= this.refresh())
    const value = this.options.clock() < this.staleUntil ? this.value : undefined
    return { value, problem: this.problem }
  }

  private isGood(satisfied: (value: T) => boolean): boolean {
    return this.value !== undefined && this.options.clock() < this.freshUntil && satisfied(this.value)
  }

  private mayFetch(): boolean {
    if (this.fetching !== undefined) return true
    const now = this.options.clock()
    if (now < this.retryAt) return false
    if (this.value === undefined || now >= this.freshUntil) return true
    const more = Math.floor((now - this.extraAt) / (extraEvery * 1000))
    if (more > 0) {
      this.extra = Math.min(mostExtra, this.extra + more)
      this.extraAt = now
    }
    if (this.extra === 0) return false
    this.extra--
    return true
  }

  private async refresh(): Promise<void> {
    const { load, clock, staleLimit } = this.options
    try {
      const { value, freshFor } = await load(this.value)
      this.value = value
      this.problem = undefined
      this.freshUntil = clock() + freshFor * 1000
      this.staleUntil = this.freshUntil + staleLimit * 1000
    } catch (error) {
      this.problem = error instanceof GuardedFetchError ? error.message : 'the fetch failed'
      this.retryAt = clock() + failureCooldown * 1000
    } finally {
      this.fetching = undefined
    }
  }
}
