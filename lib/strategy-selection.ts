/** Which one strategy a request calls for: told by its shape and what the client registered, before anything is verified. */
import type { ClientRegistry } from './client.ts'
import type { ClientRequest, Mechanism } from './request.ts'
import { findClient, tellMalformed } from './strategies/attempt.ts'
import { chooseForClient } from './strategies/choose.ts'
import type { ClientAuthenticationStrategy, Identification } from './strategies/strategy.ts'
import { checkSameClient, refuseNothing, refuseTwo } from './unjudged-requests.ts'

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
 * A promise where the client has to be looked up for that.
 *
 * @throws InvalidRequestError, InvalidClientError where nothing (or nothing mounted) authenticates the client, or what a
 * strategy says of a credential it cannot read.
 */
export function selectStrategy(
  strategies: readonly ClientAuthenticationStrategy[],
  clients: ClientRegistry,
  request: ClientRequest
): Selected | Promise<Selected> {
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
  return chosenByClient(candidates, first.strategy, clients, request, client_id)
}

async function chosenByClient(
  candidates: readonly Carried[],
  first: ClientAuthenticationStrategy,
  clients: ClientRegistry,
  request: ClientRequest,
  client_id: string
): Promise<Selected> {
  const client = await findClient(clients, request, client_id)
  const alike = candidates.map(({ strategy }) => strategy)
  return { strategy: chooseForClient(alike, client, request) ?? first, client_id }
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
