/** The authorities a source of certificates trusts, for whoever judges by other means than the certificate itself. */
import { createHash, X509Certificate } from 'node:crypto'
import type { CertificateInput } from './x509/chain.ts'
import { pemBlocks } from './x509/pem.ts'
import type { CertificateSource } from './source.ts'

/** Authorities, by the keys they sign with. */
export interface TrustedAuthorities {
  /**
   * Whether a path that was verified, from a certificate's issuer upwards, leads to one of them: it is in the path, or
   * issued what is.
   *
   * @param now milliseconds since the epoch.
   */
  endorse(path: readonly Uint8Array[], now: number): boolean
}

const bySource = new WeakMap<CertificateSource, CertificateInput>()

/** Notes what a source was made with. Answers with the source. */
export function withAuthorities(source: CertificateSource, ca: CertificateInput | undefined): CertificateSource {
  if (ca !== undefined) bySource.set(source, ca)
  return source
}

/** Undefined where the source is the application's own, or leaves the verification to somebody else. */
export function authoritiesOf(source: CertificateSource): TrustedAuthorities | undefined {
  const ca = bySource.get(source)
  if (ca === undefined) return undefined
  const list: readonly (string | Uint8Array)[] = Array.isArray(ca) ? (ca as readonly (string | Uint8Array)[]) : [ca as string]
  const anchors = list
    .flatMap((item): readonly Uint8Array[] => (typeof item === 'string' ? pemBlocks(item, 'CERTIFICATE') : [item]))
    .map(read)
  return {
    endorse(path, now) {
      const live = anchors.filter(anchor => isValid(anchor, now))
      return path.some(der => {
        const authority = readOrUndefined(der)
        return authority !== undefined && live.some(anchor => isSame(anchor, authority) || hasIssued(anchor, authority))
      })
    }
  }
}

function read(der: Uint8Array): X509Certificate {
  return new X509Certificate(der)
}

/** What is kept may have been kept wrongly. */
function readOrUndefined(der: Uint8Array): X509Certificate | undefined {
  try {
    return read(der)
  } catch {
    return undefined
  }
}

function isValid({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo)
}

/** The same name and the same key: an authority that was certified anew is the same. */
function isSame(one: X509Certificate, other: X509Certificate): boolean {
  return one.subject === other.subject && keyOf(one) === keyOf(other)
}

function hasIssued(anchor: X509Certificate, authority: X509Certificate): boolean {
  return authority.checkIssued(anchor) && authority.verify(anchor.publicKey)
}

function keyOf({ publicKey }: X509Certificate): string {
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64url')
}
