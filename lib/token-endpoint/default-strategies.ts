/** The client authentication methods of a server that names none of its own. */
import type { ClientKeys } from '../client-keys/client-keys.ts'
import type { ClientRegistry } from '../clients/client.ts'
import { policyOf } from '../profiles.ts'
import { builtInStrategies } from '../strategies/index.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import type { ServerAttestation } from './attestation.ts'
import type { ReadTokenRouter } from './options.ts'

/** What the methods of a server work with, beside its options. */
export interface ProvingParts {
  /** Accepted as `aud` where the dial for it accepts more than the issuer. */
  readonly otherAudiences: readonly string[]
  readonly clientKeys: ClientKeys
  readonly attestation: ServerAttestation | undefined
}

/** Every method built in that the options and their profile leave. */
export function defaultStrategies(
  options: ReadTokenRouter,
  clients: ClientRegistry,
  { otherAudiences, clientKeys, attestation }: ProvingParts
): readonly ClientAuthenticationStrategy[] {
  const policy = policyOf(options.profile)
  const { issuer, store, assertionAudience, assertionDials, basicEncoding, clock, certificateMethods, workloads } = options
  const { secretHashes, onSecretUpgrade } = options
  const strategies = builtInStrategies({
    ...{ clients, issuer, store, assertionAudience, assertionDials, basicEncoding, clock, clientKeys, certificateMethods },
    ...{ secretHashes, onSecretUpgrade, workloads: workloads?.given },
    legacyAudiences: policy.legacyAudiences ? otherAudiences : [],
    algorithms: options.assertionAlgorithms ?? policy.algorithms,
    audienceAsStringOnly: policy.audienceAsStringOnly,
    attestation: attestation?.attestation,
    attestationSignal: attestation?.further !== undefined
  })
  const { methods } = policy
  return methods === undefined ? strategies : strategies.filter(({ name }) => methods.includes(name))
}
