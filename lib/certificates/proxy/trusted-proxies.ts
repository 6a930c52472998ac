/** The addresses of one's own proxies, whose headers are believed. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number]

/**
 * Shorter prefixes are no network of anybody's own. 10.0.0.0/8 and fc00::/7 are the largest private ones (RFC 1918, RFC
 * 4193).
 */
const shortestPrefix = { ipv4: 8, ipv6: 7 } as const

/** Why an entry names no proxies to trust, as what it must be instead; undefined where it does. */
export function trustedProxyProblem(entry: unknown): string | undefined {
  const network = typeof entry === 'string' ? networkOf(entry) : undefined
  if (network === undefined) return 'must be an IP address, or a network such as 10.0.0.0/8'
  const [address, prefix] = network
  const shortest = shortestPrefix[address.kind()]
  return prefix < shortest
    ? `must be a network of your own: a prefix shorter than /${shortest} would believe the header from nearly anywhere`
    : undefined
}

/**
 * Whether an address (as a socket has it) is that of one of these proxies. The entries must have no {@link
 * trustedProxyProblem}.
 */
export function proxyTrust(entries: readonly string[]): (address: string | undefined) => boolean {
  const networks = entries.map(networkOf).filter(network => network !== undefined)
  return address => {
    const peer = addressOf(address ?? '')
    return peer !== undefined && networks.some(([base, prefix]) => matches(peer, base, prefix))
  }
}

function matches(peer: ipaddr.IPv4 | ipaddr.IPv6, base: ipaddr.IPv4 | ipaddr.IPv6, prefix: number): boolean {
  if (peer instanceof ipaddr.IPv4) return base instanceof ipaddr.IPv4 && peer.match(base, prefix)
  return base instanceof ipaddr.IPv6 && peer.match(base, prefix)
}

function networkOf(entry: string): Network | undefined {
  const [text = '', prefixText, more] = entry.split('/')
  if (more !== undefined || text.includes('%')) return undefined
  const address = addressOf(text)
  const given = isIP(text)
  if (address === undefined) return undefined
  const longest = given === 4 ? 32 : 128
  if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return undefined
  const prefix = prefixText === undefined ? longest : Number(prefixText)
  if (prefix > longest) return undefined
  if (given === 4 || address instanceof ipaddr.IPv6) return [address, prefix]
  // an IPv4 network written as IPv4-mapped IPv6: what is left of its prefix is IPv4's
  return prefix >= 96 ? [address, prefix - 96] : [ipaddr.IPv6.parse(text), prefix]
}

/** IPv4-mapped IPv6, as a socket listening on both has it, is the IPv4 address. Zones (`%eth0`) say where, not who. */
function addressOf(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const plain = text.split('%', 1)[0] ?? ''
  // ::10.0.0.5 is an address of its own (RFC 4291 §2.5.5.1), which the parser would take for 10.0.0.5
  if (isIP(plain) === 0 || /^::\d+\./.test(plain)) return undefined
  return ipaddr.process(plain)
}
