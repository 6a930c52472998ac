/** Places of guesses: who may have one judged now, who waits for those before, and what is known once it was judged. */
import { hash } from 'node:crypto'
import { OAuthError, TemporarilyUnavailableError, TooManyAttemptsError } from '../../errors.ts'
import { growingCache, type GrowingCache } from '../../stores/growing-cache.ts'
import { GuessBudget, type Guesser } from './guess-budget.ts'
import type { GuessCount, GuessCounter } from './guess-counter.ts'

/**
 * A guess that may be judged, and holds a place until it is known what it was. Settle it once; a second time does
 * nothing.
 */
export interface Guess extends Guesser {
  /** Network it came from, as it was told. */
  readonly network: string
  /** Its network has used up its wrong guesses: it may be compared, and nothing costly may be computed for it. */
  readonly spent: boolean
  /** It was right, or was not judged after all: it does not count. */
  release(): void
  /**
   * It was wrong, and is counted.
   *
   * @returns the error to answer with in place of the refusal; undefined: the refusal itself.
   * @throws TemporarilyUnavailableError where the store cannot count it; this process has, then.
   */
  wrong(): Promise<TooManyAttemptsError | undefined>
}

interface GuessRules {
  /** Wrong guesses tolerated of a client and network together, in one window. */
  readonly ofPair: number
  /** Those of a network at all clients. */
  readonly ofNetwork: number
  /** Seconds. */
  readonly window: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  readonly countPair: GuessCounter
  readonly countNetwork: GuessCounter
}

/** Most that are remembered: of one that is not, its next wrong guess tells what the store knows. */
const mostNetworks = 10_000
const mostPairs = 20_000
/**
 * Number of counts that a network which has used up its budget has for all the clients it goes on to name: more names
 * take no more memory.
 */
const sharesOfNetwork = 4096
/** In characters. */
const longestName = 128

/** Budgets by which this process knows what was wrong, and what it is judging. */
interface Known {
  readonly networks: GrowingCache<GuessBudget>
  /** By client and network; and by network and share of the clients. */
  readonly pairs: GrowingCache<GuessBudget>
}

/** Makes `reserve` of a `GuessProtection`. */
export function guessPlaces(rules: GuessRules): (client_id: string, network: string) => Guess | Promise<Guess> {
  const known: Known = { networks: growingCache(mostNetworks), pairs: growingCache(mostPairs) }
  return (client_id, network) => {
    const guess = new ReservedGuess(rules, known, client_id, network)
    const full = guess.take(guess.since)
    return full === undefined ? guess : guess.wait(full)
  }
}

/** A budget of which every place is taken. */
interface Full {
  readonly budget: GuessBudget
  readonly limit: number
}

class ReservedGuess implements Guess {
  readonly since: number
  readonly network: string
  spent = false
  private settled = false
  private readonly client_id: string
  private readonly rules: GuessRules
  private readonly known: Known
  private readonly ofNetwork: GuessBudget
  private readonly ofPair: GuessBudget
  /** Budget that counts in place of the pair's where its network has used up its own. */
  private ofShare: GuessBudget | undefined

  constructor(rules: GuessRules, known: Known, client_id: string, network: string) {
    this.since = rules.clock()
    this.network = network
    this.client_id = client_id
    this.rules = rules
    this.known = known
    this.ofNetwork = budgetIn(known.networks, network)
    const name = client_id.length > longestName ? hash('sha256', client_id, 'base64url') : client_id
    this.ofPair = budgetIn(known.pairs, `=${network} ${name}`)
  }

  /** Takes a place, or says what is full. @throws TooManyAttemptsError */
  take(now: number): Full | undefined {
    const { rules, ofNetwork, ofPair } = this
    if (ofNetwork.wrongAt(now) >= rules.ofNetwork) return this.takeShare(now)
    if (ofPair.wrongAt(now) >= rules.ofPair) throw tooMany(ofPair.ends - now)
    if (!ofPair.take(this, rules.ofPair, now)) return { budget: ofPair, limit: rules.ofPair }
    if (ofNetwork.take(this, rules.ofNetwork, now)) return undefined
    ofPair.giveBack(this)
    return { budget: ofNetwork, limit: rules.ofNetwork }
  }

  private takeShare(now: number): Full | undefined {
    const { rules, ofNetwork, ofPair } = this
    this.ofShare ??= budgetIn(this.known.pairs, `#${this.network} ${shareOf(this.client_id)}`)
    // whatever the share has room for, a pair has no more than its own
    const limit = rules.ofPair - ofPair.wrongAt(now)
    if (this.ofShare.wrongAt(now) >= limit) throw tooMany(ofNetwork.ends - now)
    if (!this.ofShare.take(this, limit, now)) return { budget: this.ofShare, limit }
    this.spent = true
    return undefined
  }

  async wait(full: Full): Promise<Guess> {
    for (let waitingFor = full; ;) {
      const { budget, limit } = waitingFor
      if (!(await budget.next()))
        throw new TemporarilyUnavailableError({ reason: 'what this network sent before is still being judged' })
      const now = this.rules.clock()
      try {
        const next = this.take(now)
        if (next === undefined) return this
        waitingFor = next
      } finally {
        budget.passOn(limit, now)
      }
    }
  }

  release(): void {
    if (this.settled) return
    this.settled = true
    this.giveBack()
  }

  async wrong(): Promise<TooManyAttemptsError | undefined> {
    if (this.settled) return undefined
    this.settled = true
    const { rules, ofNetwork, ofPair, ofShare } = this
    if (this.spent && ofShare !== undefined) {
      const now = rules.clock()
      const { ends } = ofNetwork
      ofShare.giveBack(this, { wrong: ofShare.wrongAt(now) + 1, ends })
      return tooMany(ends - now)
    }
    // both, and at once, whoever it was: how long it takes says nothing
    const [pair, network] = await Promise.allSettled([
      rules.countPair(`${this.client_id.length}:${this.client_id}${this.network}`),
      rules.countNetwork(this.network)
    ])
    // the place is held until it is known what it was
    this.giveBack(this.countOf(pair, ofPair), this.countOf(network, ofNetwork))
    if (pair.status === 'rejected') throw uncounted(pair.reason)
    if (network.status === 'rejected') throw uncounted(network.reason)
    if (network.value.wrong > rules.ofNetwork) return tooMany(network.value.ends - rules.clock())
    return pair.value.wrong > rules.ofPair ? tooMany(pair.value.ends - rules.clock()) : undefined
  }

  /** Takes the store's count or, where it does not answer, this process's own with this guess added. */
  private countOf(counted: PromiseSettledResult<GuessCount>, budget: GuessBudget): GuessCount {
    if (counted.status === 'fulfilled') return counted.value
    const now = this.rules.clock()
    const wrong = budget.wrongAt(now)
    return { wrong: wrong + 1, ends: wrong === 0 ? now + this.rules.window * 1000 : budget.ends }
  }

  private giveBack(ofPair?: GuessCount, ofNetwork?: GuessCount): void {
    this.ofShare?.giveBack(this)
    this.ofNetwork.giveBack(this, ofNetwork)
    this.ofPair.giveBack(this, ofPair)
  }
}

function budgetIn(budgets: Known['pairs'], name: string): GuessBudget {
  const found = budgets.get(name)
  if (found !== undefined) return found
  const budget = new GuessBudget()
  budgets.set(name, budget)
  return budget
}

/** Which of the shares a client belongs to. */
function shareOf(client_id: string): number {
  return hash('sha256', client_id, 'buffer').readUInt32BE(0) % sharesOfNetwork
}

function uncounted(cause: unknown): OAuthError {
  if (cause instanceof OAuthError) return cause
  return new TemporarilyUnavailableError({ reason: 'a wrong secret could not be counted', cause })
}

function tooMany(milliseconds: number): TooManyAttemptsError {
  return new TooManyAttemptsError({
    retryAfter: Math.max(1, Math.ceil(milliseconds / 1000)),
    reason: 'too many wrong secrets from this network; see guessProtection'
  })
}
