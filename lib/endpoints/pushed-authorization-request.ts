/**
 * The pushed authorization request endpoint (RFC 9126): a client's request, taken and judged before the browser sees
 * anything.
 */
import type { Request, RequestHandler, Response } from 'express'
import { offerDpopNonce } from '../assertions/dpop-nonces.ts'
import { verifyRequestProof } from '../assertions/dpop-proof.ts'
import { isPublic, type Client } from '../clients/client.ts'
import { InvalidRequestError } from '../errors.ts'
import { readClientRequest } from '../http/client-request.ts'
import { addressesOfListener } from '../http/listener.ts'
import { notStored, sendJson } from '../http/responses.ts'
import type { ClientRequest, Parameters } from '../client-request.ts'
import { parametersOfForm } from '../authorization-requests/parameters.ts'
import { keepPushedRequest, pushedRequestTtl } from '../authorization-requests/pushed-request.ts'
import { readRedirect } from '../authorization-requests/redirect.ts'
import { readRequestObject } from '../authorization-requests/request-object.ts'
import { readAuthorizationRequest, type AuthorizationRequest } from '../authorization-requests/request.ts'
import { clientHandlerOf, type Endpoint, type EndpointContext } from './endpoint.ts'

/**
 * Answers POST with a `request_uri` that is good for one authorization within a minute. Clients authenticate as at the
 * token endpoint, public ones too.
 */
export function pushedAuthorizationRequestEndpoint(context: EndpointContext): Endpoint {
  const member = 'pushed_authorization_request_endpoint'
  const { strategies, authenticate } = context.authentication('pushed_authorization_request')
  const addresses = context.listenerAddresses(member)
  const answer = clientHandlerOf(authenticate, (client, req, res) =>
    push(context, client, addressesOfListener(req, addresses), req, res)
  )
  const handler: RequestHandler = (req, res, next) => {
    offerDpopNonce(res, context.dpop)
    answer(req, res, next)
  }
  return { member, caller: 'client', strategies, handler }
}

async function push(
  context: EndpointContext,
  client: Client,
  addresses: readonly string[],
  req: Request,
  res: Response
): Promise<void> {
  const sent = await readClientRequest(req)
  const request = await readPushedRequest(context, client, sent.parameters)
  const dpop_jkt = await readDpopKey(context, addresses, sent, request)
  if (isPublic(client)) context.anonymousBudget.spend(req, request)
  const instance_jkt = sent.authentication?.instance
  const request_uri = await keepPushedRequest(context.server, { ...request, dpop_jkt, instance_jkt })
  sendJson(res, 201, { request_uri, expires_in: pushedRequestTtl }, notStored)
}

/**
 * Judges everything that the authorization endpoint would, so that what was pushed can only fail at the person (RFC
 * 9126 §2.1).
 */
async function readPushedRequest(context: EndpointContext, client: Client, sent: Parameters): Promise<AuthorizationRequest> {
  if (sent['request_uri'] !== undefined) throw new InvalidRequestError('request_uri cannot be pushed')
  const parameters = await readRequestObject(context, client, parametersOfForm({ ...sent, client_id: client.client_id }))
  return readAuthorizationRequest(context, readRedirect(client, parameters), parameters)
}

/** RFC 9449 §10.1: the key of a proof sent here is the one the code is bound to. */
async function readDpopKey(
  context: EndpointContext,
  addresses: readonly string[],
  sent: ClientRequest,
  { dpop_jkt, client_id }: AuthorizationRequest
): Promise<string | undefined> {
  const proved = await verifyRequestProof(sent, client_id, context.dpop, addresses)
  if (proved === undefined) return dpop_jkt
  if (dpop_jkt !== undefined && dpop_jkt !== proved.jkt)
    throw new InvalidRequestError('dpop_jkt is not the key of the DPoP proof')
  return proved.jkt
}
