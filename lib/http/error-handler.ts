/** The last handler of an OAuth route: whatever was thrown becomes an RFC 6749 §5.2 answer. */
import type { ErrorRequestHandler, Request } from 'express'
import { DocumentPostponedError } from '../clients/documents/postponed.ts'
import {
  InvalidClientError,
  InvalidRequestError,
  OAuthError,
  RequestAbortedError,
  RequestTooLargeError,
  ServerError,
  TemporarilyUnavailableError,
  UnsupportedMediaTypeError
} from '../errors.ts'
import { harmless } from '../listeners.ts'
import { fn, readOptions, type Checks, type Read } from '../options.ts'
import { developmentErrorChecks, errorBody, type DevelopmentErrorOptions } from './development-errors.ts'
import { refusalLog, type Listening } from './refusal-log.ts'
import { sendOAuthError } from './responses.ts'

/** The options of `oauthErrorHandler()`. */
export interface OAuthErrorHandlerOptions extends DevelopmentErrorOptions {
  /**
   * Told of every error before it is answered: an {@link OAuthError} has the operator's `reason`, anything else is a
   * fault. What it throws or rejects with is ignored, and the process warned of once. Without it, faults (status 500
   * and above) go to stderr, as Express's own handler would have put them there; and where `NODE_ENV` is neither
   * `production` nor `test`, and there is no `onDecision` or `onEvent` either, each refusal is one line there.
   * `DEBUG=clientele` writes those lines anywhere, beside whoever listens.
   */
  readonly onError?: ((error: unknown, req: Request) => unknown) | undefined
}

export const errorHandlerChecks = {
  ...developmentErrorChecks,
  onError: fn<NonNullable<OAuthErrorHandlerOptions['onError']>>()
} satisfies Checks<OAuthErrorHandlerOptions>

/**
 * Answers errors as JSON, whatever the request accepts, with `Cache-Control: no-store`:
 * - an {@link OAuthError} with its own status and headers;
 * - Passport's `AuthenticationError` (from `failWithError`) with 401 `invalid_client`, keeping the challenges Passport
 *   set;
 * - a body parser's or Express's own 4xx error with that status, `invalid_request`, and fixed words: theirs quote the
 *   body;
 * - anything else with 500 `server_error`, saying nothing of it.
 *
 * Where an answer has begun already the error is passed on, and Express closes the connection.
 *
 * @throws ConfigurationError for `developmentErrors` in production, an `errorPages` that is no URL, or an `onError`
 * that is no function.
 */
export function oauthErrorHandler(options: OAuthErrorHandlerOptions = {}): ErrorRequestHandler {
  const read = readOptions(options, errorHandlerChecks)
  return errorHandler({ ...read, onError: errorListener(read) })
}

/** The same, by options that were read. */
export function errorHandler(options: Read<typeof errorHandlerChecks>): ErrorRequestHandler {
  // taken out: what else is in the options of a whole server, its private keys among it, is not kept for this
  const { onError } = options
  const bodyOf = errorBody(options)
  return (thrown: unknown, req, res, next) => {
    tellError(onError, thrown, req)
    if (res.headersSent) {
      next(thrown)
      return
    }
    const error = toOAuthError(thrown)
    sendOAuthError(res, error, bodyOf(error))
  }
}

/** Tells the operator, as {@link OAuthErrorHandlerOptions.onError} promises. Never throws. */
export function tellError(onError: OAuthErrorHandlerOptions['onError'], error: unknown, req: Request): void {
  harmless('onError', onError ?? reportFault)(error, req)
}

/**
 * Whoever is to hear of errors: the application's own listener, or stderr, for faults always and for refusals while
 * nobody else hears of them.
 */
export function errorListener(
  options: Listening & Pick<OAuthErrorHandlerOptions, 'onError'>
): (error: unknown, req: Request) => void {
  const onError = harmless('onError', options.onError)
  const log = refusalLog(options)
  if (log === undefined) return onError ?? reportFault
  return (thrown, req) => {
    const error = toOAuthError(thrown)
    if (error.status < 500) log(error, req)
    if (onError !== undefined) onError(thrown, req)
    else if (error.status >= 500) reportFault(thrown, req)
  }
}

/** The error to answer with, for anything that can be thrown. */
export function toOAuthError(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error
  const options = { reason: 'see the cause', cause: error }
  if (isAuthenticationError(error)) {
    return error.status === 400
      ? new InvalidRequestError('the request could not be understood', options)
      : new InvalidClientError(options)
  }
  if (isAborted(error)) return new RequestAbortedError()
  const status = exposedStatus(error)
  switch (status) {
    case undefined:
      return new ServerError(options)
    case 401:
      return new InvalidClientError(options)
    case 413:
      return new RequestTooLargeError('the request is too large', options)
    case 415:
      return new UnsupportedMediaTypeError('the request body is of a type or encoding that is not supported', options)
    default:
      return new OAuthError('invalid_request', status, 'the request could not be understood', options)
  }
}

/** Passport does not export its class. */
function isAuthenticationError(error: unknown): error is Error & { status: unknown } {
  return error instanceof Error && error.name === 'AuthenticationError' && 'status' in error
}

/** Express's body parsers say so where the connection closed before the body had arrived. */
function isAborted(error: unknown): boolean {
  return error instanceof Error && 'type' in error && error.type === 'request.aborted'
}

/**
 * The 4xx status of an error meant for the caller: http-errors mark theirs with `expose`, Express's router throws a
 * URIError. A bare `status` proves nothing: HTTP clients put the status of somebody else's answer there.
 */
function exposedStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined
  const exposed = ('expose' in error && error.expose === true) || error.name === 'URIError'
  const status = error.status
  return exposed && typeof status === 'number' && Number.isInteger(status) && status >= 400 && status < 500 ? status : undefined
}

function reportFault(error: unknown, req: Request): void {
  // the second is told by an event, and strangers bring it about as often as they like
  if (req.app.get('env') === 'test' || error instanceof DocumentPostponedError) return
  // that there is too much to do, or that others do not answer, is a state and no fault: a stack would say nothing
  if (error instanceof TemporarilyUnavailableError && error.cause === undefined)
    console.error(`${error.name}: ${error.reason ?? error.message}`)
  else if (toOAuthError(error).status >= 500) console.error(error)
}
