/** Authorization codes: one use, one client, a minute. */
import { take, writing } from '../stores/records.ts'
import type { Key } from '../stores/store.ts'
import { grantOfReference, newReference } from '../tokens/access-token.ts'
import { tokenDigest, type AuthorizationDetail, type RequestedClaims } from '../tokens/grant.ts'
import { listGrant } from '../tokens/grant-list.ts'
import { listedUntil } from '../tokens/person-grants.ts'
import { grantTtl } from '../tokens/refresh-token.ts'
import { joinSession } from '../tokens/sessions.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** The agreement made at the authorization endpoint, kept until the code is redeemed. */
export interface AuthorizationCodeRecord {
  readonly client_id: string
  /** The redirect URI the code was sent to. */
  readonly redirect_uri: string
  readonly sub: string
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  readonly code_challenge?: string | undefined
  readonly nonce?: string | undefined
  /** The thumbprint of the DPoP key the code is bound to (RFC 9449 §10). */
  readonly dpop_jkt?: string | undefined
  /** The attested instance of the client that may redeem it, by its key's thumbprint. */
  readonly instance_jkt?: string | undefined
  readonly claims?: RequestedClaims | undefined
  readonly authorization_details?: readonly AuthorizationDetail[] | undefined
  readonly auth_time: number
  readonly acr?: string | undefined
  readonly amr?: readonly string[] | undefined
  readonly sid?: string | undefined
  /** Until when the grant it will become is on its person's list: milliseconds since the epoch. */
  readonly listed_until?: number | undefined
}

type RedeemedCode =
  | { readonly outcome: 'redeemed'; readonly grant: string; readonly record: AuthorizationCodeRecord }
  /** It was redeemed before; everything it bought has just been revoked (RFC 6749 §4.1.2). */
  | { readonly outcome: 'replayed'; readonly grant: string }
  /** Never issued, expired, or another client's. */
  | { readonly outcome: 'unknown' }

/** Mints a code and records what it stands for: for its person first, so that redeeming it is quick. */
export async function mintAuthorizationCode(server: TokenServer, record: AuthorizationCodeRecord): Promise<string> {
  const grant = server.random(16).toString('base64url')
  const code = newReference(server, grant)
  const mayLast = server.refreshTokens === 'registered' || record.scope.includes('offline_access')
  const refresh = mayLast ? { generation: 0, rotated_at: server.clock() } : undefined
  const listed_until = listedUntil(server, server.authorizationCodeTtl + grantTtl(server, { refresh }))
  const kept = writing(codeKey(code, grant, record.client_id), { ...record, listed_until }, server.authorizationCodeTtl)
  const { sid } = record
  // side by side: before all of it is done nobody is told of the code, and nobody can use it
  await Promise.all([
    listGrant(server, grant, record, listed_until, [kept]),
    sid !== undefined && joinSession(server, grant, { ...record, sid })
  ])
  return code
}

/**
 * Redeems a code for the client that presents it. Of any number of callers exactly one gets the record. The client is
 * part of the key: another client's attempt finds nothing, and spends nothing.
 */
export async function redeemAuthorizationCode(server: TokenServer, code: string, client_id: string): Promise<RedeemedCode> {
  const grant = grantOfReference(code)
  if (grant === undefined || code.length > 512) return { outcome: 'unknown' }
  const taken = await take<AuthorizationCodeRecord>(server.store, codeKey(code, grant, client_id))
  switch (taken.outcome) {
    case 'taken':
      return { outcome: 'redeemed', grant, record: taken.value }
    case 'spent':
      await server.store.deleteGrant(grant)
      return { outcome: 'replayed', grant }
    case 'absent':
      return { outcome: 'unknown' }
  }
}

/** Whether a code of the client's is there to be redeemed: neither used nor expired. */
export async function isRedeemable(server: TokenServer, code: string, client_id: string): Promise<boolean> {
  return (await server.store.get(codeKey(code, grantOfReference(code) ?? '', client_id))) !== undefined
}

/** Takes back a code that nobody was told of. */
export async function discardAuthorizationCode(server: TokenServer, code: string): Promise<void> {
  await server.store.deleteGrant(grantOfReference(code) ?? '')
}

function codeKey(code: string, grant: string, client_id: string): Key {
  return { kind: 'authorization_code', id: tokenDigest(`${code}\n${client_id}`), grant }
}
