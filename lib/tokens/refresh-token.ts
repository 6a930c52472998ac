/**
 * Refresh tokens by family: a token is its grant, a generation and a MAC under the server's key; the store keeps one
 * record per grant however often it is refreshed. Rotation is one compare-and-set on that record.
 */
import { isPublic, type Client } from '../clients/client.ts'
import { inOneStep } from '../stores/batch.ts'
import { swapping } from '../stores/records.ts'
import type { FirstStep } from '../stores/store.ts'
import { isSenderConstrained, type Confirmation } from './confirmation.ts'
import { findGrant, grantKey, type FoundGrant, type GrantRecord } from './grant.ts'
import { keepListed } from './person-grants.ts'
import type { TokenServer } from './token-server.ts'

const grantBytes = 16
const generationBytes = 4
const macBytes = 32
const tokenSyntax = /^[A-Za-z0-9_-]{70}$/
const purpose = 'refresh_token'

/** The grant and generation a refresh token names, once its MAC has proved that this server made it. */
export interface RefreshTokenReference {
  readonly grant: string
  readonly generation: number
}

/** The refresh token of a grant's generation: always the same one, which is what makes a lost answer repeatable. */
export function refreshTokenOf(server: TokenServer, grant: string, generation: number): string {
  const body = Buffer.alloc(grantBytes + generationBytes)
  body.write(grant, 'base64url')
  body.writeUInt32BE(generation, grantBytes)
  return Buffer.concat([body, server.keys.mac(purpose, body)]).toString('base64url')
}

/** Reads a refresh token; undefined for anything this server did not make. */
export function readRefreshToken(server: TokenServer, token: string): RefreshTokenReference | undefined {
  if (!tokenSyntax.test(token)) return undefined
  const bytes = Buffer.from(token, 'base64url')
  // the last character has spare bits: only the canonical spelling is the token
  if (bytes.toString('base64url') !== token) return undefined
  const body = bytes.subarray(0, grantBytes + generationBytes)
  if (!server.keys.verifyMac(purpose, body, bytes.subarray(body.length, body.length + macBytes))) return undefined
  return { grant: body.subarray(0, grantBytes).toString('base64url'), generation: body.readUInt32BE(grantBytes) }
}

/** A refresh token of this server's, with its grant. */
interface FoundRefreshToken {
  /** The grant's id. */
  readonly id: string
  readonly grant: GrantRecord
  readonly generation: number
}

/**
 * The grant a refresh token of this server's belongs to, while that lives. Whether the token can still be used says
 * {@link isCurrent}.
 */
export async function findRefreshToken(server: TokenServer, token: string): Promise<FoundRefreshToken | undefined> {
  const reference = readRefreshToken(server, token)
  const found = reference && (await findGrant(server.store, reference.grant))
  return found && { id: reference.grant, grant: found.grant, generation: reference.generation }
}

/** Whether it is the one in force: neither replaced nor expired. */
export function isCurrent(server: TokenServer, { grant, generation }: FoundRefreshToken): boolean {
  return grant.refresh?.generation === generation && !hasExpired(server, grant.refresh)
}

type Rotation =
  /** `rotated_at` is in milliseconds since the epoch. */
  | { readonly outcome: 'current'; readonly refresh_token: string; readonly rotated_at: number }
  /** Superseded too long ago: the family was stolen from or is confused; the grant and its tokens are gone. */
  | { readonly outcome: 'reused' }
  | { readonly outcome: 'ended' }

/** Whether this client's refresh tokens are replaced when used. Public clients' always are (RFC 9700 §2.2.2). */
export function rotates(server: TokenServer, client: Client, confirmation: Confirmation | undefined): boolean {
  if (isPublic(client) || server.refreshTokenRotation === 'always') return true
  return server.refreshTokenRotation === 'unbound' && !isSenderConstrained(confirmation)
}

/**
 * The confirmation a refresh token is bound to: a public client's to its DPoP key (RFC 9449 §5), and any client's to
 * the certificate its tokens are bound to. A confidential client's is bound to the client already, so it may change its
 * DPoP key.
 */
export function refreshConfirmation(client: Client, confirmation: Confirmation | undefined): Confirmation | undefined {
  if (confirmation === undefined || isPublic(client)) return confirmation
  const thumbprint = confirmation['x5t#S256']
  return thumbprint === undefined ? undefined : { 'x5t#S256': thumbprint }
}

/**
 * Uses a refresh token once. Of any number of callers with the current one exactly one moves the family on; within the
 * retry window the others get the same successor, and beyond it the whole grant ends (RFC 9700 §4.14.2).
 */
export async function rotate(server: TokenServer, reference: RefreshTokenReference, rotating: boolean): Promise<Rotation> {
  // a lost compare-and-set means someone else moved the family on: what they left is judged like any other state
  for (;;) {
    const { record, ...rotation } = await nextRotation(server, reference, rotating)
    if (record === undefined || (await inOneStep(server.store, [record]))) return rotation
  }
}

/**
 * The same but for the step that moves the family on, for whoever does that together with what follows from it: where
 * it says no, someone else has, and this is to be asked again.
 *
 * @param known the grant as it was just found; without it, it is looked up.
 */
export async function nextRotation(
  server: TokenServer,
  reference: RefreshTokenReference,
  rotating: boolean,
  known?: FoundGrant
): Promise<Rotation & { readonly record?: FirstStep }> {
  const found = known ?? (await findGrant(server.store, reference.grant))
  const refresh = found?.grant.refresh
  if (found === undefined || refresh === undefined) return { outcome: 'ended' }
  if (reference.generation === refresh.generation) {
    if (!rotating) return currentOf(server, reference.grant, refresh)
    const { moved, record } = await movingOn(server, reference, found)
    return { record, ...currentOf(server, reference.grant, moved) }
  }
  if (isRetry(server, reference, refresh)) return currentOf(server, reference.grant, refresh)
  await server.store.deleteGrant(reference.grant)
  return { outcome: 'reused' }
}

type Refresh = NonNullable<GrantRecord['refresh']>

function currentOf(server: TokenServer, grant: string, { generation, rotated_at }: Refresh): Rotation {
  return { outcome: 'current', refresh_token: refreshTokenOf(server, grant, generation), rotated_at }
}

/** The generation from now on, and the step that makes it so unless somebody else moves the family on. */
async function movingOn(
  server: TokenServer,
  reference: RefreshTokenReference,
  { grant, version }: FoundGrant
): Promise<{ readonly moved: Refresh; readonly record: FirstStep }> {
  const moved = { generation: reference.generation + 1, rotated_at: server.clock() }
  const ttl = grantTtl(server, { refresh: moved })
  const listed_until = await keepListed(server, reference.grant, grant, ttl)
  const record = swapping(grantKey(reference.grant), version, { ...grant, refresh: moved, listed_until }, ttl)
  return { moved, record }
}

function isRetry(server: TokenServer, { generation }: RefreshTokenReference, refresh: Refresh): boolean {
  const { refreshRetryWindow: window } = server
  return window > 0 && generation === refresh.generation - 1 && server.clock() - refresh.rotated_at <= window * 1000
}

/** Whether a grant's refresh token has lived its time, counted from its last rotation. */
export function hasExpired(server: TokenServer, refresh: { readonly rotated_at: number }): boolean {
  return server.clock() >= refresh.rotated_at + server.refreshTokenTtl * 1000
}

/** Members of an answer that say how long a refresh token is good for; seconds. */
interface RefreshTokenExpiration {
  /** How long it may be held unused. */
  readonly refresh_token_timeout: number
  /** How long what the person allowed lasts; absent where each use prolongs it. */
  readonly authorization_expires_in?: number
}

/**
 * How long a refresh token is good for (draft-ietf-oauth-refresh-token-expiration-03 §6.1). What is not replaced when
 * it is used ends when it would have ended unused, and the grant with it.
 *
 * @param rotated_at since when its time has run: milliseconds since the epoch.
 */
export function expirationOf(server: TokenServer, rotating: boolean, rotated_at: number): RefreshTokenExpiration {
  const left = Math.max(0, Math.floor((rotated_at - server.clock()) / 1000) + server.refreshTokenTtl)
  return { refresh_token_timeout: left, ...(!rotating && { authorization_expires_in: left }) }
}

/**
 * Seconds a grant is kept: longer than its refresh token, because an access token bought with that at last lives on.
 */
export function grantTtl(server: TokenServer, record: Pick<GrantRecord, 'refresh'>): number {
  const longestAccessToken = Math.max(
    server.accessTokenTtl,
    ...server.resources.all().map(resource => resource.accessTokenTtl ?? 0)
  )
  return record.refresh === undefined ? longestAccessToken : server.refreshTokenTtl + longestAccessToken
}
