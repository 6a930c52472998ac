/**
 * The challenge endpoint (attestation draft §6.3): for clients that want to answer a challenge with their first
 * request.
 */
import { MethodNotAllowedError } from '../errors.ts'
import { notStored, sendJson } from '../http/responses.ts'
import type { ServerAttestation } from '../token-endpoint/attestation.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * Answers POST with a challenge, and with the nonce a DPoP proof in its place has to carry. Keeps nothing: anybody may
 * ask.
 */
export function challengeEndpoint({ attestation, signal }: ServerAttestation): Endpoint {
  const { algorithms } = attestation
  const methods = ['attestation_pop_jwt', 'dpop_combined', ...(signal === 'optional' ? ['none'] : [])]
  return {
    member: 'challenge_endpoint',
    caller: 'anyone',
    handler: (req, res, next) => {
      if (req.method !== 'POST') {
        next(new MethodNotAllowedError(['POST']))
        return
      }
      const attestation_challenge = attestation.challenge()
      const headers = { 'OAuth-Client-Attestation-Challenge': attestation_challenge, 'DPoP-Nonce': attestation.dpopNonce() }
      sendJson(res, 200, { attestation_challenge }, { ...notStored, ...headers })
    },
    metadata: {
      client_attestation_signing_alg_values_supported: algorithms,
      client_attestation_pop_signing_alg_values_supported: algorithms,
      ...(signal !== 'off' && { client_attestation_pop_methods_supported: methods })
    }
  }
}
