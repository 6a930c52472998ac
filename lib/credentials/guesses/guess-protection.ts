/**
 * Protection against guessing secrets (OAuth 2.1 §2.4.1): so many wrong ones from one network for one client, and then
 * none is looked at.
 */
import { clock, integer, readOptions, type Checks, type Read } from '../../options.ts'
import { storeCheck, type Store } from '../../stores/store.ts'
import { guessCounter } from './guess-counter.ts'
import { guessPlaces, type Guess } from './guess-places.ts'

/** The bounds of wrong secrets; see `guessProtection()`. */
export interface GuessProtectionOptions {
  /** Wrong secrets tolerated per client and network in one window. Default 20. */
  readonly attempts?: number | undefined
  /** Seconds a window lasts, from the first wrong secret on. Default 60. */
  readonly window?: number | undefined
}

/**
 * Bounds wrong guesses by client and network, and by network alone, ten times as many. Whether there is such a client
 * changes nothing: not what is counted, nor in which order, nor what is answered.
 */
export interface GuessProtection {
  /**
   * Reserves a place before anything is judged: never more are judged at the same time than may still be wrong. The
   * others wait for what comes of those, so that of any number at once, one process looks at no more wrong ones than of
   * as many one after the other. Asks the store nothing: it hears of wrong guesses alone, and `n` processes on one
   * store look at `attempts + n - 1` wrong ones at most, and at `attempts` each of what comes to all of them at once.
   *
   * A network that has used up its own budget gets 429 for every wrong guess from then on. What is right goes through,
   * for nobody can be locked out by a neighbour: but nothing costly is computed for it.
   *
   * @throws TooManyAttemptsError (or rejects with it) where this network has used up its attempts at this client,
   * whatever it sends now; TemporarilyUnavailableError where those before it take longer than ten seconds.
   */
  reserve(client_id: string, network: string): Guess | Promise<Guess>
}

/** Attempts a network has at all clients together, for each it has at one. */
const networkFactor = 10

/** The options of `guessProtection()`. */
export interface GuessProtectionSetup extends GuessProtectionOptions {
  /** Counts wrong secrets, for every process that shares it. */
  readonly store: Store
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** Those of a server's `guessProtection`. */
export const guessProtectionChecks = {
  attempts: integer({ min: 1, max: 1_000_000, default: 20 }),
  window: integer({ min: 1, max: 86_400, default: 60 })
} satisfies Checks<GuessProtectionOptions>

export const guessProtectionSetupChecks = {
  ...guessProtectionChecks,
  store: storeCheck,
  clock: clock()
} satisfies Checks<GuessProtectionSetup>

/**
 * Makes the protection of one server. Hand it to every `authenticateClient()` whose clients have secrets.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const protection = guessProtection({ store, attempts: 20, window: 60 })
 * app.post('/reports', authenticateClient({ clients, strategies, guessProtection: protection }), report)
 */
export function guessProtection(options: GuessProtectionSetup): GuessProtection {
  return protectionBy(readOptions(options, guessProtectionSetupChecks))
}

/** The same, by options that were read. */
export function protectionBy({ store, clock, attempts, window }: Read<typeof guessProtectionSetupChecks>): GuessProtection {
  const shared = { store, window, clock }
  return {
    reserve: guessPlaces({
      ofPair: attempts,
      ofNetwork: attempts * networkFactor,
      window,
      clock,
      countPair: guessCounter({ ...shared, kind: 'guesses' }),
      countNetwork: guessCounter({ ...shared, kind: 'guesses_by_network' })
    })
  }
}
