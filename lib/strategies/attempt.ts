/**
 * One attempt of one client at one method: the steps every strategy shares. The strategy adds its proof.
 */
import type { Request } from 'express'
import { clientRegistry, isPublic, type Client, type ClientRegistry, type ClientSource } from '../client.ts'
import { credentialSet, mayUseMethod } from '../client-credential-set.ts'
import { DecisionBuilder, decisionOf, withDecision, type OpenCheckName, type Decision } from '../decision.ts'
import { InvalidClientError, OAuthError, TemporarilyUnavailableError } from '../errors.ts'
import { harmless } from '../events/listener.ts'
import { readClientRequest, ReadRequest } from '../http/client-request.ts'
import type { ClientRequest, Clock } from '../request.ts'
import { checkKeys, ConfigurationError } from '../options.ts'
import type { ClientAuthenticationStrategy } from './strategy.ts'

/** What every strategy takes. */
export interface StrategyOptions {
  /** The registered clients: a list of metadata, or a function that finds one by its client_id. */
  readonly clients: ClientSource | ClientRegistry
  /** Told of every authentication and how each check came out. What it throws or rejects with is ignored. */
  readonly onDecision?: ((decision: Decision) => void) | undefined
  /** Reads the time, milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: Clock | undefined
}

export const strategyOptionKeys: readonly string[] = ['clients', 'onDecision', 'clock']

/** What a strategy keeps of its options. */
export interface StrategyContext {
  readonly clients: ClientRegistry
  readonly onDecision: ((decision: Decision) => void) | undefined
  readonly clock: Clock
}

/** @throws ConfigurationError for an option nobody reads, clients that are neither a list nor a function, or no function where one is meant. */
export function strategyContext(options: StrategyOptions, ownKeys: readonly string[] = []): StrategyContext {
  checkKeys(options, [...strategyOptionKeys, ...ownKeys])
  checkFunctions(options, ['onDecision', 'clock', 'fetchJson'])
  return {
    clients: clientRegistry(options.clients),
    onDecision: harmless('onDecision', options.onDecision),
    clock: options.clock ?? Date.now
  }
}

/** Refuses, for each of these options that is given, anything but a function. @throws ConfigurationError naming the option. */
export function checkFunctions(options: object, keys: readonly string[]): void {
  const given = options as Readonly<Record<string, unknown>>
  for (const key of keys) {
    if (given[key] !== undefined && typeof given[key] !== 'function') throw new ConfigurationError(key, 'must be a function')
  }
}

/** @throws ConfigurationError for something given as `keys` that cannot find any. */
export function checkClientKeys(keys: unknown): void {
  if (keys === undefined || (typeof keys === 'object' && keys !== null && 'find' in keys && 'match' in keys)) return
  throw new ConfigurationError('keys', 'must be what clientKeys() returns')
}

/** How one request proves its client: what a method has of its own. */
export interface Proof {
  /** The checks it goes through, in order, for the record of an attempt that stops early: names of the library's, or of your own. */
  readonly checks: readonly OpenCheckName[]
  /**
   * Passes each check on the decision, or throws what `decision.refuse` returns, and resolves to what proved the client. A refusal counts
   * whether or not it is thrown. What else it throws is a fault: 500, or as its status says.
   */
  prove(client: Client, decision: DecisionBuilder): Proven | Promise<Proven>
  /** The same work for a client that is not there or may not use the method, so that time does not tell. */
  pretend?(): Promise<void>
}

/** What proved a client. */
export interface Proven {
  /** Which of the client's credentials it was, where the method has any, as decisions and events call it: `secret:<id>`, `kid:<kid>`. */
  readonly credential?: string
  /** Which of the client's credentials this is a use of, where that is another: a registered subject and not the certificate that bears it. */
  readonly used?: string
}

/** What judging asks of a strategy. */
export type JudgingStrategy = Pick<
  ClientAuthenticationStrategy,
  'name' | 'mechanism' | 'challenge' | 'certificate' | 'public'
> & {
  readonly context: StrategyContext
}

/** Passport's actions, as they are on the object a strategy runs on. */
export interface StrategyActions {
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
 * Runs a strategy under Passport's rules: whatever happens ends in exactly one of `success`, `fail` and `error`, and never
 * in a rejected promise.
 */
export function runStrategy(
  actions: StrategyActions,
  strategy: JudgingStrategy & Pick<ClientAuthenticationStrategy, 'identify'>,
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
    readClientRequest(req).then(run).catch(failed)
    return
  }
  try {
    run(known)
  } catch (error) {
    failed(error)
  }
}

/**
 * Client exists, is registered for this method, proves it, and is the one the request names. Every attempt is told to `onDecision`; every refusal is the
 * same {@link InvalidClientError}.
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
  decision.announce(['client', 'registered_method', ...proof.checks])
  try {
    const client = await findClient(context.clients, request, client_id)
    const now = context.clock() / 1000
    if (client === undefined || !mayUseMethod(client, strategy.name, now)) {
      await proof.pretend?.()
      throw refuseBeforeProof(decision, strategy, request, client, now)
    }
    decision.pass('client')
    decision.pass('registered_method')
    const { credential, used = credential } = await proof.prove(client, decision)
    checkProven(decision, request, client_id)
    decision.credential = credential
    request.authentication = { method: strategy.name, ...(credential !== undefined && { credential }) }
    tell(context, request, () => decision.finish('authenticated'), decision.hasReports)
    context.clients.used?.(client, strategy.name, used === undefined ? [] : [used])
    request.judged = client
    return client
  } catch (error) {
    if (!(error instanceof InvalidClientError)) throw error
    tell(context, request, () => error.decision)
    throw (request.judged = withChallenge(error, strategy.challenge))
  }
}

/** The record of an attempt that a strategy judges. */
export function decisionAbout(
  { name, mechanism }: Pick<ClientAuthenticationStrategy, 'name' | 'mechanism'>,
  request: ClientRequest,
  client_id: string | undefined
): DecisionBuilder {
  const decision = new DecisionBuilder(request.endpoint, request.traceId)
  decision.client_id = client_id
  decision.mechanism = mechanism
  decision.method = name
  return decision
}

/**
 * What a method leaves to be checked once it is content.
 *
 * @throws InvalidClientError for a refusal that was not thrown, and where the request names another client beside the one that was proved.
 */
export function checkProven(decision: DecisionBuilder, request: ClientRequest, client_id: string): void {
  if (decision.refusal !== undefined) throw decision.refusal
  const named = request.parameters['client_id']
  if (named === undefined || named === client_id) return
  const fix = 'Send one client_id: the one in the credential, or none beside it.'
  throw decision.refuse('one_client_id', { section: 'RFC 6749 §2.3', expected: client_id, received: named, fix })
}

/** The refusal with the `WWW-Authenticate` of a method that uses the Authorization header. */
export function withChallenge(error: InvalidClientError, challenge: string | undefined): InvalidClientError {
  if (challenge === undefined || 'WWW-Authenticate' in error.headers) return error
  return new InvalidClientError({
    ...(error.reason !== undefined && { reason: error.reason }),
    ...(error.decision !== undefined && { decision: error.decision }),
    headers: { ...error.headers, 'WWW-Authenticate': challenge }
  })
}

/** Finds the client a request names, once per request and registry. @throws TemporarilyUnavailableError when the source does not answer. */
export async function findClient(
  clients: ClientRegistry,
  request: ClientRequest,
  client_id: string
): Promise<Client | undefined> {
  const { found } = request
  // a request may pass two applications' strategies: one's client of this id must never be taken for the other's
  if (found?.clients === clients && found.client_id === client_id) return found.client
  try {
    const client = await clients.find(client_id)
    request.found = { clients, client_id, client }
    return client
  } catch (cause) {
    if (cause instanceof OAuthError) throw cause
    throw new TemporarilyUnavailableError({ reason: 'the client could not be looked up', cause })
  }
}

/**
 * Tells whoever listens; both listeners are {@link harmless}.
 *
 * @param reports whether the decision reports something.
 */
export function tell(
  context: Pick<StrategyContext, 'onDecision'>,
  request: ClientRequest,
  decide: () => Decision | undefined,
  reports = false
): void {
  const watch = request.watch?.every === true || reports ? request.watch : undefined
  if (context.onDecision === undefined && request.onDecision === undefined && watch === undefined) return
  const decision = decide()
  if (decision === undefined) return
  watch?.tell(decision)
  context.onDecision?.(decision)
  if (request.onDecision !== context.onDecision) request.onDecision?.(decision)
}

/** A request that carries a method unreadably is an attempt too. Returns the error to throw. */
export function tellMalformed(
  context: Pick<StrategyContext, 'onDecision'>,
  request: ClientRequest,
  strategy: Pick<ClientAuthenticationStrategy, 'name' | 'mechanism'>,
  error: OAuthError
): OAuthError {
  const decision = decisionOf(error) ?? malformedDecision(request, strategy, error)
  tell(context, request, () => decision)
  return withDecision(error, decision)
}

function malformedDecision(
  request: ClientRequest,
  strategy: Pick<ClientAuthenticationStrategy, 'name' | 'mechanism'>,
  error: OAuthError
): Decision | undefined {
  const decision = decisionAbout(strategy, request, request.parameters['client_id'])
  return decision.refuse('request', { section: 'RFC 6749 §2.3', fix: error.reason ?? error.message }).decision
}

/** Refuses a client that is not there, or that may not use the method now. Returns the error to throw. */
export function refuseBeforeProof(
  decision: DecisionBuilder,
  strategy: Pick<ClientAuthenticationStrategy, 'name' | 'certificate' | 'public'>,
  request: ClientRequest,
  client: Client | undefined,
  now: number
): InvalidClientError {
  if (client === undefined) {
    return decision.refuse('client', { section: 'RFC 6749 §5.2', fix: 'Register this client_id, or correct it in the client.' })
  }
  decision.pass('client')
  const { methods } = credentialSet(client)
  const allowed = methods.filter(credential => mayUseMethod(client, credential.method, now)).map(credential => credential.method)
  return decision.refuse('registered_method', {
    section: 'RFC 7591 §2',
    expected: [...new Set(allowed)].join(', ') || 'none: its methods have ended',
    received: carried(strategy, request),
    fix: fixForMethod(strategy, client)
  })
}

/** What the request carries, in the words of whoever reads the log: a certificate method that was chosen for want of another had no certificate. */
function carried(
  { name, certificate }: Pick<ClientAuthenticationStrategy, 'name' | 'certificate'>,
  request: ClientRequest
): string {
  return certificate === true && !carriesCertificate(request) ? 'a client_id alone, without a certificate' : name
}

function carriesCertificate(request: ClientRequest): boolean {
  try {
    return request.certificate() !== undefined
  } catch {
    return true
  }
}

function fixForMethod(
  { name, public: provesNothing }: Pick<ClientAuthenticationStrategy, 'name' | 'public'>,
  client: Client
): string {
  const { methods } = credentialSet(client)
  if (methods.some(credential => credential.method === name))
    return 'The client may use this method at another time only: let it use the one it may use now, or change the dates of this one.'
  if (isPublic(client))
    return 'The client is public: let it send its client_id alone, or register it for the method whose credential it sends.'
  if (provesNothing === true)
    return 'The client sent its client_id and nothing that proves it: let it use the method it is registered for, or change its token_endpoint_auth_method.'
  return 'Let the client use the method it is registered for, change its token_endpoint_auth_method, or allow it this method too.'
}
