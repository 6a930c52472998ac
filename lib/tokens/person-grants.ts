/**
 * The grants of each person, found by person: what a client holds of theirs can be shown to them, and taken back. Two
 * lists in the store, each changed by compare-and-set, so that of two authorizations at once neither is lost: a
 * person's clients, and what one client holds of one person. A grant is listed before any code or token of it is handed
 * out: nothing lives that its person cannot end.
 */
import type { GrantRevoked } from '../events/events.ts'
import { inOneStep } from '../stores/batch.ts'
import { read, update, writing } from '../stores/records.ts'
import type { Key, WriteStep } from '../stores/store.ts'
import { findGrant, grantKey, tokenDigest, type AuthorizationDetail, type GrantRecord } from './grant.ts'
import { endGrantOf, findLivingGrant } from './grant-chain.ts'
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

/**
 * The name of a client or grant, and the milliseconds since the epoch after which it is gone by itself. The oldest come
 * first.
 */
type Listed = readonly [name: string, until: number]

/** As many clients a person may have, and as many grants one client of one person's. Beyond that the oldest end. */
const most = 1000

/** Keeps a grant for `ttl` seconds, on its person's list. */
export async function keepGrant(server: TokenServer, id: string, given: NewGrant, ttl: number): Promise<void> {
  await inOneStep(server.store, [await listedGrant(server, id, given, ttl)])
}

/** Puts a grant on its person's list, and answers with the step that keeps it for `ttl` seconds. */
export async function listedGrant(server: TokenServer, id: string, given: NewGrant, ttl: number): Promise<WriteStep> {
  const since = given.since ?? Math.floor(server.clock() / 1000)
  const record: GrantRecord = { ...given, since, listed_until: await keepListed(server, id, given, ttl) }
  return writing(grantKey(id), record, ttl)
}

/**
 * Sees to it that a grant that lives `ttl` seconds from now is on its person's list as long; answers until when it is.
 */
export async function keepListed(
  server: TokenServer,
  id: string,
  record: Pick<GrantRecord, 'sub' | 'client_id' | 'listed_until'>,
  ttl: number
): Promise<number> {
  const needed = server.clock() + ttl * 1000
  return record.listed_until !== undefined && record.listed_until >= needed
    ? record.listed_until
    : listGrant(server, id, record, ttl)
}

/**
 * Puts a grant on its person's list before it exists, and answers until when it is there: twice its time, so that a
 * grant that is used again and again is written down once in a lifetime of its refresh token.
 */
export async function listGrant(
  server: TokenServer,
  id: string,
  { sub, client_id }: Pick<GrantRecord, 'sub' | 'client_id'>,
  ttl: number
): Promise<number> {
  const now = server.clock()
  const until = now + 2 * ttl * 1000
  await put(server, grantsKey(sub, client_id), [id, until], until, grant => endGrant(server, grant, client_id, 'limit'))
  // the client comes second: whoever ends a client that is one too many then finds this grant, or sees the client come
  // back
  await put(server, clientsKey(sub), [client_id, now + 4 * ttl * 1000], until, client => endGrants(server, sub, client, 'limit'))
  return until
}

/** The clients that hold something of a person's, or lately did. */
export async function clientsOfPerson(server: TokenServer, sub: string): Promise<readonly string[]> {
  return (await readList(server, clientsKey(sub))).map(([client_id]) => client_id)
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
  for (const [id] of await readList(server, grantsKey(sub, client_id))) {
    const found = await findGrant(server.store, id)
    if (found !== undefined && isKept(found.grant.scope)) continue
    await endGrant(server, id, client_id, 'logout')
    ended.push(id)
  }
  if (ended.length > 0) await drop(server, grantsKey(sub, client_id), ended)
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
      await drop(server, grantsKey(sub, grant.client_id), [id])
      return true
    },
    revokeGrants: (sub, client_id) => endGrants(server, sub, client_id, 'person')
  }
}

async function grantsOf(server: TokenServer, sub: string): Promise<readonly PersonGrant[]> {
  const clients = await readList(server, clientsKey(sub))
  const lists = await Promise.all(clients.map(([client_id]) => readList(server, grantsKey(sub, client_id))))
  const found = await Promise.all(lists.flat().map(async ([id]) => ({ id, record: await findLivingGrant(server.store, id) })))
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

/**
 * The grants end before they leave the list: a process that stops in between leaves nothing alive that is not on it.
 */
async function endGrants(server: TokenServer, sub: string, client_id: string, by: GrantRevoked['by']): Promise<void> {
  const key = grantsKey(sub, client_id)
  const ids = (await readList(server, key)).map(([id]) => id)
  await Promise.all(ids.map(id => endGrant(server, id, client_id, by)))
  await drop(server, key, ids)
}

async function endGrant(server: TokenServer, grant: string, client_id: string, by: GrantRevoked['by']): Promise<void> {
  await endGrantOf(server.store, grant)
  server.emit?.({ type: 'grant.revoked', grant, client_id, by })
}

async function readList({ store }: TokenServer, key: Key): Promise<readonly Listed[]> {
  return (await read<readonly Listed[]>(store, key)) ?? []
}

/** Puts an entry on a list, unless it is there until `needed` already. What is one too many is ended first. */
async function put(
  server: TokenServer,
  key: Key,
  entry: Listed,
  needed: number,
  end: (name: string) => Promise<void>
): Promise<void> {
  const [name] = entry
  let ended: readonly Listed[] = []
  await change(server, key, async listed => {
    ended = []
    if (listed.some(([known, until]) => known === name && until >= needed)) return undefined
    const others = listed.filter(([known, until]) => known !== name && until > server.clock())
    ended = others.slice(0, Math.max(0, others.length + 1 - most))
    await Promise.all(ended.map(([other]) => end(other)))
    return [...others.slice(ended.length), entry]
  })
  // what came to one of them meanwhile
  await Promise.all(ended.map(([other]) => end(other)))
}

async function drop(server: TokenServer, key: Key, names: readonly string[]): Promise<void> {
  const gone = new Set(names)
  await change(server, key, listed => {
    const rest = listed.filter(([name]) => !gone.has(name))
    return rest.length === listed.length ? undefined : rest
  })
}

type Listing = readonly Listed[] | undefined

/** Changes a list, and keeps it for as long as anything on it. */
function change(
  { store, clock }: TokenServer,
  key: Key,
  changed: (listed: readonly Listed[]) => Listing | Promise<Listing>
): Promise<Listing> {
  const ttlOf = (listed: readonly Listed[]): number =>
    Math.max(1, ...listed.map(([, until]) => Math.ceil((until - clock()) / 1000)))
  return update<readonly Listed[]>(store, key, (listed = []) => changed(listed), ttlOf)
}

function clientsKey(sub: string): Key {
  return { kind: 'person_clients', id: tokenDigest(sub) }
}

function grantsKey(sub: string, client_id: string): Key {
  return { kind: 'person_grants', id: tokenDigest(JSON.stringify([sub, client_id])) }
}
