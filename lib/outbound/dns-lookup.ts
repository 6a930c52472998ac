/**
 * Addresses of hosts that strangers name, asked of DNS servers without the two threads that all of the process's
 * `getaddrinfo()` calls share: names whose servers never answer would keep those from everybody else for as long.
 */
import { lookup as systemLookup, Resolver } from 'node:dns/promises'
import { isLoopbackHost } from '../options.ts'
import type { HostAddress } from './guarded-fetch.ts'

/**
 * Makes a lookup of A and AAAA records, which gives up after `timeout` milliseconds, and knows no hosts file.
 * `localhost` is asked of the system.
 *
 * @param servers IP addresses with ports. Default: those of the system.
 */
export function dnsLookup(timeout: number, servers?: readonly string[]): (hostname: string) => Promise<readonly HostAddress[]> {
  const resolver = new Resolver({ timeout, tries: 1 })
  if (servers !== undefined) resolver.setServers(servers)
  return async hostname => {
    if (isLoopbackHost(hostname)) return systemLookup(hostname, { all: true })
    const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const found = [...addressesOf(four, 4), ...addressesOf(six, 6)]
    if (found.length === 0 && four.status === 'rejected') throw four.reason
    return found
  }
}

function addressesOf(answer: PromiseSettledResult<readonly string[]>, family: number): readonly HostAddress[] {
  return answer.status === 'fulfilled' ? answer.value.map(address => ({ address, family })) : []
}
