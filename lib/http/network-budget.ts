/** A budget for each network within a time, where whoever asks is not known otherwise. */
import { TooManyAttemptsError } from '../errors.ts'
import { growingCache } from '../stores/growing-cache.ts'
import { networkOf, type NetworkRequest } from './network.ts'

/** Counts in this process. */
export interface NetworkBudget {
  /**
   * @throws TooManyAttemptsError `temporarily_unavailable` 429 with `Retry-After`, where the network of a request has
   * less than that left.
   */
  check(req: NetworkRequest, amount: number): void
  /** So much was used up. */
  add(req: NetworkRequest, amount: number): void
}

interface NetworkBudgetOptions {
  /** The amount each network has. */
  readonly most: number
  /** Seconds it has it for, counted from its first use. */
  readonly window: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Words, for the operator, that a network has used up what it had. */
  readonly reasonOf: (network: string) => string
}

interface Used {
  readonly amount: number
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** Networks counted at once; those seen longest ago are forgotten first. */
const mostNetworks = 10_000

export function networkBudget({ most, window, clock, reasonOf }: NetworkBudgetOptions): NetworkBudget {
  const networks = growingCache<Used>(mostNetworks)
  const usedBy = (network: string, now: number): Used => {
    const known = networks.get(network)
    return known !== undefined && now < known.until ? known : { amount: 0, until: now + window * 1000 }
  }
  return {
    check(req, amount) {
      const network = networkOf(req)
      const now = clock()
      const used = usedBy(network, now)
      if (used.amount + amount <= most) return
      const retryAfter = Math.max(1, Math.ceil((used.until - now) / 1000))
      throw new TooManyAttemptsError({ retryAfter, reason: reasonOf(network) })
    },
    add(req, amount) {
      const network = networkOf(req)
      const used = usedBy(network, clock())
      networks.set(network, { amount: used.amount + amount, until: used.until })
    }
  }
}
