/**
 * URIs in client metadata (RFC 3986): what ends in a header or is fetched must be a URI already, not something a
 * browser would make one of.
 */
import { isLoopbackHost } from '../../options.ts'

const longest = 2000
/** RFC 3986 §3: a scheme, and after it reserved, unreserved and percent-encoded characters alone. */
const uriSyntax = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/
/** Syntax of http URIs: they have an authority, its host in brackets where it is an IPv6 address (§3.2.2). */
const webSyntax = /^https?:\/\/(?:[^/?#@[\]]*@)?(\[[0-9A-Fa-f:.]+\]|[^/?#@:[\]]+)(?::\d*)?(?:[/?#][^[\]]*)?$/i
/** Schemes a browser runs or reads instead of going anywhere (RFC 9700 §4.1.3). */
const runSchemes = ['javascript', 'data', 'vbscript', 'blob', 'file', 'about', 'view-source', 'filesystem', 'jar']
/** Schemes that are the network's and no app's. */
const networkSchemes = ['http', 'https', 'ws', 'wss', 'ftp', 'mailto', 'tel', 'sms', 'urn']

/** Finds the fault in what is to be an absolute URI, as the end of a sentence; undefined: none. */
export function uriProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string'
  if (value.length > longest) return `must be at most ${longest} characters long`
  if (!uriSyntax.test(value) || !URL.canParse(value) || value.split('#').length > 2) return 'must be an absolute URI (RFC 3986)'
  const { protocol, hostname } = new URL(value)
  if (protocol !== 'https:' && protocol !== 'http:') return undefined
  const host = webSyntax.exec(value)?.[1]?.toLowerCase()
  if (host === undefined) return 'must be an absolute URI (RFC 3986), with // and a host after its scheme'
  // 0x7f.1 is 127.0.0.1 to a browser, and something else to whoever compares names
  return host === hostname || host.startsWith('[') ? undefined : `must have its host written as ${hostname}`
}

/**
 * Finds the fault in the redirect URI of any client (RFC 6749 §3.1.2), as the end of a sentence; undefined: none.
 */
export function redirectUriProblem(value: unknown): string | undefined {
  const problem = uriProblem(value)
  if (problem !== undefined || typeof value !== 'string') return problem
  if (value.includes('#')) return 'must have no fragment'
  return runSchemes.includes(schemeOf(value)) ? 'must be of a scheme that leads to the client' : undefined
}

/** The scheme a URI begins with, in lower case. */
export function schemeOf(uri: string): string {
  return uri.slice(0, uri.indexOf(':')).toLowerCase()
}

/**
 * Whether apps may have this scheme for themselves (RFC 8252 §7.1); never one that a browser runs, or that is the
 * network's.
 */
export function isPrivateUseScheme(scheme: string): boolean {
  return /^[a-z][a-z0-9+.-]*$/.test(scheme) && !runSchemes.includes(scheme) && !networkSchemes.includes(scheme)
}

/**
 * Whether this is an https URL without user info; `loopback`: or an http one that leads no further than this machine.
 */
export function isWebAddress(value: string, loopback: boolean): boolean {
  if (uriProblem(value) !== undefined) return false
  const { protocol, hostname, username, password } = new URL(value)
  const plain = loopback && protocol === 'http:' && isLoopbackHost(hostname)
  return (protocol === 'https:' || plain) && username === '' && password === '' && !/^https?:\/\/[^/?#]*@/i.test(value)
}
