/** Rules for a path from a client's certificate up to a trusted authority (RFC 5280 §6.1, §4.2). */
import { algorithmProblem, verifySignature } from './signature.ts'
import { formatDistinguishedName } from './distinguished-name.ts'
import { keepsTo } from './name-constraints.ts'
import { isSelfIssued, type PathCertificate } from './path-certificate.ts'

/** The client's certificate first, the trusted authority last. */
export type Path = readonly PathCertificate[]

/** `client_auth`: TLS client authentication. `any`: to sign, for whatever the certificate's profile may call that. */
export type Purpose = 'client_auth' | 'any'

/** The purposes of RFC 5280 §4.2.1.12 that let a certificate be a client's. */
const clientAuth = '1.3.6.1.5.5.7.3.2'
const anyPurpose = '2.5.29.37.0'

// a certificate made this moment by an authority whose clock is slightly ahead is not refused
const clockTolerance = 10_000

/** Says what is wrong with a path, as a clause about the client's certificate; undefined where nothing is. */
export function pathProblem(path: Path, now: number, purpose: Purpose): string | undefined {
  const [leaf] = path
  if (leaf === undefined) return 'is missing'
  return (
    pathValidityProblem(path, now) ??
    leafProblem(leaf, purpose) ??
    firstProblem(path, (certificate, index) => (index === 0 ? undefined : authorityProblem(certificate, path, index, purpose))) ??
    firstProblem(path, (certificate, index) => commonProblem(certificate, index === path.length - 1)) ??
    firstProblem(path, (certificate, index) => constraintProblem(certificate, path.slice(1, index), path[0])) ??
    signatureProblem(path)
  )
}

/** Whether every certificate of a path is within its validity; asked again each time the path is used. */
export function pathValidityProblem(path: Path, now: number): string | undefined {
  return firstProblem(path, ({ notBefore, notAfter }) => {
    if (now + clockTolerance < notBefore) return `is not valid before ${new Date(notBefore).toISOString()}`
    return now > notAfter ? `expired at ${new Date(notAfter).toISOString()}` : undefined
  })
}

/** Why a certificate is not that of an authority to trust, as a clause; undefined where it can be one. */
export function anchorProblem(certificate: PathCertificate): string | undefined {
  const { ca, version } = certificate
  // version 1 has no extensions to say it with: taken where an operator says so
  const isOld = version === 1 && ca === undefined && isSelfIssued(certificate)
  const problem = isOld ? undefined : shapeProblem(certificate)
  return problem ?? (certificate.key === undefined ? 'has a key that is too weak' : undefined)
}

/** A clause about one certificate of a path as one about the client's. */
function firstProblem(
  path: Path,
  problemOf: (certificate: PathCertificate, index: number) => string | undefined
): string | undefined {
  for (const [index, certificate] of path.entries()) {
    const problem = problemOf(certificate, index)
    if (problem !== undefined)
      return index === 0 ? problem : `has an authority in its chain, ${nameOf(certificate)}, that ${problem}`
  }
  return undefined
}

export function nameOf({ subject }: PathCertificate): string {
  return formatDistinguishedName(subject) || 'one without a name'
}

/** RFC 5280 §4.2.1.12, §4.2.1.3: where a certificate says what it is for, it is for this. */
function leafProblem({ purposes, keyUsage }: PathCertificate, purpose: Purpose): string | undefined {
  if (!isFor(purpose, purposes)) return 'has an extended key usage without clientAuth'
  const signs = keyUsage === undefined || keyUsage.includes('digitalSignature') || keyUsage.includes('keyAgreement')
  return signs ? undefined : 'has a key usage without digitalSignature'
}

function isFor(purpose: Purpose, purposes: readonly string[] | undefined): boolean {
  return purpose === 'any' || purposes === undefined || purposes.includes(clientAuth) || purposes.includes(anyPurpose)
}

function authorityProblem(authority: PathCertificate, path: Path, index: number, purpose: Purpose): string | undefined {
  const { pathLength, purposes } = authority
  const problem = index === path.length - 1 ? anchorProblem(authority) : shapeProblem(authority)
  if (problem !== undefined) return problem
  if (!isFor(purpose, purposes)) return 'has an extended key usage without clientAuth'
  // RFC 5280 §4.2.1.9: an authority that renewed its own key does not count
  const between = path.slice(1, index).filter(certificate => !isSelfIssued(certificate)).length
  return pathLength !== undefined && between > pathLength
    ? `allows ${pathLength} authorities below it and has ${between}`
    : undefined
}

function shapeProblem({ ca, keyUsage }: PathCertificate): string | undefined {
  if (ca !== true) return 'is not a certificate authority (basicConstraints)'
  return keyUsage?.includes('keyCertSign') === false ? 'may not sign certificates (keyUsage)' : undefined
}

function commonProblem({ unknownCritical, algorithm, key }: PathCertificate, isAnchor: boolean): string | undefined {
  if (unknownCritical.length > 0) return `has the unknown critical extension ${unknownCritical.slice(0, 3).join(', ')}`
  if (key === undefined) return 'has a key of an unknown kind, or one that is too short or too long'
  // an authority is trusted because an operator says so: what it signed itself with, often long ago, proves nothing
  return isAnchor ? undefined : algorithmProblem(algorithm)
}

/**
 * RFC 5280 §6.1.3 (b), (c): constraints hold for everything below an authority, except for the renewals of authorities
 * on the way.
 */
function constraintProblem(
  { nameConstraints }: PathCertificate,
  between: Path,
  leaf: PathCertificate | undefined
): string | undefined {
  if (nameConstraints === undefined || leaf === undefined) return undefined
  const bound = [leaf, ...between.filter(certificate => !isSelfIssued(certificate))]
  const outside = bound.find(certificate => !keepsTo(nameConstraints, certificate))
  return outside === undefined ? undefined : `may not certify the names of ${nameOf(outside)} (nameConstraints)`
}

/** From the top: a key is not used before an authority that is trusted has signed for it. */
function signatureProblem(path: Path): string | undefined {
  for (let index = path.length - 2; index >= 0; index--) {
    const [certificate, authority] = path.slice(index)
    if (certificate === undefined || authority?.key === undefined || !verifySignature(certificate, authority.key))
      return 'is not signed by the authority it names: another one of that name has other keys'
  }
  return undefined
}
