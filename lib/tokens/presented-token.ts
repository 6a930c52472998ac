/**
 * Tokens that are presented to be exchanged for others (RFC 8693 §2.1): what each says, and whether one of this
 * server's is still good.
 */
import type { Client } from '../clients/client.ts'
import { audiencesOf, verifyHeldToken } from './access-token.ts'
import { hasAccount } from './account.ts'
import { mayRefresh } from './allowed.ts'
import { readActor, readAllowedActor, type Actor, type AllowedActor } from './actor.ts'
import { readConfirmationClaim, type Confirmation } from './confirmation.ts'
import { findGrant } from './grant.ts'
import { readIdToken } from './id-token.ts'
import { readRefreshToken, rotate } from './refresh-token.ts'
import { parseScope } from './scope.ts'
import type { TokenServer } from './token-server.ts'

/** The token types that are understood, by the last part of their identifiers (RFC 8693 §3). */
export type PresentedTokenType = 'access_token' | 'refresh_token' | 'id_token' | 'jwt'

/** Content of a token that was presented and is good. */
export interface PresentedToken {
  /** `jwt`: a trusted issuer's. The others are this server's own, however the request called them. */
  readonly type: PresentedTokenType
  /** The issuer of the token. */
  readonly iss: string
  /** As the token says it: a name of `iss`. */
  readonly sub: string
  /** Whether that is a person, or a client that acts for itself. */
  readonly about: 'person' | 'client'
  /** The client it was issued to, where it is this server's. */
  readonly client_id?: string | undefined
  /** Undefined: it says nothing of scope. */
  readonly scope?: readonly string[] | undefined
  /** The resources it is good for; empty: it names none. */
  readonly resources: readonly string[]
  /** Seconds since the epoch. */
  readonly exp: number
  /** The key or certificate it is bound to. */
  readonly cnf?: Confirmation | undefined
  /** The party that acts for its subject (RFC 8693 §4.1). */
  readonly act?: Actor | undefined
  /** The party that may act for its subject (RFC 8693 §4.4). */
  readonly may_act?: AllowedActor | undefined
  /** Seconds since the epoch at which the person signed in. */
  readonly auth_time?: number | undefined
  /** The authentication context class of that sign-in. */
  readonly acr?: string | undefined
  /** The methods the person signed in by. */
  readonly amr?: readonly string[] | undefined
  /** The grant it lives and dies with. */
  readonly grant?: string | undefined
  /** Names an access token of this server's. */
  readonly jti?: string | undefined
  /** All claims of a trusted issuer's JWT. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

type PresentedTokenOutcome = PresentedToken | { readonly refused: string }

const longest = 16_384
const nobody = 'its person is nobody here any more, says account()'

/**
 * A token of this server's. An access token may be anybody's; a refresh token and an ID Token are good in the hands of
 * the client they were issued to alone. A superseded refresh token ends its grant, here as at the refresh token grant.
 * Says nothing about proof of possession.
 */
export function verifyOwnToken(
  server: TokenServer,
  type: Exclude<PresentedTokenType, 'jwt'>,
  token: string,
  client: Client
): Promise<PresentedTokenOutcome> {
  switch (type) {
    case 'access_token':
      return verifyOwnAccessToken(server, token)
    case 'refresh_token':
      return verifyOwnRefreshToken(server, token, client)
    case 'id_token':
      return verifyOwnIdToken(server, token, client)
  }
}

/**
 * A verified JWT of another issuer. Its scope, its confirmation and its actors must be understood, or it is refused:
 * each of them limits what it is good for.
 */
export function readForeignToken(jwt: {
  readonly iss: string
  readonly sub: string
  readonly exp: number
  readonly claims: Readonly<Record<string, unknown>>
}): PresentedTokenOutcome {
  const { iss, sub, claims } = jwt
  const scope = claims['scope'] === undefined ? undefined : parseClaim(claims['scope'])
  if (scope === 'malformed') return { refused: 'scope: not a string of scope values with spaces between' }
  const cnf = readConfirmationClaim(claims['cnf'])
  if (cnf === 'unknown') return { refused: 'cnf: bound to what a request cannot prove here; jkt and x5t#S256 are understood' }
  const act = readActor(claims['act'], iss)
  if (act === 'malformed') return { refused: 'act: a party without a name, or too long a chain' }
  const may_act = readAllowedActor(claims['may_act'], iss)
  if (may_act === 'malformed') return { refused: 'may_act: names nobody by iss, sub or client_id alone' }
  return { type: 'jwt', iss, sub, about: 'person', scope, resources: [], exp: Math.floor(jwt.exp), cnf, act, may_act, claims }
}

function parseClaim(scope: unknown): readonly string[] | 'malformed' {
  if (scope === '') return []
  return (typeof scope === 'string' ? parseScope(scope) : undefined) ?? 'malformed'
}

async function verifyOwnAccessToken(server: TokenServer, presented: string): Promise<PresentedTokenOutcome> {
  const found = await verifyHeldToken(server, presented)
  if (found === undefined)
    return { refused: 'an access token that is unknown, expired or revoked, or of somebody who is nobody here any more' }
  const { token, about } = found
  const { sub, client_id, scope, exp, cnf, act, may_act, auth_time, acr, amr, grant, jti } = token
  // what it says to the userinfo endpoint it says to no resource
  const resources = audiencesOf(token).filter(audience => audience !== server.userinfo)
  const whose = { type: 'access_token', iss: server.issuer, sub, about, client_id, grant, jti } as const
  return { ...whose, scope, resources, exp, cnf, act, may_act, auth_time, acr, amr }
}

async function verifyOwnRefreshToken(server: TokenServer, token: string, client: Client): Promise<PresentedTokenOutcome> {
  const reference = readRefreshToken(server, token)
  if (reference === undefined) return { refused: 'not a refresh token of this server' }
  const grant = (await findGrant(server.store, reference.grant))?.grant
  if (grant?.refresh === undefined) return { refused: 'a refresh token whose grant ended' }
  if (grant.client_id !== client.client_id) return { refused: 'a refresh token issued to another client' }
  const exp = Math.floor(grant.refresh.rotated_at / 1000) + server.refreshTokenTtl
  if (exp * 1000 <= server.clock()) return { refused: 'a refresh token that expired' }
  if (!mayRefresh(server, client, grant)) return { refused: 'a refresh token that the client may no longer use' }
  if (!(await hasAccount(server, grant.sub))) return { refused: nobody }
  // to be exchanged is not to be refreshed: the family stays where it is
  const { outcome } = await rotate(server, reference, false)
  if (outcome !== 'current') return { refused: 'a superseded refresh token: reuse; the grant and its tokens are revoked' }
  const { sub, client_id, scope, resources, cnf, auth_time, acr, amr } = grant
  const whose = { type: 'refresh_token', iss: server.issuer, sub, about: 'person', client_id, grant: reference.grant } as const
  return { ...whose, scope, resources, exp, cnf, auth_time, acr, amr }
}

async function verifyOwnIdToken(server: TokenServer, token: string, client: Client): Promise<PresentedTokenOutcome> {
  const read = readIdToken(server, token, longest)
  if (read === undefined) return { refused: 'not an ID Token of this server' }
  const { client_id, sub, exp, claims } = read
  if (client_id !== client.client_id) return { refused: 'an ID Token issued to another client' }
  if (exp * 1000 <= server.clock()) return { refused: 'an ID Token that expired' }
  // its sub is a name nobody here is found by
  if (client.subject_type === 'pairwise') return { refused: 'an ID Token of a pairwise client, which leads back to nobody' }
  if (!(await hasAccount(server, sub))) return { refused: nobody }
  const { auth_time, acr, amr } = claims as Pick<PresentedToken, 'auth_time' | 'acr' | 'amr'>
  return { type: 'id_token', iss: server.issuer, sub, about: 'person', client_id, resources: [], exp, auth_time, acr, amr }
}
