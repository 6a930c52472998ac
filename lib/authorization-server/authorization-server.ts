/** A whole authorization server as one Express middleware: every endpoint of one issuer. */
import type { Request, RequestHandler, Response } from 'express'
import { authorizationServerChecks, type AuthorizationServerOptions } from './options.ts'
import { authorizationServerParts, type AuthorizationServerParts } from './parts.ts'
import { developing } from './developing.ts'
import { Routes } from './routes.ts'
import { tokenFunctions, type TokenFunctions } from './token-functions.ts'
import type { WouldBreak } from '../events/break-report.ts'
import type { InteractionPrompt, InteractionResult } from '../endpoints/authorization/interaction.ts'
import { describeInteraction, resumeAuthorization } from '../endpoints/authorization/resume.ts'
import { backchannelDecisions, type BackchannelDecisions } from '../endpoints/backchannel-authentication/decisions.ts'
import { deviceVerification, type DeviceVerification } from '../endpoints/device-authorization/endpoint.ts'
import { logoutFunctions, type LogoutFunctions } from '../endpoints/end-session/functions.ts'
import type { CredentialFunctions } from '../credentials/functions.ts'
import { registrationFunctions, type RegistrationFunctions } from '../endpoints/registration/end-registration.ts'
import { strategiesAt } from '../authentication/per-endpoint.ts'
import { errorHandler } from '../http/error-handler.ts'
import { lazyMembers } from '../lazily.ts'
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
  const strategies = strategiesAt('token', token.strategies, read.endpointAuthMethods)
  const handler = tokenEndpoint({ ...token, strategies }, read)
  const { allowedOrigins: origins } = read
  const routes = new Routes({ context, mtlsOrigin, token: handler, pages, origins, answerError: errorHandler(read) })
  const answer: RequestHandler = (req, res, next) => routes.answer(req, res, next)
  return withMembers(answer, { context, token, certificateMethods, routes })
}

/** What the members of a server are made of. */
interface ServerParts extends Pick<AuthorizationServerParts, 'context' | 'token' | 'certificateMethods'> {
  readonly routes: Routes
}

/** Every member is made when it is first asked for: most tenants are asked for tokens alone. */
const withMembers = lazyMembers<ServerParts, AuthorizationServer>({
  clientEndpoints: ({ routes }) => routes.standingAlone(),
  interaction:
    ({ context }) =>
    (req, id) =>
      describeInteraction(context, req, id),
  resume:
    ({ context }) =>
    (req, res, id, result) =>
      resumeAuthorization({ context, req, res }, id, result),
  device: ({ context }) => deviceVerification(context),
  backchannel: ({ context }) => backchannelDecisions(context),
  logout: ({ context }) => logoutFunctions(context),
  credentials: ({ context }) => context.credentials,
  registrations: ({ context }) => registrationFunctions(context.registration && { context, registration: context.registration }),
  whoWouldBreak:
    ({ token }) =>
    check =>
      token.breaks.whoWouldBreak(check),
  dpopAlgorithms: ({ token }) => token.dpop.algorithms,
  protectedResourceMetadata: ({ context, token, certificateMethods }) => {
    const { issuer } = context.server
    return given => protectedResourceMetadata({ issuer, dpopAlgorithms: token.dpop.algorithms, certificateMethods }, given)
  },
  grants:
    ({ context }) =>
    sub =>
      personGrants(context.server).grants(sub),
  revokeGrant:
    ({ context }) =>
    (sub, id) =>
      personGrants(context.server).revokeGrant(sub, id),
  revokeGrants:
    ({ context }) =>
    (sub, client_id) =>
      personGrants(context.server).revokeGrants(sub, client_id),
  clientKeys: ({ context, token }) => tokenFunctions(token, context.protection).clientKeys,
  verifyAccessToken:
    ({ context, token }) =>
    jws =>
      tokenFunctions(token, context.protection).verifyAccessToken(jws),
  requireAccessToken:
    ({ context, token }) =>
    given =>
      tokenFunctions(token, context.protection).requireAccessToken(given)
})
