/**
 * The seam between a grant and everything else. A token issuer is one object: the grant's name, who may use it, and one
 * function from an authenticated client's request to a token response.
 */
import type { Client } from '../clients/client.ts'
import { clientOrigin } from '../clients/client-origin.ts'
import { isPublicMethod } from '../clients/methods.ts'
import { InvalidRequestError, InvalidScopeError, UnauthorizedClientError, UnsupportedGrantTypeError } from '../errors.ts'
import type { ClientAuthentication, Parameters } from '../client-request.ts'
import { ConfigurationError, readBy, type Check } from '../options.ts'
import { requestedResources } from '../client-request.ts'
import { asMade } from '../stores/as-made.ts'
import { allowedScope, registeredScope } from '../tokens/allowed.ts'
import { malformedScope, parseScope, scopeBeyond, unavailableScope } from '../tokens/scope.ts'
import type { TokenRecipient, TokenResponse, TokenServer } from '../tokens/token-server.ts'

/** A token request whose client has been authenticated. */
export interface TokenRequest extends TokenRecipient {
  /** The client, authenticated. */
  readonly client: Client
  /** The way it proved itself. */
  readonly authentication: ClientAuthentication
  /** The parameters of the request. */
  readonly parameters: Parameters
  /** The token endpoint's own URLs, from configuration. */
  readonly tokenEndpoints: readonly string[]
  /**
   * Set where the request's `assertion` itself was what authenticated the client: uses it up, the last thing before
   * tokens are made.
   */
  readonly useAssertion?: (() => Promise<void>) | undefined
}

/**
 * One grant. Answer through `server.respond(request, grant)`, which mints, records and shapes the tokens; refuse by
 * throwing one of this library's errors.
 *
 * @example
 * const voucher: TokenIssuer = {
 *   grant_type: 'urn:example:voucher',
 *   confidential: true,
 *   async issue(request, server) {
 *     const sub = await redeemVoucher(requiredParameter(request, 'voucher'))
 *     if (sub === undefined) throw new InvalidGrantError('this voucher is not valid')
 *     return server.respond(request, { client_id: request.client.client_id, sub, scope: requestedScope(request, server), resources: [] })
 *   }
 * }
 */
export interface TokenIssuer {
  /** The `grant_type` this issuer answers (RFC 6749 §4, §4.5). */
  readonly grant_type: string
  /** True where public clients must not use it. Default false. */
  readonly confidential?: boolean
  /**
   * True: public clients with a document of their own may use it all the same; which requests of theirs are good
   * `issue` says. Default false.
   */
  readonly publicDocuments?: boolean
  /**
   * True: a platform's token as `assertion` may stand for client authentication; then `useAssertion` of the request is
   * set. Default false.
   */
  readonly workloads?: boolean
  /** Members it adds to the server's metadata: registered ones only. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** May reject with any `OAuthError`; anything else becomes a 500 that says nothing. */
  issue(request: TokenRequest, server: TokenServer): Promise<TokenResponse>
}

/**
 * Token issuers that do nothing before `respond` but to look at the request: the use of what proved the client may be
 * recorded with the token. Whoever wraps or changes one may do more.
 */
const withToken = asMade<TokenIssuer>(['issue'])

/** Says so of a token issuer. */
export function recordingUse(issuer: TokenIssuer): TokenIssuer {
  withToken.note(issuer)
  return issuer
}

/** Whether that was said of a token issuer. */
export function recordsUse(issuer: TokenIssuer | undefined): boolean {
  return issuer !== undefined && withToken.has(issuer)
}

/** A parameter the grant cannot do without. @throws InvalidRequestError naming it. */
export function requiredParameter(request: Pick<TokenRequest, 'parameters'>, name: string): string {
  const value = request.parameters[name]
  if (value === undefined) throw new InvalidRequestError(`${name} is missing`)
  return value
}

/**
 * The scope a client asks for, or what it registered where it asks for none (RFC 6749 §3.3).
 *
 * @throws InvalidScopeError for broken syntax, a value this server does not know, or one the client may not have.
 */
export function requestedScope(
  request: Pick<TokenRequest, 'parameters' | 'client'>,
  server: Pick<TokenServer, 'scopes' | 'openScopes'> & Partial<Pick<TokenServer, 'resources'>>
): readonly string[] {
  const scope = request.parameters['scope']
  const allowed = allowedScope(server, request.client)
  if (scope === undefined) {
    const expected = server.resources?.defaultScope(requestedResources(request.parameters))
    if (expected !== undefined) return allowed.filter(value => expected.includes(value))
    return request.client.scope === undefined ? [] : registeredScope(server, request.client)
  }
  const values = parseScope(scope)
  if (values === undefined) throw malformedScope(scope)
  const beyond = scopeBeyond(values, allowed)
  if (beyond.length > 0) throw unavailableScope(beyond, allowed)
  return values
}

/**
 * The same within what a client presents, such as an assertion or a token, which says what it is good for: all of that
 * where the client asks for nothing.
 *
 * @param limit what is presented allows; undefined: it says nothing of scope.
 * @throws InvalidScopeError as {@link requestedScope}, and for a value beyond the limit.
 */
export function requestedScopeWithin(
  request: Pick<TokenRequest, 'parameters' | 'client'>,
  server: Pick<TokenServer, 'scopes' | 'openScopes'>,
  limit: readonly string[] | undefined
): readonly string[] {
  if (limit === undefined) return requestedScope(request, server)
  if (request.parameters['scope'] === undefined) {
    const allowed = allowedScope(server, request.client)
    return limit.filter(value => allowed.includes(value))
  }
  const scope = requestedScope(request, server)
  const beyond = scopeBeyond(scope, limit)
  if (beyond.length > 0) {
    throw new InvalidScopeError('this scope is beyond what was presented', { reason: `beyond it: ${beyond.join(' ')}` })
  }
  return scope
}

/** Tells that an assertion or token of a trusted issuer was presented again. */
export function tellReplay(
  { client: { client_id }, traceId }: Pick<TokenRequest, 'client' | 'traceId'>,
  server: Pick<TokenServer, 'emit'>,
  assertion_issuer: string
): void {
  server.emit?.({ type: 'assertion.replayed', trace_id: traceId?.(), client_id, use: 'grant', assertion_issuer })
}

/** Tells that a code or refresh token was presented again, which ended its grant. */
export function tellReuse(
  { client: { client_id }, traceId }: Pick<TokenRequest, 'client' | 'traceId'>,
  { emit }: Pick<TokenServer, 'emit'>,
  grant: string,
  reused: 'code' | 'refresh'
): void {
  const about = { trace_id: traceId?.(), client_id, grant }
  emit?.({ type: `${reused}.reused`, ...about })
  emit?.({ type: 'grant.revoked', by: `${reused}_reused`, ...about })
}

const listOfIssuers = 'a list with at least one token issuer'

/** Token issuers, by their grant, of which there are no two of one grant. */
export const tokenIssuersCheck: Check<ReadonlyMap<string, TokenIssuer> | undefined> = readBy(listOfIssuers, (given, key) =>
  given === undefined ? undefined : checkTokenIssuers(given, key)
)

function checkTokenIssuers(list: unknown, path: string): ReadonlyMap<string, TokenIssuer> {
  if (!Array.isArray(list) || list.length === 0) throw new ConfigurationError(path, `must be ${listOfIssuers}`)
  const grants = new Set<string>()
  list.forEach((tokenIssuer: Partial<TokenIssuer> | null | undefined, index) => {
    const key = `${path}[${index}]`
    if (typeof tokenIssuer?.grant_type !== 'string' || typeof tokenIssuer.issue !== 'function') {
      throw new ConfigurationError(key, 'must be a token issuer, with a grant_type and issue()')
    }
    if (grants.has(tokenIssuer.grant_type))
      throw new ConfigurationError(key, `must not be a second issuer for ${tokenIssuer.grant_type}`)
    grants.add(tokenIssuer.grant_type)
  })
  return byGrantType(list as readonly TokenIssuer[])
}

/** Token issuers, by their grant. */
export function byGrantType(list: readonly TokenIssuer[]): ReadonlyMap<string, TokenIssuer> {
  return new Map(list.map(tokenIssuer => [tokenIssuer.grant_type, tokenIssuer]))
}

/**
 * The issuer of a grant, for a client that may use it.
 *
 * @param method how it authenticated: what is for confidential clients is for those that have just proved who they are.
 * @throws InvalidRequestError without `grant_type`, UnsupportedGrantTypeError, UnauthorizedClientError (RFC 6749 §5.2).
 */
export function selectTokenIssuer(
  tokenIssuers: ReadonlyMap<string, TokenIssuer>,
  grant_type: string | undefined,
  client: Client,
  method: string
): TokenIssuer {
  if (grant_type === undefined) throw new InvalidRequestError('grant_type is missing')
  const tokenIssuer = tokenIssuers.get(grant_type)
  if (tokenIssuer === undefined) throw new UnsupportedGrantTypeError()
  if (!client.grant_types.includes(grant_type)) {
    throw new UnauthorizedClientError('this client may not use this grant_type', {
      reason: `${grant_type} is not among the client's grant_types`
    })
  }
  const mayBePublic = tokenIssuer.publicDocuments === true && clientOrigin(client) === 'document'
  if (tokenIssuer.confidential === true && isPublicMethod(method) && !mayBePublic) {
    throw new UnauthorizedClientError('this grant_type is for confidential clients', {
      reason: 'a public client has no credentials of its own'
    })
  }
  return tokenIssuer
}
