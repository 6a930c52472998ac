/**
 * The common part of `client_secret_basic` and `client_secret_post`: a secret, presented, and a strategy of somebody
 * else's that it passes through.
 */
import type { Request } from 'express'
import { secretChecks, verifyClientSecret, type SecretSent } from '../credentials/secrets/client-secret.ts'
import type { ClientRequest } from '../client-request.ts'
import { judgeAttempt, type JudgingStrategy, type Proof, type StrategyContext } from './attempt.ts'

/**
 * Data handed through the base class, beside what that is to read: the request that was really read, and what it
 * presents.
 */
export interface Reading {
  readonly request: ClientRequest
  readonly client_id: string
  readonly sent: SecretSent
}

type Verify = (req: Request, id: string, secret: string, done: (error: unknown, client?: unknown) => void) => void

/** The verify callback of the base class: judges what was read, and looks at none of its own arguments. */
export function delegated(strategy: () => JudgingStrategy): Verify {
  return (reading, _id, _secret, done) => {
    const { request, client_id, sent } = reading as unknown as Reading
    const judging = strategy()
    judgeAttempt(judging, request, client_id, secretProof(judging.context, sent)).then(
      client => done(null, client),
      (error: unknown) => done(error)
    )
  }
}

const unsureOfEncoding = ['encoding', ...secretChecks] as const

/** Proves a client by the secret it presented. For a client that is not there it does the same work. */
function secretProof({ clock }: StrategyContext, sent: SecretSent): Proof {
  return {
    checks: sent.asSent === undefined && sent.unencoded !== true ? secretChecks : unsureOfEncoding,
    prove: (client, decision) => verifyClientSecret(client, sent, { clock, decision }),
    // with no client it always refuses
    pretend: decision => verifyClientSecret(undefined, sent, { clock, decision })
  }
}
