/** The authorization endpoint (RFC 6749 §3.1): from a client's request, through a person, to a code. */
import type { Client } from '../../clients/client.ts'
import { mayBegin } from '../../clients/documents/postponed.ts'
import { InvalidRequestError } from '../../errors.ts'
import { findClient } from '../../clients/find-client.ts'
import { handlerOf, type Endpoint, type EndpointContext } from '../endpoint.ts'
import { advance } from './advance.ts'
import { answering, reading, redirecting } from './answering.ts'
import type { Exchange } from './exchange.ts'
import { readAuthorizationParameters, type AuthorizationParameters } from '../../authorization-requests/parameters.ts'
import type { PendingAuthorization } from './pending.ts'
import { sendOn } from './posted-request.ts'
import { findPushedRequest, type PushedRequest } from '../../authorization-requests/pushed-request.ts'
import { findRedirect, readRedirect } from '../../authorization-requests/redirect.ts'
import { readRequestObject } from '../../authorization-requests/request-object.ts'
import { readAuthorizationRequest, type AuthorizationRequest } from '../../authorization-requests/request.ts'
import { responseModes } from '../../authorization-requests/response-mode.ts'

/**
 * Answers authorization requests by GET. HEAD judges them as GET does, and does nothing else. POST is answered with a
 * 303 to the same request by GET: it may come from another site, and then without the session of whoever sits there.
 */
export function authorizationEndpoint(context: EndpointContext): Endpoint {
  const { server, requestObjects, authorizationDetails } = context
  const types = Object.keys(authorizationDetails)
  const metadata = {
    response_modes_supported: responseModes,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    authorization_signing_alg_values_supported: server.idTokenAlgorithms,
    require_pushed_authorization_requests: context.requirePushedAuthorizationRequests,
    claims_parameter_supported: true,
    request_parameter_supported: true,
    request_object_signing_alg_values_supported: requestObjects.algorithms,
    ...(requestObjects.required && { require_signed_request_object: true }),
    // those of others; what was pushed here is RFC 9126's
    request_uri_parameter_supported: false,
    ...(types.length > 0 && { authorization_details_types_supported: types })
  }
  const handler = handlerOf((req, res) => answerAuthorizationRequest({ context, req, res }))
  return { member: 'authorization_endpoint', caller: 'person', handler, metadata }
}

/** Never rejects. */
async function answerAuthorizationRequest(exchange: Exchange): Promise<void> {
  const { req, res } = exchange
  await answering(exchange, async () => {
    const parameters = await readAuthorizationParameters(req)
    if (req.method === 'POST') {
      await sendOn(exchange, parameters, () => readRequest(exchange, parameters))
      return
    }
    const asked = await readRequest(exchange, parameters)
    if (asked === undefined) return
    const { client, pending } = asked
    if (req.method === 'HEAD') res.writeHead(200, { 'Cache-Control': 'no-store' }).end()
    else await redirecting(exchange, { ...pending.request, client }, { pending }, () => advance(exchange, { client, pending }))
  })
}

/** A request that passed every check. */
interface JudgedRequest {
  readonly client: Client
  readonly pending: PendingAuthorization
}

/** Undefined where it was answered with an error. */
async function readRequest(exchange: Exchange, given: AuthorizationParameters): Promise<JudgedRequest | undefined> {
  const client = await readClient(exchange.context, given)
  if (given.get('request_uri') !== undefined) return { client, pending: await readPushedRequest(exchange, client, given) }
  const request = await readDirectRequest(exchange, client, given)
  return request && { client, pending: { request } }
}

/** A request in the query or form itself, or in a request object there (RFC 9101 §5.1). */
async function readDirectRequest(
  exchange: Exchange,
  client: Client,
  given: AuthorizationParameters
): Promise<AuthorizationRequest | undefined> {
  const { context } = exchange
  const read = (): Promise<AuthorizationParameters> => readRequestObject(context, client, given)
  const outer = findRedirect(client, given)
  // what is wrong with a request object can be told to whom the parameters beside it name, if that is one of the
  // client's
  const parameters = outer === undefined ? await read() : await reading(exchange, outer, read)
  if (parameters === undefined) return undefined
  const redirect = readRedirect(client, parameters)
  return reading(exchange, redirect, async () => {
    if (context.requirePushedAuthorizationRequests || client.require_pushed_authorization_requests === true)
      throw new InvalidRequestError('this request has to be pushed', {
        reason: 'RFC 9126 §5: requests without request_uri are refused'
      })
    return readAuthorizationRequest(context, redirect, parameters)
  })
}

/** A request that was pushed (RFC 9126 §4): whatever else came with its `request_uri` does not count. */
async function readPushedRequest({ context }: Exchange, client: Client, given: AuthorizationParameters): Promise<PushedRequest> {
  if (given.get('request') !== undefined) throw new InvalidRequestError('request and request_uri cannot be used together')
  return findPushedRequest(context.server, client, given)
}

/** @throws InvalidRequestError for the error page. */
async function readClient(context: EndpointContext, parameters: AuthorizationParameters): Promise<Client> {
  if (parameters.repeated.has('client_id')) throw new InvalidRequestError('client_id was sent more than once')
  const client_id = parameters.get('client_id')
  if (client_id === undefined) throw new InvalidRequestError('client_id is missing')
  const client = await findClient(context.clients, client_id)
  if (client !== undefined && mayBegin(client)) return client
  const why = context.clients.whyUnknown?.(client_id)
  throw new InvalidRequestError('this client is not known here', why && { reason: `${why.check}: ${why.reason}` })
}
