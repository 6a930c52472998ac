/**
 * Telling clients that a session ended (OpenID Connect Back-Channel Logout §2.5): nobody waits for it, and a restart
 * does not end it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, ClientRegistry } from '../../clients/client.ts'
import { GuardedFetchError, type GuardedFetchReason, type PostJson } from '../../outbound/guarded-fetch.ts'
import type { TokenServer } from '../../tokens/token-server.ts'
import { mintLogoutToken, type EndedSession } from './logout-token.ts'
import { batches, forgetBatch, holdAgain, holdBatch, holding, keepBatch, keepHolding, settleClient } from './outbox.ts'

export interface LogoutDelivery {
  /**
   * Keeps what is to be said to which clients; resolves once it is kept, and does not wait for them. `id` names it: a
   * second of one name is the first.
   */
  send(id: string, ended: EndedSession, clients: readonly string[]): Promise<void>
}

interface DeliverySetting {
  readonly server: TokenServer
  readonly clients: ClientRegistry
  readonly postJson: PostJson
  /** Whether to look for what a process before left; otherwise only after something was sent. */
  readonly fromStart: boolean
}

/** Milliseconds before each further try. With the five seconds of each post all is over within 40. */
const pauses = [1000, 10_000]
/** Clients of one batch told at once. */
const atOnce = 10
/** Milliseconds between two looks at what others left. */
const lookEvery = 10_000
/** Failures that may be over a moment later. */
const passing: readonly GuardedFetchReason[] = ['timeout', 'network', 'host_not_found']

/** The same, made when a first session ends: a server without an endpoint for that mostly ends none. */
export class LaterDelivery implements LogoutDelivery {
  private readonly setting: DeliverySetting
  private made: LogoutDelivery | undefined = undefined

  constructor(setting: DeliverySetting) {
    this.setting = setting
  }

  send(id: string, ended: EndedSession, clients: readonly string[]): Promise<void> {
    this.made ??= logoutDelivery(this.setting)
    return this.made.send(id, ended, clients)
  }
}

/** Sends logout tokens, and those that a process before left unsent. */
export function logoutDelivery(setting: DeliverySetting): LogoutDelivery {
  const { server } = setting
  const atWork = new Set<string>()
  const work = (id: string, hold: () => Promise<readonly [EndedSession, readonly string[]] | undefined>): void => {
    if (atWork.has(id)) return
    atWork.add(id)
    const finish = (): void => void atWork.delete(id)
    hold()
      .then(held => held && deliver(setting, id, ...held))
      // the store or the clients' source does not answer: the batch is still there, and will be found
      .then(finish, finish)
  }
  const look = async (): Promise<void> => {
    for (const id of await batches(server.store))
      work(id, async () => {
        const batch = await holdBatch(server.store, id, server.clock())
        return batch && [batch, batch.clients]
      })
  }
  const lookQuietly = (): void => void look().catch(() => undefined)
  const looking = { now: lookQuietly }
  let isLooking = false
  const startLooking = (): void => {
    if (isLooking) return
    isLooking = true
    lookEachTime(new WeakRef(looking))
  }
  if (setting.fromStart) {
    startLooking()
    setTimeout(lookQuietly, 0).unref()
  }
  return {
    async send(id, ended, clients) {
      const told = await withAddress(setting.clients, clients)
      if (told.length === 0) return
      startLooking()
      const batch = { ...ended, clients: told, held_until: server.clock() + holding }
      if (await keepBatch(server.store, id, batch)) work(id, () => Promise.resolve([ended, told]))
    }
  }
}

/** For as long as the server is there: an application may let go of one of its tenants. */
function lookEachTime(looking: WeakRef<{ readonly now: () => void }>): void {
  const timer = setInterval(() => {
    const found = looking.deref()
    if (found === undefined) clearInterval(timer)
    else found.now()
  }, lookEvery)
  timer.unref()
}

async function withAddress(registry: ClientRegistry, client_ids: readonly string[]): Promise<readonly string[]> {
  const told: string[] = []
  for (const client_id of client_ids)
    if ((await registry.find(client_id))?.backchannel_logout_uri !== undefined) told.push(client_id)
  return told
}

async function deliver(setting: DeliverySetting, id: string, ended: EndedSession, clients: readonly string[]): Promise<void> {
  const { store, clock } = setting.server
  const hold = setInterval(() => void keepHolding(store, id, clock()).catch(() => undefined), holdAgain)
  hold.unref()
  try {
    const waiting = [...clients]
    const next = async (): Promise<void> => {
      for (let client_id = waiting.shift(); client_id !== undefined; client_id = waiting.shift()) {
        const client = await setting.clients.find(client_id)
        if (client !== undefined) await tell(setting, client, ended)
        await settleClient(store, id, client_id)
      }
    }
    await Promise.all(Array.from({ length: Math.min(atOnce, clients.length) }, next))
    await forgetBatch(store, id)
  } finally {
    clearInterval(hold)
  }
}

/**
 * Asks a client at most three times: again after 5xx, a connection that was cut, or five seconds of silence. Every
 * other answer is the last.
 */
async function tell({ server, postJson }: DeliverySetting, client: Client, ended: EndedSession): Promise<void> {
  const { client_id, backchannel_logout_uri: uri, backchannel_logout_session_required: needsSession } = client
  const { sid } = ended
  if (uri === undefined || (sid === undefined && needsSession === true)) return
  let attempts = 0
  let reason = 'it was not asked'
  for (const pause of [0, ...pauses]) {
    if (pause > 0) await sleep(pause, undefined, { ref: false })
    attempts += 1
    const outcome = await ask(server, postJson, client, uri, ended)
    if (outcome === 'taken') {
      server.emit?.({ type: 'logout.delivered', client_id, sid, attempts })
      return
    }
    reason = outcome.reason
    if (!outcome.again) break
  }
  server.emit?.({ type: 'logout.undelivered', client_id, sid, attempts, reason })
}

type Outcome = 'taken' | { readonly reason: string; readonly again: boolean }

async function ask(server: TokenServer, postJson: PostJson, client: Client, uri: string, ended: EndedSession): Promise<Outcome> {
  try {
    // one of its own for each try: a client that took the first and was not heard must not take the second for a replay
    const logout_token = await mintLogoutToken(server, client, ended)
    const status = await postJson(uri, { headers: {}, body: new URLSearchParams({ logout_token }) })
    if (status >= 200 && status < 300) return 'taken'
    return { reason: `it answered ${status}`, again: status >= 500 }
  } catch (error) {
    if (!(error instanceof GuardedFetchError)) return { reason: 'no logout token could be made or sent for it', again: false }
    return { reason: error.message, again: passing.includes(error.reason) }
  }
}
