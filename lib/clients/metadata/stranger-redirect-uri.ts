/**
 * The redirect URIs of clients nobody configured (RFC 7591 §5, RFC 8252 §7, RFC 9700 §4.1): where codes may be sent
 * that a client names for itself, and nowhere else.
 */
import { isOnLoopback } from '../../options.ts'
import { redirectUriProblem, schemeOf } from './uri.ts'

const dotSegment = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i

/** Whether the path of a URI has segments that whoever resolves it leaves out. */
export function hasDotSegments(uri: string): boolean {
  return dotSegment.test(uri)
}

/**
 * Finds the fault in a redirect URI that a client names for itself, as the end of a sentence; undefined: none.
 *
 * @param schemes private-use schemes that are let in beside those of reversed domain names.
 */
export function strangerRedirectUriProblem(uri: unknown, schemes: readonly string[]): string | undefined {
  const problem = redirectUriProblem(uri)
  if (problem !== undefined || typeof uri !== 'string') return problem
  if (uri.includes('*')) return 'must have no wildcard: it is compared as it is'
  const url = new URL(uri)
  if (url.username !== '' || url.password !== '' || authorityOf(uri).includes('@')) return 'must have no user info'
  if (hasDotSegments(uri)) return 'must have no dot segments'
  if (url.protocol === 'https:' || isNative(uri, schemes)) return undefined
  if (url.protocol === 'http:') return 'must be https (http only on localhost, 127.0.0.1 or [::1])'
  return 'must be https, http on a loopback host, or of a private-use scheme such as com.example.app:/callback'
}

function authorityOf(uri: string): string {
  return /^[^:]*:\/\/([^/?]*)/.exec(uri)?.[1] ?? ''
}

/**
 * Of a program on the person's own device: loopback (RFC 8252 §7.3), a scheme of a name its maker controls, written
 * backwards (§7.1), or one that was let in.
 */
export function isNative(uri: string, schemes: readonly string[]): boolean {
  const scheme = schemeOf(uri)
  return isLoopbackRedirect(uri) || scheme.includes('.') || schemes.includes(scheme)
}

/** Whether a redirect URI leads to a program on the person's own machine, by http (RFC 8252 §7.3). */
export function isLoopbackRedirect(uri: string): boolean {
  return schemeOf(uri) === 'http' && isOnLoopback(uri)
}
