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

/** The part of an Express application, 4 or 5, that this needs. */
export interface ExpressApplication {
  (req: IncomingMessage, res: ServerResponse): unknown
  /** The prototypes Express gives every request and response of the app. */
  request: object
  /** The prototype of every response. */
  response: object
}

/** The options of `createServer()`: those of Node's own, and `tls`. */
export interface CreateServerOptions extends ServerOptions {
  /** Serve https with these; see `https.createServer`. Default: http. */
  readonly tls?: SecureServerOptions | undefined
}

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
 * Node takes 16 KiB of headers. Certificates in headers, and what ML-DSA signs, are long: an attestation of ML-DSA-65
 * with its proof is 13 KB. Where clients send those, raise `maxHeaderSize` here and at every proxy in front.
 *
 * @example
 * createServer(app).listen(3000)
 * createServer(app, { tls: { key, cert, requestCert: true, rejectUnauthorized: false, ca: [] } }).listen(3443)
 */
export function createServer(app: ExpressApplication, options: CreateServerOptions = {}): Server {
  const { tls, ...rest } = options
  const listener = app as RequestListener
  const classes = classesFor(app)
  if (tls === undefined) return createHttpServer({ ...rest, ...classes }, listener)
  return createHttpsServer({ ...rest, ...tls, ...classes }, listener)
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
