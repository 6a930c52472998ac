/** Proofs of a token request beside the client's credential: that it holds a DPoP key, a certificate, or nothing. */
import { verifyRequestProof, type DpopPolicy } from '../assertions/dpop-proof.ts'
import type { Client } from '../clients/client.ts'
import { thumbprintOf } from '../clients/credentials.ts'
import { InvalidDpopProofError, InvalidRequestError } from '../errors.ts'
import type { ClientRequest } from '../client-request.ts'
import type { Confirmation } from '../tokens/confirmation.ts'

/**
 * Whether there is anything for {@link readConfirmation} to read: most requests prove nothing beside their client's
 * credential.
 */
export function carriesConfirmation(request: ClientRequest, client: Client): boolean {
  return (
    request.headers['dpop'] !== undefined ||
    client.dpop_bound_access_tokens === true ||
    client.tls_client_certificate_bound_access_tokens === true
  )
}

/**
 * The `cnf` of the tokens this request is answered with. A DPoP proof is used wherever one is sent, a certificate where
 * the client registered for it.
 *
 * @param addresses where the request may have been sent to, from configuration.
 * @throws InvalidDpopProofError for a bad proof, or none where the client registered `dpop_bound_access_tokens`;
 * InvalidRequestError for no certificate where it registered `tls_client_certificate_bound_access_tokens` (RFC 8705
 * §3.4).
 */
export async function readConfirmation(
  request: ClientRequest,
  client: Client,
  policy: DpopPolicy,
  addresses: readonly string[]
): Promise<Confirmation | undefined> {
  const proof = request.headers['dpop']
  const boundToCertificate = client.tls_client_certificate_bound_access_tokens === true
  if (proof === undefined && client.dpop_bound_access_tokens === true)
    throw new InvalidDpopProofError({ reason: 'no DPoP header was sent' })
  const thumbprint = boundToCertificate ? certificateThumbprint(request) : undefined
  if (boundToCertificate && thumbprint === undefined) {
    const note = request.certificateNote?.()
    throw new InvalidRequestError('this client needs a certificate', {
      reason: `its tokens are certificate-bound, and the connection carried none${note === undefined ? '' : `; ${note}`}`
    })
  }
  const proved = await verifyRequestProof(request, client.client_id, policy, addresses)
  if (proved === undefined) return thumbprint === undefined ? undefined : { 'x5t#S256': thumbprint }
  return { ...(thumbprint !== undefined && { 'x5t#S256': thumbprint }), jkt: proved.jkt }
}

/** The thumbprint of the connection's certificate (RFC 8705 §3.1); undefined where there is none. */
function certificateThumbprint(request: Pick<ClientRequest, 'certificate'>): string | undefined {
  const certificate = request.certificate()
  return certificate === undefined ? undefined : thumbprintOf(certificate.der)
}
