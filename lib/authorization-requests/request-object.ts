/** Request objects (RFC 9101): an authorization request the client signed. What is inside alone counts. */
import { verifyRequestObject, invalidRequestObject } from '../assertions/request-object.ts'
import type { Client } from '../clients/client.ts'
import { InvalidRequestError } from '../errors.ts'
import { hasForbiddenCharacter } from '../http/form.ts'
import type { EndpointContext } from '../endpoints/endpoint.ts'
import { AuthorizationParameters, knownParameters } from './parameters.ts'

/**
 * The parameters that count: those inside the request object where there is one, the given ones otherwise.
 *
 * @throws OAuthError `invalid_request_object`; InvalidRequestError for two, or none where the client has to sign.
 */
export async function readRequestObject(
  context: EndpointContext,
  client: Client,
  given: AuthorizationParameters
): Promise<AuthorizationParameters> {
  const { server, requestObjects } = context
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
  return new AuthorizationParameters(parametersOf(claims))
}

/** Claims as the parameters they stand for; those of the JWT itself and unknown ones are no parameters. */
function* parametersOf(claims: Readonly<Record<string, unknown>>): Iterable<readonly [string, string]> {
  for (const [name, value] of Object.entries(claims)) {
    if (!knownParameters.has(name)) continue
    if (name === 'request' || name === 'request_uri') throw invalidRequestObject(`${name} is not allowed in the request object`)
    const values = name === 'resource' && Array.isArray(value) ? (value as readonly unknown[]) : [value]
    for (const item of values) {
      const text = textOf(name, item)
      if (text === undefined || hasForbiddenCharacter(text))
        throw invalidRequestObject(`${name} in the request object is malformed`)
      yield [name, text]
    }
  }
}

/** RFC 9101 §4: JSON values stand for themselves, so that JSON in a string is one way of saying it, and JSON the other. */
function textOf(name: string, value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (name === 'max_age' && Number.isSafeInteger(value)) return String(value)
  const isJson = name === 'claims' || name === 'authorization_details'
  return isJson && typeof value === 'object' && value !== null ? textOfJson(value) : undefined
}

function textOfJson(value: object): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    // nested so deeply that it cannot be written
    return undefined
  }
}
