/** The userinfo endpoint (OpenID Connect Core §5.3): what the person's own claims are, for whoever holds their access token. */
import type { Request, Response } from 'express'
import { MethodNotAllowedError, OAuthError } from '../errors.ts'
import { sendJson } from '../http/responses.ts'
import { verifyAccessToken } from '../tokens/access-token.ts'
import type { AccountClaims, EndpointContext } from './endpoint.ts'

/** Which claims a scope value stands for (OpenID Connect Core §5.4). */
export const claimsOfScope: Readonly<Record<string, readonly string[]>> = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at'
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified']
}

/**
 * Answers GET and POST with a Bearer token in the Authorization header.
 *
 * @throws OAuthError `invalid_token` 401 or `insufficient_scope` 403, with the challenge of RFC 6750 §3.
 */
export async function userinfoEndpoint(context: EndpointContext, req: Request, res: Response): Promise<void> {
  if (req.method !== 'GET' && req.method !== 'POST') throw new MethodNotAllowedError(['GET', 'POST'])
  const token = bearerToken(req.headers.authorization)
  if (token === undefined)
    throw new OAuthError('invalid_token', 401, 'an access token is needed', { headers: { 'WWW-Authenticate': 'Bearer' } })
  const accessToken = await verifyAccessToken(context.server, token)
  if (accessToken === undefined) throw refuse('invalid_token', 401, 'the access token is not valid')
  if (!accessToken.scope.includes('openid')) throw refuse('insufficient_scope', 403, 'the access token was not granted openid')
  const claims = (await context.claims?.(accessToken.sub)) ?? {}
  sendJson(res, 200, { ...select(claims, accessToken.scope), sub: accessToken.sub }, { 'Cache-Control': 'no-store' })
}

/** The token of an `Authorization: Bearer` header (RFC 6750 §2.1), the scheme in any case. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1]
}

function select(claims: AccountClaims, scope: readonly string[]): AccountClaims {
  const wanted = scope.flatMap(value => claimsOfScope[value] ?? [])
  return Object.fromEntries(wanted.filter(name => claims[name] !== undefined).map(name => [name, claims[name]]))
}

function refuse(error: string, status: number, description: string): OAuthError {
  const challenge = `Bearer error="${error}", error_description="${description}"`
  return new OAuthError(error, status, description, { headers: { 'WWW-Authenticate': challenge } })
}
