/** Answers to a refused caller of a protected resource: the challenges of RFC 6750 §3 and RFC 9449 §7.1. */
import { OAuthError } from '../errors.ts'
import { toOAuthError } from '../http/error-handler.ts'

/** Contents of challenges beside what was wrong. */
export interface ChallengeOptions {
  /** The signature algorithms of DPoP proofs. */
  readonly algorithms: readonly string[]
  /** The scope values that are needed. */
  readonly scope?: readonly string[] | undefined
  /** The address of the protected resource metadata (RFC 9728 §5.1). */
  readonly resourceMetadata?: string | undefined
  /** True: the challenge of a request that carried no token says `error` too. */
  readonly alwaysError?: boolean | undefined
}

/** 401: the request carried no Bearer or DPoP token, so that there was nothing to be wrong. */
export class NoAccessTokenError extends OAuthError {
  constructor(reason: string) {
    super('invalid_token', 401, description, { reason })
  }
}

/**
 * 401 `invalid_token` (RFC 6750 §3.1). The words are the same whatever is wrong with the token; the reason is the
 * operator's.
 */
export function invalidToken(reason: string): OAuthError {
  return new OAuthError('invalid_token', 401, description, { reason })
}

const description = 'the access token is not valid'

/** 403 `insufficient_scope` (RFC 6750 §3.1): what is asked for needs scope values the token has not. */
export function insufficientScope(missing: readonly string[]): OAuthError {
  return new OAuthError('insufficient_scope', 403, 'the access token lacks a scope value', {
    reason: `lacks ${missing.join(' ')}`
  })
}

/** Statuses of the errors that challenges can say (RFC 6750 §3.1). */
const refusals: readonly number[] = [400, 401, 403]

/**
 * The error with a challenge for each scheme, 401 where the token or its proof is at fault. Each stands in a header
 * field of its own, Bearer first: there are clients that do not read past the first challenge of a field.
 */
export function withChallenge(
  thrown: unknown,
  { algorithms, scope = [], resourceMetadata, alwaysError = false }: ChallengeOptions
): OAuthError {
  const error = toOAuthError(thrown)
  const status = error.status === 400 && error.error.includes('dpop') ? 401 : error.status
  if (!refusals.includes(status)) return error
  const said = {
    // RFC 6750 §3.1: no error code for a request that carried nothing to be wrong
    ...((alwaysError || !(error instanceof NoAccessTokenError)) && { error: error.error, error_description: error.message }),
    ...(scope.length > 0 && { scope: scope.join(' ') })
  }
  const bearer = { ...said, ...(resourceMetadata !== undefined && { resource_metadata: resourceMetadata }) }
  const challenges = [
    // RFC 6750 §3: it has one parameter at least
    challenge('Bearer', Object.keys(bearer).length === 0 ? { realm: 'OAuth' } : bearer),
    challenge('DPoP', { ...said, algs: algorithms.join(' ') })
  ]
  return new OAuthError(error.error, status, error.message, {
    headers: { ...error.headers, 'WWW-Authenticate': challenges },
    ...(error.reason !== undefined && { reason: error.reason })
  })
}

function challenge(scheme: string, parameters: Readonly<Record<string, string>>): string {
  const written = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`)
  return `${scheme} ${written.join(', ')}`
}
