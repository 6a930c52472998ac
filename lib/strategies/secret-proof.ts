/** The proof `client_secret_basic` and `client_secret_post` share: a secret, presented. */
import { secretChecks, verifyClientSecret } from '../credentials/client-secret.ts'
import { DecisionBuilder } from '../decision.ts'
import { InvalidClientError } from '../errors.ts'
import type { Proof, StrategyContext } from './attempt.ts'

/** Proves a client by the secret it presented. For a client that is not there it does the same work. */
export function secretProof(context: StrategyContext, presented: string): Proof {
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
