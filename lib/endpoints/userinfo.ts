/**
 * The userinfo endpoint (OpenID Connect Core §5.3): what the person's own claims are, for whoever holds their access
 * token.
 */
import type { Request, Response } from 'express'
import { offerDpopNonce } from '../assertions/dpop-nonces.ts'
import type { Client } from '../clients/client.ts'
import { InvalidRequestError, MethodNotAllowedError, OAuthError } from '../errors.ts'
import { readParameters } from '../http/parameters.ts'
import { sendJson, sendJwt } from '../http/responses.ts'
import { invalidToken, withChallenge } from '../protected-resource/challenge.ts'
import { presentedAccessToken } from '../protected-resource/require-access-token.ts'
import { audiencesOf, type AccessToken } from '../tokens/access-token.ts'
import { readClaims } from '../tokens/claims.ts'
import { findClient } from '../clients/find-client.ts'
import { handlerOf, type Endpoint, type EndpointContext } from './endpoint.ts'
import { signFor } from '../tokens/signed-response.ts'

/**
 * Answers GET, HEAD and POST with an access token in the Authorization header (Bearer or DPoP), or in the form of a
 * POST. The claims of the granted scope, and those the `claims` parameter asked for, as far as they have a value;
 * signed where the client registered `userinfo_signed_response_alg`. An access token for a resource is not for this
 * endpoint, unless it says so.
 *
 * @throws OAuthError `invalid_token` 401, `insufficient_scope` 403 or, for a token that was sent twice,
 * `invalid_request` 400, with the challenges of RFC 6750 §3 and RFC 9449 §7.1.
 */
export function userinfoEndpoint(context: EndpointContext): Endpoint {
  return { member: 'userinfo_endpoint', caller: 'access_token', handler: handlerOf((req, res) => answer(context, req, res)) }
}

const methods = ['GET', 'HEAD', 'POST']

async function answer(context: EndpointContext, req: Request, res: Response): Promise<void> {
  if (!methods.includes(req.method)) throw new MethodNotAllowedError(methods)
  offerDpopNonce(res, context.dpop)
  const { accessToken, client } = await readAccessToken(context, req).catch((error: unknown) => {
    throw withChallenge(error, { algorithms: context.dpop.algorithms, scope: ['openid'] })
  })
  const { sub, pairwise_sub = sub } = accessToken
  const claims = { ...(await readClaims(context.server, client, sub, accessToken)), sub: pairwise_sub }
  const headers = { 'Cache-Control': 'no-store' }
  const registered = client.userinfo_signed_response_alg
  if (registered === undefined) sendJson(res, 200, claims, headers)
  else sendJwt(res, await signFor(context.server, client, registered, claims), 'application/jwt', headers)
}

async function readAccessToken(context: EndpointContext, req: Request): Promise<{ accessToken: AccessToken; client: Client }> {
  const fromBody = await readBodyToken(req)
  if (fromBody !== undefined && req.headers.authorization !== undefined)
    throw new InvalidRequestError('the access token was sent in two ways', { reason: 'RFC 6750 §2: one way only' })
  const accessToken = await presentedAccessToken(context.protection, req, fromBody)
  const audiences = audiencesOf(accessToken)
  if (audiences.length > 0 && !audiences.includes(context.addressOf('userinfo_endpoint')))
    throw invalidToken(`for another resource: ${audiences.join(' ')}`)
  if (!accessToken.scope.includes('openid'))
    throw new OAuthError('insufficient_scope', 403, 'the access token was not granted openid')
  const client = await findClient(context.clients, accessToken.client_id)
  if (client === undefined) throw invalidToken('its client is gone')
  return { accessToken, client }
}

/** RFC 6750 §2.2: in the form of a POST. Any other body says nothing. */
async function readBodyToken(req: Request): Promise<string | undefined> {
  const isForm = /^application\/x-www-form-urlencoded(?:\s*;|$)/i.test(req.headers['content-type'] ?? '')
  return req.method === 'POST' && isForm ? (await readParameters(req))['access_token'] : undefined
}
