/** How many clients one network may register: whoever may register without asking must not be able to fill the store. */
import type { Request } from 'express'
import { growingCache } from '../../stores/growing-cache.ts'
import { TooManyAttemptsError } from '../../errors.ts'
import { networkOf } from '../../http/network.ts'

/** Counts in this process. */
export interface NetworkLimit {
  /** @throws TooManyAttemptsError 429 for a network that has registered as many as it may, with how long it has to wait. */
  check(req: Request): void
  /** One was registered. */
  count(req: Request): void
}

/** In seconds. */
const window = 3600
const mostNetworks = 10_000

interface Counted {
  readonly count: number
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** At most so many an hour for each network. */
export function networkLimit(most: number, clock: () => number): NetworkLimit {
  const networks = growingCache<Counted>(mostNetworks)
  const counted = (network: string): Counted => {
    const known = networks.get(network)
    return known !== undefined && clock() < known.until ? known : { count: 0, until: clock() + window * 1000 }
  }
  return {
    check(req) {
      const { count, until } = counted(networkOf(req))
      if (count < most) return
      const retryAfter = Math.ceil((until - clock()) / 1000)
      throw new TooManyAttemptsError({ retryAfter, reason: `the network has registered ${count} clients within an hour` })
    },
    count(req) {
      const network = networkOf(req)
      const { count, until } = counted(network)
      networks.set(network, { count: count + 1, until })
    }
  }
}
