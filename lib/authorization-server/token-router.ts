/**
 * The token endpoint in an application that has the rest, and the small endpoints that make its tokens of use to
 * others.
 */
import { Router, type RequestHandler } from 'express'
import { endpointAuthentication } from '../authentication/per-endpoint.ts'
import { issueCode, type CodeRequest, type IssuedCode } from '../authorization-requests/issue-code.ts'
import { checkOfferedClients } from '../clients/offered.ts'
import { ownClients } from '../credentials/stored-clients.ts'
import { challengeEndpoint } from '../endpoints/challenge.ts'
import type { Endpoint } from '../endpoints/endpoint.ts'
import { introspectionEndpoint } from '../endpoints/introspection.ts'
import { jwksEndpoint } from '../endpoints/jwks.ts'
import { buildMetadata } from '../endpoints/metadata.ts'
import { revocationEndpoint } from '../endpoints/revocation.ts'
import { crossOrigin } from '../http/cross-origin.ts'
import { addressesOf } from '../http/endpoint-paths.ts'
import { errorHandler } from '../http/error-handler.ts'
import { sendPublicDocument } from '../http/public-document.ts'
import { ConfigurationError, readOptions } from '../options.ts'
import { policyOf } from '../profiles.ts'
import { tokenEndpointParts } from '../token-endpoint/assembly.ts'
import { tokenEndpoint } from '../token-endpoint/handler.ts'
import { tokenRouterChecks, type ReadTokenRouter, type TokenRouterOptions } from '../token-endpoint/options.ts'
import type { TokenEndpointParts } from '../token-endpoint/parts.ts'
import { grantMetadataOf } from './parts.ts'
import { developing } from './developing.ts'
import { tokenFunctions, type TokenFunctions } from './token-functions.ts'

export type { TokenRouterOptions } from '../token-endpoint/options.ts'

/**
 * The router, handlers for whatever else of the server the application mounts, and what its pages and its own API need.
 */
export interface TokenRouter extends Router, TokenFunctions {
  /**
   * Answers GET with the public keys tokens are verified with (RFC 7517 §5). Mount it where `paths.jwks` says, by
   * default `/oauth2/jwks`.
   */
  readonly jwks: RequestHandler
  /**
   * Answers GET with the server's metadata (RFC 8414): it names the token endpoint, the keys, introspection and
   * revocation where `paths` says they stand, so mount them all; and an authorization endpoint where
   * `paths.authorization` says there is one. Mount it at `/.well-known/oauth-authorization-server`.
   */
  readonly metadata: RequestHandler
  /**
   * Answers what tokens say to the APIs that may know (RFC 7662). Mount it where `paths.introspection` says, by default
   * `/oauth2/introspect`.
   */
  readonly introspection: RequestHandler
  /**
   * Ends tokens at their client's request (RFC 7009). Mount it where `paths.revocation` says, by default
   * `/oauth2/revoke`.
   */
  readonly revocation: RequestHandler
  /**
   * Answers challenges for attested clients, where `attestation` is given. Mount it where `paths.challenge` says, by
   * default `/oauth2/challenge`.
   */
  readonly challenge: RequestHandler
  /**
   * An authorization code for the authorization page of the application's own, once the person there has signed in and
   * agreed. What the client asked for is judged as the authorization endpoint of a whole server would: its redirect
   * URI, PKCE, scope and resources.
   *
   * Rejects with {@link InvalidRequestError} for a client that is not known or a redirect URI that is not registered:
   * show that to the person, and redirect nowhere; with another {@link OAuthError} for what else is wrong; with {@link
   * ConfigurationError} where there is no `authorizationCode()` among `tokenIssuers`, or the account has no `sub` or
   * `auth_time`.
   *
   * @example
   * const { redirect_to } = await oauth.issueCode({ client_id, redirect_uri, state, code_challenge, scope: ['invoices:read'], account: req.session.account })
   * res.redirect(303, redirect_to)
   */
  issueCode(request: CodeRequest): Promise<IssuedCode>
}

/**
 * A router that answers `POST /token` under wherever it is mounted (RFC 6749 §3.2): authenticates the client, finds the
 * grant's token issuer and sends its response, or an RFC 6749 §5.2 error.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const oauth = tokenRouter({ issuer: 'https://as.example.com', clients, store: memoryStore(), keys: await generateKeys() })
 * app.use('/oauth2', oauth)
 * app.get('/oauth2/jwks', oauth.jwks)
 * app.get('/invoices', oauth.requireAccessToken({ scope: ['invoices:read'] }), sendInvoices)
 */
export function tokenRouter(options: TokenRouterOptions): TokenRouter {
  const given = readOptions(options, tokenRouterChecks)
  const endpoint = given.tokenEndpoints?.[0] ?? addressesOf(given.issuer, given.paths).token_endpoint
  const { read, pages } = developing(given, options, endpoint.slice(0, endpoint.lastIndexOf('/')))
  const parts = tokenEndpointParts(read)
  const { server, dpop } = parts
  const router = Router()
  router.all('/token', crossOrigin(tokenEndpoint(parts, read), { methods: ['POST'] }))
  for (const [path, page] of pages) router.all(path, page)
  const handlers = handlersOf(parts, read)
  // the options have been found right by now: what is left to be wrong is the clients'
  checkOfferedClients(ownClients(parts.clientSource), parts.offered)
  router.use(errorHandler(read))
  const { certificateSource } = read
  const protection = { server, dpop, certificateSource, origins: [new URL(server.issuer).origin], onError: read.onError }
  return Object.assign(router, handlers, tokenFunctions(parts, protection), {
    issueCode: async (request: CodeRequest) => {
      if (!parts.tokenIssuers.has('authorization_code'))
        throw new ConfigurationError('tokenIssuers', 'must have authorizationCode() for issueCode()')
      return issueCode({ server, clients: parts.clients, requirePkce: requirePkce(read) }, request)
    }
  })
}

function requirePkce({ profile }: ReadTokenRouter): 'always' | 'public' {
  return policyOf(profile).requirePkce ? 'always' : 'public'
}

/** The handlers to be mounted, and the metadata that says where they are. */
function handlersOf(
  parts: TokenEndpointParts,
  options: ReadTokenRouter
): Pick<TokenRouter, 'jwks' | 'metadata' | 'introspection' | 'revocation' | 'challenge'> {
  const { server, clients, strategies, guesses: guessProtection, events } = parts
  const { certificateSource, onDecision, onJudged, paths } = options
  const addresses = {
    ...addressesOf(server.issuer, paths),
    ...(options.tokenEndpoints?.[0] && { token_endpoint: options.tokenEndpoints[0] })
  }
  const further = parts.attestation?.further
  const authentication = endpointAuthentication(
    { clients, strategies, certificateSource, onDecision, onJudged, guessProtection, further, shadow: parts.shadow },
    events,
    {},
    endpoint => [addresses[`${endpoint}_endpoint`]]
  )
  const confidential = strategies.some(strategy => strategy.public !== true)
  const introspection = confidential ? introspectionEndpoint({ server, authentication }) : undefined
  const revocation = revocationEndpoint({ server, authentication })
  const jwks = jwksEndpoint({ server })
  const challenge = parts.attestation && challengeEndpoint(parts.attestation)
  const endpoints: readonly Endpoint[] = [
    ...(paths?.authorization === undefined ? [] : [elsewhere]),
    { member: 'token_endpoint', caller: 'client', strategies, handler: notHere },
    ...(introspection === undefined ? [] : [introspection]),
    revocation,
    ...(challenge === undefined ? [] : [challenge]),
    jwks
  ]
  const { clientDocuments, dpop, tokenIssuers } = parts
  const grants = { grantTypes: [...tokenIssuers.keys()], grantMetadata: grantMetadataOf(parts), acrValues: [] }
  const document = buildMetadata({
    context: { server, addressOf: member => addresses[member], clientDocuments, dpop, ...grants },
    endpoints,
    mtlsOrigin: undefined
  })
  const answerError = errorHandler(options)
  const answering =
    (handler: RequestHandler): RequestHandler =>
    (req, res, next) => {
      void handler(req, res, (error?: unknown) => (error === undefined ? next() : void answerError(error, req, res, next)))
    }
  return {
    jwks: answering(jwks.handler),
    metadata: answering((req, res, next) => sendPublicDocument(req, res, next, document)),
    // where every client is public there is none to introspect
    introspection: answering(introspection?.handler ?? notHere),
    revocation: answering(crossOrigin(revocation.handler, { methods: ['POST'] })),
    challenge: answering(crossOrigin(challenge?.handler ?? notHere, { methods: ['POST'] }))
  }
}

const notHere: RequestHandler = (_req, _res, next) => next()

/** The application's own. */
const elsewhere: Endpoint = {
  member: 'authorization_endpoint',
  caller: 'person',
  handler: notHere,
  metadata: { code_challenge_methods_supported: ['S256'], authorization_response_iss_parameter_supported: true }
}
