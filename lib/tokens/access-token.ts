/** Access tokens: opaque references this server keeps, or JWTs a resource verifies itself (RFC 9068). */
import { InvalidGrantError } from '../errors.ts'
import { inOneStep } from '../stores/batch.ts'
import { read, write, writing } from '../stores/records.ts'
import type { FirstStep, Key } from '../stores/store.ts'
import { areStillThere, type Holders } from './account.ts'
import type { Actor, AllowedActor } from './actor.ts'
import type { Confirmation } from './confirmation.ts'
import { isExchanged, rootOf, tokenDigest, type AccountClaims, type AuthorizationDetail, type Grant } from './grant.ts'
import { findForeign, type FindToken } from './hooks.ts'
import { findLivingGrant, revocationKey } from './grant-chain.ts'
import { usualAlgorithm, type Resource } from './resource.ts'
import { parseScope } from './scope.ts'
import type { TokenServer } from './token-server.ts'

/**
 * Content of an access token, whichever format it has. Times are seconds since the epoch. Claims of `accessTokenClaims`
 * are members too.
 */
export interface AccessToken extends AccessTokenMembers, Readonly<Record<string, unknown>> {}

/** Members that every access token of this server's can have. */
export interface AccessTokenMembers {
  /** The client the token was issued to. */
  readonly client_id: string
  /** The person, by their own `sub`, or the client where it acts for itself. */
  readonly sub: string
  /**
   * The client's name for the person, where that is not `sub`: a pairwise identifier (OpenID Connect Core §8). It is
   * the `sub` of the JWT, and the one to tell the client and anybody else.
   */
  readonly pairwise_sub?: string | undefined
  /** The scope values it is good for. */
  readonly scope: readonly string[]
  /**
   * The resource it is for, or several, or one and the userinfo endpoint; undefined: none was named, and its scope
   * belongs to none.
   */
  readonly aud?: string | readonly string[] | undefined
  /** Seconds since the epoch at which it was issued. */
  readonly iat: number
  /** Seconds since the epoch from which it is refused. */
  readonly exp: number
  /** Names the token. */
  readonly jti: string
  /** The key or certificate it is bound to, where it is. */
  readonly cnf?: Confirmation | undefined
  /** Seconds since the epoch at which the person signed in. */
  readonly auth_time?: number | undefined
  /** The authentication context class of that sign-in. */
  readonly acr?: string | undefined
  /** The methods the person signed in by. */
  readonly amr?: readonly string[] | undefined
  /** The claims asked for at the userinfo endpoint one by one. */
  readonly claims?: readonly string[] | undefined
  /** Details of what exactly it allows (RFC 9396 §9). */
  readonly authorization_details?: readonly AuthorizationDetail[] | undefined
  /** The party that acts for the subject (RFC 8693 §4.1). */
  readonly act?: Actor | undefined
  /** The only party that may act for the subject by exchanging it (RFC 8693 §4.4). */
  readonly may_act?: AllowedActor | undefined
  /** The grant it belongs to; undefined for client credentials. */
  readonly grant?: string | undefined
}

/**
 * Members of a token beside its id and its grant, which can be told from its reference: all that is kept of an opaque
 * one.
 */
type TokenContent = Omit<AccessTokenMembers, 'jti' | 'grant'>

const jwtType = 'at+jwt'
const separator = '.'
/**
 * Seconds by which the clocks of the store and of another node may lag: a JWT must not outlive the record that it was
 * revoked.
 */
const clockDifference = 60

/**
 * Mints an access token and, where it must be found again, records it first. Answers with undefined, and has recorded
 * nothing, where one of the steps before it says no.
 */
export async function mintAccessToken(
  server: TokenServer,
  grant: Grant,
  details: {
    readonly scope: readonly string[]
    readonly resource: Resource | undefined
    readonly audience: AccessToken['aud']
    readonly confirmation: Confirmation | undefined
    /** The client's name for the grant's person; the same as the person's own `sub` where nothing is given. */
    readonly subject?: string | undefined
    /** The latest it may expire: seconds since the epoch. */
    readonly expires_at?: number | undefined
    /** Claims the application adds: no member of this library's. */
    readonly own?: AccountClaims | undefined
    /** A step that decides whether there may be such a token, done in one with recording it. */
    readonly first?: FirstStep | undefined
  }
): Promise<{ access_token: string; expires_in: number } | undefined> {
  const { scope, resource, audience, confirmation, subject, expires_at = Infinity, own, first } = details
  const iat = Math.floor(server.clock() / 1000)
  const expires_in = Math.min(resource?.accessTokenTtl ?? server.accessTokenTtl, Math.floor(expires_at) - iat)
  if (expires_in <= 0) throw new InvalidGrantError('what this token would rest on has expired')
  const reference = newReference(server, grant.id)
  const content: TokenContent = {
    ...own,
    client_id: grant.client_id,
    sub: grant.sub ?? grant.subject_client ?? grant.client_id,
    pairwise_sub: subject === grant.sub ? undefined : subject,
    scope,
    aud: audience,
    iat,
    exp: iat + expires_in,
    cnf: confirmation,
    auth_time: grant.auth_time,
    acr: grant.acr,
    amr: grant.amr,
    claims: grant.claims?.userinfo,
    authorization_details: grant.authorization_details,
    act: grant.act,
    may_act: grant.may_act
  }
  if (resource?.accessTokenFormat === 'jwt') {
    const claims = claimsOf(server, content, reference)
    const alg = resource.signingAlgorithm ?? usualAlgorithm(server.keys.algorithms())
    const access_token = await server.keys.sign(alg, jwtType, claims)
    return first === undefined || (await inOneStep(server.store, [first])) ? { access_token, expires_in } : undefined
  }
  const key = accessTokenKey(reference, grant.id)
  if (first === undefined) await write(server.store, key, content, expires_in)
  else if (!(await inOneStep(server.store, [first, writing(key, content, expires_in)]))) return undefined
  return { access_token: reference, expires_in }
}

/** An access token that is in force as far as it and its grant say. */
interface FoundAccessToken {
  readonly token: AccessToken
  /** Whether its `sub` is a person, or a client that acts for itself. */
  readonly about: Holders['about']
}

/**
 * Reads a presented access token, if this server issued it, it has not expired, neither it nor its grant was revoked,
 * and its client and its person are still there. Says nothing about audience, scope or proof of possession.
 *
 * @throws TemporarilyUnavailableError where one of that cannot be found out.
 */
export async function verifyAccessToken(server: TokenServer, presented: string): Promise<AccessToken | undefined> {
  return (await verifyHeldToken(server, presented))?.token
}

/** The same, with whom it is about. */
export async function verifyHeldToken(server: TokenServer, presented: string): Promise<FoundAccessToken | undefined> {
  const found = await findAccessToken(server, presented)
  if (found === undefined) return undefined
  const { token, about } = found
  return (await areStillThere(server, { client_id: token.client_id, sub: token.sub, about })) ? found : undefined
}

/** An access token in force, whoever is left of those it names. */
export async function findAccessToken(server: TokenServer, presented: string): Promise<FoundAccessToken | undefined> {
  // no HTTP header of Node's carries more
  if (presented.length > 16_384) return undefined
  return isJwt(presented) ? verifyJwt(server, presented) : findOpaque(server, presented)
}

/**
 * Ends an access token that {@link findAccessToken} found, and what was exchanged for it: from now on it does not. A
 * resource that reads JWTs itself takes one until it expires.
 */
export async function revokeAccessToken(server: TokenServer, presented: string, token: AccessToken): Promise<void> {
  const left = Math.ceil(token.exp - server.clock() / 1000)
  const revoked = {
    operation: 'set',
    key: revocationKey(token.jti, token.grant),
    value: null,
    ttl: left + clockDifference
  } as const
  const key = accessTokenKey(presented, grantOfReference(presented))
  await inOneStep(server.store, isJwt(presented) ? [revoked] : [revoked, { operation: 'delete', key }])
}

/**
 * The resources a token is good for, by their indicators, and the userinfo endpoint among them; empty: it names none.
 */
export function audiencesOf({ aud }: Pick<AccessToken, 'aud'>): readonly string[] {
  if (aud === undefined) return []
  return typeof aud === 'string' ? [aud] : aud
}

function isJwt(presented: string): boolean {
  return presented.startsWith('eyJ') && presented.split('.').length === 3
}

/** 256 random bits; the grant's id goes in front so that whoever holds the token alone can find what it belongs to. */
export function newReference(server: TokenServer, grant: string | undefined): string {
  const random = server.random(32).toString('base64url')
  return grant === undefined ? random : `${grant}${separator}${random}`
}

/** The grant a reference names, or undefined. */
export function grantOfReference(reference: string): string | undefined {
  // what follows the separator holds none, whatever the grant's id is
  const end = reference.lastIndexOf(separator)
  return end === -1 ? undefined : reference.slice(0, end)
}

function accessTokenKey(reference: string, grant: string | undefined): Key {
  // a reference is the token itself: what is kept must not contain it
  const id = tokenDigest(reference)
  return grant === undefined ? { kind: 'access_token', id } : { kind: 'access_token', id, grant: rootOf(grant) }
}

/**
 * RFC 9068 §2.2. `aud` is always there: a JWT is only minted for a resource, which has no business with what userinfo
 * says. `sub` is what the client calls the person: the client can read this too, and two resources learn nothing from
 * it that the client could not tell them.
 */
function claimsOf(server: TokenServer, content: TokenContent, jti: string): object {
  return {
    iss: server.issuer,
    ...content,
    jti,
    sub: content.pairwise_sub ?? content.sub,
    pairwise_sub: undefined,
    claims: undefined,
    scope: content.scope.length > 0 ? content.scope.join(' ') : undefined
  }
}

async function findOpaque(server: TokenServer, presented: string): Promise<FoundAccessToken | undefined> {
  const grant = grantOfReference(presented)
  const key = accessTokenKey(presented, grant)
  const kept = await read<TokenContent>(server.store, key)
  if (kept === undefined && server.findToken !== undefined) return findFromBefore(server, server.findToken, presented)
  if (kept === undefined || kept.exp * 1000 <= server.clock()) return undefined
  // what is added stands before what is copied: the other way round V8 takes three times as long
  const token = { jti: key.id, grant, ...kept }
  if (grant === undefined) return { token, about: 'client' }
  if (!isExchanged(grant)) return { token, about: 'person' }
  // its own grant is kept with that of its root, and is ended apart from it
  const found = await findLivingGrant(server.store, grant)
  return found && { token, about: found.grant.about_client === true ? 'client' : 'person' }
}

/** A token of the server before this one: the application alone knows it, and here alone it is ended. */
async function findFromBefore(server: TokenServer, find: FindToken, presented: string): Promise<FoundAccessToken | undefined> {
  const found = await findForeign(find, presented)
  if (found === undefined || found.exp * 1000 <= server.clock()) return undefined
  const { client_id, sub = client_id, scope, exp, iat = Math.floor(server.clock() / 1000), aud } = found
  const jti = tokenDigest(presented)
  if ((await server.store.get(revocationKey(jti, undefined))) !== undefined) return undefined
  return { token: { client_id, sub, scope, exp, iat, aud, jti }, about: found.sub === undefined ? 'client' : 'person' }
}

async function verifyJwt(server: TokenServer, presented: string): Promise<FoundAccessToken | undefined> {
  const claims = server.keys.verify(presented, jwtType)
  if (claims?.['iss'] !== server.issuer) return undefined
  const { scope, jti, sub } = claims as { scope?: string; jti: string; sub: string }
  const token = { ...claims, scope: parseScope(scope ?? '') ?? [], grant: grantOfReference(jti) } as unknown as AccessToken
  if (token.exp * 1000 <= server.clock()) return undefined
  const found = token.grant === undefined ? undefined : await findLivingGrant(server.store, token.grant)
  if (token.grant !== undefined && found === undefined) return undefined
  if ((await server.store.get(revocationKey(jti, token.grant))) !== undefined) return undefined
  if (found === undefined) return { token, about: 'client' }
  // what the token does not say, its grant does
  const { grant } = found
  const said = { ...token, sub: grant.sub, pairwise_sub: grant.sub === sub ? undefined : sub, claims: grant.claims?.userinfo }
  return { token: said, about: grant.about_client === true ? 'client' : 'person' }
}
