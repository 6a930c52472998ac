/** The network a request comes from, as far as one caller can be told from another by it. */
import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'

/** A Node or Express request. */
export type NetworkRequest = IncomingMessage & {
  readonly ip?: string | undefined
  readonly app?: { get(setting: string): unknown } | undefined
}

/**
 * An IPv4 address, or the /64 of an IPv6 one: whoever has one address of it has all. Express's `trust proxy` decides
 * whether that is the connection's own address or one that a proxy named. Empty where there is none.
 */
export function networkOf(req: NetworkRequest): string {
  const address = (trustsProxies(req) ? req.ip : undefined) ?? req.socket.remoteAddress ?? ''
  if (!address.includes(':')) return address
  // fe80::1%eth0: the zone is this machine's business
  const plain = address.split('%')[0] ?? ''
  if (!ipaddr.IPv6.isValid(plain)) return address
  const parsed = ipaddr.IPv6.parse(plain)
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString()
  return `${parsed.parts
    .slice(0, 4)
    .map(part => part.toString(16))
    .join(':')}::/64`
}

/** Whether Express trusts a proxy. Otherwise `req.ip` is the connection's address too, found in ten times the time. */
function trustsProxies({ app }: NetworkRequest): boolean {
  return app?.get('trust proxy') !== false
}
