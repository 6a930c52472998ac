/**
 * Errors are API: one class per error code a caller can meet, each with the status and headers its section asks for.
 *
 * `message` is what the wire says (`error_description`); `reason` is for the operator alone and is never sent.
 * Express's own error handler understands `status` and `headers`, so these errors are answered correctly even where
 * `oauthErrorHandler()` is not mounted.
 */
import type { Decision } from './decisions/decision.ts'

/** Response headers. A list is sent as one field for each of its values. */
export type OAuthErrorHeaders = Readonly<Record<string, string | string[]>>

/** The details of an error, beside its code. */
export interface OAuthErrorOptions {
  /** For the operator: what exactly was wrong. Never sent to the caller. */
  readonly reason?: string
  /** Response headers that belong to this error, such as `WWW-Authenticate` or `Allow`. */
  readonly headers?: OAuthErrorHeaders
  /** Checks of the client that is refused, and those that failed. For `onDecision` and the operator's eyes. */
  readonly decision?: Decision
  /** The error that led to this one. Never sent to the caller. */
  readonly cause?: unknown
}

/** The body of an error response (RFC 6749 §5.2). */
export interface OAuthErrorBody {
  /** The error code. */
  readonly error: string
  /** One sentence on what was wrong. */
  readonly error_description: string
}

/** The characters RFC 6749 §5.2 allows in `error_description`; anything else becomes a space. */
const notAllowedInDescription = /[^\x20-\x21\x23-\x5B\x5D-\x7E]/g

/** Any error this library answers a request with. `error` is the registered code (RFC 6749 §5.2 and its extensions). */
export class OAuthError extends Error {
  /** The class's name. */
  override readonly name: string = 'OAuthError'
  /** The error code of the answer. */
  readonly error: string
  /** The HTTP status of the answer. */
  readonly status: number
  /** The headers of the answer. */
  readonly headers: OAuthErrorHeaders
  /** The exact reason, for the operator. Never sent to the caller. */
  readonly reason: string | undefined
  /** The record of the client that is refused; undefined where the error is about something else. */
  decision: Decision | undefined

  constructor(error: string, status: number, description: string, options: OAuthErrorOptions = {}) {
    super(description.replace(notAllowedInDescription, ' '), options.cause === undefined ? undefined : { cause: options.cause })
    this.error = error
    this.status = status
    this.headers = options.headers ?? {}
    this.reason = options.reason
    // not enumerable: error loggers that print an error's own members do not repeat the record
    Object.defineProperty(this, 'decision', { value: options.decision, writable: true, enumerable: false })
  }

  /** The same status under the name http-errors uses. */
  get statusCode(): number {
    return this.status
  }

  /** The JSON body of RFC 6749 §5.2. */
  toJSON(): OAuthErrorBody {
    return { error: this.error, error_description: this.message }
  }
}

/** 400 `invalid_request` (RFC 6749 §5.2): missing, repeated or malformed parameters, or two mechanisms. */
export class InvalidRequestError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'InvalidRequestError'
  constructor(description: string, options?: OAuthErrorOptions) {
    super('invalid_request', 400, description, options)
  }
}

/** 405 with `Allow` (RFC 9110 §15.5.6); the code stays `invalid_request`. */
export class MethodNotAllowedError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'MethodNotAllowedError'
  constructor(allowed: readonly string[]) {
    super('invalid_request', 405, `use ${allowed.join(' or ')}`, { headers: { Allow: allowed.join(', ') } })
  }
}

/**
 * 400: the connection failed or was closed before the whole body had arrived. Nobody hears the answer, and there is
 * nothing to mend: a line of debug logs at most. It has no stack, so that whoever prints every error prints one line.
 */
export class RequestAbortedError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'RequestAbortedError'
  constructor() {
    super('invalid_request', 400, 'the request body ended early', {
      reason: 'the connection failed or was closed before the whole body had arrived'
    })
    this.stack = `${this.name}: ${this.message}`
  }
}

/** 413: the body is larger than the endpoint reads. */
export class RequestTooLargeError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'RequestTooLargeError'
  constructor(description: string, options?: OAuthErrorOptions) {
    super('invalid_request', 413, description, options)
  }
}

/** 415: the body is of a type the endpoint does not read. */
export class UnsupportedMediaTypeError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'UnsupportedMediaTypeError'
  constructor(description: string, options?: OAuthErrorOptions) {
    super('invalid_request', 415, description, options)
  }
}

/**
 * 401 `invalid_client` (RFC 6749 §5.2). The words are the same for every refused client, whatever the reason: an
 * unknown client, a wrong secret and an expired assertion cannot be told apart from outside. The reason is in
 * `decision`.
 */
export class InvalidClientError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'InvalidClientError'
  constructor(options?: OAuthErrorOptions) {
    super('invalid_client', 401, 'client authentication failed', options)
  }
}

/** 400 `invalid_grant` (RFC 6749 §5.2): the code, refresh token or assertion is no good for this client, or no more. */
export class InvalidGrantError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'InvalidGrantError'
  constructor(description: string, options?: OAuthErrorOptions) {
    super('invalid_grant', 400, description, options)
  }
}

/** 400 `unauthorized_client` (RFC 6749 §5.2): an authenticated client that may not use this grant. */
export class UnauthorizedClientError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'UnauthorizedClientError'
  constructor(description: string, options?: OAuthErrorOptions) {
    super('unauthorized_client', 400, description, options)
  }
}

/** 400 `unsupported_grant_type` (RFC 6749 §5.2). */
export class UnsupportedGrantTypeError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'UnsupportedGrantTypeError'
  constructor(options?: OAuthErrorOptions) {
    super('unsupported_grant_type', 400, 'this grant_type is not supported', options)
  }
}

/** 400 `invalid_scope` (RFC 6749 §5.2). */
export class InvalidScopeError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'InvalidScopeError'
  constructor(description: string, options?: OAuthErrorOptions) {
    super('invalid_scope', 400, description, options)
  }
}

/** 400 `invalid_target` (RFC 8707 §2): an unknown, malformed or unavailable `resource`. */
export class InvalidTargetError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'InvalidTargetError'
  constructor(description: string, options?: OAuthErrorOptions) {
    super('invalid_target', 400, description, options)
  }
}

/** 400 `invalid_dpop_proof` (RFC 9449 §5): missing where one is needed, or any of its checks failed. */
export class InvalidDpopProofError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'InvalidDpopProofError'
  constructor(options?: OAuthErrorOptions) {
    super('invalid_dpop_proof', 400, 'the DPoP proof is not valid', options)
  }
}

/** 400 `use_dpop_nonce` with a `DPoP-Nonce` to use (RFC 9449 §8). */
export class UseDpopNonceError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'UseDpopNonceError'
  constructor(nonce: string, options: OAuthErrorOptions = {}) {
    super('use_dpop_nonce', 400, 'use the nonce in the DPoP-Nonce header', {
      ...options,
      headers: { 'DPoP-Nonce': nonce, ...options.headers }
    })
  }
}

/** 400 `use_attestation_challenge` with an `OAuth-Client-Attestation-Challenge` to answer (attestation draft §6.1). */
export class UseAttestationChallengeError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'UseAttestationChallengeError'
  constructor(challenge: string, options: OAuthErrorOptions = {}) {
    super('use_attestation_challenge', 400, 'answer the challenge in the OAuth-Client-Attestation-Challenge header', {
      ...options,
      headers: { 'OAuth-Client-Attestation-Challenge': challenge, ...options.headers }
    })
  }
}

/** 400 `use_fresh_attestation` (attestation draft §7.4): the attestation is older than this server takes. */
export class UseFreshAttestationError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'UseFreshAttestationError'
  constructor(options?: OAuthErrorOptions) {
    super('use_fresh_attestation', 400, 'use a newer client attestation', options)
  }
}

/** 429 `temporarily_unavailable` with `Retry-After` (seconds): too many wrong secrets (OAuth 2.1 §2.4.1). */
export class TooManyAttemptsError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'TooManyAttemptsError'
  constructor(options: OAuthErrorOptions & { readonly retryAfter: number }) {
    super('temporarily_unavailable', 429, 'too many attempts, try again later', {
      ...options,
      headers: { 'Retry-After': String(options.retryAfter), ...options.headers }
    })
  }
}

/** 400 `invalid_client_metadata` (RFC 7591 §3.2.2): a member of a registration is wrong; the description names it. */
export class InvalidClientMetadataError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'InvalidClientMetadataError'
  constructor(description: string, options?: OAuthErrorOptions) {
    super('invalid_client_metadata', 400, description, options)
  }
}

/**
 * 400 `invalid_redirect_uri` (RFC 7591 §3.2.2): one of a registration's redirect URIs is wrong, or there is none; the
 * description says which.
 */
export class InvalidRedirectUriError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'InvalidRedirectUriError'
  constructor(description: string, options?: OAuthErrorOptions) {
    super('invalid_redirect_uri', 400, description, options)
  }
}

/**
 * 400 `invalid_software_statement` (RFC 7591 §3.2.2): missing where one is needed, malformed, expired, or signed by no
 * key of its issuer.
 */
export class InvalidSoftwareStatementError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'InvalidSoftwareStatementError'
  constructor(description: string, options?: OAuthErrorOptions) {
    super('invalid_software_statement', 400, description, options)
  }
}

/** 400 `unapproved_software_statement` (RFC 7591 §3.2.2): its issuer is not one this server trusts. */
export class UnapprovedSoftwareStatementError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'UnapprovedSoftwareStatementError'
  constructor(options?: OAuthErrorOptions) {
    super('unapproved_software_statement', 400, 'this software statement is not approved here', options)
  }
}

/** 503 `temporarily_unavailable` with `Retry-After` (seconds): a store or key source did not answer. */
export class TemporarilyUnavailableError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'TemporarilyUnavailableError'
  constructor(options: OAuthErrorOptions & { readonly retryAfter?: number } = {}) {
    super('temporarily_unavailable', 503, 'the server cannot answer at the moment', {
      ...options,
      headers: { 'Retry-After': String(options.retryAfter ?? 5), ...options.headers }
    })
  }
}

/** 500 `server_error`: a fault of ours. What it was is in `cause`, never on the wire. */
export class ServerError extends OAuthError {
  /** The class’s name. */
  override readonly name = 'ServerError'
  constructor(options?: OAuthErrorOptions) {
    super('server_error', 500, 'the server met an error', options)
  }
}
