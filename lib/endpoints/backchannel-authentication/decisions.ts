/** Functions for the page where people decide on backchannel authentication requests. */
import type { Request } from 'express'
import type { Client } from '../../clients/client.ts'
import { tellError } from '../../http/error-handler.ts'
import { findBackchannelRequest, nameOf, waitingFor, type BackchannelRequest } from '../../codes/backchannel-request.ts'
import { decideRequest, type FoundRequest, type PersonDecision } from '../../codes/polled-request.ts'
import type { Account } from '../../authorization-requests/account.ts'
import { findClient } from '../../clients/find-client.ts'
import { type EndpointContext } from '../endpoint.ts'
import { deliver } from './delivery.ts'
import type { BackchannelAuthentication, BackchannelPolicy } from './options.ts'

/** For the page or app where a person decides, once they have signed in. */
export interface BackchannelDecisions {
  /** The requests that wait for this person, the newest first. Show who asks, for what, and the `binding_message`. */
  pending(account: Pick<Account, 'sub'>): Promise<readonly BackchannelAuthentication[]>
  /**
   * The person agreed: the client gets their tokens, by its next poll or pushed. True for exactly one decision; false
   * where the request is not this person's, or is not (or no longer) to be decided. A client that is pinged or pushed
   * to is told after this has resolved; where that fails, `onError` is.
   */
  approve(req: Request, id: string, account: Account): Promise<boolean>
  /** The person refused. True for exactly one decision. */
  deny(req: Request, id: string, account: Pick<Account, 'sub'>): Promise<boolean>
}

export function backchannelDecisions(context: EndpointContext): BackchannelDecisions {
  const { server, backchannel } = context
  const decide = async (req: Request, id: string, sub: string, decision: PersonDecision): Promise<boolean> => {
    const found = await findBackchannelRequest(server, id, sub)
    if (found === undefined || !(await decideRequest(server, found, decision))) return false
    if (backchannel !== undefined) deliverLater(context, backchannel, req, found, decision)
    return true
  }
  return {
    async pending({ sub }) {
      const waiting = await waitingFor(server, sub)
      const shown = await Promise.all(
        waiting.map(async found => {
          const client = await findClient(context.clients, found.request.client_id)
          return client === undefined ? undefined : shownTo(context, found, client)
        })
      )
      return shown.filter(request => request !== undefined)
    },
    approve: (req, id, { sub, auth_time, acr, amr, sid }) =>
      decide(req, id, sub, { decision: 'allow', approval: { sub, auth_time, acr, amr, sid } }),
    deny: (req, id, { sub }) => decide(req, id, sub, { decision: 'deny' })
  }
}

/** A request as its person may see it. */
export function shownTo(
  { server }: EndpointContext,
  { reference, request }: FoundRequest<BackchannelRequest>,
  client: Client
): BackchannelAuthentication {
  const { scope, authorization_details = [], binding_message, acr_values, requested_at, expires_at } = request
  return {
    id: nameOf(reference),
    client,
    scope,
    resources: server.resources.meant(request),
    authorization_details,
    binding_message,
    acr_values,
    requested_at: Math.floor(requested_at / 1000),
    expires_at: Math.floor(expires_at / 1000)
  }
}

/** The person does not wait for the client's server. */
function deliverLater(
  context: EndpointContext,
  policy: BackchannelPolicy,
  req: Request,
  found: FoundRequest<BackchannelRequest>,
  decision: PersonDecision
): void {
  deliver(context, policy, found, decision).catch((error: unknown) => {
    tellError(context.onError, error, req)
  })
}
