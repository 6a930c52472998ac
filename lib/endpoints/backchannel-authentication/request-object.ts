/** Signed authentication requests (CIBA Core §7.1.1): every parameter inside, none beside. */
import { isName, longestName } from '../../assertions/compact-jws.ts'
import { consumeOnce } from '../../assertions/replay.ts'
import { parametersOf, verifyRequestObject, type ClaimedParameters } from '../../assertions/request-object.ts'
import type { Client } from '../../clients/client.ts'
import { InvalidRequestError, OAuthError } from '../../errors.ts'
import { ParameterCollector } from '../../http/form.ts'
import type { Parameters } from '../../client-request.ts'
import type { EndpointContext } from '../endpoint.ts'

/** The parameters of an authentication request, beside those that authenticate its client. */
const requestParameters = [
  'scope',
  'client_notification_token',
  'acr_values',
  'login_hint_token',
  'id_token_hint',
  'login_hint',
  'binding_message',
  'user_code',
  'requested_expiry',
  'resource',
  'authorization_details'
]

const claimed: ClaimedParameters = {
  names: new Set(requestParameters),
  isNumber: name => name === 'requested_expiry',
  isJson: (name, value) => name === 'authorization_details' && Array.isArray(value)
}

const mostParameters = 100
/** Seconds a signed request can be presented: an hour, and what clocks are off. */
const longestUse = 3620

/**
 * The parameters that count: those inside a signed request where there is one, the given ones otherwise. A client that
 * registered `backchannel_authentication_request_signing_alg` signs, always.
 *
 * @throws InvalidRequestError for whatever is wrong with a signed request, and for one that was used before.
 */
export async function readAuthenticationParameters(
  context: EndpointContext,
  client: Client,
  given: Parameters,
  traceId?: () => string
): Promise<Parameters> {
  const { request } = given
  if (request === undefined) {
    if (client.backchannel_authentication_request_signing_alg !== undefined)
      throw new InvalidRequestError('this client signs its authentication requests')
    return given
  }
  const beside = requestParameters.find(name => given[name] !== undefined)
  if (beside !== undefined) throw new InvalidRequestError(`${beside} must be in the signed request, and not beside it`)
  const claims = await verify(context, client, request, traceId)
  const collector = new ParameterCollector(mostParameters)
  try {
    for (const [name, value] of parametersOf(claims, claimed)) collector.add(name, value)
  } catch (error) {
    throw asInvalidRequest(error)
  }
  return collector.parameters
}

async function verify(
  context: EndpointContext,
  client: Client,
  request: string,
  traceId: (() => string) | undefined
): Promise<Readonly<Record<string, unknown>>> {
  const { server, requestObjects } = context
  const claims = await verifyRequestObject({
    use: 'backchannel_authentication',
    request,
    client,
    issuer: server.issuer,
    clientKeys: requestObjects.clientKeys,
    algorithms: requestObjects.algorithms,
    strict: true,
    clock: server.clock
  }).catch((error: unknown) => {
    throw asInvalidRequest(error)
  })
  const { jti } = claims
  if (!isName(jti)) throw new InvalidRequestError(`jti in the request object must be a string of 1 to ${longestName} characters`)
  const { client_id } = client
  if (await consumeOnce(server.store, 'backchannel_request_object', [client_id, jti], longestUse)) return claims
  server.emit?.({ type: 'assertion.replayed', trace_id: traceId?.(), client_id, use: 'request_object' })
  throw new InvalidRequestError('this signed request was used before')
}

/** CIBA Core knows no error of its own for request objects (§13). */
function asInvalidRequest(error: unknown): unknown {
  if (!(error instanceof OAuthError && error.error === 'invalid_request_object')) return error
  return new InvalidRequestError(error.message, error.reason === undefined ? {} : { reason: error.reason })
}
