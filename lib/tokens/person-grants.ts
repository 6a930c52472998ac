/** The grants of each person: what a client holds of theirs can be shown to them, and taken back. */
import { writing } from '../stores/records.ts'
import type { WriteStep } from '../stores/store.ts'
import { findGrant, grantKey, type AuthorizationDetail, type GrantRecord } from './grant.ts'
import { findLivingGrant } from './grant-chain.ts'
import { clientsOfPerson, endGrant, endListed, forgetGrants, listedGrants, listGrant, type Holding } from './grant-list.ts'
import type { TokenServer } from './token-server.ts'

/** A grant of a person's that one client holds, as the person may see it. Times are seconds since the epoch. */
export interface PersonGrant {
  /**
   * Names the grant in {@link PersonGrants.revokeGrant}. No secret: whoever knows it can do nothing with it elsewhere.
   */
  readonly id: string
  /** The client that holds it. */
  readonly client_id: string
  /** The scope values it is good for. */
  readonly scope: readonly string[]
  /** The resources it is good for. */
  readonly resources: readonly string[]
  /** The details that were granted (RFC 9396). */
  readonly authorization_details?: readonly AuthorizationDetail[]
  /** The time it was granted. */
  readonly since: number
  /** When its refresh token was last replaced; absent where it never was, or does not rotate. */
  readonly last_used?: number
}

/** A person's grants. Each rejects with TemporarilyUnavailableError when the store does not answer. */
export interface PersonGrants {
  /** Lists the grants clients hold of this person's now, the newest first, without codes that were not redeemed yet. */
  grants(sub: string): Promise<readonly PersonGrant[]>
  /**
   * Ends one grant of this person's: its refresh token and every access token of it, JWTs too where they are checked
   * here. False where the person has no such grant (any longer).
   */
  revokeGrant(sub: string, id: string): Promise<boolean>
  /** Ends everything this client holds of this person's, codes on their way to it included. */
  revokeGrants(sub: string, client_id: string): Promise<void>
}

/** The members a grant is kept from; the rest is filled in. */
export type NewGrant = Omit<GrantRecord, 'since'> & Partial<Pick<GrantRecord, 'since'>>

/** Those of them that say what the client proved, and what refresh token it gets. */
export type GrantProof = Pick<GrantRecord, 'cnf' | 'auth_method' | 'instance_jkt' | 'refresh'>

/** The others: what was allowed, to whom and by whom. */
export type Allowed = Omit<NewGrant, keyof GrantProof>

/**
 * Until when a grant that is used within `ttl` seconds is to be listed: milliseconds since the epoch. Twice that time,
 * so that a grant that is used again and again is written down once in a lifetime of its refresh token.
 */
export function listedUntil({ clock }: TokenServer, ttl: number): number {
  return clock() + 2 * ttl * 1000
}

/** Keeps a grant for `ttl` seconds, on its person's list. */
export async function keepGrant(server: TokenServer, id: string, given: NewGrant, ttl: number): Promise<void> {
  const until = listedUntil(server, ttl)
  await listGrant(server, id, given, until, [keeping(server, id, [given, given], until, ttl)])
}

/** Puts a grant on its person's list, and answers with the step that keeps it for `ttl` seconds. */
export async function listedGrant(
  server: TokenServer,
  id: string,
  [allowed, proof]: readonly [Allowed, GrantProof],
  ttl: number
): Promise<WriteStep> {
  return keeping(server, id, [allowed, proof], await keepListed(server, id, allowed, ttl), ttl)
}

/** Every member there is, so that the compiler misses one that is not written out. */
type Whole<T> = { readonly [Name in keyof Required<T>]: T[Name] }

function keeping(
  { clock }: TokenServer,
  id: string,
  [allowed, proof]: readonly [Allowed, GrantProof],
  listed_until: number,
  ttl: number
): WriteStep {
  const { client_id, sub, about_client, exchanged, scope, resources, claims, authorization_details } = allowed
  const { auth_time, acr, amr, sid, since = Math.floor(clock() / 1000) } = allowed
  const { cnf, auth_method, instance_jkt, refresh } = proof
  // written out: copying what was allowed and adding the others took a twentieth of a code's whole request
  const record: Whole<GrantRecord> = {
    client_id,
    sub,
    about_client,
    exchanged,
    scope,
    resources,
    claims,
    authorization_details,
    auth_time,
    acr,
    amr,
    sid,
    cnf,
    auth_method,
    instance_jkt,
    refresh,
    since,
    listed_until
  }
  return writing(grantKey(id), record, ttl)
}

/**
 * Sees to it that a grant that lives `ttl` seconds from now is on its person's list as long; answers until when it is.
 */
export async function keepListed(
  server: TokenServer,
  id: string,
  record: Holding & Pick<GrantRecord, 'listed_until'>,
  ttl: number
): Promise<number> {
  if (record.listed_until !== undefined && record.listed_until >= server.clock() + ttl * 1000) return record.listed_until
  const until = listedUntil(server, ttl)
  await listGrant(server, id, record, until)
  return until
}

/**
 * Ends what one client holds of a person's, but for what `isKept` says of its scope. Codes on their way to it end too.
 */
export async function endGrantsBut(
  server: TokenServer,
  sub: string,
  client_id: string,
  isKept: (scope: readonly string[]) => boolean
): Promise<void> {
  const ended: string[] = []
  for (const id of await listedGrants(server, { sub, client_id })) {
    const found = await findGrant(server.store, id)
    if (found !== undefined && isKept(found.grant.scope)) continue
    await endGrant(server, id, client_id, 'logout')
    ended.push(id)
  }
  if (ended.length > 0) await forgetGrants(server, { sub, client_id }, ended)
}

/** The three operations a host application gets. */
export function personGrants(server: TokenServer): PersonGrants {
  return {
    grants: sub => grantsOf(server, sub),
    async revokeGrant(sub, id) {
      // what a form brings may be longer than a key
      const grant = id.length > 512 ? undefined : (await findGrant(server.store, id))?.grant
      if (grant?.sub !== sub) return false
      await endGrant(server, id, grant.client_id, 'person')
      await forgetGrants(server, grant, [id])
      return true
    },
    revokeGrants: (sub, client_id) => endListed(server, { sub, client_id }, 'person')
  }
}

async function grantsOf(server: TokenServer, sub: string): Promise<readonly PersonGrant[]> {
  const clients = await clientsOfPerson(server, sub)
  const lists = await Promise.all(clients.map(client_id => listedGrants(server, { sub, client_id })))
  const found = await Promise.all(lists.flat().map(async id => ({ id, record: await findLivingGrant(server.store, id) })))
  return found
    .flatMap(({ id, record }) => (record === undefined ? [] : [shown(id, record.grant)]))
    .sort((a, b) => b.since - a.since)
}

function shown(id: string, grant: GrantRecord): PersonGrant {
  const { client_id, scope, resources, authorization_details, since, refresh } = grant
  return {
    id,
    client_id,
    scope,
    resources,
    ...(authorization_details !== undefined && { authorization_details }),
    since,
    ...(refresh !== undefined && refresh.generation > 0 && { last_used: Math.floor(refresh.rotated_at / 1000) })
  }
}
