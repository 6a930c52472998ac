/**
 * The common part of `client_secret_basic` and `client_secret_post`: a secret, presented, and a strategy of somebody
 * else's that it passes through.
 */
import { secretChecks, verifyClientSecret, type SecretSent } from '../credentials/secrets/client-secret.ts'
import type { HashJudging } from '../credentials/secrets/hashed-secrets.ts'
import {
  checkSecretHashes,
  secretHashesCheck,
  type SecretHashes,
  type SecretUpgraded
} from '../credentials/secrets/secret-hashes.ts'
import { harmless } from '../listeners.ts'
import { fn, type Checks, type Read } from '../options.ts'
import type { ClientRequest } from '../client-request.ts'
import { judgeAttempt, type JudgingStrategy, type Proof, type StrategyContext } from './attempt.ts'
import type { Verify } from './passport-strategy.ts'

/** The options by which secrets are compared that another server kept as hashes. */
export interface SecretHashOptions {
  /**
   * Functions that compare a secret with a hash which another library made, by what such a hash begins with:
   * `{ '$2b$': (secret, hash) => bcrypt.compare(secret, hash) }`. Default: `hashSecret()` made every hash there is.
   */
  readonly secretHashes?: SecretHashes | undefined
  /**
   * Told of the hash to keep in the place of one of your own that was just found right: a client's id, the credential's
   * and what `hashSecret()` makes today. What it throws or rejects with is ignored. Default: nobody is; secrets this
   * library keeps are hashed anew by themselves.
   */
  readonly onSecretUpgrade?: SecretUpgraded | undefined
}

export const secretHashChecks = {
  secretHashes: secretHashesCheck,
  onSecretUpgrade: fn<SecretUpgraded>()
} satisfies Checks<SecretHashOptions>

/** Means of comparing hashes. @throws ConfigurationError naming the client of a list whose hash nothing compares. */
export function hashJudging({ secretHashes, onSecretUpgrade }: Read<typeof secretHashChecks>, clients: unknown): HashJudging {
  checkSecretHashes(clients, secretHashes)
  return { hashes: secretHashes, upgraded: harmless('onSecretUpgrade', onSecretUpgrade) }
}

/**
 * Data handed through the base class, beside what that is to read: the request that was really read, and what it
 * presents.
 */
export interface Reading {
  readonly request: ClientRequest
  readonly client_id: string
  readonly sent: SecretSent
}

/** The verify callback of the base class: judges what was read, and looks at none of its own arguments. */
export function delegated(strategy: () => JudgingStrategy, judging: HashJudging): Verify {
  return (reading, _id, _secret, done) => {
    const { request, client_id, sent } = reading as unknown as Reading
    const judged = strategy()
    judgeAttempt(judged, request, client_id, secretProof(judged.context, judging, sent)).then(
      client => done(null, client),
      (error: unknown) => done(error)
    )
  }
}

const unsureOfEncoding = ['encoding', ...secretChecks] as const

/** Proves a client by the secret it presented. For a client that is not there it does the same work. */
function secretProof({ clock }: StrategyContext, { hashes, upgraded }: HashJudging, sent: SecretSent): Proof {
  return {
    checks: sent.asSent === undefined && sent.unencoded !== true ? secretChecks : unsureOfEncoding,
    prove: (client, decision) => verifyClientSecret(client, sent, { clock, decision, hashes, upgraded }),
    // with no client it always refuses
    pretend: decision => verifyClientSecret(undefined, sent, { clock, decision, hashes, upgraded })
  }
}
