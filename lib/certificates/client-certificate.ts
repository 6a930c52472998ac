/**
 * Mutual-TLS client authentication (RFC 8705 §2). The handshake proved that the client holds the certificate's key;
 * here it is decided whether that certificate is this client's: by a name a trusted authority certified
 * (`tls_client_auth`), or by a certificate or key the client registered (`self_signed_tls_client_auth`).
 */
import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { isSameKey } from '../crypto/comparison.ts'
import type { Client } from '../clients/client.ts'
import { credentialSet, isLive, keyCredential, type KeyOfClient } from '../clients/credentials.ts'
import type { CheckName } from '../decisions/decision.ts'
import type { DecisionBuilder } from '../decisions/builder.ts'
import type { Clock, PresentedCertificate } from '../client-request.ts'
import { matchSubject } from './subject.ts'
import { CertificateError, parseCertificate, type ParsedCertificate } from './x509/certificate.ts'

/** The checks {@link verifyTlsClientAuth} goes through, in order. */
export const tlsClientAuthChecks: readonly CheckName[] = [
  'certificate',
  'certificate_chain',
  'certificate_validity',
  'certificate_subject'
]

/** The checks {@link verifySelfSigned} goes through, in order. */
export const selfSignedChecks: readonly CheckName[] = ['certificate', 'certificate_validity', 'certificate_key']

/** The public keys a client registered, wherever they are. */
interface RegisteredKeys {
  /**
   * The client's public JWKs for which `wanted` is true.
   *
   * Rejects with {@link InvalidClientError} (the check `key`) where they could not be fetched and none is kept.
   */
  match(client: Client, wanted: (jwk: JWK) => boolean, decision: DecisionBuilder): Promise<readonly JWK[]>
}

/** The input of verifying a client by its certificate. */
export interface CertificateProof {
  readonly client: Client
  /** The certificate of the connection; undefined where none was presented. */
  readonly certificate: PresentedCertificate | undefined
  /** Why something that looked like a certificate was not taken for one. */
  readonly note?: string | undefined
  readonly decision: DecisionBuilder
  readonly clock: Clock
}

/** The certificate that proved a client. */
interface ProvenCertificate {
  /** `x5t#S256:<thumbprint>` */
  readonly credential: string
  /** The registered credential that this was a use of: the subject, the key, or the certificate itself. */
  readonly used: string
}

// a certificate made this moment by a client whose clock is slightly ahead is not refused
const clockTolerance = 10_000

/**
 * `tls_client_auth` (RFC 8705 §2.1): the chain was verified by whoever terminated TLS or is verified here, the
 * certificate is within its validity, and it carries the one subject the client registered.
 *
 * Resolves to the credential, `x5t#S256:<thumbprint>`. Rejects with {@link InvalidClientError} with the decision, at
 * the first check that fails, or with what verifying the chain rejects with.
 */
export async function verifyTlsClientAuth(input: CertificateProof): Promise<ProvenCertificate> {
  const { client, decision, clock } = input
  const { presented, parsed, credential } = presentedCertificate(input)
  const { verified, reason } = presented.verify === undefined ? presented : await presented.verify(clock())
  if (!verified) {
    throw decision.refuse('certificate_chain', {
      section: 'RFC 8705 §2.1',
      expected: 'a chain to a certificate authority this server trusts',
      received: reason ?? 'a chain that was not verified',
      fix: 'Present a certificate issued by an authority the TLS endpoint is configured with, together with its intermediates.'
    })
  }
  decision.pass('certificate_chain')
  checkValidity(parsed, clock, decision)
  const { credential: used } = matchSubject(client, parsed, decision, clock())
  return { credential, used }
}

/**
 * `self_signed_tls_client_auth` (RFC 8705 §2.2): no chain is looked at; the certificate is one of the client's `jwks`
 * or `jwks_uri`, and within its validity.
 *
 * @returns the credential, `x5t#S256:<thumbprint>`.
 * @throws {@link InvalidClientError} with the decision, at the first check that fails.
 */
export async function verifySelfSigned(
  input: CertificateProof & { readonly clientKeys: RegisteredKeys }
): Promise<ProvenCertificate> {
  const { client, decision, clock, clientKeys: keys } = input
  const { presented, parsed, credential } = presentedCertificate(input)
  checkValidity(parsed, clock, decision)
  if (isPinned(client, presented.der, clock() / 1000)) {
    decision.pass('certificate_key')
    return { credential, used: credential }
  }
  const used = await matchKeys(client, { der: presented.der, parsed }, keys, decision)
  return { credential, used }
}

/** Whether the certificate is, byte by byte, one of those the client may use now, in seconds since the epoch. */
function isPinned(client: Client, der: Uint8Array, now: number): boolean {
  return credentialSet(client).certificates.some(pinned => isLive(pinned, now) && Buffer.compare(pinned.der, der) === 0)
}

/**
 * Which of the two certificate methods a certificate is for, where a client may use both: `self_signed_tls_client_auth`
 * where it, or its key, is registered, or where it names itself as its issuer.
 */
export function methodOfCertificate(
  client: Client,
  certificate: PresentedCertificate | undefined
): 'tls_client_auth' | 'self_signed_tls_client_auth' | undefined {
  if (certificate === undefined) return undefined
  const { der } = certificate
  const x509 = keyOrUndefined(() => new X509Certificate(der))
  if (x509 === undefined) return undefined
  const { certificates, all } = credentialSet(client)
  const keys = all.filter((credential): credential is KeyOfClient => credential.type === 'key')
  const registered =
    certificates.some(pinned => Buffer.compare(pinned.der, der) === 0) ||
    keys.some(({ jwk }) =>
      isCertificateOf(
        jwk,
        der,
        keyOrUndefined(() => x509.publicKey)
      )
    )
  return registered || x509.issuer === x509.subject ? 'self_signed_tls_client_auth' : 'tls_client_auth'
}

/**
 * Passes the check `certificate_key` where one of the client's JWKs has this certificate as the first of its `x5c`,
 * byte by byte, or has no `x5c` and the certificate's public key.
 *
 * Resolves to how that key is called.
 * @throws {@link InvalidClientError} where none has.
 */
async function matchKeys(
  client: Client,
  { der, parsed }: { readonly der: Uint8Array; readonly parsed: ParsedCertificate },
  keys: RegisteredKeys,
  decision: DecisionBuilder
): Promise<string> {
  const found = await keys.match(client, jwk => isCertificateOf(jwk, der, parsed.key), decision)
  const [first] = found
  if (first === undefined) {
    throw decision.refuse('certificate_key', {
      section: 'RFC 8705 §2.2',
      received: `x5t#S256:${parsed.thumbprint}`,
      fix: 'Register the certificate as the x5c of a key in the client’s jwks, or behind its jwks_uri.'
    })
  }
  decision.pass('certificate_key')
  return keyCredential(first)
}

/** Passes the check `certificate` where there is one, and it can be read. @throws {@link InvalidClientError} */
export function presentedCertificate({ certificate: presented, note, decision }: CertificateProof): {
  presented: PresentedCertificate
  parsed: ParsedCertificate
  credential: string
} {
  if (presented === undefined) {
    throw decision.refuse('certificate', {
      section: 'RFC 8705 §2',
      received: `no certificate${note === undefined ? '' : `; ${note}`}`,
      fix: 'Connect with the client certificate, to the endpoint listed in mtls_endpoint_aliases where there is one.'
    })
  }
  try {
    const parsed = parseCertificate(presented.der)
    const credential = `x5t#S256:${parsed.thumbprint}`
    decision.credential = credential
    decision.pass('certificate')
    return { presented, parsed, credential }
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    throw decision.refuse('certificate', {
      section: 'RFC 5280 §4.1',
      received: `a certificate that ${error.message}`,
      fix: 'Present one X.509 certificate in DER.'
    })
  }
}

/** Passes the check `certificate_validity`. @throws {@link InvalidClientError} */
export function checkValidity({ notBefore, notAfter }: ParsedCertificate, clock: Clock, decision: DecisionBuilder): void {
  const now = clock()
  if (now + clockTolerance < notBefore || now > notAfter) {
    throw decision.refuse('certificate_validity', {
      section: 'RFC 5280 §4.1.2.5',
      expected: new Date(now).toISOString(),
      received: `${new Date(notBefore).toISOString()} to ${new Date(notAfter).toISOString()}`,
      fix: 'Present a certificate that is valid now.'
    })
  }
  decision.pass('certificate_validity')
}

const keyOfJwk = new WeakMap<JWK, KeyObject | 'malformed'>()

function isCertificateOf(jwk: JWK, der: Uint8Array, publicKey: KeyObject | undefined): boolean {
  const x5c: unknown = jwk.x5c
  if (x5c !== undefined) {
    const leaf: unknown = Array.isArray(x5c) ? x5c[0] : undefined
    return typeof leaf === 'string' && Buffer.from(leaf, 'base64').equals(der)
  }
  let registered = keyOfJwk.get(jwk)
  if (registered === undefined) {
    registered = keyOrUndefined(() => createPublicKey({ key: { ...jwk }, format: 'jwk' })) ?? 'malformed'
    keyOfJwk.set(jwk, registered)
  }
  return publicKey !== undefined && registered !== 'malformed' && isSameKey(registered, publicKey)
}

/** A key from outside may be of a kind that cannot be read; then it is nobody's. */
function keyOrUndefined<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
