/** From an HTTP request to the values client authentication works with. */
import type { IncomingMessage } from 'node:http'
import { InvalidRequestError, ServerError } from '../errors.ts'
import type { ClientRequest, Parameters } from '../client-request.ts'
import { traceIdOf } from './trace.ts'
import { certificateOfRequest, directTls, type CertificateSource } from '../certificates/source.ts'
import { requestNote } from '../request-note.ts'
import { livesInBody, readParameters, readRouteParameters, type ParameterRequest, type ReadOptions } from './parameters.ts'

export interface ClientRequestOptions extends ReadOptions {
  /** The endpoint's metadata name without `_endpoint`; `token` unless given. */
  readonly endpoint?: string | undefined
  /** The source of the client certificate; {@link directTls} unless given. */
  readonly certificateSource?: CertificateSource | undefined
}

const readings = requestNote<ParameterRequest, Promise<ClientRequest>>('client request')

/**
 * Reads a request once: a second call for the same request answers with the same result, and its options are not looked
 * at. The certificate is read when somebody asks for it; where reading it fails, `certificate()` throws an {@link
 * InvalidRequestError}.
 *
 * Rejects as {@link readParameters} does, and with {@link InvalidRequestError} for a repeated Authorization header.
 */
export function readClientRequest(
  req: ParameterRequest | ReadRequest,
  options: ClientRequestOptions = {}
): Promise<ClientRequest> {
  if (req instanceof ReadRequest) return req.request === undefined ? released : Promise.resolve(req.request)
  return readings.read(req) ?? readings.write(req, read(req, options))
}

const headerReadings = requestNote<ParameterRequest, ClientRequest>('client request without a body')

/** The methods that a route of the application's own accepts, as far as reading a request needs them. */
interface RouteMethods {
  /** Whether a request without its parameters is of one of them. */
  readonly identify: (bare: ClientRequest) => boolean
  /** Whether one of them would find what it looks for in a body. */
  readonly inBody: boolean
}

/**
 * The same on a route of the application's own, of any method and content type: a form is read where one of the methods
 * lives in it, or nothing else of the request says who calls, and everything else is left alone.
 */
export async function readRouteRequest(
  req: ParameterRequest | ReadRequest,
  { identify, inBody }: RouteMethods,
  options: ClientRequestOptions = {}
): Promise<ClientRequest> {
  if (req instanceof ReadRequest) return readClientRequest(req)
  const known = readings.read(req)
  if (known !== undefined) return known
  const bare = headerReadings.read(req) ?? headerReadings.write(req, requestOf(req, noParameters, options))
  const isNamed = req.headers.authorization !== undefined || identify(bare)
  if (isNamed && !(inBody && livesInBody(req, options))) return bare
  return readings.write(
    req,
    readRouteParameters(req, options).then(parameters => requestOf(req, parameters, options))
  )
}

const noParameters: Parameters = Object.freeze(Object.create(null) as Parameters)

/**
 * Stands in for a request that has been read already, where whoever is given it asks for nothing but {@link
 * readClientRequest}. Passport puts eight members on whatever request it is given, and on a real one, whose shape
 * Express has changed, each costs a microsecond and more: here they have their places from the start.
 */
export class ReadRequest {
  headers: ClientRequest['headers']
  request: ClientRequest | undefined
  authenticatedClient: unknown = undefined
  login: unknown = undefined
  logIn: unknown = undefined
  logout: unknown = undefined
  logOut: unknown = undefined
  isAuthenticated: unknown = undefined
  isUnauthenticated: unknown = undefined
  _sessionManager: unknown = undefined

  constructor(request: ClientRequest) {
    this.headers = request.headers
    this.request = request
  }

  /** Lets go of the request: who still holds this has nothing in it. */
  release(): void {
    this.headers = noHeaders
    this.request = undefined
    this.authenticatedClient = undefined
  }
}

const noHeaders: ClientRequest['headers'] = Object.freeze({})
const released = Promise.reject<ClientRequest>(new ServerError({ reason: 'this request has been authenticated already' }))
released.catch(() => undefined)

async function read(req: ParameterRequest, options: ClientRequestOptions): Promise<ClientRequest> {
  return requestOf(req, await readParameters(req, options), options)
}

function requestOf(req: ParameterRequest, parameters: Parameters, options: ClientRequestOptions): ClientRequest {
  refuseRepeatedAuthorization(req)
  const source = options.certificateSource ?? directTls
  return {
    endpoint: options.endpoint ?? 'token',
    headers: req.headers,
    parameters,
    certificate: () => certificateOfRequest(req, source).certificate,
    certificateNote: () => certificateOfRequest(req, source).note,
    traceId: () => traceIdOf(req),
    // what is put here later has its place from the start: all requests keep one shape
    authentication: undefined,
    used: undefined,
    found: undefined,
    judged: undefined,
    onDecision: undefined,
    watch: undefined,
    guess: undefined,
    addresses: undefined,
    dpop: undefined,
    further: undefined,
    trial: undefined
  }
}

/**
 * Node keeps the first of two Authorization headers where a proxy may keep the last: two are two credentials (RFC 6749
 * §2.3).
 */
export function refuseRepeatedAuthorization(req: IncomingMessage): void {
  if (req.headers.authorization === undefined) return
  let count = 0
  for (let index = 0; index < req.rawHeaders.length; index += 2) {
    const name = req.rawHeaders[index]
    if (name?.length === 13 && name.toLowerCase() === 'authorization') count++
  }
  if (count > 1) {
    throw new InvalidRequestError('the Authorization header was sent more than once', {
      reason: `${count} Authorization headers`
    })
  }
}
