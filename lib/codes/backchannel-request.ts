/**
 * Backchannel authentication requests (OpenID Connect CIBA): one person is asked, by one client, and answers on a
 * device of their own.
 */
import { TooManyAttemptsError } from '../errors.ts'
import { read, update } from '../stores/records.ts'
import type { Key } from '../stores/store.ts'
import { tokenDigest } from '../tokens/grant.ts'
import {
  findUndecided,
  keepRequest,
  newPollingCode,
  type FoundRequest,
  type PolledReference,
  type PolledRequest
} from './polled-request.ts'
import { opened, sealed } from '../tokens/sealed.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** Ways in which a client learns of the outcome (CIBA Core §5). */
export const deliveryModes = ['poll', 'ping', 'push'] as const
export type DeliveryMode = (typeof deliveryModes)[number]

export interface BackchannelRequest extends PolledRequest {
  /** The person who is asked. */
  readonly sub: string
  readonly binding_message?: string | undefined
  readonly acr_values: readonly string[]
  /** Milliseconds since the epoch. */
  readonly requested_at: number
  readonly delivery: DeliveryMode
  /** The method the client authenticated by. */
  readonly auth_method: string
  /** The notification the client is to be sent, sealed; absent where it polls. */
  readonly notification?: string | undefined
}

/** Content of a notification: secrets of the client's, which the store must not see. */
export interface Notification {
  readonly auth_req_id: string
  readonly client_notification_token: string
}

/**
 * As many requests of one client as may wait for one person, and of all clients: one more is refused, and pushes
 * nobody's out.
 */
const mostOfClient = 50
const mostWaiting = 500
const purpose = 'backchannel_notification'

/**
 * Keeps a request, on its person's list, and returns its `auth_req_id`: 256 random bits, of which the store has a
 * digest only.
 *
 * @throws TooManyAttemptsError where as many of this client wait for the person as may.
 */
export async function keepBackchannelRequest(
  server: TokenServer,
  asked: Omit<BackchannelRequest, 'notification'>,
  client_notification_token: string | undefined
): Promise<{ auth_req_id: string; found: FoundRequest<BackchannelRequest> }> {
  const { code: auth_req_id, reference } = newPollingCode(server, 'auth_req_id', asked.client_id)
  const request: BackchannelRequest =
    client_notification_token === undefined
      ? asked
      : { ...asked, notification: sealed(server, purpose, { auth_req_id, client_notification_token }) }
  const add = await addition(server, reference, request)
  // refused before it is kept; and listed after, so that whatever is listed is there
  add(await readList(server, request.sub))
  await keepRequest(server, reference, request)
  await update(server.store, listKey(request.sub), add, listed => ttlOf(listed, server.clock()))
  return { auth_req_id, found: { reference, request } }
}

/** Opens the notification that the client of a request is to be sent; undefined where it polls. */
export function notificationOf(server: TokenServer, { notification }: BackchannelRequest): Notification | undefined {
  return notification === undefined ? undefined : (opened(server, purpose, notification) as Notification)
}

/** The undecided requests that wait for a person, the newest first. */
export async function waitingFor(server: TokenServer, sub: string): Promise<readonly FoundRequest<BackchannelRequest>[]> {
  const listed = await readList(server, sub)
  const found = await Promise.all(
    listed.map(({ grant, id }) => findUndecided<BackchannelRequest>(server, { kind: 'auth_req_id', grant, id }))
  )
  return found.filter(request => request !== undefined).reverse()
}

/** Names a request to its person's page. */
export function nameOf({ grant, id }: PolledReference): string {
  return `${grant}.${id}`
}

/** The undecided request of that name, if it is this person's to decide. */
export async function findBackchannelRequest(
  server: TokenServer,
  name: string,
  sub: string
): Promise<FoundRequest<BackchannelRequest> | undefined> {
  const [, grant, id] = /^([\w-]{22})\.([\w-]{43})$/.exec(name) ?? []
  if (grant === undefined || id === undefined) return undefined
  const found = await findUndecided<BackchannelRequest>(server, { kind: 'auth_req_id', grant, id })
  return found?.request.sub === sub ? found : undefined
}

interface Listed {
  readonly grant: string
  readonly id: string
  readonly client_id: string
  /** Milliseconds since the epoch. */
  readonly expires_at: number
}

/** Adds to a person's list; where somebody else did meanwhile, on top of theirs. @throws TooManyAttemptsError */
async function addition(
  server: TokenServer,
  { grant, id }: PolledReference,
  { sub, client_id, expires_at }: BackchannelRequest
): Promise<(listed: readonly Listed[] | undefined) => readonly Listed[]> {
  const decided = await decidedOf(server, sub, client_id)
  return (listed = []) => {
    const now = server.clock()
    const waiting = listed.filter(entry => entry.expires_at > now && !decided.has(entry.id))
    const own = waiting.filter(entry => entry.client_id === client_id)
    if (own.length >= mostOfClient || waiting.length >= mostWaiting)
      throw tooMany(own.length >= mostOfClient ? own : waiting, now)
    return [...waiting, { grant, id, client_id, expires_at }]
  }
}

/** In seconds. */
function ttlOf(listed: readonly Listed[], now: number): number {
  return Math.max(1, ...listed.map(entry => entry.expires_at - now)) / 1000
}

/** Those of a client's listed requests that wait no more: looked up only where there seem to be too many. */
async function decidedOf(server: TokenServer, sub: string, client_id: string): Promise<ReadonlySet<string>> {
  const listed = await readList(server, sub)
  const own = listed.filter(entry => entry.client_id === client_id)
  const ofClient = own.length >= mostOfClient ? own : []
  const suspects = listed.length >= mostWaiting ? listed : ofClient
  const waiting = await Promise.all(
    suspects.map(({ grant, id }) => findUndecided<BackchannelRequest>(server, { kind: 'auth_req_id', grant, id }))
  )
  return new Set(suspects.filter((_, index) => waiting[index] === undefined).map(({ id }) => id))
}

function tooMany(waiting: readonly Listed[], now: number): TooManyAttemptsError {
  const first = Math.min(...waiting.map(({ expires_at }) => expires_at))
  return new TooManyAttemptsError({
    retryAfter: Math.max(1, Math.ceil((first - now) / 1000)),
    reason: `${waiting.length} requests wait for this person to decide`
  })
}

async function readList({ store }: TokenServer, sub: string): Promise<readonly Listed[]> {
  return (await read<readonly Listed[]>(store, listKey(sub))) ?? []
}

function listKey(sub: string): Key {
  return { kind: 'backchannel_requests', id: tokenDigest(sub) }
}
