/** A whole authorization server as one Express router: every endpoint of one issuer. */
import { Router, type Request, type RequestHandler, type Response } from 'express'
import { asymmetricAlgorithms } from './assertions/algorithms.ts'
import { authenticateClient } from './client-authentication.ts'
import type { AuthorizationDetailTypes } from './endpoints/authorization/authorization-details.ts'
import { authorizationEndpoint, describeInteraction, resumeAuthorization } from './endpoints/authorization/endpoint.ts'
import type { Interaction, InteractionPrompt, InteractionResult } from './endpoints/authorization/interaction.ts'
import type { EndpointAddresses, EndpointContext } from './endpoints/endpoint.ts'
import { at, buildMetadata } from './endpoints/metadata.ts'
import { pushedAuthorizationRequestEndpoint } from './endpoints/pushed-authorization-request.ts'
import { userinfoEndpoint } from './endpoints/userinfo.ts'
import { MethodNotAllowedError } from './errors.ts'
import { oauthErrorHandler } from './http/error-handler.ts'
import { sendJson } from './http/responses.ts'
import { checkIssuer, checkKeys, checkOneOf, ConfigurationError } from './options.ts'
import { requireAccessToken, type AccessTokenContext, type RequireAccessTokenOptions } from './protected-resource.ts'
import { fapiAlgorithms } from './profiles.ts'
import { protectedResourceMetadata, type ProtectedResourceMetadataOptions } from './protected-resource-metadata.ts'
import { checkBoolean, checkFunction } from './tokens/token-server.ts'
import {
  tokenEndpoint,
  tokenEndpointParts,
  tokenRouterOptionKeys,
  type TokenEndpointParts,
  type TokenRouterOptions
} from './token-router.ts'
import { verifyAccessToken, type AccessToken } from './tokens/access-token.ts'
import { personGrants, type PersonGrants } from './tokens/person-grants.ts'

export interface AuthorizationServerOptions extends Omit<TokenRouterOptions, 'tokenEndpoints'> {
  /** The application's own login and consent; see {@link Interaction}. */
  readonly interaction: Interaction
  /** `public` (default): public clients must use PKCE. `always`: every client must. */
  readonly requirePkce?: 'public' | 'always' | undefined
  /**
   * Whether the built-in strategies include the certificate methods. Default: true with `mtlsOrigin` or `certificate`, and false
   * otherwise; say true where the one listener there is asks for certificates itself.
   */
  readonly certificates?: boolean | undefined
  /** True: authorization requests must be pushed (RFC 9126). A client's own `require_pushed_authorization_requests` does it for that client. */
  readonly requirePushedAuthorizationRequests?: boolean | undefined
  /** True: authorization requests must be signed request objects (RFC 9101). `require_signed_request_object` does it for one client. */
  readonly requireSignedRequestObject?: boolean | undefined
  /** The kinds of sign-in there are (`acr` of an account), for metadata. */
  readonly acrValues?: readonly string[] | undefined
  /** The types of `authorization_details` clients may ask for (RFC 9396), each with its check. Default none. */
  readonly authorizationDetails?: AuthorizationDetailTypes | undefined
  /** The origin of a second listener that asks for client certificates, such as `https://as.example.com:8443`. */
  readonly mtlsOrigin?: string | undefined
}

/** The router, and what the application's pages and its own API need of the server behind it. */
export interface AuthorizationServer extends Router, PersonGrants {
  /** What a login or consent page shows; undefined when the interaction was never there, is finished or expired. */
  interaction(req: Request, id: string): Promise<InteractionPrompt | undefined>
  /** Goes on after the person did something: answers with the next prompt, or a 303 to the client. Never rejects. */
  resume(req: Request, res: Response, id: string, result: InteractionResult): Promise<void>
  /**
   * What an access token of this server says; undefined when it is not one, has expired, or it or its grant was revoked. Says
   * nothing about audience, scope or proof of possession.
   */
  verifyAccessToken(token: string): Promise<AccessToken | undefined>
  /**
   * Middleware that protects an API: Bearer, DPoP and certificate-bound access tokens of this server, JWT or opaque, in the
   * Authorization header only. What the token says is on `req.accessToken`; a refusal is 401 or 403 with the challenges of RFC 6750
   * and RFC 9449.
   *
   * @throws ConfigurationError naming the option that is wrong.
   */
  requireAccessToken(options?: RequireAccessTokenOptions): RequestHandler
  /**
   * Middleware that publishes an API's metadata (RFC 9728) at `/.well-known/oauth-protected-resource` and the resource's path. Mount it at the
   * application's root, and name its address in `requireAccessToken({ resourceMetadata })`.
   *
   * @throws ConfigurationError naming the option that is wrong.
   *
   * @example
   * app.use(server.protectedResourceMetadata({ resource: 'https://api.example.com', scopes: ['api:read'] }))
   */
  protectedResourceMetadata(options: ProtectedResourceMetadataOptions): RequestHandler
}

/**
 * Every endpoint of one issuer. Mount it at the application's root, whatever path the issuer has: the well-known documents stand
 * outside that path (RFC 8414 §3).
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * app.use(authorizationServer({ issuer: 'https://as.example.com', clients, store: memoryStore(), keys: await generateKeys(), interaction }))
 */
export function authorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  checkKeys(options, [
    ...tokenRouterOptionKeys.filter(key => key !== 'tokenEndpoints'),
    'interaction',
    'requirePkce',
    'requirePushedAuthorizationRequests',
    'requireSignedRequestObject',
    'acrValues',
    'authorizationDetails',
    'mtlsOrigin'
  ])
  const issuer = checkIssuer(options.issuer)
  const addresses = addressesOf(issuer)
  const mtlsOrigin = checkOrigin(options.mtlsOrigin)
  const onEveryListener = (address: string): readonly string[] =>
    mtlsOrigin === undefined ? [address] : [address, at(mtlsOrigin, address)]
  const tokenEndpoints = onEveryListener(addresses.token_endpoint)
  const certificates = options.certificates ?? (mtlsOrigin !== undefined || options.certificate !== undefined)
  const parts = tokenEndpointParts({ ...options, tokenEndpoints, certificates })
  const origins = [new URL(issuer).origin, ...(mtlsOrigin === undefined ? [] : [mtlsOrigin])]
  const protection: AccessTokenContext = { server: parts.server, dpop: parts.dpop, certificate: options.certificate, origins }
  const context = contextOf(options, parts, addresses, protection)
  const metadata = buildMetadata({
    context,
    strategies: parts.strategies,
    grantTypes: [...parts.tokenIssuers.keys()],
    mtlsOrigin,
    dpopAlgorithms: parts.dpop.algorithms
  })
  const routes = routesOf(issuer, context, metadata, tokenEndpoint(parts, options))
  // codes that no token issuer takes are not given out
  if (parts.tokenIssuers.has('authorization_code')) {
    const { certificate, onDecision } = options
    const { clients, strategies } = parts
    const endpoint = 'pushed_authorization_request'
    const address = addresses.pushed_authorization_request_endpoint
    const authenticate = authenticateClient({ clients, strategies, endpoint, certificate, onDecision })
    routes
      .set(new URL(address).pathname, pushedAuthorizationRequestEndpoint(context, authenticate, onEveryListener(address)))
      .set(
        new URL(addresses.authorization_endpoint).pathname,
        handler((req, res) => authorizationEndpoint(context, req, res))
      )
  }
  return Object.assign(mount(routes, options), personGrants(parts.server), {
    interaction: (req: Request, id: string) => describeInteraction(context, req, id),
    resume: (req: Request, res: Response, id: string, result: InteractionResult) =>
      resumeAuthorization(context, req, res, id, result),
    verifyAccessToken: (token: string) => verifyAccessToken(parts.server, token),
    requireAccessToken: (given?: RequireAccessTokenOptions) => requireAccessToken(protection, given),
    protectedResourceMetadata: (given: ProtectedResourceMetadataOptions) =>
      protectedResourceMetadata({ issuer, dpopAlgorithms: parts.dpop.algorithms, certificates }, given)
  })
}

function contextOf(
  options: AuthorizationServerOptions,
  parts: TokenEndpointParts,
  addresses: EndpointAddresses,
  protection: AccessTokenContext
): EndpointContext {
  checkBoolean(options.requirePushedAuthorizationRequests, 'requirePushedAuthorizationRequests')
  checkBoolean(options.requireSignedRequestObject, 'requireSignedRequestObject')
  const requirePkce = checkOneOf(options.requirePkce, 'requirePkce', ['public', 'always'], 'public')
  const fapi = options.profile === 'fapi2-security'
  return {
    server: parts.server,
    clients: parts.clients,
    interaction: checkInteraction(options.interaction),
    requirePkce: fapi ? 'always' : requirePkce,
    requirePushedAuthorizationRequests: fapi || options.requirePushedAuthorizationRequests === true,
    requestObjects: {
      keys: parts.keys,
      algorithms: fapi ? fapiAlgorithms : [...asymmetricAlgorithms.keys()],
      required: options.requireSignedRequestObject === true,
      strict: fapi
    },
    acrValues: checkAcrValues(options.acrValues),
    authorizationDetails: checkAuthorizationDetails(options.authorizationDetails),
    addresses,
    protection,
    dpop: parts.dpop,
    onError: options.onError
  }
}

function addressesOf(issuer: string): EndpointAddresses {
  return {
    authorization_endpoint: `${issuer}/oauth2/authorize`,
    pushed_authorization_request_endpoint: `${issuer}/oauth2/par`,
    token_endpoint: `${issuer}/oauth2/token`,
    userinfo_endpoint: `${issuer}/oauth2/userinfo`,
    jwks_uri: `${issuer}/oauth2/jwks`
  }
}

/** Every path this issuer answers. Looked up, not tried in turn: the token endpoint is as near as any other. */
function routesOf(
  issuer: string,
  context: EndpointContext,
  metadata: object,
  token: RequestHandler
): Map<string, RequestHandler> {
  const { addresses } = context
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  const document = publicDocument(metadata)
  return new Map([
    [new URL(addresses.token_endpoint).pathname, token],
    [new URL(addresses.userinfo_endpoint).pathname, handler((req, res) => userinfoEndpoint(context, req, res))],
    [new URL(addresses.jwks_uri).pathname, publicDocument(context.server.keys.publicKeys())],
    [`/.well-known/oauth-authorization-server${path}`, document],
    [`${path}/.well-known/openid-configuration`, document]
  ])
}

function mount(routes: ReadonlyMap<string, RequestHandler>, options: Pick<AuthorizationServerOptions, 'onError'>): Router {
  const router = Router()
  const answerError = oauthErrorHandler({ onError: options.onError })
  router.use((req, res, next) => {
    const { originalUrl } = req
    const end = originalUrl.indexOf('?')
    const route = routes.get(end === -1 ? originalUrl : originalUrl.slice(0, end))
    if (route === undefined) next()
    else void route(req, res, (error?: unknown) => void answerError(error, req, res, next))
  })
  return router
}

function handler(answer: (req: Request, res: Response) => Promise<void>): RequestHandler {
  return (req, res, next) => {
    answer(req, res).catch(next)
  }
}

/** A document anyone may read, from any origin (RFC 8414 §3.1). */
function publicDocument(document: object): RequestHandler {
  return (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') next(new MethodNotAllowedError(['GET', 'HEAD']))
    else sendJson(res, 200, document, { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=60' })
  }
}

function checkInteraction(interaction: unknown): Interaction {
  const given = interaction as Partial<Interaction> | null | undefined
  for (const name of ['account', 'consented', 'prompt'] as const) {
    if (typeof given?.[name] !== 'function') throw new ConfigurationError(`interaction.${name}`, 'must be a function')
  }
  return given as Interaction
}

function checkAcrValues(values: unknown): readonly string[] {
  if (values === undefined) return []
  if (!Array.isArray(values) || !values.every(value => typeof value === 'string' && /^\S+$/.test(value)))
    throw new ConfigurationError('acrValues', 'must be a list of strings without spaces')
  return values as readonly string[]
}

function checkAuthorizationDetails(types: unknown): AuthorizationDetailTypes {
  if (types === undefined) return {}
  if (typeof types !== 'object' || types === null)
    throw new ConfigurationError('authorizationDetails', 'must be an object with a check for each type')
  for (const [type, check] of Object.entries(types)) checkFunction(check, `authorizationDetails.${type}`)
  return types as AuthorizationDetailTypes
}

function checkOrigin(origin: unknown): string | undefined {
  if (origin === undefined) return undefined
  if (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).origin !== origin || !origin.startsWith('https:')) {
    throw new ConfigurationError('mtlsOrigin', 'must be an https origin without a path, such as https://as.example.com:8443')
  }
  return origin
}
