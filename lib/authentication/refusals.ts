/** Requests refused before any strategy judges them. Each is told as a decision, like any other. */
import { DecisionBuilder } from '../decisions/builder.ts'
import { InvalidRequestError, type InvalidClientError, type OAuthError } from '../errors.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import { tell } from '../strategies/telling.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'

/** Mechanisms whose methods hold the parameter `client_id` against what they verified. */
const judgesClientId: readonly Mechanism[] = ['assertion', 'attestation']

/** For a client that used the Authorization header where no method does. */
const defaultChallenge = 'Basic realm="OAuth", charset="UTF-8"'

/**
 * The checks of an assertion or attestation refuse the client for its `client_id`; for the rest two names are a
 * contradiction in the request.
 *
 * @throws InvalidRequestError
 */
export function checkSameClient(request: ClientRequest, mechanism: Mechanism, client_id: string): void {
  const named = request.parameters['client_id']
  if (judgesClientId.includes(mechanism) || named === undefined || named === client_id) return
  const decision = unjudged(request, mechanism)
  const fix = 'Send one client_id: the one in the credential, or none beside it.'
  const detail = { section: 'RFC 6749 §2.3', expected: client_id, received: named, fix }
  const error = new InvalidRequestError('the request names two different clients', { reason: fix })
  throw refuseWith(error, request, decision.refuse('one_client_id', detail))
}

/** Tells of a request with several mechanisms. Returns the error to throw. */
export function refuseTwo(request: ClientRequest, mechanisms: readonly Mechanism[]): InvalidRequestError {
  const decision = unjudged(request, mechanisms.join(' and '))
  const fix = 'Let the client authenticate in one way only; check for a library default beside the configured method.'
  const detail = { section: 'RFC 6749 §2.3', received: mechanisms.join(', '), fix }
  const reason = mechanisms.join(' and ')
  const error = new InvalidRequestError('more than one client authentication method was used', { reason })
  return refuseWith(error, request, decision.refuse('one_mechanism', detail))
}

/**
 * Tells of a refusal that is answered with another error than that of a refused credential. Returns the error to throw.
 */
export function refuseWith<Refusal extends OAuthError>(
  error: Refusal,
  request: ClientRequest,
  { decision }: InvalidClientError
): Refusal {
  tell({ onDecision: undefined }, request, () => decision)
  error.decision = decision
  return error
}

/** Tells of a request with no mechanism, or none a mounted strategy is for. Returns the error to throw. */
export function refuseNothing(
  request: ClientRequest,
  mechanism: Mechanism,
  strategies: readonly ClientAuthenticationStrategy[]
): InvalidClientError {
  const decision = unjudged(request, mechanism)
  const carries = mechanism !== 'client_id'
  // RFC 6749 §5.2: a client that used the Authorization header is told which scheme it should have used
  const challenge = strategies.find(strategy => strategy.challenge !== undefined)?.challenge ?? defaultChallenge
  const headers = mechanism === 'authorization_header' ? { 'WWW-Authenticate': challenge } : undefined
  const error = decision.refuse(
    'supported_method',
    {
      section: 'RFC 6749 §3.2.1',
      received: carries ? mechanism : 'no client authentication',
      fix: carries
        ? 'Use one of the methods the metadata names for this endpoint.'
        : 'Send client authentication, or a client_id where the client is public or uses a certificate.'
    },
    headers
  )
  tell({ onDecision: undefined }, request, () => error.decision)
  return error
}

/** The record of an attempt that no strategy has judged. */
export function unjudged(request: ClientRequest, mechanism: string): DecisionBuilder {
  const decision = new DecisionBuilder(request.endpoint, request.traceId)
  decision.client_id = request.parameters['client_id']
  decision.mechanism = mechanism
  return decision
}
