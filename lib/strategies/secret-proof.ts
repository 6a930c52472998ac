/** The proof `client_secret_basic` and `client_secret_post` share: a secret, presented. */
import { secretChecks, verifyClientSecret, type SecretSent } from '../credentials/client-secret.ts'
import type { Proof, StrategyContext } from './attempt.ts'

const unsureOfEncoding = ['encoding', ...secretChecks] as const

/** Proves a client by the secret it presented. For a client that is not there it does the same work. */
export function secretProof({ clock }: StrategyContext, sent: SecretSent): Proof {
  return {
    checks: sent.asSent === undefined && sent.unencoded !== true ? secretChecks : unsureOfEncoding,
    prove: (client, decision) => verifyClientSecret({ ...sent, client, clock, decision }),
    // with no client it always refuses
    pretend: decision => verifyClientSecret({ ...sent, client: undefined, clock, decision })
  }
}
