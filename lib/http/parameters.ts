/** Reads a request's parameters: POST, from the body alone, each one string, once (RFC 6749 §3.2). */
import type { IncomingMessage } from 'node:http'
import { InvalidRequestError, MethodNotAllowedError, ServerError, UnsupportedMediaTypeError } from '../errors.ts'
import type { Parameters } from '../client-request.ts'
import { collectBody, tooLarge } from './body-stream.ts'
import { ParameterCollector, parseForm } from './form.ts'
import { collectMembers, parseJson } from './json-body.ts'
import { requestNote } from '../request-note.ts'

export interface ReadOptions {
  /** Accept `application/json` too: one object of strings. Off unless asked for. */
  readonly jsonBody?: boolean | undefined
  /** The largest body read, in bytes; 65536 unless given. */
  readonly maxBytes?: number | undefined
  /** The most parameters read; 100 unless given. */
  readonly maxParameters?: number | undefined
}

/** Those, and what an endpoint of the server's own says of its parameters. */
interface EndpointReadOptions extends ReadOptions {
  /** The parameters whose values may have line ends and tabs; none unless given. */
  readonly withLines?: ReadonlySet<string> | undefined
}

/** A Node or Express request; `body` is what the application's own parser left there, if it has one. */
export type ParameterRequest = IncomingMessage & { body?: unknown }

const defaultMaxBytes = 65_536
const defaultMaxParameters = 100
const form = 'application/x-www-form-urlencoded'
const json = 'application/json'

/** Parameters barred from URLs, which logs, proxies and Referer headers carry on (RFC 6749 §2.3.1, RFC 9700 §4.3). */
const bodyOnly: ReadonlySet<string> = new Set([
  'access_token',
  'actor_token',
  'assertion',
  'auth_req_id',
  'client_assertion',
  'client_assertion_type',
  'client_secret',
  'code',
  'code_verifier',
  'device_code',
  'password',
  'refresh_token',
  'subject_token',
  'token'
])

/** Those of them that authenticate a client: the others may mean anything to a route of the application's own. */
const ownCredentials: ReadonlySet<string> = new Set(['client_assertion', 'client_assertion_type', 'client_secret'])

const readings = requestNote<ParameterRequest, Promise<Parameters>>('parameters')

/**
 * Reads a request once: a second call for the same request answers with the same result, and its options are not looked
 * at. A body the application has parsed already is used (`express.urlencoded`, `json`, `text`, `raw`), under the same
 * rules as far as its parser left them visible; otherwise the body is read here, and `req.body` becomes the parameters.
 *
 * Rejects with
 * - {@link MethodNotAllowedError} for anything but POST;
 * - {@link UnsupportedMediaTypeError} for another type, charset or content coding;
 * - {@link RequestTooLargeError} for more than `maxBytes`;
 * - {@link InvalidRequestError} for a credential in the URL, a body that cannot be parsed, a parameter that is repeated
 *   or no string, or a connection that closed before the body ended;
 * - {@link ServerError} where the application consumed the body and left nothing of it.
 */
export function readParameters(req: ParameterRequest, options: EndpointReadOptions = {}): Promise<Parameters> {
  return readings.read(req) ?? readings.write(req, read(req, options))
}

/**
 * The same for a route of the application's own, of any method and content type. A body that is no form (nor JSON,
 * where that is read) is left alone: then the only parameter there can be is a `client_id` in the URL, which is no
 * secret, and all that a client with a certificate has to say.
 *
 * Rejects as {@link readParameters} does, but for the method and the type.
 */
export function readRouteParameters(req: ParameterRequest, options: ReadOptions = {}): Promise<Parameters> {
  return readings.read(req) ?? readings.write(req, readRoute(req, options))
}

async function readRoute(req: ParameterRequest, options: ReadOptions): Promise<Parameters> {
  refuseCredentialsInQuery(req.url, ownCredentials)
  return livesInBody(req, options) ? readBody(req, options) : clientInQuery(req.url)
}

/** Whether a request has a body of a kind that parameters are read from. */
export function livesInBody(req: IncomingMessage, { jsonBody }: ReadOptions): boolean {
  const { type } = contentTypeOf(req)
  return type === form || (jsonBody === true && type === json)
}

/** The media type a body is said to be of, in lower case, and whether its charset is UTF-8 or left out. */
export function contentTypeOf({ headers }: IncomingMessage): { readonly type: string; readonly isUtf8: boolean } {
  const [name = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';')
  const isUtf8 = parameters.every(parameter => {
    const charset = /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/.exec(parameter)?.[1]
    return charset === undefined || charset === 'utf-8' || charset === 'utf8'
  })
  return { type: name.trim(), isUtf8 }
}

async function read(req: ParameterRequest, options: EndpointReadOptions): Promise<Parameters> {
  if (req.method !== 'POST') throw new MethodNotAllowedError(['POST'])
  refuseCredentialsInQuery(req.url)
  return readBody(req, options)
}

async function readBody(req: ParameterRequest, options: EndpointReadOptions): Promise<Parameters> {
  refuseContentCoding(req.headers['content-encoding'])
  const type = mediaType(req, options.jsonBody === true)
  const maxBytes = options.maxBytes ?? defaultMaxBytes
  const { maxParameters = defaultMaxParameters, withLines } = options
  const rules: Rules = { type: type ?? form, maxParameters, withLines }
  if (type === undefined) return parseForm(new Uint8Array(), maxParameters)
  if (hasContent(req.body)) return readParsed(req.body, maxBytes, rules)
  // an empty `req.body` says nothing: Express 4's parsers leave `{}` behind for the types they do not read
  if (req.readableDidRead || req.readableEnded) return readConsumed(req, type)
  const parameters = parse(await collectBody(req, maxBytes), rules)
  req.body = parameters
  // Express 4's parsers would otherwise wait for a stream that has ended; Express 5's see it for themselves
  ;(req as { _body?: boolean })._body = true
  return parameters
}

/** What a body is read as, and by. */
interface Rules {
  readonly type: string
  readonly maxParameters: number
  readonly withLines: ReadonlySet<string> | undefined
}

function parse(body: Uint8Array, { type, maxParameters, withLines }: Rules): Parameters {
  if (type === form) return parseForm(body, maxParameters, withLines)
  return body.length === 0 ? parseForm(body, maxParameters) : parseJson(body, maxParameters)
}

function hasContent(body: unknown): boolean {
  if (body === undefined || body === null || body === '') return false
  if (typeof body !== 'object' || Array.isArray(body)) return true
  return body instanceof Uint8Array ? body.length > 0 : Object.keys(body).length > 0
}

/** Reads what the application's own parser made of the body. */
function readParsed(body: unknown, maxBytes: number, rules: Rules): Parameters {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (!(bytes instanceof Uint8Array)) return collectMembers(body, rules.maxParameters, rules.withLines)
  if (bytes.length > maxBytes) throw tooLarge(maxBytes, false)
  return parse(bytes, rules)
}

/** The stream has been read and `req.body` holds nothing: either there was nothing, or the application kept it. */
function readConsumed(req: ParameterRequest, type: string): Parameters {
  const length = Number(req.headers['content-length'] ?? 0)
  // a JSON parser that is not strict hands on a `null` the client sent
  if (req.body === null && type === json) return collectMembers(null, 0)
  if (req.body === undefined || req.body === null) {
    if (!req.readableDidRead) return parseForm(new Uint8Array(), 0)
    throw new ServerError({
      reason:
        'a body parser or another middleware consumed the body and left nothing in req.body: mount it after this route, or let it set req.body'
    })
  }
  if (type === form && length > 0) {
    throw new InvalidRequestError('the request body has no parameters', {
      reason: `the body has ${length} bytes, yet the body parser or middleware that consumed it left req.body empty`
    })
  }
  return parseForm(new Uint8Array(), 0)
}

/** The body's type, or undefined where there is no body and none was named. */
function mediaType(req: IncomingMessage, jsonBody: boolean): string | undefined {
  const header = req.headers['content-type']
  if (header === form) return form
  const accepted = jsonBody ? `${form} or ${json}` : form
  if (header === undefined || header === '') {
    if (isBodyless(req)) return undefined
    throw new UnsupportedMediaTypeError(`the request body must be ${accepted}`, { reason: 'the request has no Content-Type' })
  }
  const { type, isUtf8 } = contentTypeOf(req)
  if (type !== form && !(jsonBody && type === json)) {
    const hint = type === json ? '; JSON is read only where jsonBody is on' : ''
    throw new UnsupportedMediaTypeError(`the request body must be ${accepted}`, {
      reason: `the Content-Type is of another type${hint}`
    })
  }
  if (isUtf8) return type
  throw new UnsupportedMediaTypeError('the request body must be UTF-8', { reason: 'the Content-Type names another charset' })
}

function isBodyless(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] === undefined && Number(req.headers['content-length'] ?? 0) === 0
}

/** @throws {@link UnsupportedMediaTypeError} for a compressed body. */
export function refuseContentCoding(coding: string | undefined): void {
  if (coding === undefined || coding.toLowerCase() === 'identity') return
  throw new UnsupportedMediaTypeError('the request body must not be compressed', {
    reason: 'the Content-Encoding is not identity: decompressing a body before its client is known costs more than it saves',
    // RFC 9110 §15.5.16: tells a refused coding from a refused type
    headers: { 'Accept-Encoding': 'identity' }
  })
}

/**
 * The client a request without a body names, once, in its URL. @throws {@link InvalidRequestError} for one that is
 * repeated or no text.
 */
function clientInQuery(url: string | undefined): Parameters {
  const collector = new ParameterCollector(defaultMaxParameters)
  for (const client_id of queryOf(url)?.getAll('client_id') ?? []) collector.add('client_id', client_id)
  return collector.parameters
}

function refuseCredentialsInQuery(url: string | undefined, refused = bodyOnly): void {
  const query = queryOf(url)
  if (query === undefined) return
  for (const name of query.keys()) {
    if (!refused.has(name)) continue
    throw new InvalidRequestError(`${name} must be sent in the request body, not in the URL`, {
      reason: `${name} was in the query string (RFC 6749 §2.3.1): treat it as leaked to every log on the way`
    })
  }
}

function queryOf(url = ''): URLSearchParams | undefined {
  const start = url.indexOf('?')
  return start === -1 ? undefined : new URLSearchParams(url.slice(start + 1))
}
