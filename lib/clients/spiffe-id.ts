/** SPIFFE IDs (SPIFFE-ID §2): the names workloads have in their trust domains, read to the letter of the grammar. */
import { isUnderPattern, patternPrefix } from './subject-pattern.ts'

/** A SPIFFE ID in its parts. */
export interface SpiffeId {
  /** The whole of it. */
  readonly id: string
  /** The trust domain, such as `prod.example`. */
  readonly trustDomain: string
  /** The path with its leading slash; empty where it names the trust domain itself. */
  readonly path: string
}

/** In bytes (SPIFFE-ID §2.3). */
const longestId = 2048
/** In characters (SPIFFE-ID §2.1). */
const longestTrustDomain = 255
const trustDomainSyntax = /^[a-z0-9._-]+$/
const syntax = /^spiffe:\/\/([a-z0-9._-]+)((?:\/[A-Za-z0-9._-]+)*)$/

/** Whether this is the name of a trust domain: without scheme and path. */
export function isTrustDomain(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longestTrustDomain && trustDomainSyntax.test(value)
}

/**
 * Reads a SPIFFE ID; undefined for whatever is none. Never throws. Nothing is put right: an upper-case trust domain, a
 * port, user info, a query, a percent sign, an empty segment, `.` and `..` make it none.
 */
export function parseSpiffeId(value: unknown): SpiffeId | undefined {
  if (typeof value !== 'string' || value.length > longestId) return undefined
  const [id, trustDomain, path] = syntax.exec(value) ?? []
  if (id === undefined || path === undefined || !isTrustDomain(trustDomain)) return undefined
  return path.split('/').some(segment => segment === '.' || segment === '..') ? undefined : { id, trustDomain, path }
}

/** Finds the fault in a client's `spiffe_id`, as the end of a sentence; undefined: none. */
export function spiffeIdPatternProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a SPIFFE ID'
  const prefix = patternPrefix(value)
  const parsed = parseSpiffeId(prefix === undefined ? value : prefix.slice(0, -1))
  if (prefix?.endsWith('/') === false || parsed === undefined)
    return 'must be a SPIFFE ID such as spiffe://prod.example/billing, which may end in /*'
  // the trust domain itself is no workload
  return prefix === undefined && parsed.path === ''
    ? 'must have a path: spiffe://prod.example names the trust domain and no workload'
    : undefined
}

/** Whether a workload's SPIFFE ID is the one a client registered, or lies below it where that ends in `/*`. */
export function matchesSpiffeId(pattern: string, { id, path }: SpiffeId): boolean {
  return path !== '' && isUnderPattern(pattern, id)
}
