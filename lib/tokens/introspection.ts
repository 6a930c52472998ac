/** Introspection: tells a client that may know it what a token says (RFC 7662 §2.2). */
import type { ClientAuthentication } from '../client-request.ts'
import type { Client } from '../clients/client.ts'
import { audiencesOf, verifyAccessToken, type AccessToken } from './access-token.ts'
import { hasAccount } from './account.ts'
import { mayRefresh } from './allowed.ts'
import type { GrantRecord } from './grant.ts'
import { reservedClaims } from './hooks.ts'
import { isOfInstance } from './instance.ts'
import { expirationOf, findRefreshToken, isCurrent, rotates } from './refresh-token.ts'
import { subjectFor } from './subject.ts'
import type { TokenServer } from './token-server.ts'

/**
 * An introspection response. `false` says nothing more: not whose token it is, nor why it is not good, nor whether
 * there is one.
 */
export type Introspection =
  { readonly active: false } | { readonly active: true; readonly client_id: string; readonly [member: string]: unknown }

const inactive: Introspection = { active: false }

/** The registered members of an introspection response that an access token has by the same name. */
const sameNamed = ['aud', 'iat', 'exp', 'cnf', 'jti', 'auth_time', 'acr', 'act', 'may_act', 'authorization_details']

/**
 * Tells a client about a token: its own, access and refresh tokens alike, or an access token for a resource that lists
 * the client in `introspectionClients`. Any other is inactive, as is one that expired, was revoked, belongs to somebody
 * who is nobody here any more, or is a refresh token that was replaced. Looking at a token changes nothing: a replaced
 * refresh token that is introspected has not been used. A person is called what the token's client calls them (OpenID
 * Connect Core §8).
 */
export async function introspect(
  server: TokenServer,
  presented: string,
  client: Client,
  authentication?: ClientAuthentication
): Promise<Introspection> {
  const { client_id } = client
  const refreshToken = await findRefreshToken(server, presented)
  if (refreshToken !== undefined) {
    const { grant } = refreshToken
    const isGood =
      grant.client_id === client_id &&
      isOfInstance(grant.instance_jkt, authentication) &&
      isCurrent(server, refreshToken) &&
      mayRefresh(server, client, grant) &&
      (await hasAccount(server, grant.sub))
    return isGood ? describeRefreshToken(server, client, grant) : inactive
  }
  const token = await verifyAccessToken(server, presented)
  return token !== undefined && mayKnow(server, token, client_id) ? describeAccessToken(server, token) : inactive
}

function mayKnow({ resources }: TokenServer, token: AccessToken, client_id: string): boolean {
  if (token.client_id === client_id) return true
  return audiencesOf(token).some(indicator => resources.isIntrospectedBy(client_id, indicator))
}

/** An opaque token's `jti` is the digest it is kept under: the token cannot be made of it. */
function describeAccessToken({ issuer, accessTokenClaims }: TokenServer, token: AccessToken): Introspection {
  const said = token as unknown as Readonly<Record<string, unknown>>
  const own = accessTokenClaims === undefined ? [] : Object.entries(token).filter(([name]) => !reservedClaims.has(name))
  const described: Introspection & Record<string, unknown> = {
    ...Object.fromEntries(own),
    active: true,
    iss: issuer,
    client_id: token.client_id,
    sub: token.pairwise_sub ?? token.sub,
    token_type: token.cnf?.jkt === undefined ? 'Bearer' : 'DPoP',
    ...(token.scope.length > 0 && { scope: token.scope.join(' ') })
  }
  for (const name of sameNamed) {
    if (said[name] !== undefined) described[name] = said[name]
  }
  return described
}

/** No `token_type`, which says how a token is presented to a resource (RFC 6749 §7.1): this one is for no resource. */
function describeRefreshToken(server: TokenServer, client: Client, grant: GrantRecord): Introspection {
  const { client_id, sub, scope, refresh, cnf, auth_time, acr, authorization_details } = grant
  const iat = Math.floor((refresh?.rotated_at ?? 0) / 1000)
  return {
    active: true,
    iss: server.issuer,
    client_id,
    sub: subjectFor(server, client, sub),
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    iat,
    exp: iat + server.refreshTokenTtl,
    ...(server.refreshTokenExpiration === true && expirationOf(server, rotates(server, client, cnf), refresh?.rotated_at ?? 0)),
    cnf,
    auth_time,
    acr,
    authorization_details
  }
}
