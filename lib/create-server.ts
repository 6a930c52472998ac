/** A server on which an ordinary Express app runs at nearly the speed of `node:http`. */
import {
  createServer as createHttpServer,
  IncomingMessage,
  ServerResponse,
  type RequestListener,
  type Server,
  type ServerOptions
} from 'node:http'
import { createServer as createHttpsServer, type ServerOptions as SecureServerOptions } from 'node:https'
import { readOptions, valueLike, type Checks } from './options.ts'

/** The part of an Express application, 4 or 5, that this needs. */
export interface ExpressApplication {
  (req: IncomingMessage, res: ServerResponse): unknown
  /** The prototypes Express gives every request and response of the app. */
  request: object
  /** The prototype of every response. */
  response: object
}

/** The part of an authorization server that can answer before Express. */
export interface ClientEndpoints {
  /**
   * The endpoints at which clients authenticate, by their paths. Each answers every POST, with errors too, and hands on
   * what it could not: an error that came when the answer had begun.
   */
  readonly clientEndpoints: ReadonlyMap<string, (req: never, res: never, next: (error?: unknown) => void) => unknown>
}

/** The options of `createServer()`: those of Node's own, and two more. */
export interface CreateServerOptions extends ServerOptions {
  /** Serve https with these; see `https.createServer`. Default: http. */
  readonly tls?: SecureServerOptions | undefined
  /**
   * The authorization server of the app, to answer POST at the endpoints at which clients authenticate before Express
   * does. **No middleware of the app sees these requests.** It stays mounted in the app, for everything else. Default:
   * none, and the app sees every request.
   */
  readonly server?: ClientEndpoints | undefined
}

/** Of the options that are not Node's own. */
const createServerChecks = {
  server: valueLike<ClientEndpoints>(
    'what authorizationServer() returned',
    value => typeof value === 'function' && 'clientEndpoints' in value && value.clientEndpoints instanceof Map
  )
} satisfies Checks<Pick<CreateServerOptions, 'server'>>

interface Classes {
  readonly IncomingMessage: typeof IncomingMessage
  readonly ServerResponse: typeof ServerResponse
}

const classesOf = new WeakMap<ExpressApplication, Classes>()

/**
 * Makes an http or https server for an Express app, on which a handler that does little is answered two to three times
 * as fast as with `app.listen()`.
 *
 * Express changes the prototype of every request and response, which costs more than the rest of what it does, and
 * slows down whatever touches them afterwards (expressjs/express#5998). This server makes them from classes whose
 * prototypes are the app's own already, so that there is nothing to change. `app.request` and `app.response` stay
 * extensible as before. A sub-application (`express()` inside `express()`) changes prototypes again and runs at
 * ordinary speed; an `express.Router` does not.
 *
 * With `server`, the authorization server's endpoints for clients (token, introspection, revocation, pushed
 * authorization requests, device authorization, backchannel authentication, and where it is on the one for clients' own
 * credentials) answer at once, a sixth faster again.
 * **What is mounted in the app, before it or anywhere, does not see these requests**: no request log, no rate limiter,
 * no headers of Helmet's, no CORS middleware, no body parser, and no error handler. Use it where a proxy in front does
 * that, or nobody. Limits of this library's own, its events and its listeners, `trust proxy` and other settings of the
 * app hold as ever.
 *
 * Node takes 16 KiB of headers. Certificates in headers, and what ML-DSA signs, are long: an attestation of ML-DSA-65
 * with its proof is 13 KB. Where clients send those, raise `maxHeaderSize` here and at every proxy in front.
 *
 * @example
 * createServer(app).listen(3000)
 * createServer(app, { tls: { key, cert, requestCert: true, rejectUnauthorized: false, ca: [] } }).listen(3443)
 * createServer(app, { server }).listen(3000)
 *
 * @throws ConfigurationError where `server` is no authorization server.
 */
export function createServer(app: ExpressApplication, options: CreateServerOptions = {}): Server {
  const { tls, server: given, ...rest } = options
  const { server } = readOptions({ server: given }, createServerChecks)
  const listener = server === undefined ? (app as RequestListener) : beforeExpress(server, app)
  const classes = classesFor(app)
  if (tls === undefined) return createHttpServer({ ...rest, ...classes }, listener)
  return createHttpsServer({ ...rest, ...tls, ...classes }, listener)
}

/** What Express puts on a request before anybody sees it, and others read. */
interface ExpressMembers {
  originalUrl?: string | undefined
  baseUrl?: string
  res?: ServerResponse
  next?: (error?: unknown) => void
}

/**
 * A path that is written otherwise, with a query or a host before it, is one more for Express: it finds the same
 * endpoint there.
 */
function beforeExpress({ clientEndpoints }: ClientEndpoints, app: ExpressApplication): RequestListener {
  return (req: IncomingMessage & ExpressMembers, res: ServerResponse & { locals?: object }) => {
    const answer = req.method === 'POST' && req.url !== undefined ? clientEndpoints.get(req.url) : undefined
    if (answer === undefined) {
      app(req, res)
      return
    }
    // an answer that broke off must not look like a whole one
    const next = (): void => void res.destroy()
    req.originalUrl = req.url
    req.baseUrl = ''
    req.res = res
    req.next = next
    res.locals = Object.create(null) as object
    answer(req as never, res as never, next)
  }
}

/** One pair of classes for an app, however many servers it has. */
function classesFor(app: ExpressApplication): Classes {
  const known = classesOf.get(app)
  if (known !== undefined) return known
  class AppRequest extends IncomingMessage {}
  class AppResponse<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {}
  // the app's prototypes, with whatever was put on them, become the parents of the classes' ones, which take their
  // place
  Object.setPrototypeOf(AppRequest.prototype, app.request)
  Object.setPrototypeOf(AppResponse.prototype, app.response)
  app.request = AppRequest.prototype
  app.response = AppResponse.prototype
  const classes = { IncomingMessage: AppRequest, ServerResponse: AppResponse }
  classesOf.set(app, classes)
  return classes
}
