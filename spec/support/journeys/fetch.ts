/** A small `fetch` on Node's own http and https, because the built-in one cannot present a client certificate. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { heardOnTheWire } from '../checks/emitted.ts'

/** What the clients hand to a `fetch` of one's own. */
export interface FetchInit {
  readonly method?: string
  readonly headers?: Headers | Readonly<Record<string, string>>
  readonly body?: unknown
  readonly signal?: AbortSignal | null | undefined
}

export type Fetch = (url: string, init?: FetchInit) => Promise<Response>

export interface TlsOptions {
  /** PEM of the authority whose servers are trusted. */
  readonly ca: string
  /** What this client is, on a connection that asks. */
  readonly certificate?: { readonly pem: string; readonly keyPem: string } | undefined
}

/** Never follows a redirect: that is the user agent's decision. Connections are kept, one set of them for each fetch made here. */
export function tlsFetch({ ca, certificate }: TlsOptions): Fetch {
  const agent = new Agent({ keepAlive: true, ca, cert: certificate?.pem, key: certificate?.keyPem })
  return (url, init = {}) => send(url, init, agent)
}

/** For plain HTTP. */
export const plainFetch: Fetch = (url, init = {}) => send(url, init)

/** A request as it left the client. */
export interface Sent {
  readonly url: string
  readonly headers: Headers
  readonly body: URLSearchParams
  readonly answer: string
  /** The answer's `Set-Cookie` and `Location`. */
  readonly cookies?: readonly string[]
  readonly location?: string | undefined
}

/** The same fetch, keeping everything that went through it. */
export function recording(fetch: Fetch): { readonly fetch: Fetch; readonly sent: readonly Sent[] } {
  const sent: Sent[] = []
  const recorded: Fetch = async (url, init = {}) => {
    const response = await fetch(url, init)
    const { headers, body } = normalise(init)
    sent.push({ url, headers, body: new URLSearchParams(body), answer: await response.clone().text() })
    return response
  }
  return { fetch: recorded, sent }
}

function normalise(init: FetchInit): { headers: Headers; body: string | undefined } {
  const headers = new Headers(init.headers)
  const { body } = init
  if (body === undefined || body === null) return { headers, body: undefined }
  if (body instanceof URLSearchParams) {
    if (!headers.has('content-type')) headers.set('content-type', 'application/x-www-form-urlencoded;charset=UTF-8')
    return { headers, body: body.toString() }
  }
  if (typeof body !== 'string') throw new TypeError('this fetch sends strings and forms')
  return { headers, body }
}

async function send(url: string, init: FetchInit, agent?: Agent): Promise<Response> {
  const response = await exchange(url, init, agent)
  const { headers, body } = normalise(init)
  const cookies = response.headers.getSetCookie()
  const location = response.headers.get('location') ?? undefined
  heardOnTheWire({ url, headers, body: new URLSearchParams(body), answer: await response.clone().text(), cookies, location })
  return response
}

function exchange(url: string, init: FetchInit, agent?: Agent): Promise<Response> {
  const { headers, body } = normalise(init)
  const options = {
    method: init.method ?? 'GET',
    headers: Object.fromEntries(headers),
    ...(init.signal && { signal: init.signal }),
    ...(agent && { agent })
  }
  return new Promise((resolve, reject) => {
    const answered = (message: IncomingMessage): void => {
      readResponse(message).then(resolve, reject)
    }
    const outgoing = url.startsWith('https:') ? httpsRequest(url, options, answered) : httpRequest(url, options, answered)
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

async function readResponse(message: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const headers = new Headers()
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] ?? '', message.rawHeaders[index + 1] ?? '')
  }
  const status = message.statusCode ?? 0
  return new Response([204, 304].includes(status) ? null : Buffer.concat(chunks), { status, headers })
}
