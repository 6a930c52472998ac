/** The pushed authorization request endpoint (RFC 9126): a client's request, taken and judged before the browser sees anything. */
import type { Request, RequestHandler, Response } from 'express'
import { verifyDpopProof } from '../assertions/dpop-proof.ts'
import type { Client } from '../client.ts'
import { InvalidClientError, InvalidDpopProofError, InvalidRequestError } from '../errors.ts'
import { readClientRequest } from '../http/client-request.ts'
import { addressesOfListener } from '../http/listener.ts'
import { sendJson } from '../http/responses.ts'
import type { ClientRequest, Parameters } from '../request.ts'
import { parametersOfForm } from './authorization/parameters.ts'
import { keepPushedRequest, pushedRequestTtl } from './authorization/pushed-request.ts'
import { readRedirect } from './authorization/redirect.ts'
import { readRequestObject } from './authorization/request-object.ts'
import { readAuthorizationRequest, type AuthorizationRequest } from './authorization/request.ts'
import type { EndpointContext } from './endpoint.ts'

/**
 * Answers POST with a `request_uri` that is good for one authorization within a minute.
 *
 * @param authenticate puts the client on the request: the methods of the token endpoint, public clients' `none` among them.
 * @param addresses where a request may have been sent to, for `htu` of a DPoP proof.
 */
export function pushedAuthorizationRequestEndpoint(
  context: EndpointContext,
  authenticate: RequestHandler,
  addresses: readonly string[]
): RequestHandler {
  return (req, res, next) => {
    const authenticated = (error?: unknown): void => {
      if (error === undefined) push(context, addressesOfListener(req, addresses), req, res).catch(next)
      else next(error)
    }
    void authenticate(req, res, authenticated)
  }
}

async function push(context: EndpointContext, addresses: readonly string[], req: Request, res: Response): Promise<void> {
  const client = req.authenticatedClient
  // Passport calls next() only after success; a strategy of somebody's own might pass()
  if (client === undefined) throw new InvalidClientError({ reason: 'the strategy let the request through without a client' })
  const sent = await readClientRequest(req)
  const request = await readPushedRequest(context, client, sent.parameters)
  const dpop_jkt = await readDpopKey(context, addresses, sent, request)
  const request_uri = await keepPushedRequest(context.server, { ...request, dpop_jkt })
  sendJson(res, 201, { request_uri, expires_in: pushedRequestTtl }, { 'Cache-Control': 'no-store', Pragma: 'no-cache' })
}

/** Judges everything that the authorization endpoint would, so that what was pushed can only fail at the person (RFC 9126 §2.1). */
async function readPushedRequest(context: EndpointContext, client: Client, sent: Parameters): Promise<AuthorizationRequest> {
  if (sent['request_uri'] !== undefined) throw new InvalidRequestError('request_uri cannot be pushed')
  const parameters = await readRequestObject(context, client, parametersOfForm({ ...sent, client_id: client.client_id }))
  return readAuthorizationRequest(context, readRedirect(client, parameters), parameters)
}

/** RFC 9449 §10.1: the key of a proof sent here is the one the code is bound to. */
async function readDpopKey(
  context: EndpointContext,
  addresses: readonly string[],
  { headers }: ClientRequest,
  { dpop_jkt }: AuthorizationRequest
): Promise<string | undefined> {
  const proof = headers['dpop']
  if (proof === undefined) return dpop_jkt
  if (typeof proof !== 'string') throw new InvalidDpopProofError({ reason: 'more than one DPoP header was sent' })
  const { jkt } = await verifyDpopProof({ proof, method: 'POST', addresses, policy: context.dpop })
  if (dpop_jkt !== undefined && dpop_jkt !== jkt) throw new InvalidRequestError('dpop_jkt is not the key of the DPoP proof')
  return jkt
}
