/** Backchannel authentication requests (OpenID Connect CIBA): one person is asked, by one client, and answers on a device of their own. */
import type { Key } from '../stores/store.ts'
import { toJson, tokenDigest } from './grant.ts'
import {
  findUndecided,
  keepRequest,
  newPollingCode,
  type FoundRequest,
  type PolledReference,
  type PolledRequest
} from './polled-request.ts'
import { open, seal } from './sealed.ts'
import type { TokenServer } from './token-server.ts'

export const cibaGrantType = 'urn:openid:params:grant-type:ciba'

/** How a client learns of the outcome (CIBA Core §5). */
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
  /** How the client authenticated. */
  readonly auth_method: string
  /** What the client is to be told, sealed; absent where it polls. */
  readonly notification?: string | undefined
}

/** What a notification consists of: secrets of the client's, which the store must not see. */
export interface Notification {
  readonly auth_req_id: string
  readonly client_notification_token: string
}

/** As many requests as may wait for one person; beyond it the oldest can be decided no more. */
const mostWaiting = 50
const purpose = 'backchannel_notification'

/** Keeps a request, on its person's list, and returns its `auth_req_id`: 256 random bits, of which the store has a digest only. */
export async function keepBackchannelRequest(
  server: TokenServer,
  asked: Omit<BackchannelRequest, 'notification'>,
  client_notification_token: string | undefined
): Promise<{ auth_req_id: string; found: FoundRequest<BackchannelRequest> }> {
  const { code: auth_req_id, reference } = newPollingCode(server, 'auth_req_id', asked.client_id)
  const request: BackchannelRequest =
    client_notification_token === undefined
      ? asked
      : { ...asked, notification: seal(server, purpose, JSON.stringify({ auth_req_id, client_notification_token })) }
  await keepRequest(server, reference, request)
  await listRequest(server, reference, request)
  return { auth_req_id, found: { reference, request } }
}

/** What the client of a request is to be told, and with which token; undefined where it polls. */
export function notificationOf(server: TokenServer, { notification }: BackchannelRequest): Notification | undefined {
  return notification === undefined ? undefined : (JSON.parse(open(server, purpose, notification)) as Notification)
}

/** The undecided requests that wait for a person, the newest first. */
export async function waitingFor(server: TokenServer, sub: string): Promise<readonly FoundRequest<BackchannelRequest>[]> {
  const listed = await readList(server, sub)
  const found = await Promise.all(
    listed.entries.map(({ grant, id }) => findUndecided<BackchannelRequest>(server, { kind: 'auth_req_id', grant, id }))
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
  /** Milliseconds since the epoch. */
  readonly expires_at: number
}

/** Adds to a person's list; where somebody else did meanwhile, on top of theirs. */
async function listRequest(
  server: TokenServer,
  { grant, id }: PolledReference,
  { sub, expires_at }: BackchannelRequest
): Promise<void> {
  for (;;) {
    const now = server.clock()
    const { entries, version } = await readList(server, sub)
    const next: readonly Listed[] = [...entries.filter(entry => entry.expires_at > now), { grant, id, expires_at }].slice(
      -mostWaiting
    )
    const ttl = Math.max(1, ...next.map(entry => entry.expires_at - now)) / 1000
    const key = listKey(sub)
    const written =
      version === undefined
        ? await server.store.add(key, toJson(next), ttl)
        : await server.store.swap(key, version, toJson(next), ttl)
    if (written) return
  }
}

async function readList(
  { store }: TokenServer,
  sub: string
): Promise<{ entries: readonly Listed[]; version: string | number | undefined }> {
  const record = await store.get(listKey(sub))
  return { entries: (record?.value ?? []) as unknown as readonly Listed[], version: record?.version }
}

function listKey(sub: string): Key {
  return { kind: 'backchannel_requests', id: tokenDigest(sub) }
}
