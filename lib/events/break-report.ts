/** Clients that would be refused if every dial that reports were set to enforce: to be known before it is. */
import { growingCache } from '../stores/growing-cache.ts'
import type { ServerEvent } from './events.ts'
import { integer, readOptions, type Checks } from '../options.ts'

/** One client that breaks one rule. */
export interface WouldBreak {
  /** The client that would be refused. */
  readonly client_id: string
  /** The check that would fail: `audience`, `type`, `algorithm`, `not_before` or `issued_at`. */
  readonly check: string
  /** The number of requests that would have been refused. */
  readonly count: number
  /** Milliseconds since the epoch. */
  readonly first_seen: number
  /** Milliseconds since the epoch. */
  readonly last_seen: number
  /** The value the last one sent. */
  readonly received?: string | undefined
  /** The value the check asks for. */
  readonly expected?: string | undefined
}

/** A listener that counts which clients a stricter rule would refuse. */
export interface BreakReport {
  /** Hears events; all but `authentication.tolerated` are nothing to it. */
  listen(event: ServerEvent): void
  /** Everyone who would be refused, or by one check alone; who breaks the rule most often comes first. */
  whoWouldBreak(check?: string): readonly WouldBreak[]
}

/** The bounds of what is remembered. */
export interface BreakReportOptions {
  /** The most pairs of a client and a check that are kept; the one longest not seen makes room. Default 10000. */
  readonly max?: number | undefined
}

export const breakReportChecks = {
  max: integer({ min: 1, max: 1_000_000, default: 10_000 })
} satisfies Checks<BreakReportOptions>

/**
 * Keeps who was tolerated, in the memory of this process, `max` clients and checks at most (default 10000; the one
 * longest not seen makes room). An authorization server has one already: `server.whoWouldBreak()`.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const report = breakReport()
 * app.use('/oauth2', tokenRouter({ issuer, clients, store, keys, assertionAudience: 'report', onEvent: event => report.listen(event) }))
 * for (const { client_id, check, count } of report.whoWouldBreak()) console.log(`${client_id} breaks ${check} (${count} times)`)
 */
export function breakReport(options: BreakReportOptions = {}): BreakReport {
  const { max } = readOptions(options, breakReportChecks)
  const seen = growingCache<WouldBreak>(max)
  return {
    listen(event) {
      if (event.type !== 'authentication.tolerated') return
      const { client_id, check, received, expected, at } = event
      const key = JSON.stringify([check, client_id])
      const { count = 0, first_seen = at } = seen.get(key) ?? {}
      seen.set(key, { client_id, check, count: count + 1, first_seen, last_seen: at, received, expected })
    },
    whoWouldBreak: check =>
      [...seen.rvalues()].filter(one => check === undefined || one.check === check).sort((a, b) => b.count - a.count)
  }
}
