/** The assertion of a request, as the methods see it that tell each other apart by it. */
import { decodeUnverified, type UnverifiedJws } from '../assertions/compact-jws.ts'
import type { ClientRequest } from '../client-request.ts'
import { InvalidRequestError } from '../errors.ts'
import { requestNote } from '../request-note.ts'
import { absent, type Identification } from './strategy.ts'

/** Several methods ask, to tell themselves apart, and then one of them judges: it is decoded for all of that. */
const decoded = requestNote<ClientRequest, UnverifiedJws>('client assertion')

/** The request's `client_assertion`, decoded once. Nothing is verified. */
export function decodeOnce(request: ClientRequest): UnverifiedJws {
  return decoded.read(request) ?? decoded.write(request, decodeUnverified(request.parameters['client_assertion'] ?? ''))
}

/**
 * The type of a request's assertion. An identification where there is none: absent, or malformed for one of the two
 * parameters without the other (RFC 7521 §4.2).
 */
export function assertionTypeOf({ parameters }: ClientRequest): string | Identification {
  const { client_assertion, client_assertion_type } = parameters
  if (client_assertion !== undefined && client_assertion_type !== undefined) return client_assertion_type
  if (client_assertion === undefined && client_assertion_type === undefined) return absent
  const missing = client_assertion === undefined ? 'client_assertion' : 'client_assertion_type'
  return { outcome: 'malformed', error: new InvalidRequestError(`${missing} is missing`) }
}

/**
 * Whether an assertion looks like another's than the client's: what a client signs names it as issuer and as subject.
 */
export function isForeign(jws: UnverifiedJws): boolean {
  return jws.outcome === 'read' && jws.payload['iss'] !== jws.payload['sub']
}
