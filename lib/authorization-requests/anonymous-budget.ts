/**
 * Bounds what callers nobody knows can have stored: anyone may send any number of requests, and each is kept until
 * somebody acts on it or its time is over.
 */
import { networkBudget, type NetworkBudget } from '../http/network-budget.ts'
import type { NetworkRequest } from '../http/network.ts'
import { integer, orFalse } from '../options.ts'

/** Bytes that each network may have stored. */
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
/** Bytes a record takes beside what is in it. */
const overhead = 512

const unlimited: AnonymousBudget = { spend: () => undefined }

/** Bytes for each network in ten minutes; false: no bound. */
export const anonymousBudgetCheck = orFalse(integer({ min: 65_536, max: 2 ** 40, default: 8_388_608 }))

/** The budgets of one server, in this process. @param most as {@link anonymousBudgetCheck} read it. */
export function anonymousBudget(most: number | false, clock: () => number): AnonymousBudget {
  if (most === false) return unlimited
  const reasonOf = (network: string): string => `anonymousBudget: ${network} has used up what it may have stored`
  let budget: NetworkBudget | undefined
  return {
    spend(req, value) {
      budget ??= networkBudget({ most, window, clock, reasonOf })
      const bytes = overhead + Buffer.byteLength(JSON.stringify(value))
      budget.check(req, bytes)
      budget.add(req, bytes)
    }
  }
}
