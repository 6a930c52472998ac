/** The challenge endpoint among those of an authorization server, and what metadata says of attestation. */
import { challengeEndpoint as handlerOf } from '../token-endpoint/challenge.ts'
import type { ServerAttestation } from '../token-endpoint/attestation.ts'
import type { Endpoint } from './endpoint.ts'

export function challengeEndpoint({ attestation, signal }: ServerAttestation): Endpoint {
  const { algorithms } = attestation
  const methods = ['attestation_pop_jwt', 'dpop_combined', ...(signal === 'optional' ? ['none'] : [])]
  return {
    member: 'challenge_endpoint',
    caller: 'anyone',
    handler: handlerOf(attestation),
    metadata: {
      client_attestation_signing_alg_values_supported: algorithms,
      client_attestation_pop_signing_alg_values_supported: algorithms,
      ...(signal !== 'off' && { client_attestation_pop_methods_supported: methods })
    }
  }
}
