/** Telling a client that its person decided (CIBA Core §10.2 ping, §10.3 push), at the address it registered. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../clients/client.ts'
import { cibaGrantType } from '../../clients/grant-types.ts'
import { notificationOf, type BackchannelRequest, type Notification } from '../../codes/backchannel-request.ts'
import { beginGrant } from '../../codes/begin-grant.ts'
import { handOut, type FoundRequest, type PersonDecision } from '../../codes/polled-request.ts'
import { GuardedFetchError, type GuardedFetchReason } from '../../outbound/guarded-fetch.ts'
import { findClient } from '../../clients/find-client.ts'
import { type EndpointContext } from '../endpoint.ts'
import type { BackchannelPolicy } from './options.ts'

/** Milliseconds before each further try. */
const pauses = [250, 2000]

/** Refused by the guard for what the endpoint's URL says: another try would be refused as well. */
const final: readonly GuardedFetchReason[] = ['invalid_url', 'forbidden_scheme', 'forbidden_user_info', 'forbidden_address']

/** A client could not be told. */
export class NotificationError extends Error {
  /** The class's name. */
  override readonly name = 'NotificationError'
  /** The client that could not be told. */
  readonly client_id: string
  constructor(client_id: string, why: string, options?: ErrorOptions) {
    super(`the notification endpoint of ${client_id} ${why}`, options)
    this.client_id = client_id
  }
}

/**
 * Pings or pushes, as far as the client asked for it: three times at most, again only where it did not answer or
 * answered 429 or 5xx. An endpoint that may not be asked is not tried again. What was pushed and not taken is revoked.
 *
 * @throws NotificationError where the client was not told.
 */
export async function deliver(
  context: EndpointContext,
  policy: BackchannelPolicy,
  found: FoundRequest<BackchannelRequest>,
  decision: PersonDecision
): Promise<void> {
  const notification = notificationOf(context.server, found.request)
  if (notification === undefined) return
  const client = await findClient(context.clients, found.request.client_id)
  if (client === undefined) return
  const { auth_req_id } = notification
  if (found.request.delivery === 'ping') await post(policy, client, notification, { auth_req_id })
  else if (decision.decision === 'allow') await pushTokens(context, policy, client, found, notification, decision.approval)
  else
    await post(policy, client, notification, {
      auth_req_id,
      error: 'access_denied',
      error_description: 'the person denied the request'
    })
}

async function pushTokens(
  { server }: EndpointContext,
  policy: BackchannelPolicy,
  client: Client,
  found: FoundRequest<BackchannelRequest>,
  notification: Notification,
  approval: Extract<PersonDecision, { decision: 'allow' }>['approval']
): Promise<void> {
  if (!(await handOut(server, found))) return
  const { scope, resources, authorization_details, auth_method, instance_jkt } = found.request
  const { auth_req_id } = notification
  const id = found.reference.grant
  const allowed = { client_id: client.client_id, scope, resources, authorization_details, ...approval }
  const begin = () =>
    beginGrant(server, id, allowed, {
      client,
      authentication: { method: auth_method, ...(instance_jkt !== undefined && { instance: instance_jkt }) }
    })
  const tokens = await server.respond(
    { client, grant_type: cibaGrantType },
    { ...allowed, id },
    { resource: resources, refresh_token: begin, auth_req_id }
  )
  try {
    await post(policy, client, notification, { auth_req_id, ...tokens })
  } catch (error) {
    // nobody may live on what its client does not know of
    await server.store.deleteGrant(id)
    server.emit?.({ type: 'grant.revoked', grant: id, client_id: client.client_id, by: 'undelivered' })
    throw error
  }
}

async function post(
  { postJson }: BackchannelPolicy,
  client: Client,
  { client_notification_token }: Notification,
  body: object
): Promise<void> {
  const { client_id, backchannel_client_notification_endpoint: url = '' } = client
  const headers = { authorization: `Bearer ${client_notification_token}` }
  let failure = new NotificationError(client_id, 'was not asked')
  for (const pause of [0, ...pauses]) {
    if (pause > 0) await sleep(pause, undefined, { ref: false })
    try {
      const status = await postJson(url, { headers, body })
      if (status >= 200 && status < 300) return
      failure = new NotificationError(client_id, `answered ${status}`)
      if (status !== 429 && status < 500) throw failure
    } catch (cause) {
      if (cause === failure) throw failure
      failure = new NotificationError(client_id, 'did not answer', { cause })
      if (cause instanceof GuardedFetchError && final.includes(cause.reason)) throw failure
    }
  }
  throw failure
}
