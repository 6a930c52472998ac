/**
 * Bounds what callers nobody knows can have stored: anyone may send any number of requests, and each is kept until
 * somebody acts on it or its time is over.
 */
import { growingCache } from '../stores/growing-cache.ts'
import { TooManyAttemptsError } from '../errors.ts'
import { networkOf, type NetworkRequest } from '../http/network.ts'
import { checkInteger } from '../options.ts'

/** What a network has left. */
export interface AnonymousBudget {
  /**
   * Counts what is about to be stored for a request.
   *
   * @throws TooManyAttemptsError `temporarily_unavailable` 429 with `Retry-After`, where its network has used up what
   * it may store.
   */
  spend(req: NetworkRequest, value: object): void
}

/** Seconds a budget is for. */
const window = 600
/** Networks counted at once; those seen longest ago are forgotten first. */
const mostNetworks = 10_000
/** Bytes a record takes beside what is in it. */
const overhead = 512

interface Spending {
  readonly bytes: number
  /** Milliseconds since the epoch. */
  readonly until: number
}

const unlimited: AnonymousBudget = { spend: () => undefined }

/**
 * The budgets of one server, in this process.
 *
 * @param given bytes for each network in ten minutes; false: no bound.
 * @throws ConfigurationError for anything else.
 */
export function anonymousBudget(given: number | false | undefined, clock: () => number): AnonymousBudget {
  if (given === false) return unlimited
  const most = checkInteger(given, 'anonymousBudget', { min: 65_536, max: 2 ** 40, default: 8_388_608 })
  const networks = growingCache<Spending>(mostNetworks)
  return {
    spend(req, value) {
      const network = networkOf(req)
      const now = clock()
      const known = networks.get(network)
      const spent = known !== undefined && now < known.until ? known : { bytes: 0, until: now + window * 1000 }
      const bytes = spent.bytes + overhead + Buffer.byteLength(JSON.stringify(value))
      if (bytes > most) {
        const retryAfter = Math.max(1, Math.ceil((spent.until - now) / 1000))
        throw new TooManyAttemptsError({ retryAfter, reason: `anonymousBudget: ${network} has used up what it may have stored` })
      }
      networks.set(network, { bytes, until: spent.until })
    }
  }
}
