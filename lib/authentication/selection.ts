/**
 * Which one strategy a request calls for: told by its shape and what the client registered, before anything is
 * verified.
 */
import type { Client, ClientRegistry } from '../clients/client.ts'
import { credentialSet } from '../clients/credentials.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import { requestedClient } from '../strategies/attempt.ts'
import { recordOfLater } from '../strategies/refusals.ts'
import { decisionAbout, tell, tellMalformed } from '../strategies/telling.ts'
import type { ClientAuthenticationStrategy, Identification } from '../strategies/strategy.ts'
import { checkSameClient, refuseNothing, refuseTwo } from './refusals.ts'

/** The one strategy that is to judge, and whose request it claims to be. */
export interface Selected {
  readonly strategy: ClientAuthenticationStrategy
  readonly client_id: string
  /**
   * Whether what proves the client could be found by trying. Told by the request alone: it says nothing of what a
   * client registered.
   */
  readonly guessable: boolean
}

interface Carried {
  readonly strategy: ClientAuthenticationStrategy
  readonly identification: Exclude<Identification, { outcome: 'absent' }>
}

/**
 * The one strategy a request calls for. Two mechanisms, or two different client_ids, are `invalid_request` (RFC 6749
 * §2.3); methods of one mechanism are told apart by what the client registered.
 *
 * A promise where the client has to be looked up for that.
 *
 * @throws InvalidRequestError, InvalidClientError where nothing (or nothing mounted) authenticates the client, or what
 * a strategy says of a credential it cannot read.
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
  const candidates = candidatesFor(mechanism, carried)
  const alike = lookingAlike(candidates, request)
  const [unnamed] = alike
  const others = unnamed !== undefined && idOf(unnamed) === '' ? candidates.filter(one => idOf(one) !== '') : []
  if (others.length === 0) return selectAmong(alike, { mechanism, strategies, clients, request })
  return existing(others, { clients, request }).then(found =>
    selectAmong(found ? others : alike, { mechanism, strategies, clients, request })
  )
}

type LookingUp = Pick<Selecting, 'clients' | 'request'>

interface Selecting {
  readonly mechanism: Mechanism
  readonly strategies: readonly ClientAuthenticationStrategy[]
  readonly clients: ClientRegistry
  readonly request: ClientRequest
}

function selectAmong(
  candidates: readonly Carried[],
  { mechanism, strategies, clients, request }: Selecting
): Selected | Promise<Selected> {
  const [first] = candidates
  if (first === undefined) throw refuseNothing(request, mechanism, strategies)
  if (first.identification.outcome === 'malformed')
    throw tellMalformed({ onDecision: undefined }, request, first.strategy, first.identification.error)
  const { client_id, otherwise } = first.identification
  checkSameClient(request, mechanism, client_id)
  if (otherwise !== undefined)
    return namedOf(first.strategy, { clients, request }, [client_id, otherwise]).then(named =>
      chosenByClient(candidates, first.strategy, clients, request, named)
    )
  if (candidates.length === 1) return { strategy: first.strategy, client_id, guessable: first.strategy.guessable === true }
  return chosenByClient(candidates, first.strategy, clients, request, client_id)
}

/**
 * Methods of one mechanism may read different clients from one request: then only those count that it looks like, and
 * the first that reads any is the one to ask. In what order they are mounted says nothing.
 */
function lookingAlike(candidates: readonly Carried[], request: ClientRequest): readonly Carried[] {
  const [first, ...others] = candidates
  if (first === undefined || others.every(one => idOf(one) === idOf(first))) return candidates
  const suiting = candidates.filter(({ strategy }) => suits(strategy, request, nobody) !== false)
  const named = suiting.find(one => idOf(one) !== '')
  if (named === undefined) return suiting.length === 0 ? candidates : suiting
  return [named, ...suiting.filter(one => one !== named)]
}

/**
 * Whether there is a client that others read from a request which leads to none by what it looks like: then it is
 * theirs, and badly made.
 */
async function existing([other]: readonly Carried[], lookingUp: LookingUp): Promise<boolean> {
  const client_id = other && idOf(other)
  if (other === undefined || client_id === undefined) return false
  return (await lookedUp(other.strategy, lookingUp, client_id)) !== undefined
}

/** Undefined where the request cannot be read. */
function idOf({ identification }: Carried): string | undefined {
  return identification.outcome === 'present' ? identification.client_id : undefined
}

/**
 * The methods of a mechanism. What may come beside another method may also come beside a bare client_id: then the
 * client says which of the two it is.
 */
function candidatesFor(mechanism: Mechanism, carried: readonly Carried[]): readonly Carried[] {
  const own = carried.filter(({ strategy }) => strategy.mechanism === mechanism)
  if (!own.some(({ strategy }) => strategy.supplementary === true)) return own
  return [...own, ...carried.filter(({ strategy }) => strategy.mechanism === 'client_id')]
}

/** Which of two client_ids is meant. Both are looked up, whatever comes of it: how long it takes says nothing. */
async function namedOf(
  first: ClientAuthenticationStrategy,
  lookingUp: LookingUp,
  [client_id, otherwise]: readonly [string, string]
): Promise<string> {
  const { request } = lookingUp
  const other = await lookedUp(first, lookingUp, otherwise)
  const { found } = request
  const client = await lookedUp(first, lookingUp, client_id)
  if (client !== undefined || other === undefined) return client_id
  request.found = found
  return otherwise
}

async function chosenByClient(
  candidates: readonly Carried[],
  first: ClientAuthenticationStrategy,
  clients: ClientRegistry,
  request: ClientRequest,
  client_id: string
): Promise<Selected> {
  const client = (await lookedUp(first, { clients, request }, client_id)) ?? nobody
  const alike = candidates.map(({ strategy }) => strategy)
  const guessable = alike.some(strategy => strategy.guessable === true && strategy.suits?.(request, client) !== false)
  return { strategy: chooseForClient(alike, client, request) ?? first, client_id, guessable }
}

/** @throws as `requestedClient()` does, and tells of a client that is to come again later. */
async function lookedUp(
  first: ClientAuthenticationStrategy,
  { clients, request }: LookingUp,
  client_id: string
): Promise<Client | undefined> {
  try {
    return await requestedClient(clients, request, client_id)
  } catch (error) {
    tell({ onDecision: undefined }, request, () => recordOfLater(error, decisionAbout(first, request, client_id)))
    throw error
  }
}

/** Stands for a client that is not there, so that as much is done for it. */
const nobody: Client = Object.freeze({
  client_id: '',
  token_endpoint_auth_method: '',
  grant_types: [],
  response_types: [],
  redirect_uris: []
})

/**
 * The one the client may use; of several such, and where it may use none, the one that the request looks like. Whether
 * it may use it at this time is not judged here. The first of none is undefined.
 */
function chooseForClient(
  strategies: readonly ClientAuthenticationStrategy[],
  client: Client,
  request: ClientRequest
): ClientAuthenticationStrategy | undefined {
  const { methods } = credentialSet(client)
  const allowed = strategies.filter(({ name }) => methods.some(({ method }) => method === name))
  if (allowed.length === 1) return allowed[0]
  // where it may use none, the one that is chosen refuses it, and tells what was there
  const alike = allowed.length === 0 ? strategies : allowed
  const suiting = alike.map(strategy => suits(strategy, request, client))
  return alike[suiting.indexOf(true)] ?? alike[suiting.indexOf(undefined)] ?? alike[0]
}

function suits(strategy: ClientAuthenticationStrategy, request: ClientRequest, client: Client): boolean | undefined {
  try {
    return strategy.suits?.(request, client)
  } catch {
    // a certificate that cannot be read, say: whoever judges the request meets it too, and answers
    return false
  }
}

function identifyAll(strategies: readonly ClientAuthenticationStrategy[], request: ClientRequest): readonly Carried[] {
  const carried: Carried[] = []
  for (const strategy of strategies) {
    const identification = strategy.identify(request)
    if (identification.outcome !== 'absent') carried.push({ strategy, identification })
  }
  return carried
}

/**
 * Lists the mechanisms of a request; a header, a secret and an assertion count whether or not a strategy for them is
 * mounted. A bare client_id counts for none, a supplementary mechanism only where there is no other.
 */
function visibleMechanisms(request: ClientRequest, carried: readonly Carried[]): readonly Mechanism[] {
  const { client_secret, client_assertion, client_assertion_type } = request.parameters
  const visible: Mechanism[] = []
  if (request.headers.authorization !== undefined) visible.push('authorization_header')
  if (client_secret !== undefined) visible.push('body_secret')
  if (client_assertion !== undefined || client_assertion_type !== undefined) visible.push('assertion')
  const beside: Mechanism[] = []
  for (const {
    strategy: { mechanism, supplementary }
  } of carried) {
    const list = supplementary === true ? beside : visible
    if (mechanism !== 'client_id' && !list.includes(mechanism)) list.push(mechanism)
  }
  return visible.length > 0 ? visible : beside
}
