/**
 * Signing people in at an OpenID provider that exists: the whole of an authorization server's `interaction`, for hosts
 * without a login page of their own. Who may use which client stays a question of this server: people are asked for
 * each, whatever the provider remembers (RFC 9700 §4.7.1).
 *
 * @module sign-in
 */
import type { Request, RequestHandler, Response } from 'express'
import type { AuthorizationServer } from '../authorization-server/authorization-server.ts'
import type { Interaction } from '../endpoints/authorization/interaction.ts'
import { readOptions } from '../options.ts'
import { checkTogether, upstreamChecks, type UpstreamOptions, type UpstreamTokens } from './options.ts'
import type { SignInHost } from './host.ts'
import { signInParts } from './parts.ts'
import { upstreamInteraction } from './interaction.ts'
import { signInRoutes } from './routes.ts'

export type { SignInHost } from './host.ts'
export type { ConsentPage, UpstreamAccount, UpstreamClaims, UpstreamOptions, UpstreamTokens } from './options.ts'

/** A way to sign in, made part of one server. */
export interface AttachedSignIn {
  /** The server's option of that name. */
  readonly interaction: Interaction
  /**
   * Answers the provider's redirects and the consent page, below `{issuer}/oauth2/`. Mount it at the application's
   * root.
   */
  routes(server: AuthorizationServer): RequestHandler
  /**
   * The tokens of somebody who signed in at the provider, renewed where they ran out: for calling its APIs for them.
   * Undefined where none are kept, or the provider renews them no more: the person has to sign in again. Rejects where
   * the provider cannot be reached.
   */
  tokens(sub: string): Promise<UpstreamTokens | undefined>
  /** Ends the session of a request's browser here; the one at the provider goes on. */
  signOut(req: Request, res: Response): Promise<void>
}

/** A way to sign in. */
export interface SignIn {
  /** Makes it part of one server. @throws ConfigurationError naming the option of the server that is wrong. */
  attach(host: SignInHost): AttachedSignIn
}

/**
 * Signs people in at an OpenID provider (Entra, Google, Okta, Auth0, Keycloak) through the package `openid-client`,
 * which is loaded with the first sign-in: `state`, `nonce`, PKCE, `iss`, and every check of ID Tokens are its work.
 * Register `{issuer}/oauth2/sign-in` as redirect URI there, with this server's issuer.
 *
 * Guaranteed: no client of this server ever gets a token of the provider's; no code is issued before the person has
 * agreed to this client here; an answer of the provider's counts in the browser alone in which the sign-in began.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const signIn = upstream({ issuer: 'https://login.example.com', client_id: 'mcp', client_secret })
 * const mcp = mcpAuthorization({ …, signIn })
 * @example
 * const people = upstream({ issuer: 'https://login.example.com', client_id: 'as', keys: [privateJwk] }).attach({ issuer, store, keys })
 * const server = authorizationServer({ issuer, store, keys, clients, interaction: people.interaction })
 * app.use(server, people.routes(server))
 */
export function upstream(options: UpstreamOptions): SignIn {
  const read = readOptions(options, upstreamChecks)
  checkTogether(read)
  return {
    attach(host) {
      const parts = signInParts(read, host)
      return {
        interaction: upstreamInteraction(parts),
        routes: server => signInRoutes(parts, server),
        tokens: sub => parts.keeper.find(sub),
        signOut: (req, res) => parts.sessions.end(req, res)
      }
    }
  }
}
