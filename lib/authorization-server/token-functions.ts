/**
 * The functions an application needs of the server behind a token endpoint, whether or not the other endpoints are
 * this library's too.
 */
import type { RequestHandler } from 'express'
import {
  requireAccessToken,
  type AccessTokenContext,
  type RequireAccessTokenOptions
} from '../protected-resource/require-access-token.ts'
import type { TokenEndpointParts } from '../token-endpoint/parts.ts'
import { verifyAccessToken, type AccessToken } from '../tokens/access-token.ts'

/** Reading this server's tokens, and forgetting the keys of a client. */
export interface TokenFunctions {
  /** The kept keys behind clients' `jwks_uri`. */
  readonly clientKeys: KeptClientKeys
  /**
   * Reads an access token of this server; undefined when it is not one, has expired, or it or its grant was
   * revoked. Says nothing about audience, scope or proof of possession.
   */
  verifyAccessToken(token: string): Promise<AccessToken | undefined>
  /**
   * Middleware that protects an API: Bearer, DPoP and certificate-bound access tokens of this server, JWT or opaque, in
   * the Authorization header only. What the token says is on `req.accessToken`; a refusal is 400, 401 or 403 with
   * the challenges of RFC 6750 and RFC 9449.
   *
   * @throws ConfigurationError naming the option that is wrong.
   */
  requireAccessToken(options?: RequireAccessTokenOptions): RequestHandler
}

/** The keys behind clients' `jwks_uri`, as this process keeps them. */
export interface KeptClientKeys {
  /**
   * Drops the keys of one client, for when one must not be accepted any longer: the next request that needs them
   * fetches them, and where the address does not answer there are none. Other processes keep theirs, and so do
   * strategies of your own that were made with other `keys`. Resolves to whether any were kept.
   */
  forget(client_id: string): Promise<boolean>
}

export function tokenFunctions(parts: TokenEndpointParts, protection: AccessTokenContext): TokenFunctions {
  return {
    clientKeys: { forget: client_id => forgetKeys(parts, client_id) },
    verifyAccessToken: token => verifyAccessToken(parts.server, token),
    requireAccessToken: given => requireAccessToken(protection, given)
  }
}

async function forgetKeys({ clients, clientKeys: keys }: TokenEndpointParts, client_id: string): Promise<boolean> {
  const client = await clients.find(client_id)
  return client?.jwks_uri !== undefined && keys.forget(client.jwks_uri)
}
