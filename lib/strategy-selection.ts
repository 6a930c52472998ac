/** Which one strategy a request calls for: told by its shape and what the client registered, before anything is verified. */
import { type Client, type ClientRegistry } from './client.ts'
import { credentialSet } from './client-credential-set.ts'
import { DecisionBuilder } from './decision.ts'
import { InvalidClientError, InvalidRequestError } from './errors.ts'
import type { ClientRequest, Mechanism } from './request.ts'
import { findClient, tell, tellMalformed } from './strategies/attempt.ts'
import { type ClientAuthenticationStrategy, type Identification } from './strategies/strategy.ts'

/** For a client that used the Authorization header where no method does. */
const defaultChallenge = 'Basic realm="OAuth", charset="UTF-8"'

/** The one strategy that is to judge, and whose request it claims to be. */
export interface Selected {
  readonly strategy: ClientAuthenticationStrategy
  readonly client_id: string
}

interface Carried {
  readonly strategy: ClientAuthenticationStrategy
  readonly identification: Exclude<Identification, { outcome: 'absent' }>
}

/**
 * The one strategy a request calls for. Two mechanisms, or two different client_ids, are `invalid_request` (RFC 6749 §2.3);
 * methods of one mechanism are told apart by what the client registered.
 *
 * @throws InvalidRequestError, InvalidClientError where nothing (or nothing mounted) authenticates the client, or what a
 * strategy says of a credential it cannot read.
 */
export async function selectStrategy(
  strategies: readonly ClientAuthenticationStrategy[],
  clients: ClientRegistry,
  request: ClientRequest
): Promise<Selected> {
  const carried = identifyAll(strategies, request)
  const mechanisms = visibleMechanisms(request, carried)
  if (mechanisms.length > 1) throw refuseTwo(request, mechanisms)
  const mechanism = mechanisms[0] ?? 'client_id'
  const candidates = carried.filter(({ strategy }) => strategy.mechanism === mechanism)
  const [first] = candidates
  if (first === undefined) throw refuseNothing(request, mechanism, strategies)
  if (first.identification.outcome === 'malformed')
    throw tellMalformed({ onDecision: undefined }, request, first.strategy, first.identification.error)
  const { client_id } = first.identification
  checkSameClient(request, mechanism, client_id)
  if (candidates.length === 1) return { strategy: first.strategy, client_id }
  const client = await findClient(clients, request, client_id)
  // where the client may use none of them, any will do: it refuses, and says why
  return {
    strategy: (client === undefined ? first : (chooseForClient(candidates, client, request) ?? first)).strategy,
    client_id
  }
}

/** Of methods that look alike the one the client may use; of several such the one this request is meant for. Whether it may now is not judged here. */
function chooseForClient(candidates: readonly Carried[], client: Client, request: ClientRequest): Carried | undefined {
  const { methods } = credentialSet(client)
  const allowed = candidates.filter(({ strategy }) => methods.some(({ method }) => method === strategy.name))
  if (allowed.length < 2) return allowed[0]
  return allowed.find(({ strategy }) => strategy.suits?.(request, client) !== false) ?? allowed[0]
}

function identifyAll(strategies: readonly ClientAuthenticationStrategy[], request: ClientRequest): readonly Carried[] {
  const carried: Carried[] = []
  for (const strategy of strategies) {
    const identification = strategy.identify(request)
    if (identification.outcome !== 'absent') carried.push({ strategy, identification })
  }
  return carried
}

/** What the request carries, whether or not a strategy for it is mounted. A bare client_id counts only where nothing else does. */
function visibleMechanisms(request: ClientRequest, carried: readonly Carried[]): readonly Mechanism[] {
  const { client_secret, client_assertion, client_assertion_type } = request.parameters
  const visible: Mechanism[] = []
  if (request.headers.authorization !== undefined) visible.push('authorization_header')
  if (client_secret !== undefined) visible.push('body_secret')
  if (client_assertion !== undefined || client_assertion_type !== undefined) visible.push('assertion')
  for (const {
    strategy: { mechanism }
  } of carried)
    if (mechanism !== 'client_id' && !visible.includes(mechanism)) visible.push(mechanism)
  return visible
}

/** An assertion's own check of `client_id` refuses the client; for the rest two names are a contradiction in the request. */
function checkSameClient(request: ClientRequest, mechanism: Mechanism, client_id: string): void {
  const named = request.parameters['client_id']
  if (mechanism === 'assertion' || named === undefined || named === client_id) return
  const decision = decisionOf(request, mechanism)
  const fix = 'Send one client_id: the one in the credential, or none beside it.'
  tell(
    { onDecision: undefined },
    request,
    () => decision.refuse('one_client_id', { section: 'RFC 6749 §2.3', expected: client_id, received: named, fix }).decision
  )
  throw new InvalidRequestError('the request names two different clients', { reason: fix })
}

function refuseTwo(request: ClientRequest, mechanisms: readonly Mechanism[]): InvalidRequestError {
  const decision = decisionOf(request, mechanisms.join(' and '))
  const fix = 'Let the client authenticate in one way only; check for a library default beside the configured method.'
  tell(
    { onDecision: undefined },
    request,
    () => decision.refuse('one_mechanism', { section: 'RFC 6749 §2.3', received: mechanisms.join(', '), fix }).decision
  )
  return new InvalidRequestError('more than one client authentication method was used', { reason: mechanisms.join(' and ') })
}

function refuseNothing(
  request: ClientRequest,
  mechanism: Mechanism,
  strategies: readonly ClientAuthenticationStrategy[]
): InvalidClientError {
  const decision = decisionOf(request, mechanism)
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

/** The record of a request that no strategy gets to judge. */
export function decisionOf(request: ClientRequest, mechanism: string): DecisionBuilder {
  const decision = new DecisionBuilder(request.endpoint, request.traceId)
  decision.client_id = request.parameters['client_id']
  decision.mechanism = mechanism
  return decision
}
