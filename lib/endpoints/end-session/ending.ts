/**
 * The end of sessions: what is to be said is kept first, then what ends with them ends, and a second call finds what a
 * first left undone.
 */
import type { EndpointContext } from '../endpoint.ts'
import { tokenDigest } from '../../tokens/grant.ts'
import { clientsOfPerson } from '../../tokens/grant-list.ts'
import { endGrantsBut } from '../../tokens/person-grants.ts'
import { endingSession, finishSession, outlivesSession, sessionsOf } from '../../tokens/sessions.ts'

type Ending = Pick<EndpointContext, 'server' | 'logout'>

/**
 * Ends one session; where `sub` is given, only if it is that person's. Answers with the clients that had a part in it.
 */
export async function endSession({ server, logout }: Ending, sid: string, sub?: string): Promise<readonly string[]> {
  const session = await endingSession(server, sid, sub)
  if (session === undefined || session.clients.length === 0) return []
  const { clients } = session
  await logout.delivery.send(tokenDigest(sid), { sub: session.sub, sid }, clients)
  const grants = await finishSession(server, session)
  server.emit?.({ type: 'session.ended', sid, sub: session.sub, clients: clients.length, grants })
  return clients
}

/**
 * Ends every session of a person, and every grant of theirs that does not outlive sessions. Clients that none of the
 * sessions led to are told by `sub` alone.
 */
export async function endEverySession(ending: Ending, sub: string): Promise<void> {
  const { server, logout } = ending
  const told = new Set<string>()
  for (const sid of await sessionsOf(server, sub)) for (const client_id of await endSession(ending, sid, sub)) told.add(client_id)
  const clients = await clientsOfPerson(server, sub)
  const others = clients.filter(client_id => !told.has(client_id))
  await logout.delivery.send(server.random(24).toString('base64url'), { sub }, others)
  for (const client_id of clients) await endGrantsBut(server, sub, client_id, outlivesSession)
}
