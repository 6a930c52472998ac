/** Protection against guessing secrets (OAuth 2.1 §2.4.1): so many wrong ones from one network for one client, and then none is looked at. */
import { checkInteger, checkKeys, ConfigurationError } from '../../options.ts'
import type { Store } from '../../stores/store.ts'
import { guessCounter } from './guess-counter.ts'
import { guessPlaces, type Guess } from './guess-places.ts'

export interface GuessProtectionOptions {
  /** Wrong secrets tolerated per client and network in one window. Default 20. */
  readonly attempts?: number | undefined
  /** Seconds a window lasts, from the first wrong secret on. Default 60. */
  readonly window?: number | undefined
}

/**
 * Bounds wrong guesses by client and network, and by network alone, ten times as many. Whether there is such a client changes nothing: not what is
 * counted, nor in which order, nor what is answered.
 */
export interface GuessProtection {
  /**
   * Reserves a place before anything is judged: never more are judged at the same time than may still be wrong. The others wait for what comes of
   * those, so that of any number at once, one process looks at no more wrong ones than of as many one after the other. Asks the store nothing: it
   * hears of wrong guesses alone, and `n` processes on one store look at `attempts + n - 1` wrong ones at most, and at `attempts` each of what comes
   * to all of them at once.
   *
   * A network that has used up its own budget gets 429 for every wrong guess from then on. What is right goes through, for nobody can be locked out
   * by a neighbour: but nothing costly is computed for it.
   *
   * @throws TooManyAttemptsError (or rejects with it) where this network has used up its attempts at this client, whatever it sends now;
   * TemporarilyUnavailableError where those before it take longer than ten seconds.
   */
  reserve(client_id: string, network: string): Guess | Promise<Guess>
}

/** How many attempts a network has at all clients together, for each it has at one. */
const networkFactor = 10

export interface GuessProtectionSetup extends GuessProtectionOptions {
  readonly store: Store
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/**
 * Makes the protection of one server. Hand it to every `authenticateClient()` whose clients have secrets.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const protection = guessProtection({ store, attempts: 20, window: 60 })
 * app.post('/reports', authenticateClient({ clients, strategies, guessProtection: protection }), report)
 */
export function guessProtection({ store, clock = Date.now, ...options }: GuessProtectionSetup): GuessProtection {
  const { attempts, window } = checkGuessProtection(options)
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

/**
 * The protection of a whole server: on by default, off where it is told `false`.
 *
 * @throws ConfigurationError naming the option that is wrong, such as `guessProtection.attempts`.
 */
export function serverGuessProtection(
  given: GuessProtectionOptions | false | undefined,
  { store, clock }: Pick<GuessProtectionSetup, 'store' | 'clock'>
): GuessProtection | undefined {
  if (given === false) return undefined
  if (given === undefined) return guessProtection({ store, clock })
  const options: unknown = given
  if (typeof options !== 'object' || options === null)
    throw new ConfigurationError('guessProtection', 'must be false or an object with attempts and window')
  return guessProtection({ store, clock, ...checkGuessProtection(options, 'guessProtection.') })
}

function checkGuessProtection(options: GuessProtectionOptions, path = ''): { attempts: number; window: number } {
  checkKeys(options, ['attempts', 'window'], path)
  return {
    attempts: checkInteger(options.attempts, `${path}attempts`, { min: 1, max: 1_000_000, default: 20 }),
    window: checkInteger(options.window, `${path}window`, { min: 1, max: 86_400, default: 60 })
  }
}
