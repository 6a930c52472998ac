/** The challenge endpoint (attestation draft §6.3): for clients that want to answer a challenge with their first request. */
import type { RequestHandler } from 'express'
import type { ClientAttestation } from '../assertions/attestation/attestation.ts'
import { MethodNotAllowedError } from '../errors.ts'
import { notStored, sendJson } from '../http/responses.ts'

/** Answers POST with a challenge, and with the nonce a DPoP proof in its place has to carry. Keeps nothing: anybody may ask. */
export function challengeEndpoint(attestation: ClientAttestation): RequestHandler {
  return (req, res, next) => {
    if (req.method !== 'POST') {
      next(new MethodNotAllowedError(['POST']))
      return
    }
    const attestation_challenge = attestation.challenge()
    sendJson(res, 200, { attestation_challenge }, {
      ...notStored,
      'OAuth-Client-Attestation-Challenge': attestation_challenge,
      'DPoP-Nonce': attestation.dpopNonce()
    })
  }
}
