/** Budgets of one process: how often somebody may still guess wrong, and the places of those it is judging. */
import type { GuessCount } from './guess-counter.ts'

/** Somebody whose guess is being judged. */
export interface Guesser {
  /** Milliseconds since the epoch. */
  readonly since: number
}

/**
 * Milliseconds after which a guess that nobody has settled, because whoever judged it never came back, holds its place
 * no more.
 */
const longestJudging = 30_000
/** Milliseconds a guess waits for those before it. */
const longestWait = 10_000

/** Wrong guesses that are known of, and places in flight. Never more of both together than a limit says. */
export class GuessBudget {
  private count: GuessCount = { wrong: 0, ends: 0 }
  private readonly places: Guesser[] = []
  private waiting: (() => void)[] | undefined

  /** Wrong guesses in the window of now. */
  wrongAt(now: number): number {
    return now < this.count.ends ? this.count.wrong : 0
  }

  /** Milliseconds since the epoch: when what is known ends. */
  get ends(): number {
    return this.count.ends
  }

  /** Takes a place; false where all that are left are taken. */
  take(guesser: Guesser, limit: number, now: number): boolean {
    if (!this.hasRoom(limit, now)) this.dropLost(now)
    if (!this.hasRoom(limit, now)) return false
    this.places.push(guesser)
    return true
  }

  /** Gives a place back, with what is known by then. */
  giveBack(guesser: Guesser, count?: GuessCount): void {
    if (count !== undefined && isNewer(count, this.count)) this.count = count
    const at = this.places.indexOf(guesser)
    const last = at === -1 ? undefined : this.places.pop()
    if (last !== undefined && at < this.places.length) this.places[at] = last
    this.wake()
  }

  /** Resolves when there may be room, or nothing to wait for any more; to false where that took too long. */
  next(): Promise<boolean> {
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        this.waiting = without(this.waiting, go)
        resolve(false)
      }, longestWait)
      const go = (): void => {
        clearTimeout(timer)
        resolve(true)
      }
      this.waiting ??= []
      this.waiting.push(go)
    })
  }

  /** Whoever waited and goes, one way or the other, lets the next one look too, where there is something to see. */
  passOn(limit: number, now: number): void {
    if (this.wrongAt(now) >= limit || this.hasRoom(limit, now)) this.wake()
  }

  private hasRoom(limit: number, now: number): boolean {
    return this.wrongAt(now) + this.places.length < limit
  }

  private wake(): void {
    const first = this.waiting?.shift()
    if (this.waiting?.length === 0) this.waiting = undefined
    first?.()
  }

  private dropLost(now: number): void {
    for (let index = this.places.length - 1; index >= 0; index--) {
      const since = this.places[index]?.since ?? now
      if (now - since > longestJudging) this.places.splice(index, 1)
    }
  }
}

/** Counts of one window only grow; that of a later one is what counts. */
function isNewer(count: GuessCount, known: GuessCount): boolean {
  return count.ends > known.ends || (count.ends === known.ends && count.wrong > known.wrong)
}

function without<T>(list: T[] | undefined, gone: T): T[] | undefined {
  const rest = list?.filter(one => one !== gone)
  return rest?.length === 0 ? undefined : rest
}
