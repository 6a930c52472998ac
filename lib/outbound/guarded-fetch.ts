/**
 * Fetches JSON from a URL someone else chose (`jwks_uri`), or posts it there, without becoming a way into the network
 * this server stands in: only https, only public addresses, checked where the connection is made and not where the name
 * was looked up before, no redirects, and little time and space (RFC 9700 §4.11 and OpenID Connect Core §10.1.1 leave
 * the guard to the server).
 */
import { lookup as systemLookup } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { flag, fn, integer, isLoopbackHost, readOptions, text, valueLike, type Checks } from '../options.ts'
import { isAllowedAddress, type AddressRules } from './address-rules.ts'
import { GuardedFetchError, type FetchJson, type PostJson } from './fetching.ts'

export * from './fetching.ts'

/** The bounds of what is fetched from addresses that others name. */
export interface GuardedFetchOptions {
  /** Lets `localhost`, `127.0.0.1` and `[::1]` be fetched from, over http as well. For development. */
  readonly allowLoopback?: boolean | undefined
  /** Lets private addresses (RFC 1918, RFC 4193, RFC 6598) be connected to: for every host, or for the hosts listed. */
  readonly allowPrivate?: boolean | readonly string[] | undefined
  /** Milliseconds for the whole exchange, name lookup included. Default 5000. */
  readonly timeout?: number | undefined
  /** The longest answer, in bytes. Default 65536. */
  readonly maxBytes?: number | undefined
  /** The media types to ask for. Default: those of JSON and of JWK sets. */
  readonly accept?: string | undefined
  /** Certificate authorities to trust instead of the system's, PEM. */
  readonly ca?: string | readonly string[] | undefined
  /** Finds a host's addresses. Default: the system's resolver. */
  readonly lookup?: ((hostname: string) => Promise<readonly HostAddress[]>) | undefined
}

/** An address of a host. */
export interface HostAddress {
  /** The address itself. */
  readonly address: string
  /** 4 or 6. */
  readonly family: number
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isAllowance = (value: unknown) => typeof value === 'boolean' || (Array.isArray(value) && value.every(isText))

export const guardedFetchChecks = {
  allowLoopback: flag(false),
  allowPrivate: valueLike<boolean | readonly string[]>('true, false or a list of host names', isAllowance),
  timeout: integer({ min: 1, max: 60_000, default: 5000 }),
  maxBytes: integer({ min: 1, max: 10_485_760, default: 65_536 }),
  accept: text('application/jwk-set+json, application/json'),
  ca: valueLike<string | string[]>('certificates in PEM: one text or a list of them', value => [value].flat().every(isText)),
  lookup: fn<NonNullable<GuardedFetchOptions['lookup']>>()
} satisfies Checks<GuardedFetchOptions>

interface Guard extends AddressRules {
  readonly timeout: number
  readonly maxBytes: number
  readonly accept: string
  readonly ca: string[] | undefined
  readonly lookup: (hostname: string) => Promise<readonly HostAddress[]>
}

/**
 * Makes a guarded fetch. https only (http too for loopback hosts under `allowLoopback`), status 200 only, no redirects,
 * no proxies from the environment, JSON in UTF-8 only.
 *
 * @throws {@link ConfigurationError} for a wrong option.
 *
 * @example
 * const fetchJson = guardedFetch({ allowPrivate: ['keys.corp.example'] })
 * const { json } = await fetchJson('https://keys.corp.example/jwks.json')
 */
export function guardedFetch(options: GuardedFetchOptions = {}): FetchJson {
  const guard = toGuard(options)
  const headers = { accept: guard.accept, 'accept-encoding': 'identity' }
  return url =>
    guarded(url, guard, { method: 'GET', headers }, async response => {
      const json = parseJson(await readBody(response, guard.maxBytes))
      const maxAge = maxAgeOf(response.headers['cache-control'])
      const mediaType = mediaTypeOf(response.headers['content-type'])
      return { json, ...(maxAge !== undefined && { maxAge }), ...(mediaType !== undefined && { mediaType }) }
    })
}

/**
 * Makes a guarded download, under the same rules as {@link guardedFetch} but for what the answer is: any bytes, which
 * nobody has judged yet.
 *
 * @throws {@link ConfigurationError} for a wrong option.
 *
 * @example
 * const download = guardedDownload({ maxBytes: 262_144 })
 * const logo = await download('https://client.example/logo.png')
 */
export function guardedDownload(options: Omit<GuardedFetchOptions, 'accept'> = {}): (url: string) => Promise<Buffer> {
  const guard = toGuard(options)
  const headers = { accept: '*/*', 'accept-encoding': 'identity' }
  return url => guarded(url, guard, { method: 'GET', headers }, response => readBody(response, guard.maxBytes))
}

/**
 * Makes a guarded POST, under the same rules as {@link guardedFetch} but for the answer: any status, of which it is
 * told.
 *
 * @throws {@link ConfigurationError} for a wrong option.
 *
 * @example
 * const postJson = guardedPost()
 * const status = await postJson('https://client.example/ciba', { headers: { authorization: `Bearer ${token}` }, body: { auth_req_id } })
 */
export function guardedPost(options: Omit<GuardedFetchOptions, 'maxBytes' | 'accept'> = {}): PostJson {
  const guard = toGuard(options)
  return (url, { headers, body }) => {
    const isForm = body instanceof URLSearchParams
    const text = isForm ? body.toString() : JSON.stringify(body)
    const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json'
    const described = { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(text) }
    return guarded(url, guard, { method: 'POST', headers: described, body: text }, response =>
      Promise.resolve(response.statusCode ?? 0)
    )
  }
}

interface Outgoing {
  readonly method: 'GET' | 'POST'
  readonly headers: OutgoingHttpHeaders
  readonly body?: string
}

/** Of the two, the one that every server uses which was given none: they keep nothing of what they fetch. */
const usual = { anywhere: guardedFetch(), onLoopback: guardedFetch({ allowLoopback: true }) }
const usualPost = { anywhere: guardedPost(), onLoopback: guardedPost({ allowLoopback: true }) }

/** The guarded fetch of every server that was given none; it keeps nothing of what it fetches. */
export function usualFetch({ allowLoopback }: Pick<Required<GuardedFetchOptions>, 'allowLoopback'>): FetchJson {
  return allowLoopback === true ? usual.onLoopback : usual.anywhere
}

/** The guarded POST of every server that was given none. */
export function usualPostJson({ allowLoopback }: Pick<Required<GuardedFetchOptions>, 'allowLoopback'>): PostJson {
  return allowLoopback === true ? usualPost.onLoopback : usualPost.anywhere
}

/** One request within the guard; `read` makes of the answer what is wanted. Whatever fails is a `GuardedFetchError`. */
async function guarded<T>(
  url: string,
  guard: Guard,
  outgoing: Outgoing,
  read: (response: IncomingMessage) => Promise<T>
): Promise<T> {
  const target = checkTarget(url, guard)
  const deadline = AbortSignal.timeout(guard.timeout)
  try {
    return await exchange(target, guard, deadline, outgoing, read)
  } catch (error) {
    if (error instanceof GuardedFetchError) throw error
    if (deadline.aborted) throw new GuardedFetchError('timeout', `there was no complete answer within ${guard.timeout} ms`)
    throw new GuardedFetchError('network', 'the connection failed', { cause: error })
  }
}

function toGuard(options: GuardedFetchOptions): Guard {
  const { allowLoopback, allowPrivate = false, timeout, maxBytes, accept, ca, lookup } = readOptions(options, guardedFetchChecks)
  const hosts = typeof allowPrivate === 'boolean' ? undefined : new Set(allowPrivate.map(host => host.toLowerCase()))
  return {
    allowLoopback,
    timeout,
    maxBytes,
    accept,
    allowPrivate: hostname => (hosts === undefined ? allowPrivate === true : hosts.has(hostname)),
    ca: ca === undefined ? undefined : [ca].flat(),
    lookup: lookup ?? (hostname => systemLookup(hostname, { all: true }))
  }
}

function checkTarget(url: string, guard: Guard): URL {
  if (!URL.canParse(url)) throw new GuardedFetchError('invalid_url', 'the URL cannot be parsed')
  const target = new URL(url)
  const plainIsAllowed = guard.allowLoopback && isLoopbackHost(target.hostname)
  if (target.protocol !== 'https:' && !(target.protocol === 'http:' && plainIsAllowed)) {
    throw new GuardedFetchError('forbidden_scheme', 'the URL must be https')
  }
  if (target.username !== '' || target.password !== '') {
    throw new GuardedFetchError('forbidden_user_info', 'the URL must not contain user info')
  }
  // literal addresses are never looked up, so the lookup below would not see them
  const literal = target.hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0) checkAddress(literal, target.hostname, guard)
  return target
}

function checkAddress(address: string | undefined, hostname: string, guard: Guard): void {
  if (address === undefined || !isAllowedAddress(address, hostname, guard)) {
    throw new GuardedFetchError('forbidden_address', 'the host is at an address that is not public')
  }
}

/**
 * Makes the lookup that the socket asks for the host's addresses: one that is not allowed refuses the host, whichever
 * would have been used.
 */
function guardedLookup(guard: Guard): LookupFunction {
  return (hostname, options, callback) => {
    const answer = async (): Promise<readonly HostAddress[]> => {
      const found = await guard.lookup(hostname).catch((cause: unknown) => {
        throw new GuardedFetchError('host_not_found', 'the host was not found', { cause })
      })
      if (found.length === 0) throw new GuardedFetchError('host_not_found', 'the host was not found')
      for (const { address } of found) checkAddress(address, hostname, guard)
      return found
    }
    answer().then(
      found => {
        if (options.all === true) callback(null, [...found])
        else callback(null, found[0]?.address ?? '', found[0]?.family)
      },
      (error: unknown) => callback(error as Error, '')
    )
  }
}

function exchange<T>(
  target: URL,
  guard: Guard,
  signal: AbortSignal,
  { method, headers, body }: Outgoing,
  read: (response: IncomingMessage) => Promise<T>
): Promise<T> {
  const options: RequestOptions = {
    // an agent of its own: no kept connection was checked for another host, and no proxy is taken from the environment
    agent: false,
    signal,
    lookup: guardedLookup(guard),
    method,
    headers,
    ...(guard.ca !== undefined && { ca: guard.ca })
  }
  return new Promise((resolve, reject) => {
    const outgoing = target.protocol === 'http:' ? httpRequest(target, options) : httpsRequest(target, options)
    outgoing.on('socket', socket => {
      socket.once('connect', () => {
        try {
          checkAddress(socket.remoteAddress, target.hostname, guard)
        } catch (error) {
          outgoing.destroy(error as Error)
        }
      })
    })
    outgoing.on('response', response => {
      read(response)
        .then(resolve, reject)
        .finally(() => outgoing.destroy())
    })
    outgoing.on('error', reject)
    // an answer that is none (101, a connection closed early) ends without an error
    outgoing.on('close', () => reject(new GuardedFetchError('network', 'the connection was closed without an answer')))
    outgoing.end(body)
  })
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (response.statusCode !== 200) {
    throw new GuardedFetchError('status', `the answer's status was ${response.statusCode ?? 0} instead of 200`)
  }
  const tooLarge = new GuardedFetchError('too_large', `the answer was longer than ${maxBytes} bytes`)
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new GuardedFetchError('not_json', 'the answer was not JSON')
  }
}

function mediaTypeOf(contentType: string | undefined): string | undefined {
  return contentType?.split(';')[0]?.trim().toLowerCase()
}

function maxAgeOf(cacheControl: string | undefined): number | undefined {
  if (cacheControl === undefined) return undefined
  if (/(?:^|[\s,])no-(?:store|cache)(?:$|[\s,=])/i.test(cacheControl)) return 0
  const seconds = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(cacheControl)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
