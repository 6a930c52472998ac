/**
 * Callers that an MCP server does not answer whatever token they have: scripts of an origin that is not let in, and
 * whoever calls a server on this machine by the name of another (DNS rebinding).
 */
import type { Request } from 'express'
import { OAuthError } from '../errors.ts'
import { isLoopbackHost, isOnLoopback } from '../options.ts'

/**
 * A function that finds whether a request comes from a script whose origin is not among `origins`, and is not the
 * resource's own (MCP, Streamable HTTP, security warning: 403). Undefined `origins`: from none.
 */
export function strangeOrigin(
  resource: string,
  origins: readonly string[] | undefined
): (req: Request) => OAuthError | undefined {
  if (origins === undefined) return () => undefined
  const known = new Set([...origins, new URL(resource).origin])
  const refused = new OAuthError('access_denied', 403, 'scripts of this origin may not call this server')
  return ({ headers: { origin } }) => (origin === undefined || known.has(origin) ? undefined : refused)
}

/**
 * A function that finds whether a request to a server on this machine names another host: a page that had its own name
 * lead here can send nothing else. A server that is elsewhere is called by whatever name its proxies give it.
 */
export function strangeHost(resource: string): (req: Request) => OAuthError | undefined {
  if (!isOnLoopback(resource)) return () => undefined
  const refused = new OAuthError('access_denied', 403, 'this server is on loopback, and the Host header names another host')
  return ({ headers: { host = '' } }) => {
    const [, hostname = ''] = /^([^:]+|\[[^\]]+\])(?::\d*)?$/.exec(host) ?? []
    return isLoopbackHost(hostname.toLowerCase()) ? undefined : refused
  }
}
