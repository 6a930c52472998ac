/** One attempt of one client at one method: the steps every strategy shares. The strategy adds its proof. */
import type { Request } from 'express'
import type { ClientKeys } from '../client-keys/client-keys.ts'
import { clientRegistry, clientsCheck, type Client, type ClientRegistry, type ClientSource } from '../clients/client.ts'
import { findClient } from '../clients/find-client.ts'
import { nobody } from '../clients/nobody.ts'
import { mayBegin } from '../clients/documents/postponed.ts'
import { mayUseMethod } from '../clients/credentials.ts'
import { lateUse } from '../stores/late-use.ts'
import { DecisionBuilder } from '../decisions/builder.ts'
import type { CheckDetail, OpenCheckName, Decision } from '../decisions/decision.ts'
import { InvalidClientError, ServerError, TemporarilyUnavailableError } from '../errors.ts'
import { harmless } from '../listeners.ts'
import { readRouteRequest, ReadRequest } from '../http/client-request.ts'
import type { ClientRequest, Clock } from '../client-request.ts'
import { clock, fn, objectLike, type Checks, type Read } from '../options.ts'
import { failBeforeProof, recordOfLater, refuseUntold, withChallenge } from './refusals.ts'
import { decisionAbout, tell, tellMalformed } from './telling.ts'
import { readBodies, type ClientAuthenticationStrategy } from './strategy.ts'

/** Options of every strategy. */
export interface StrategyOptions {
  /** The registered clients: a list of metadata, or a function that finds one by its client_id. */
  readonly clients: ClientSource | ClientRegistry
  /** Told of every authentication and how each check came out. What it throws or rejects with is ignored. */
  readonly onDecision?: ((decision: Decision) => void) | undefined
  /** Reads the time, milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: Clock | undefined
}

export const strategyChecks = {
  clients: clientsCheck,
  onDecision: fn<(decision: Decision) => void>(),
  clock: clock()
} satisfies Checks<StrategyOptions>

/** The options a strategy keeps, checked. */
export interface StrategyContext {
  /** Finds clients. */
  readonly clients: ClientRegistry
  /** Told of every decision. */
  readonly onDecision: ((decision: Decision) => void) | undefined
  /** Reads the time. */
  readonly clock: Clock
}

/** @throws ConfigurationError naming the client of a list that is wrong. */
export function strategyContext({ clients, onDecision, clock }: Read<typeof strategyChecks>): StrategyContext {
  return { clients: clientRegistry(clients), onDecision: harmless('onDecision', onDecision), clock }
}

/** Check of an option that finds the keys of clients. */
export const clientKeysCheck = objectLike<ClientKeys>('what clientKeys() returns', value => 'find' in value && 'match' in value)

/** A method's own part in proving the client of one request. */
export interface Proof {
  /**
   * The checks it goes through, in order, for the record of an attempt that stops early: names of the library's, or of
   * your own.
   */
  readonly checks: readonly OpenCheckName[]
  /**
   * Passes each check on the decision, or throws what `decision.refuse` returns, and resolves to what proved the
   * client. A refusal counts whether or not it is thrown. What else it throws is a fault: 500, or as its status says.
   */
  prove(client: Client, decision: DecisionBuilder): Proven | Promise<Proven>
  /**
   * The same work, with what nobody has, for a client that is not there, so that time does not tell. The decision has
   * failed already, and whatever comes of this refuses for that.
   */
  pretend?(decision: DecisionBuilder): unknown
  /** Detail of the check `client` where there is no such client. Default: that it has to be registered. */
  readonly unknown?: CheckDetail
}

/** Outcome of a proof that succeeded: the credential it used, and the instance of the client. */
export interface Proven {
  /**
   * Which of the client's credentials it was, where the method has any, as decisions and events call it: `secret:<id>`,
   * `kid:<kid>`.
   */
  readonly credential?: string
  /**
   * Which of the client's credentials this is a use of, where that is another: a registered subject and not the
   * certificate that bears it.
   */
  readonly used?: string
  /**
   * RFC 7638 thumbprint of the key of the client's instance, where that is what proved it: what it is given is good for
   * this instance alone.
   */
  readonly instance?: string
}

/** Members of a strategy that judging needs. */
export type JudgingStrategy = Pick<
  ClientAuthenticationStrategy,
  'name' | 'mechanism' | 'challenge' | 'certificate' | 'public'
> & {
  readonly context: StrategyContext
}

/** Passport's actions, as they are on the object a strategy runs on. */
interface StrategyActions {
  success(client: Client): void
  fail(challenge?: string): void
  error(error: unknown): void
}

/** The actions Passport puts on the object it runs. @throws TypeError where the strategy is called without Passport. */
export function actionsOf(strategy: object): StrategyActions {
  if (!('success' in strategy))
    throw new TypeError('run this strategy through passport.authenticate(name) or authenticateClient()')
  return strategy as StrategyActions
}

/**
 * Runs a strategy under Passport's rules: whatever happens ends in exactly one of `success`, `fail` and `error`, and
 * never in a rejected promise.
 */
export function runStrategy(
  actions: StrategyActions,
  strategy: JudgingStrategy & Pick<ClientAuthenticationStrategy, 'identify' | 'headerOnly'>,
  req: Request,
  judge: (request: ClientRequest, client_id: string) => undefined | Promise<void>
): void {
  const failed = (error: unknown): void => actions.error(error)
  const run = (request: ClientRequest): void => {
    const identified = strategy.identify(request)
    if (identified.outcome === 'absent') actions.fail(strategy.challenge)
    else if (identified.outcome === 'malformed') throw tellMalformed(strategy.context, request, strategy, identified.error)
    else judge(request, identified.client_id)?.catch(failed)
  }
  const known = req instanceof ReadRequest ? req.request : undefined
  if (known === undefined) {
    readRouteRequest(req, { identify: bare => strategy.identify(bare).outcome !== 'absent', inBody: readBodies([strategy]) })
      .then(run)
      .catch(failed)
    return
  }
  try {
    run(known)
  } catch (error) {
    failed(error)
  }
}

/**
 * Client exists, is registered for this method, proves it, and is the one the request names. Every attempt is told to
 * `onDecision`; every refusal is the same {@link InvalidClientError}.
 *
 * @throws InvalidClientError, or TemporarilyUnavailableError when the clients cannot be looked up.
 */
export async function judgeAttempt(
  strategy: JudgingStrategy,
  request: ClientRequest,
  client_id: string,
  proof: Proof
): Promise<Client> {
  const { context } = strategy
  const decision = decisionAbout(strategy, request, client_id)
  const further = request.further?.mechanism === strategy.mechanism ? undefined : request.further
  decision.announce(['client', 'registered_method', ...proof.checks, ...(further?.checks(request) ?? [])])
  try {
    const client = await requestedClient(context.clients, request, client_id)
    const now = context.clock() / 1000
    // looked at for nobody too: time must not show who is there
    const mayUse = mayUseMethod(client ?? nobody, strategy.name, now)
    if (client === undefined || !mayUse) {
      const why = context.clients.whyUnknown?.(client_id)
      failBeforeProof(decision, strategy, request, client, { now, why, unknown: proof.unknown })
      await proof.pretend?.(decision)
      throw decision.refuse('client')
    }
    decision.pass('client')
    decision.pass('registered_method')
    const proven = await proof.prove(client, decision)
    checkProven(decision, request, client_id)
    if (further !== undefined) await further.prove(request, client, decision)
    const { credential, used = credential, instance } = checkResult(proven, strategy.name)
    decision.credential = credential
    request.authentication = {
      method: strategy.name,
      ...(credential !== undefined && { credential }),
      ...(instance !== undefined && { instance })
    }
    request.used = used
    const authenticated = (): void => {
      tell(context, request, () => decision.finish('authenticated'), decision.hasReports)
      if (request.trial === undefined) context.clients.used?.(client, strategy.name, used === undefined ? [] : [used])
    }
    const { lateUse: use } = request
    if (use === undefined) authenticated()
    else request.lateUse = lateUse(use.step, isFirst => settled(use.settle(isFirst), { strategy, request, authenticated }))
    request.judged = client
    return client
  } catch (error) {
    if (!(error instanceof InvalidClientError)) {
      // a client that is to come again was judged too
      tell(context, request, () => recordOfLater(error, decision))
      throw error
    }
    const told = (error.decision ??= refuseUntold(decision, strategy.name, error).decision)
    tell(context, request, () => told)
    throw (request.judged = withChallenge(error, strategy.challenge))
  }
}

interface LateEnd {
  readonly strategy: JudgingStrategy
  readonly request: ClientRequest
  readonly authenticated: () => void
}

/** Ends an attempt whose last check came out late: told as any other. Returns the refusal, if it is one. */
function settled(
  refusal: InvalidClientError | undefined,
  { strategy, request, authenticated }: LateEnd
): InvalidClientError | undefined {
  if (refusal === undefined) {
    authenticated()
    return undefined
  }
  tell(strategy.context, request, () => refusal.decision)
  request.authentication = undefined
  const answered = withChallenge(refusal, strategy.challenge)
  request.judged = answered
  return answered
}

/** Fails closed: `false` is no proof, however much it looks like an answer. @throws ServerError */
function checkResult(proven: unknown, method: string): Proven {
  if (typeof proven === 'object' && proven !== null) return proven
  throw new ServerError({
    reason: `prove() of ${method} must resolve to what proved the client, or throw what decision.refuse() returns`
  })
}

/**
 * Checks what a method leaves to be checked once it is content.
 *
 * @throws InvalidClientError for a failed check that nothing was thrown for, and where the request names another client
 * beside the one that was proved.
 */
export function checkProven(decision: DecisionBuilder, request: ClientRequest, client_id: string): void {
  if (decision.hasFailed) throw decision.refusal ?? decision.refuse('client')
  const named = request.parameters['client_id']
  if (named === undefined || named === client_id) return
  const fix = 'Send one client_id: the one in the credential, or none beside it.'
  throw decision.refuse('one_client_id', { section: 'RFC 6749 §2.3', expected: client_id, received: named, fix })
}

/** Finds a request's client once per request and registry. @throws TemporarilyUnavailableError as its source does. */
export async function requestedClient(
  clients: ClientRegistry,
  request: ClientRequest,
  client_id: string
): Promise<Client | undefined> {
  // nobody is called nothing
  if (client_id === '') return undefined
  const { found } = request
  // a request may pass two applications' strategies: one's client of this id must never be taken for the other's
  if (found?.clients === clients && found.client_id === client_id) return found.client
  const known = await findClient(clients, client_id)
  // nothing begins for a client whose document could not be had again
  const client = known !== undefined && request.endpoint !== 'token' && !mayBegin(known) ? undefined : known
  if (client !== undefined && client.client_id !== client_id)
    throw new TemporarilyUnavailableError({ reason: 'the registry found another client than was asked for' })
  request.found = { clients, client_id, client }
  return client
}
