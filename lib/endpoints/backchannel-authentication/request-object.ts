/** Signed authentication requests (CIBA Core §7.1.1): every parameter inside, none beside. */
import { consumeOnce } from '../../assertions/replay.ts'
import { verifyRequestObject } from '../../assertions/request-object.ts'
import type { Client } from '../../clients/client.ts'
import { InvalidRequestError, OAuthError } from '../../errors.ts'
import { hasForbiddenCharacter, ParameterCollector } from '../../http/form.ts'
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

const mostParameters = 100
const longestJti = 512
/** Seconds a signed request can be presented: an hour, and what clocks are off. */
const longestUse = 3620

/**
 * The parameters that count: those inside a signed request where there is one, the given ones otherwise. A client that registered
 * `backchannel_authentication_request_signing_alg` signs, always.
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
  return parametersOf(claims)
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
    if (!(error instanceof OAuthError && error.error === 'invalid_request_object')) throw error
    throw new InvalidRequestError(error.message, error.reason === undefined ? {} : { reason: error.reason })
  })
  const { jti } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > longestJti)
    throw new InvalidRequestError(`jti in the request object must be a string of 1 to ${longestJti} characters`)
  const { client_id } = client
  if (await consumeOnce(server.store, 'backchannel_request_object', [client_id, jti], longestUse)) return claims
  server.emit?.({ type: 'assertion.replayed', trace_id: traceId?.(), client_id, use: 'request_object' })
  throw new InvalidRequestError('this signed request was used before')
}

/** Claims as the parameters they stand for. */
function parametersOf(claims: Readonly<Record<string, unknown>>): Parameters {
  const collector = new ParameterCollector(mostParameters)
  for (const name of requestParameters) {
    const value = claims[name]
    if (value === undefined) continue
    const values: readonly unknown[] = name === 'resource' && Array.isArray(value) ? value : [value]
    for (const item of values) {
      const text = textOf(name, item)
      if (text === undefined || hasForbiddenCharacter(text))
        throw new InvalidRequestError(`${name} in the request object is malformed`)
      collector.add(name, text)
    }
  }
  return collector.parameters
}

function textOf(name: string, value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (name === 'requested_expiry' && typeof value === 'number') return String(value)
  return name === 'authorization_details' && Array.isArray(value) ? textOfJson(value) : undefined
}

function textOfJson(value: object): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    // nested so deeply that it cannot be written
    return undefined
  }
}
