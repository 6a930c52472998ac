/**
 * The request target: which path of this server's a request is for, in whichever form it was written (RFC 9112 §3.2).
 */

/** A request as Express keeps it: `originalUrl` is the target as it came. */
export interface TargetedRequest {
  readonly originalUrl: string
}

/** A host without user info: with it, a target is meant to deceive (RFC 9110 §4.2.4). */
const schemeAndHost = /^https?:\/\/[^/?#@]+(?=[/?]|$)/i

/**
 * The path a request is for, without its query, neither decoded nor normalised. Clients write it by itself; in a
 * request to a proxy, which a server has to take too (RFC 9112 §3.2.2), scheme and host stand before it: they have no
 * more say here than the Host header. What is neither, such as `*`, is returned as it is, and equals no path because it
 * does not begin with a slash.
 */
export function pathOf({ originalUrl }: TargetedRequest): string {
  const target = withoutHost(originalUrl)
  const end = target.indexOf('?')
  return end === -1 ? target : target.slice(0, end)
}

/** The query of a request, without its question mark; empty where there is none. */
export function queryStringOf({ originalUrl }: TargetedRequest): string {
  const start = originalUrl.indexOf('?')
  return start === -1 ? '' : originalUrl.slice(start + 1)
}

function withoutHost(target: string): string {
  if (target.startsWith('/')) return target
  const host = schemeAndHost.exec(target)?.[0]
  if (host === undefined) return target
  const rest = target.slice(host.length)
  // an empty path is the root (RFC 9110 §4.2.3)
  return rest.startsWith('/') ? rest : `/${rest}`
}
