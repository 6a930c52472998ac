/**
 * Which clients and grants belong to a person's session at the application: whom to tell, and what to end, when it is
 * over. A client is put on the session's list before it is handed a code, so that no session ends without it.
 */
import { OAuthError, ServerError } from '../errors.ts'
import { read, update } from '../stores/records.ts'
import type { Key } from '../stores/store.ts'
import { tokenDigest } from './grant.ts'
import { endGrantOf } from './grant-chain.ts'
import type { TokenServer } from './token-server.ts'

/** Seconds a session is remembered after a client last joined it. */
const lifetime = 2_592_000
/** Seconds a session that ended is remembered: what was under way when it did comes too late. */
const afterwards = 120
/** As many clients and grants a session may have, and a person sessions. */
const most = 1000
/** Grants ended at once. */
const atOnce = 20

interface SessionRecord {
  readonly sub: string
  readonly clients: readonly string[]
  /** Those that end with the session. */
  readonly grants: readonly SessionGrant[]
  readonly ended?: true | undefined
}

type SessionGrant = readonly [grant: string, client_id: string]

/** A person's session at the application. */
interface PersonSession {
  readonly sid: string
  readonly sub: string
  /** Everyone who had a part in it. */
  readonly clients: readonly string[]
}

interface Joining {
  readonly sid: string
  readonly sub: string
  readonly client_id: string
  readonly scope: readonly string[]
}

/** Whether a grant outlives the session it was made in. */
export function outlivesSession(scope: readonly string[]): boolean {
  return scope.includes('offline_access')
}

/**
 * Puts a client and the grant it is about to get on the session's list.
 *
 * @throws OAuthError `login_required` where the session has ended meanwhile; ServerError for a `sid` that was another
 * person's.
 */
export async function joinSession(server: TokenServer, grant: string, joining: Joining): Promise<void> {
  const { sid, sub, client_id, scope } = joining
  const left: SessionGrant[] = []
  const joins = update<SessionRecord>(
    server.store,
    sessionKey(sid),
    found => {
      if (found?.ended === true) return undefined
      if (found !== undefined && found.sub !== sub) throw new ServerError({ reason: 'account(): two people with one sid' })
      const { clients = [], grants = [] } = found ?? {}
      const all = outlivesSession(scope) ? grants : [...grants, [grant, client_id] as const]
      left.splice(0, left.length, ...all.slice(0, Math.max(0, all.length - most)))
      return { sub, clients: [...clients.filter(known => known !== client_id), client_id].slice(-most), grants: all.slice(-most) }
    },
    () => lifetime
  )
  const [joined] = await Promise.all([joins, listSession(server, sub, sid)])
  if (joined?.ended === true) throw new OAuthError('login_required', 400, 'the session has ended')
  for (const one of left) await endWithSession(server, one)
}

/**
 * Begins the end of a session: from now on no client joins it. What is to be done is there until {@link finishSession};
 * a second call finds it again. Undefined where nothing is known of it, or it is not the session of `sub`, where that
 * is given.
 */
export async function endingSession(server: TokenServer, sid: string, sub?: string): Promise<PersonSession | undefined> {
  const isTheirs = (found: SessionRecord): boolean => sub === undefined || found.sub === sub
  const end = (found: SessionRecord | undefined): SessionRecord | undefined =>
    found === undefined || found.ended === true || !isTheirs(found) ? undefined : { ...found, ended: true }
  const found = await update(server.store, sessionKey(sid), end, () => lifetime)
  return found && isTheirs(found) ? { sid, sub: found.sub, clients: found.clients } : undefined
}

/** Ends the session's grants that do not outlive it, and forgets the rest. Answers how many grants there were. */
export async function finishSession(server: TokenServer, { sid, sub }: PersonSession): Promise<number> {
  const grants = (await read<SessionRecord>(server.store, sessionKey(sid)))?.grants ?? []
  for (let first = 0; first < grants.length; first += atOnce)
    await Promise.all(grants.slice(first, first + atOnce).map(one => endWithSession(server, one)))
  await server.store.set(sessionKey(sid), { sub, clients: [], grants: [], ended: true }, afterwards)
  await update<readonly string[]>(
    server.store,
    sessionsKey(sub),
    (found = []) => (found.includes(sid) ? found.filter(known => known !== sid) : undefined),
    () => lifetime
  )
  return grants.length
}

/** The sessions of a person that clients have a part in. */
export async function sessionsOf({ store }: TokenServer, sub: string): Promise<readonly string[]> {
  return (await read<readonly string[]>(store, sessionsKey(sub))) ?? []
}

async function listSession({ store }: TokenServer, sub: string, sid: string): Promise<void> {
  const list = (found: readonly string[] = []) =>
    found.at(-1) === sid ? undefined : [...found.filter(known => known !== sid), sid].slice(-most)
  await update<readonly string[]>(store, sessionsKey(sub), list, () => 2 * lifetime)
}

async function endWithSession(server: TokenServer, [grant, client_id]: SessionGrant): Promise<void> {
  await endGrantOf(server.store, grant)
  server.emit?.({ type: 'grant.revoked', grant, client_id, by: 'logout' })
}

function sessionKey(sid: string): Key {
  return { kind: 'session_clients', id: tokenDigest(sid) }
}

function sessionsKey(sub: string): Key {
  return { kind: 'person_sessions', id: tokenDigest(sub) }
}
