/** Request objects (RFC 9101): an authorization request the client signed. What is inside alone counts. */
import { parametersOf, verifyRequestObject, type ClaimedParameters } from '../assertions/request-object.ts'
import type { Client } from '../clients/client.ts'
import { InvalidRequestError } from '../errors.ts'
import { AuthorizationParameters, knownParameters } from './parameters.ts'
import type { RequestPolicy } from './policy.ts'

/**
 * The parameters that count: those inside the request object where there is one, the given ones otherwise.
 *
 * @throws OAuthError `invalid_request_object`; InvalidRequestError for two, or none where the client has to sign.
 */
export async function readRequestObject(
  { server, requestObjects }: RequestPolicy,
  client: Client,
  given: AuthorizationParameters
): Promise<AuthorizationParameters> {
  const required = requestObjects.required || client.require_signed_request_object === true
  const request = given.get('request')
  if (request === undefined) {
    if (required) throw new InvalidRequestError('a signed request object is required')
    return given
  }
  if (given.repeated.has('request')) throw new InvalidRequestError('request was sent more than once')
  const claims = await verifyRequestObject({
    use: 'authorization',
    request,
    client,
    issuer: server.issuer,
    clientKeys: requestObjects.clientKeys,
    algorithms: requestObjects.algorithms,
    strict: requestObjects.strict || required,
    clock: server.clock
  })
  return new AuthorizationParameters(parametersOf(claims, claimed))
}

const claimed: ClaimedParameters = {
  names: knownParameters,
  isNumber: (name, value) => name === 'max_age' && Number.isSafeInteger(value),
  isJson: name => name === 'claims' || name === 'authorization_details'
}
