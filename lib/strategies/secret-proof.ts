/** What `client_secret_basic` and `client_secret_post` share: a secret, presented, and a strategy of somebody else's that it passes through. */
import type { Request } from 'express'
import { secretChecks, verifyClientSecret } from '../credentials/client-secret.ts'
import { DecisionBuilder } from '../decision.ts'
import { InvalidClientError } from '../errors.ts'
import type { ClientRequest } from '../request.ts'
import { judgeAttempt, type JudgingStrategy, type Proof, type StrategyContext } from './attempt.ts'

/** What is handed through the base class, beside what that is to read: the request that was really read, and what it presents. */
export interface Reading {
  readonly request: ClientRequest
  readonly client_id: string
  readonly client_secret: string
}

type Verify = (req: Request, id: string, secret: string, done: (error: unknown, client?: unknown) => void) => void

/** The verify callback of the base class: judges what was read, and looks at none of its own arguments. */
export function delegated(strategy: () => JudgingStrategy): Verify {
  return (reading, _id, _secret, done) => {
    const { request, client_id, client_secret } = reading as unknown as Reading
    const judging = strategy()
    judgeAttempt(judging, request, client_id, secretProof(judging.context, client_secret)).then(
      client => done(null, client),
      (error: unknown) => done(error)
    )
  }
}

/** Proves a client by the secret it presented. For a client that is not there it does the same work. */
function secretProof(context: StrategyContext, presented: string): Proof {
  return {
    checks: secretChecks,
    prove: (client, decision) => verifyClientSecret({ client, presented, clock: context.clock, decision }),
    pretend: async () => {
      try {
        await verifyClientSecret({ client: undefined, presented, clock: context.clock, decision: new DecisionBuilder('') })
      } catch (error) {
        // it always refuses; only the time it takes is wanted
        if (!(error instanceof InvalidClientError)) throw error
      }
    }
  }
}
