/** The option `attestation` of a server, and what follows from it. */
import { attestationBy, type ClientAttestation } from '../assertions/attestation/attestation.ts'
import { attestationSignal } from '../assertions/attestation/signal.ts'
import { dpopNonces } from '../assertions/dpop-nonces.ts'
import type { DpopPolicy } from '../assertions/dpop-proof.ts'
import type { FurtherProof } from '../client-request.ts'
import { ConfigurationError } from '../options.ts'
import { policyOf } from '../profiles.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import type { ReadTokenRouter } from './options.ts'

/** A server's policy for attestations. */
export interface ServerAttestation {
  readonly attestation: ClientAttestation
  /** The proof asked of clients of other methods; undefined: none. */
  readonly further: FurtherProof | undefined
  /** Whether those have to send one. */
  readonly signal: 'off' | 'optional' | 'required'
}

/**
 * Undefined where no attesters are configured. @throws ConfigurationError where the option does not go with the others.
 */
export function serverAttestationOf(
  { attestation: given, strategies, profile }: Pick<ReadTokenRouter, 'attestation' | 'strategies' | 'profile'>,
  server: TokenServer,
  dpop: DpopPolicy
): ServerAttestation | undefined {
  if (given === undefined) return undefined
  if (strategies !== undefined)
    throw new ConfigurationError(
      'attestation',
      'must be left out with strategies of your own: hand clientAttestation() to those of them that take attestations'
    )
  if (policyOf(profile).methods !== undefined)
    throw new ConfigurationError('attestation', `must be left out under the profile ${profile}, which knows no such method`)
  const { issuer, store, clock, keys } = server
  const nonces = dpop.nonces ?? dpopNonces(data => keys.mac('dpop_nonce', data), issuer, clock)
  const { signal, ...policy } = given
  const attestation = attestationBy(policy, {
    ...{ issuer, store, clock },
    mac: data => keys.mac('attestation_challenge', data),
    // a nonce in every proof that stands for a client, whatever is asked of other proofs
    dpop: {
      ...{ issuer, store, clock, algorithms: dpop.algorithms, nonces },
      get emit() {
        return server.emit
      }
    }
  })
  return { attestation, signal, further: signal === 'off' ? undefined : attestationSignal(attestation, signal, issuer) }
}
