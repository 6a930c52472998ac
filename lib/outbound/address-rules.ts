/** Which addresses a URL that someone else wrote may lead to. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { isLoopbackHost } from '../options.ts'

export interface AddressRules {
  /** Whether the loopback host names may lead to this machine. */
  readonly allowLoopback: boolean
  /** Whether this host name may lead to private addresses (RFC 1918, RFC 4193, RFC 6598). */
  readonly allowPrivate: (hostname: string) => boolean
}

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')
const privateRanges: readonly string[] = ['private', 'uniqueLocal', 'carrierGradeNat']

/**
 * Whether `hostname` may lead to `address`. Public unicast addresses are allowed; private ones where the rules name the
 * host; loopback only for `localhost`, `127.0.0.1` and `[::1]` themselves. Everything else is refused whatever the
 * rules say: link-local (cloud metadata services), multicast, unspecified, reserved, and every IPv6 form that embeds an
 * IPv4 address.
 */
export function isAllowedAddress(address: string, hostname: string, rules: AddressRules): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false
  const parsed = ipaddr.parse(address)
  const range = parsed.range()
  if (range === 'loopback') return rules.allowLoopback && isLoopbackHost(hostname)
  if (privateRanges.includes(range)) return rules.allowPrivate(hostname)
  if (range !== 'unicast') return false
  // what no table names yet is not public either: IANA has assigned global unicast from 2000::/3 only
  return parsed.kind() === 'ipv4' || parsed.match(globalUnicast)
}
