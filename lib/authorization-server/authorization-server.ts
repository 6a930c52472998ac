/** A whole authorization server as one Express middleware: every endpoint of one issuer. */
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { authorizationServerChecks, type AuthorizationServerOptions } from './options.ts'
import { authorizationServerParts } from './parts.ts'
import { developing, type Pages } from './developing.ts'
import { tokenFunctions, type TokenFunctions } from './token-functions.ts'
import type { WouldBreak } from '../events/break-report.ts'
import type { InteractionPrompt, InteractionResult } from '../endpoints/authorization/interaction.ts'
import { describeInteraction, resumeAuthorization } from '../endpoints/authorization/resume.ts'
import { backchannelDecisions, type BackchannelDecisions } from '../endpoints/backchannel-authentication/decisions.ts'
import { deviceVerification, type DeviceVerification } from '../endpoints/device-authorization/endpoint.ts'
import { logoutFunctions, type LogoutFunctions } from '../endpoints/end-session/functions.ts'
import type { CredentialFunctions } from '../credentials/functions.ts'
import { registrationFunctions, type RegistrationFunctions } from '../endpoints/registration/end-registration.ts'
import type { Endpoint, EndpointContext } from '../endpoints/endpoint.ts'
import { mountedEndpoints } from '../endpoints/index.ts'
import { buildMetadata } from '../endpoints/metadata.ts'
import { strategiesAt } from '../authentication/per-endpoint.ts'
import { crossOrigin } from '../http/cross-origin.ts'
import { metadataPaths, type EndpointMember } from '../http/endpoint-paths.ts'
import { errorHandler } from '../http/error-handler.ts'
import { sendPublicDocument } from '../http/public-document.ts'
import { pathOf } from '../http/request-target.ts'
import { readOptions } from '../options.ts'
import { protectedResourceMetadata, type ProtectedResourceMetadataOptions } from '../protected-resource/metadata.ts'
import { tokenEndpoint } from '../token-endpoint/handler.ts'
import { personGrants, type PersonGrants } from '../tokens/person-grants.ts'

export type { AuthorizationServerOptions } from './options.ts'

/** The middleware, and what the application's pages and its own API need of the server behind it. */
export interface AuthorizationServer extends RequestHandler, PersonGrants, TokenFunctions {
  /**
   * The handlers of the endpoints at which clients authenticate, by path: for `createServer(app, { server })`, or a
   * framework that looks paths up itself. Each answers its errors too, and calls `next` only where an answer broke off.
   */
  readonly clientEndpoints: ReadonlyMap<string, RequestHandler>
  /** Finds what a login or consent page shows; undefined when the interaction never existed, is finished or expired. */
  interaction(req: Request, id: string): Promise<InteractionPrompt | undefined>
  /**
   * Goes on after the person did something, or, without a result, from where they are by now (signed in in another
   * tab): answers with the next prompt, or a 303 to the client. Called again for the same interaction, as a double
   * click does, it answers as it did the first time while the code was not redeemed and the same person is there; after
   * that the request goes on as if it were new. One that was pushed is used up: the person sees a page. Never rejects.
   */
  resume(req: Request, res: Response, id: string, result?: InteractionResult): Promise<void>
  /** For the page where people enter the codes their devices show (RFC 8628 §3.3). */
  readonly device: DeviceVerification
  /** For the page where people decide on what clients ask of them over the backchannel (OpenID Connect CIBA). */
  readonly backchannel: BackchannelDecisions
  /** Ending people's sessions, and what the page needs that asks whether to. */
  readonly logout: LogoutFunctions
  /** Adding, ending, revoking and listing what clients prove themselves with, while the server runs. */
  readonly credentials: CredentialFunctions
  /** Ending clients that registered themselves. */
  readonly registrations: RegistrationFunctions
  /**
   * Lists who would be refused if the dials that report (`assertionAudience`, `assertionDials`) were set to enforce, as
   * far as this process has seen; all of them, or those of one check.
   */
  whoWouldBreak(check?: string): readonly WouldBreak[]
  /** The signature algorithms of DPoP proofs, for challenges of one's own. */
  readonly dpopAlgorithms: readonly string[]
  /**
   * Middleware that publishes an API's metadata (RFC 9728) at `/.well-known/oauth-protected-resource` and the
   * resource's path. Mount it at the application's root, and name its address in `requireAccessToken({ resourceMetadata
   * })`.
   *
   * @throws ConfigurationError naming the option that is wrong.
   *
   * @example
   * app.use(server.protectedResourceMetadata({ resource: 'https://api.example.com', scopes: ['api:read'] }))
   */
  protectedResourceMetadata(options: ProtectedResourceMetadataOptions): RequestHandler
}

/**
 * Every endpoint of one issuer. Mount it at the application's root, whatever path the issuer has: the well-known
 * documents stand outside that path (RFC 8414 §3), and below it too.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * app.use(authorizationServer({ issuer: 'https://as.example.com', clients, store: memoryStore(), keys: await generateKeys(), interaction }))
 */
export function authorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  const { read, pages } = developing(readOptions(options, authorizationServerChecks), options)
  const { context, token, mtlsOrigin, certificateMethods } = authorizationServerParts(read)
  const { server, protection } = context
  const strategies = strategiesAt('token', token.strategies, read.endpointAuthMethods)
  const endpoints = mountedEndpoints(context, tokenEndpoint({ ...token, strategies }, read))
  let built: object | undefined
  // made for whoever asks for it first: most tenants are asked for tokens alone
  const metadata = (): object => (built ??= buildMetadata({ context, endpoints, mtlsOrigin }))
  const routes = routesOf(context, endpoints, { pages, metadata, origins: read.allowedOrigins })
  const answerError = errorHandler(read)
  const clientPaths = endpoints.filter(({ caller }) => caller === 'client').map(({ member }) => pathAt(context, member))
  const answer = Object.assign(mount(routes, answerError), personGrants(server), tokenFunctions(token, protection)) as Unfinished
  // one by one: were so many copied at once, V8 would keep them in a hash table, several times the size for each tenant
  answer.clientEndpoints = standingAlone(routes, clientPaths, answerError)
  answer.interaction = (req, id) => describeInteraction(context, req, id)
  answer.resume = (req, res, id, result) => resumeAuthorization({ context, req, res }, id, result)
  answer.device = deviceVerification(context)
  answer.backchannel = backchannelDecisions(context)
  answer.logout = logoutFunctions(context)
  answer.credentials = context.credentials
  answer.registrations = registrationFunctions(context.registration && { context, registration: context.registration })
  answer.whoWouldBreak = check => token.breaks.whoWouldBreak(check)
  answer.dpopAlgorithms = token.dpop.algorithms
  answer.protectedResourceMetadata = given =>
    protectedResourceMetadata({ issuer: server.issuer, dpopAlgorithms: token.dpop.algorithms, certificateMethods }, given)
  return answer
}

/** A server whose members are being put in their places. */
type Unfinished = RequestHandler & { -readonly [Member in keyof AuthorizationServer]: AuthorizationServer[Member] }

/** The endpoints that clients in browsers call themselves, with the methods they call them by. */
const scriptMethods: ReadonlyMap<EndpointMember, readonly string[]> = new Map<EndpointMember, readonly string[]>([
  ['token_endpoint', ['POST']],
  ['revocation_endpoint', ['POST']],
  ['challenge_endpoint', ['POST']],
  ['registration_endpoint', ['POST', 'GET', 'PUT', 'DELETE']]
])

/** Every path this issuer answers. */
interface Routes {
  readonly exact: ReadonlyMap<string, RequestHandler>
  /** Those that answer one segment further down too. */
  readonly withItems: ReadonlyMap<string, RequestHandler>
}

function pathAt({ addresses }: EndpointContext, member: EndpointMember): string {
  return new URL(addresses[member]).pathname
}

function routesOf(
  context: EndpointContext,
  endpoints: readonly Endpoint[],
  {
    pages,
    metadata,
    origins
  }: { readonly pages: Pages; readonly metadata: () => object; readonly origins: readonly string[] | undefined }
): Routes {
  const issuerPath = new URL(context.server.issuer).pathname.replace(/\/$/, '')
  const document: RequestHandler = (req, res, next) => sendPublicDocument(req, res, next, metadata())
  const routeOf = ({ member, handler }: Endpoint): [string, RequestHandler] => {
    const methods = scriptMethods.get(member)
    return [pathAt(context, member), methods === undefined ? handler : crossOrigin(handler, { methods, origins })]
  }
  return {
    exact: new Map([
      ...[...pages].map(([path, page]): [string, RequestHandler] => [issuerPath + path, page]),
      ...endpoints.map(routeOf),
      ...metadataPaths.flatMap((wellKnown): [string, RequestHandler][] => [
        [wellKnown + issuerPath, document],
        [issuerPath + wellKnown, document]
      ])
    ]),
    withItems: new Map(endpoints.filter(({ withItems }) => withItems === true).map(routeOf))
  }
}

/**
 * Looked up, not tried in turn: the token endpoint is as near as any other. A router of its own would hold this one
 * handler.
 */
function mount({ exact, withItems }: Routes, answerError: ErrorRequestHandler): RequestHandler {
  return (req, res, next) => {
    const path = pathOf(req)
    const route = exact.get(path) ?? (withItems.size === 0 ? undefined : withItems.get(path.slice(0, path.lastIndexOf('/'))))
    if (route === undefined) next()
    else void route(req, res, (error?: unknown) => void answerError(error, req, res, next))
  }
}

/** Handlers that need no Express around them: what they throw is answered like what they hand on. */
function standingAlone(
  { exact }: Routes,
  paths: readonly string[],
  answerError: ErrorRequestHandler
): ReadonlyMap<string, RequestHandler> {
  const alone =
    (handler: RequestHandler): RequestHandler =>
    (req, res, next) => {
      const failed = (error?: unknown): void => void answerError(error, req, res, next)
      try {
        void handler(req, res, failed)
      } catch (thrown) {
        failed(thrown)
      }
    }
  return new Map(
    paths.flatMap(path => {
      const handler = exact.get(path)
      return handler === undefined ? [] : [[path, alone(handler)] as const]
    })
  )
}
