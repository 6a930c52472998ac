/**
 * The backchannel authentication endpoint (OpenID Connect CIBA §7): a client asks for a person who is somewhere else.
 */
import type { Request, Response } from 'express'
import type { Client } from '../../clients/client.ts'
import { readClientRequest } from '../../http/client-request.ts'
import { tellError } from '../../http/error-handler.ts'
import { sendTokenResponse } from '../../http/responses.ts'
import { keepBackchannelRequest } from '../../codes/backchannel-request.ts'
import { clientHandlerOf, type Endpoint, type EndpointContext } from '../endpoint.ts'
import { shownTo } from './decisions.ts'
import type { BackchannelPolicy } from './options.ts'
import { readBackchannelRequest } from './request.ts'

/** Answers POST with an `auth_req_id`. Confidential clients only. */
export function backchannelAuthenticationEndpoint(context: EndpointContext, policy: BackchannelPolicy): Endpoint {
  const { strategies, authenticate } = context.authentication('backchannel_authentication')
  return {
    member: 'backchannel_authentication_endpoint',
    caller: 'client',
    strategies,
    handler: clientHandlerOf(authenticate, (client, req, res) => answer(context, policy, client, req, res)),
    metadata: {
      backchannel_token_delivery_modes_supported: policy.deliveryModes,
      backchannel_authentication_request_signing_alg_values_supported: context.requestObjects.algorithms,
      backchannel_user_code_parameter_supported: policy.checkUserCode !== undefined
    }
  }
}

async function answer(
  context: EndpointContext,
  policy: BackchannelPolicy,
  client: Client,
  req: Request,
  res: Response
): Promise<void> {
  const { server } = context
  const sent = await readClientRequest(req)
  const { parameters, authentication = { method: client.token_endpoint_auth_method }, traceId } = sent
  const { request, client_notification_token } = await readBackchannelRequest(context, policy, client, parameters, traceId)
  const asked = { ...request, auth_method: authentication.method, instance_jkt: authentication.instance }
  const { auth_req_id, found } = await keepBackchannelRequest(server, asked, client_notification_token)
  const { expires_at, requested_at, interval, delivery } = request
  const expires_in = (expires_at - requested_at) / 1000
  sendTokenResponse(res, { auth_req_id, expires_in, ...(delivery !== 'push' && { interval }) })
  // the client has its answer: what becomes of the message to the person is the operator's to hear
  const notified = async (): Promise<void> => {
    await policy.notify?.(shownTo(context, found, client), request.sub)
  }
  notified().catch((error: unknown) => {
    tellError(context.onError, error, req)
  })
}
