/** Protection against guessing secrets (OAuth 2.1 §2.4.1): so many wrong ones from one network for one client, and then none is looked at. */
import { hash } from 'node:crypto'
import { TooManyAttemptsError } from '../errors.ts'
import { checkInteger, checkKeys, ConfigurationError } from '../options.ts'
import type { Store } from '../stores/store.ts'
import { GuessCounter } from './guess-counter.ts'

export interface GuessProtectionOptions {
  /** Wrong secrets tolerated per client and network in one window. Default 20. */
  readonly attempts?: number | undefined
  /** Seconds a window lasts, from the first wrong secret on. Default 60. */
  readonly window?: number | undefined
}

/** Counts failures by client and network. What is kept are digests. */
export interface GuessProtection {
  /**
   * @throws TooManyAttemptsError where this network has used up its attempts at this client, whatever it sends now;
   * TemporarilyUnavailableError where the store does not answer.
   */
  check(client_id: string, network: string): Promise<void>
  /**
   * Counts a refused attempt.
   *
   * @param known whether there is such a client. What is answered does not depend on it: attempts at clients that do not exist are also
   * counted by network alone, and where those are used up every refused attempt from there is answered with 429.
   * @returns the error to answer with in place of the refusal; undefined: the refusal itself.
   */
  count(client_id: string, network: string, known: boolean): Promise<TooManyAttemptsError | undefined>
}

/** How many attempts a network has at clients that do not exist, for each it has at one that does. */
const unknownClientsFactor = 10

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
  const pairs = new GuessCounter({ ...shared, kind: 'guesses', points: attempts })
  const networks = new GuessCounter({ ...shared, kind: 'guesses_by_network', points: attempts * unknownClientsFactor })
  return {
    async check(client_id, network) {
      const counted = await pairs.peek(keyOf(client_id, network))
      if (counted !== null && counted.points >= attempts) throw tooMany(counted.ends - clock())
    },
    async count(client_id, network, known) {
      const ofNetwork = await networks.get(keyOf('', network))
      const usedUp = ofNetwork !== null && ofNetwork.consumedPoints >= attempts * unknownClientsFactor
      if (!known && !usedUp) await networks.penalty(keyOf('', network))
      // a network that tries one unknown client after the other leaves no more counters than it may
      if (known || !usedUp) await pairs.penalty(keyOf(client_id, network))
      return usedUp ? tooMany(ofNetwork.msBeforeNext) : undefined
    }
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

function keyOf(client_id: string, network: string): string {
  return hash('sha256', `${client_id.length}:${client_id}${network}`, 'base64url')
}

function tooMany(milliseconds: number): TooManyAttemptsError {
  return new TooManyAttemptsError({
    retryAfter: Math.max(1, Math.ceil(milliseconds / 1000)),
    reason: 'too many wrong secrets for this client from this network; see guessProtection'
  })
}
