/** A request, judged by a candidate configuration: nothing of it is used up, told or answered. */
import type { Request } from 'express'
import type { ClientRequest } from '../../client-request.ts'
import type { ClientRegistry } from '../../clients/client.ts'
import type { Decision } from '../../decisions/decision.ts'
import { OAuthError, ServerError } from '../../errors.ts'
import type { ClientAuthenticationStrategy } from '../../strategies/strategy.ts'
import { strategyRunner, type Answerable } from '../run.ts'
import { selectStrategy, type Selected } from '../selection.ts'
import { isVerdict, judgeVerdict, verdictOf } from '../verdict.ts'

/** What judges the client of a request. */
export interface Judges {
  readonly clients: ClientRegistry
  readonly strategies: readonly ClientAuthenticationStrategy[]
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/**
 * Judges one request. Rejects where it cannot be judged: the clients, their keys or the store could not be asked, or
 * the method failed.
 */
export type Try = (request: ClientRequest) => Promise<Decision>

/** Makes what judges for nothing; all strategies must need only the client request. */
export function trialOf({ clients, strategies, clock }: Judges): Try {
  const runStrategy = strategyRunner(strategies)
  const run = (request: ClientRequest, selected: Selected): Promise<void> =>
    new Promise((resolve, reject) => {
      const ended = (error: unknown, client: Parameters<typeof verdictOf>[2]): void => {
        const verdict = verdictOf(selected.strategy, error, client)
        if (verdict === request.judged) resolve()
        else if (isVerdict(verdict)) judgeVerdict(verdict, selected, request, { clients, clock }).then(() => resolve(), reject)
        else reject(verdict)
      }
      runStrategy(selected.strategy, { req: noHttpRequest, res: nowhere(resolve), request }, ended)
    })
  return async request => {
    let decision: Decision | undefined
    request.watch = { every: true, tell: told => void (decision = told) }
    try {
      await run(request, await selectStrategy(strategies, clients, request))
    } catch (error) {
      // a refusal has been told as a decision
      if (decision === undefined || !(error instanceof OAuthError) || error.status >= 500) throw error
    }
    if (decision === undefined) throw new ServerError({ reason: 'the method ended without a decision' })
    return decision
  }
}

/** Never looked at: every strategy that is tried needs the client request alone. */
const noHttpRequest = Object.freeze({}) as Request

/** Takes the answer of a strategy that answers itself, and sends it to nobody. */
function nowhere(answered: () => void): Answerable {
  return { statusCode: 0, setHeader: () => undefined, end: answered }
}
