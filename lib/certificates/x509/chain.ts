/**
 * Verifies a client certificate's chain (RFC 5280 §6) where nobody in front of this server has: up to authorities the
 * operator names, who are known by their keys. Anybody can make an authority that has the same name.
 */
import { ConfigurationError } from '../../options.ts'
import type { ChainVerdict } from '../../client-request.ts'
import { CertificateError } from './certificate.ts'
import { readPathCertificate, type PathCertificate } from './path-certificate.ts'
import { anchorProblem, nameOf, pathProblem, pathValidityProblem, type Path, type Purpose } from './path-rules.ts'
import { pemBlocks } from './pem.ts'
import type { RevocationLists } from './revocation-lists.ts'
import { asList } from '../../json.ts'

/** Certificates in PEM, any number of them in one text, or one in DER. */
export type CertificateInput = string | Uint8Array | readonly (string | Uint8Array)[]

export interface ChainOptions {
  /** The certificate authorities to trust. Each is trusted as it stands, by its key. */
  readonly ca: CertificateInput
  /** Authorities between them and the clients, for clients that do not send them along. */
  readonly intermediates?: CertificateInput | undefined
  /** Certificates that were taken back. Default: none is looked for. */
  readonly revocation?: RevocationLists | undefined
  /** Use the leaf must be for, where it says what it is for (RFC 5280 §4.2.1.12). Default `client_auth`. */
  readonly purpose?: Purpose | undefined
}

/**
 * Verifies a leaf and the certificates sent along with it, at a time in milliseconds since the epoch; a `reason` is a
 * clause about the leaf. Rejects with TemporarilyUnavailableError where it cannot be told whether a certificate was
 * revoked, and with nothing else.
 */
export type ChainVerifier = (leaf: Uint8Array, chain: readonly Uint8Array[], now: number) => Promise<ChainVerdict>

/** Certificates in a path, the client's and the authority's included. */
const longestPath = 8
/**
 * Times that paths may be made longer by one before looking for others ends: names in a hostile chain may lead in
 * circles.
 */
const mostSteps = 100

/**
 * Makes a verifier. What it found for a leaf is kept with the leaf's buffer: validity and revocation are looked at
 * every time, signatures once.
 *
 * @throws ConfigurationError naming `ca` or `intermediates` where one holds something else than authorities'
 * certificates.
 */
export function chainVerifier({ ca, intermediates = [], revocation, purpose = 'client_auth' }: ChainOptions): ChainVerifier {
  const anchors = readAuthorities(ca, 'ca')
  if (anchors.length === 0) throw new ConfigurationError('ca', 'must hold at least one certificate')
  const helpers = readAuthorities(intermediates, 'intermediates')
  const known = new WeakMap<Uint8Array, Path>()

  return async (leaf, chain, now) => {
    let path = known.get(leaf)
    if (path === undefined || pathValidityProblem(path, now) !== undefined) {
      const found = findPath(leaf, { anchors, intermediates: [...helpers, ...readHelpful(chain)], purpose }, now)
      if (typeof found === 'string') return { verified: false, reason: found }
      path = found
      known.set(leaf, path)
      verified.set(leaf, path)
    }
    const revoked = await revocation?.revoked(path, now)
    return revoked === undefined ? { verified: true } : { verified: false, reason: revoked }
  }
}

const verified = new WeakMap<Uint8Array, Path>()

/** The authorities above a leaf whose chain was verified, from its issuer upwards, DER; undefined where none was. */
export function verifiedPath(leaf: Uint8Array): readonly Uint8Array[] | undefined {
  return verified
    .get(leaf)
    ?.slice(1)
    .map(({ der }) => der)
}

interface Authorities {
  readonly anchors: readonly PathCertificate[]
  readonly intermediates: readonly PathCertificate[]
  readonly purpose: Purpose
}

/** A path in which everything holds, or why there is none: what was wrong with the first that led to an authority. */
function findPath(leaf: Uint8Array, authorities: Authorities, now: number): Path | string {
  let problem: string | undefined
  try {
    for (const path of candidatePaths([readPathCertificate(leaf)], authorities, { steps: mostSteps })) {
      const wrong = pathProblem(path, now, authorities.purpose)
      if (wrong === undefined) return path
      problem ??= wrong
    }
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    return error.message
  }
  return problem ?? 'is not issued by a configured authority, nor by one whose certificate was sent along'
}

/** The ways from a certificate up to an anchor by names alone: no signature is looked at before a path is whole. */
function* candidatePaths(path: Path, authorities: Authorities, budget: { steps: number }): Generator<Path, void, undefined> {
  const last = path.at(-1)
  if (last === undefined || path.length >= longestPath) return
  for (const anchor of authorities.anchors) if (anchor.subjectKey === last.issuerKey) yield [...path, anchor]
  for (const authority of authorities.intermediates) {
    const { subjectKey, thumbprint } = authority
    if (subjectKey !== last.issuerKey || path.some(passed => passed.thumbprint === thumbprint)) continue
    if (--budget.steps < 0) return
    yield* candidatePaths([...path, authority], authorities, budget)
  }
}

/** The certificates sent along that can be read. What cannot be is no help, and does no harm. */
function readHelpful(chain: readonly Uint8Array[]): PathCertificate[] {
  return chain.flatMap(der => {
    try {
      return [readPathCertificate(der)]
    } catch (error) {
      if (error instanceof CertificateError) return []
      throw error
    }
  })
}

function readAuthorities(input: CertificateInput, option: string): PathCertificate[] {
  const list = asList(input)
  return list.flatMap((item, index) => {
    const key = Array.isArray(input) ? `${option}[${index}]` : option
    const blocks = certificatesIn(item)
    if (blocks.length === 0) throw new ConfigurationError(key, 'must be certificates in PEM, or one in DER')
    return blocks.map(block => readAuthority(block, key))
  })
}

/** Certificates in PEM, or the one that is given in DER; none of what is neither. */
function certificatesIn(item: unknown): readonly Uint8Array[] {
  if (typeof item === 'string') return pemBlocks(item, 'CERTIFICATE')
  // a copy: what was read of a certificate is kept with its buffer, and this one is somebody else's
  return item instanceof Uint8Array ? [item.slice()] : []
}

function readAuthority(der: Uint8Array, key: string): PathCertificate {
  let authority: PathCertificate
  try {
    authority = readPathCertificate(der)
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    throw new ConfigurationError(key, `must be a certificate in PEM or DER (it ${error.message})`)
  }
  const problem = anchorProblem(authority)
  if (problem === undefined) return authority
  throw new ConfigurationError(key, `must hold certificates of authorities alone; ${nameOf(authority)} ${problem}`)
}
