/**
 * An attestation beside another method (attestation draft §7.6): no proof of the client, but a further sign of what
 * runs it.
 */
import type { ClientRequest, FurtherProof } from '../../client-request.ts'
import { attestationHeader, proofHeader, type ClientAttestation } from './attestation.ts'

/**
 * Asks clients of other methods for an attestation: of all of them where it is `required`, otherwise of those that send
 * one. Nothing is bound to the instance: a client that authenticates by other means is not one of its instances.
 */
export function attestationSignal(attestation: ClientAttestation, mode: 'optional' | 'required', issuer: string): FurtherProof {
  const isAsked = ({ headers }: ClientRequest): boolean =>
    mode === 'required' || headers[attestationHeader] !== undefined || headers[proofHeader] !== undefined
  return {
    mechanism: 'attestation',
    checks: request => (isAsked(request) ? attestation.checks(attestation.proofOf(request)) : []),
    async prove(request, { client_id }, decision) {
      if (!isAsked(request)) return
      const addresses = request.addresses?.() ?? [issuer]
      await attestation.prove({ request, client_id, by: attestation.proofOf(request), addresses }, decision)
    },
    answerHeaders: request => (isAsked(request) ? attestation.answerHeaders(attestation.proofOf(request)) : none)
  }
}

const none: Readonly<Record<string, string>> = Object.freeze({})
