/** The option `clientDocuments`: whose documents are asked for, and what may be in them. */
import { ConfigurationError, integer, oneOf, readBy, nested, type Checks, type Read } from '../../options.ts'

/**
 * Bounds of fetching the documents of new clients, in each process. Whoever would be one more is answered with 503
 * `temporarily_unavailable`, and may come again.
 */
export interface ClientDocumentLimits {
  /** New documents fetched from one host within a minute, without those that fail. Default 100. */
  readonly newPerHost?: number | undefined
  /** New documents fetched within a minute, all hosts together; ten times as many may fail. Default 1000. */
  readonly newPerMinute?: number | undefined
  /**
   * Fetches under way at once, all hosts together, and as many again for clients that somebody agreed to; at one host
   * ten are. Default 100.
   */
  readonly atOnce?: number | undefined
}

/** See {@link TokenRouterOptions.clientDocuments}. */
export interface ClientDocumentsOptions {
  /**
   * Hosts whose documents are fetched: names, each `claude.ai`, `*.example.com` (every name below it) or `*` (any),
   * whatever the port; or a function of the address. Asked before anything is fetched.
   */
  readonly hosts: readonly string[] | ((address: URL) => boolean)
  /**
   * `any` (default): a document names its redirect URIs as any client that registers itself. `same-origin`: they are of
   * the document's own origin, or lead to the person's own machine.
   */
  readonly redirectUris?: 'any' | 'same-origin' | undefined
  /** The longest document, in bytes. Default 5120. */
  readonly maxBytes?: number | undefined
  /** Milliseconds a document may take, name lookup included. Default 3000. */
  readonly timeout?: number | undefined
  /**
   * Bounds of fetching for client_ids nobody here has heard of. A document that was read before is beyond those of a
   * minute; clients that somebody agreed to are fetched beside all of them.
   */
  readonly limits?: ClientDocumentLimits | undefined
  /** Certificate authorities to trust instead of the system's, PEM. */
  readonly ca?: string | readonly string[] | undefined
}

const hostPattern = /^(?:\*|(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])$/i

const takesHosts = 'a list of host names, such as "claude.ai", "*.example.com" or "*", or a function'

export const clientDocumentLimitChecks = {
  newPerHost: integer({ min: 1, max: 100_000, default: 100 }),
  newPerMinute: integer({ min: 1, max: 100_000, default: 1000 }),
  atOnce: integer({ min: 1, max: 10_000, default: 100 })
} satisfies Checks<ClientDocumentLimits>

const checks = {
  hosts: readBy(takesHosts, readHosts),
  redirectUris: oneOf(['any', 'same-origin'], 'any'),
  maxBytes: integer({ min: 256, max: 1_048_576, default: 5120 }),
  timeout: integer({ min: 1, max: 60_000, default: 3000 }),
  limits: nested(clientDocumentLimitChecks, {}),
  ca: readBy('PEM, or a list of it', readAuthorities)
} satisfies Checks<ClientDocumentsOptions>

/** The option as it is used. */
export type DocumentPolicy = Read<typeof checks>

export const clientDocumentsCheck = nested(checks)

function readHosts(given: unknown, key: string): (address: URL) => boolean {
  if (typeof given === 'function') return address => (given as (address: URL) => unknown)(address) === true
  if (!Array.isArray(given)) throw new ConfigurationError(key, `must be ${takesHosts}`)
  given.forEach((host: unknown, index) => {
    if (typeof host !== 'string' || !hostPattern.test(host))
      throw new ConfigurationError(`${key}[${index}]`, 'must be a host name, "*." and one, or "*": no scheme, port or path')
  })
  const hosts = (given as readonly string[]).map(host => host.toLowerCase())
  return ({ hostname }) => hosts.some(host => isHost(hostname, host))
}

function isHost(hostname: string, host: string): boolean {
  if (host === '*' || host === hostname) return true
  return host.startsWith('*.') && hostname.endsWith(host.slice(1)) && hostname.length > host.length - 1
}

function readAuthorities(given: unknown, key: string): string | readonly string[] | undefined {
  const list: readonly unknown[] = given === undefined ? [] : [given].flat()
  if (list.every(one => typeof one === 'string' && one.includes('-----BEGIN CERTIFICATE-----')))
    return given as string | readonly string[] | undefined
  throw new ConfigurationError(key, 'must be PEM, or a list of it')
}
