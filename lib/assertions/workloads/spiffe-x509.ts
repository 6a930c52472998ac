/**
 * An X.509-SVID as a client's proof (draft-ietf-oauth-spiffe-client-auth §3.2): the handshake proved that the client
 * holds the key, and the trust domain's own authorities say whose it is. Nobody else's do, the system's and those of
 * `tls_client_auth` neither.
 */
import type { Client } from '../../clients/client.ts'
import type { SpiffeIdOfClient } from '../../clients/credentials.ts'
import { parseSpiffeId, type SpiffeId } from '../../clients/spiffe-id.ts'
import { checkValidity, presentedCertificate, type CertificateProof } from '../../certificates/client-certificate.ts'
import type { ChainVerifier } from '../../certificates/x509/chain.ts'
import { CertificateError, parseCertificate } from '../../certificates/x509/certificate.ts'
import { readPathCertificate } from '../../certificates/x509/path-certificate.ts'
import type { ChainVerdict, PresentedCertificate } from '../../client-request.ts'
import type { CheckName } from '../../decisions/decision.ts'
import type { DecisionBuilder } from '../../decisions/builder.ts'
import { TemporarilyUnavailableError } from '../../errors.ts'
import { refuseSpiffeId, refuseTrustDomain, registeredId } from './spiffe-jwt.ts'
import type { SpiffeDomain } from './trust-domain.ts'
import { withRecord } from './workload-jwt.ts'
import type { Workloads } from './workloads.ts'

/** The checks {@link verifySpiffeX509} goes through, in order. A strategy announces them. */
export const spiffeX509Checks: readonly CheckName[] = [
  'certificate',
  'certificate_validity',
  'spiffe_id',
  'trust_domain',
  'certificate_usage',
  'certificate_chain'
]

/** The client's certificate, and what it was a use of. */
interface ProvenSvid {
  /** `x5t#S256:<thumbprint>` */
  readonly credential: string
  readonly used: SpiffeIdOfClient
}

/**
 * Verifies an X.509-SVID for a client.
 *
 * Guaranteed of one that passes: it is valid now, has exactly one URI name, which is a SPIFFE ID and the one the client
 * registered or below it; it is no authority's and signs (X.509-SVID §4); and a path leads from it, over certificates
 * that were sent along, to one in the bundle of its trust domain.
 *
 * @throws {@link InvalidClientError} with the decision, at the first check that fails.
 * @throws {@link TemporarilyUnavailableError} where the domain's bundle cannot be had.
 */
export async function verifySpiffeX509(
  input: Pick<CertificateProof, 'client' | 'certificate' | 'note' | 'decision'> & { readonly workloads: Workloads }
): Promise<ProvenSvid> {
  const { client, decision, workloads } = input
  const { clock } = workloads.server
  const { presented, parsed, credential } = presentedCertificate({ ...input, clock })
  checkValidity(parsed, clock, decision)
  const { svid, used } = identify(client, parsed.sans.uri, { decision, now: clock() / 1000 })
  const domain = workloads.domain(svid.trustDomain)
  if (domain === undefined) throw refuseTrustDomain(svid, decision)
  decision.pass('trust_domain')
  checkUsage(presented, decision)
  const { verifier, problem } = await domain.certificates()
  if (verifier === undefined && problem !== undefined) {
    const reason = `the bundle of the trust domain ${svid.trustDomain} cannot be had: ${problem}`
    throw withRecord(new TemporarilyUnavailableError({ reason }), 'certificate_chain', decision)
  }
  const verdict = await verifyPath(presented, domain, verifier, clock())
  if (verdict?.verified !== true) throw refuseChain(svid, presented, verdict?.reason, decision)
  decision.pass('certificate_chain')
  return { credential, used }
}

/** An authority that is new may be missing from the bundle that is kept, as a key of JWT-SVIDs may. */
async function verifyPath(
  { der, chain = [] }: PresentedCertificate,
  domain: SpiffeDomain,
  verifier: ChainVerifier | undefined,
  now: number
): Promise<ChainVerdict | undefined> {
  const verdict = await verifier?.(der, chain, now)
  if (verdict?.verified === true) return verdict
  const newer = (await domain.certificates(verifier)).verifier
  return newer === undefined || newer === verifier ? verdict : newer(der, chain, now)
}

function identify(
  client: Client,
  uris: readonly string[],
  { decision, now }: { readonly decision: DecisionBuilder; readonly now: number }
): { readonly svid: SpiffeId; readonly used: SpiffeIdOfClient } {
  const [uri, more] = uris
  const svid = more === undefined ? parseSpiffeId(uri) : undefined
  const used = svid && registeredId(client, svid, now)
  if (svid === undefined || used === undefined) {
    const received =
      more === undefined ? (uri ?? 'a certificate without a URI name') : `${uris.length} URI names: ${uris.join(', ')}`
    throw refuseSpiffeId(client, { received, isOne: svid !== undefined }, decision)
  }
  decision.pass('spiffe_id')
  return { svid, used }
}

/** X.509-SVID §4.1, §4.3: the leaf is no authority, and is there to sign. */
function checkUsage({ der }: PresentedCertificate, decision: DecisionBuilder): void {
  const problem = usageProblem(der)
  if (problem === undefined) {
    decision.pass('certificate_usage')
    return
  }
  throw decision.refuse('certificate_usage', {
    section: 'X.509-SVID §4',
    expected: 'CA:FALSE, digitalSignature, and neither keyCertSign nor cRLSign',
    received: `a certificate that ${problem}`,
    fix: 'Present the workload’s own X.509-SVID, not a certificate of an authority.'
  })
}

function usageProblem(der: Uint8Array): string | undefined {
  try {
    const { ca, keyUsage } = readPathCertificate(der)
    if (ca === true) return 'is a certificate authority’s'
    if (keyUsage === undefined) return 'has no key usage'
    if (keyUsage.includes('keyCertSign') || keyUsage.includes('crlSign')) return 'may sign certificates or revocation lists'
    return keyUsage.includes('digitalSignature') ? undefined : 'has a key usage without digitalSignature'
  } catch (error) {
    if (error instanceof CertificateError) return error.message
    throw error
  }
}

function refuseChain(
  { trustDomain }: SpiffeId,
  { chain = [] }: PresentedCertificate,
  reason: string | undefined,
  decision: DecisionBuilder
): Error {
  return decision.refuse('certificate_chain', {
    section: 'X.509-SVID §5.2',
    expected: `a path to the x509-svid certificates in the bundle of ${trustDomain}`,
    received: reason === undefined ? 'a bundle without such a certificate' : `a certificate that ${reason}`,
    fix:
      chain.length === 0
        ? 'Send the intermediate certificates of the SVID along with it; behind a proxy, have it pass on the whole chain.'
        : 'Present an SVID that this trust domain issued, with its intermediates, or update the bundle.'
  })
}

/**
 * Whether a certificate looks like an X.509-SVID of a trusted domain: which method it is meant for is told by that.
 * Verifies nothing.
 */
export function looksLikeSvid(certificate: PresentedCertificate | undefined, workloads: Workloads): boolean {
  if (certificate === undefined) return false
  try {
    const [uri, more] = parseCertificate(certificate.der).sans.uri
    const svid = more === undefined ? parseSpiffeId(uri) : undefined
    return svid !== undefined && workloads.domain(svid.trustDomain) !== undefined
  } catch {
    return false
  }
}
