/** Counts of wrong guesses, kept in the server's own store, so that all nodes count together. */
import { hash } from 'node:crypto'
import { update } from '../../stores/records.ts'
import type { Store } from '../../stores/store.ts'

/** Count of wrong guesses in a window that began with the first of them. */
export interface GuessCount {
  readonly wrong: number
  /** Milliseconds since the epoch: when the window ends. */
  readonly ends: number
}

interface GuessCounterOptions {
  readonly store: Store
  /** Isolates counts of one purpose from those of another. */
  readonly kind: string
  /** Seconds. */
  readonly window: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/**
 * Counts one more wrong guess under a name, of which the store sees a digest. Rejects with whatever the store rejects
 * with.
 */
export type GuessCounter = (name: string) => Promise<GuessCount>

/** One purpose's counter. */
export function guessCounter({ store, kind, window, clock }: GuessCounterOptions): GuessCounter {
  return async name => {
    const next = (found: GuessCount | undefined): GuessCount =>
      found === undefined || found.ends <= clock()
        ? { wrong: 1, ends: clock() + window * 1000 }
        : { wrong: found.wrong + 1, ends: found.ends }
    const ttlOf = ({ ends }: GuessCount): number => Math.max(1, Math.ceil((ends - clock()) / 1000))
    const counted = await update(store, { kind, id: hash('sha256', name, 'base64url') }, next, ttlOf)
    // next() always answers
    return counted ?? next(undefined)
  }
}
