/** Runs the one strategy a request calls for, and says whether its client is authenticated. */
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { watchAuthentication, type WatchedAuthentication } from './watch.ts'
import { clientRegistry, clientsCheck, type Client, type ClientRegistry, type ClientSource } from '../clients/client.ts'
import type { Guess } from '../credentials/guesses/guess-places.ts'
import type { GuessProtection } from '../credentials/guesses/guess-protection.ts'
import type { Decision } from '../decisions/decision.ts'
import { InvalidClientError } from '../errors.ts'
import { eventSource, type EventListener, type EventSource } from '../events/event-source.ts'
import { harmless } from '../listeners.ts'
import type { CertificateSource } from '../certificates/source.ts'
import { settleExchange } from '../http/changed-prototypes.ts'
import { readClientRequest, readRouteRequest } from '../http/client-request.ts'
import { addressesOfListener } from '../http/listener.ts'
import type { ReadOptions } from '../http/parameters.ts'
import { flag, fn, integer, nested, objectLike, readOptions, required, text, type Checks } from '../options.ts'
import type { ClientRequest, DecisionWatch, FurtherProof } from '../client-request.ts'
import { settlesLate } from '../strategies/jwt-strategy.ts'
import { readBodies, strategiesCheck, type ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import { wantsOf, watchJudged, type JudgedListener } from './judged.ts'
import type { Store } from '../stores/store.ts'
import { strategyRunner } from './run.ts'
import { laidOver, shadowChecks, type ReadShadow, type ShadowOptions } from './shadow/options.ts'
import { shadowOf, type Shadow } from './shadow/shadow.ts'
import { isVerdict, judgeVerdict, verdictOf } from './verdict.ts'
import { selectStrategy, type Selected } from './selection.ts'
import { reserveGuess, settleGuess } from './guesses.ts'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express's types about a request know no other way
  namespace Express {
    interface Request {
      /** The client `authenticateClient()` or the token router authenticated. Never the person: that is `req.user`. */
      authenticatedClient?: Client
    }
  }
}

/** The options of `authenticateClient()`. */
export interface AuthenticateClientOptions extends ReadOptions {
  /** The registered clients: a list of metadata, or a function that finds one by its client_id. */
  readonly clients: ClientSource | ClientRegistry
  /** The methods accepted here. The order does not matter: a request's shape and the client's registration choose. */
  readonly strategies: readonly ClientAuthenticationStrategy[]
  /** The name of this endpoint in decisions. Default `token`. */
  readonly endpoint?: string | undefined
  /** The source of client certificates. Default: the TLS connection itself. */
  readonly certificateSource?: CertificateSource | undefined
  /** Told of every authentication and how each check came out. What it throws or rejects with is ignored. */
  readonly onDecision?: ((decision: Decision) => void) | undefined
  /** Told the same with what was presented, for whoever keeps it to judge it again. What it throws is ignored. */
  readonly onJudged?: JudgedListener | undefined
  /**
   * Told of every authentication, and what came of it, as `authentication.*` events. What it throws or rejects with is
   * ignored.
   */
  readonly onEvent?: EventListener | undefined
  /** Bounds how often secrets can be guessed; what `guessProtection()` makes. Default: nothing does. */
  readonly guessProtection?: GuessProtection | undefined
  /** Tries other clients, strategies or another source of certificates on requests that are judged here. */
  readonly shadow?: ShadowOptions<AuthenticateClientCandidate> | undefined
}

/** The options of `authenticateClient()` that a candidate can change. */
export type AuthenticateClientCandidate = Partial<Pick<AuthenticateClientOptions, 'clients' | 'strategies' | 'certificateSource'>>

const candidateChecks = { clients: clientsCheck, strategies: strategiesCheck, certificateSource: fn<CertificateSource>() }

export const authenticateClientChecks = {
  clients: clientsCheck,
  strategies: required(strategiesCheck),
  endpoint: text('token'),
  certificateSource: fn<CertificateSource>(),
  onDecision: fn<(decision: Decision) => void>(),
  onJudged: fn<JudgedListener>(),
  onEvent: fn<EventListener>(),
  guessProtection: objectLike<GuessProtection>('what guessProtection() returns', value => typeof value['reserve'] === 'function'),
  jsonBody: flag(false),
  maxBytes: integer({ min: 1, max: 10_485_760 }),
  maxParameters: integer({ min: 1, max: 10_000 }),
  shadow: nested(shadowChecks(candidateChecks))
} satisfies Checks<AuthenticateClientOptions>

/**
 * Authenticates the client of a request by whichever of the strategies its shape calls for, and puts it on
 * `req.authenticatedClient`. Exactly one strategy judges; a refused credential never falls through to another.
 *
 * Requests may be of any method and content type. Only a form is read (or JSON, where `jsonBody` is true), and only
 * where one of the strategies lives in it, or no header says who calls: whatever else there is in a body, or another
 * parser made of it, is left alone. A client with a certificate may name itself as `client_id` in the URL.
 *
 * Errors go to the next error handler: {@link InvalidRequestError} for two mechanisms or an unreadable request, {@link
 * InvalidClientError} for every refusal. Mount `oauthErrorHandler()` after it to answer them as RFC 6749 §5.2 JSON;
 * without it Express's own handler answers with the same status and headers, and a page that has the stack where
 * `NODE_ENV` is not `production`.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const strategies = [new ClientSecretBasicStrategy({ clients }), new NoneStrategy({ clients })]
 * app.post('/reports', authenticateClient({ clients, strategies }), (req, res) => { res.json(req.authenticatedClient?.client_id) })
 * app.use(oauthErrorHandler())
 */
export function authenticateClient(options: AuthenticateClientOptions): RequestHandler {
  const { shadow: tried, ...read } = readOptions(options, authenticateClientChecks)
  const { strategies } = read
  const identify = (bare: ClientRequest): boolean => strategies.some(strategy => strategy.identify(bare).outcome !== 'absent')
  const methods = { identify, inBody: readBodies(strategies) }
  const events = eventSource(read)
  const shadow = tried && routeShadow(tried, read, events)
  return authenticateWith({ ...read, shadow }, events, req => readRouteRequest(req, methods, read))
}

function routeShadow(
  { options, ...setting }: ReadShadow<typeof candidateChecks>,
  live: Pick<AuthenticateClientOptions, 'clients' | 'strategies'>,
  events: EventSource
): Shadow | undefined {
  const { clients, strategies, certificateSource } = laidOver({ ...live, certificateSource: undefined }, options)
  const judges = { clients: clientRegistry(clients), strategies, clock: events.clock }
  const candidate = { ...judges, certificateSource, further: undefined }
  return shadowOf({ ...setting, candidate, mounted: live.strategies, events })
}

/** Options for one of a server's endpoints: those that everybody has, and those of the server alone. */
export interface EndpointAuthenticationOptions extends Omit<AuthenticateClientOptions, 'shadow'> {
  /** The endpoint's addresses, for methods that sign where a request goes. */
  readonly addresses?: readonly string[] | undefined
  /** A further proof asked of clients, beside that of who they are. */
  readonly further?: FurtherProof | undefined
  /** Tries a candidate on the requests judged here; undefined: none are tried. */
  readonly shadow?: Shadow | undefined
  /**
   * The store in which the endpoint settles what proves the client of a request together with its answer; undefined
   * where it does not. Left out: it never does.
   */
  readonly recordsIn?: ((request: ClientRequest) => Store | undefined) | undefined
}

/**
 * The same for an endpoint of a server, whose options were read, and which tells what happens in its own name.
 *
 * @param readRequest reads a request. Default: as the endpoints of OAuth take them, which is by POST and a form.
 */
export function authenticateWith(
  options: EndpointAuthenticationOptions,
  source: EventSource,
  readRequest = (req: Request): Promise<ClientRequest> => readClientRequest(req, options)
): RequestHandler {
  const clients = clientRegistry(options.clients)
  const { strategies } = options
  const runStrategy = strategyRunner(strategies)
  const onDecision = harmless('onDecision', options.onDecision)
  const onJudged = harmless('onJudged', options.onJudged)
  const isJudgedWanted = wantsOf(options.onJudged)
  const tryBeside = options.shadow?.at(strategies)
  const unwatched: DecisionWatch = { every: false, tell: decision => source.tolerated(decision) }
  const run = async (req: Request, res: Response, next: NextFunction, watched?: WatchedAuthentication): Promise<void> => {
    const request = await readRequest(req)
    request.onDecision = onDecision
    // what an earlier route judged says nothing here
    request.judged = request.lateUse = undefined
    request.watch = watched?.follow(request) ?? unwatched
    if (onJudged !== undefined && isJudgedWanted()) request.watch = watchJudged(request, onJudged, source.clock)
    tryBeside?.(req, res, request)
    const { addresses, further } = options
    request.addresses = addresses && (() => addressesOfListener(req, addresses))
    request.further = further
    if (further !== undefined) setHeaders(res, further.answerHeaders(request))
    const selection = selectStrategy(strategies, clients, request)
    const selected = selection instanceof Promise ? await selection : selection
    const { strategy, client_id } = selected
    if (strategy.answerHeaders !== undefined) setHeaders(res, strategy.answerHeaders(request))
    watched?.select(strategy.name, client_id)
    const reserved = selected.guessable ? reserveGuess(options.guessProtection, req, request, selected) : undefined
    const guess = reserved instanceof Promise ? await reserved : reserved
    request.guess = guess
    request.recordsIn = settlesLate(strategy) ? options.recordsIn?.(request) : undefined
    // a request of one client may come with another's mark from an earlier route
    if (req.authenticatedClient !== undefined) delete req.authenticatedClient
    const end = endingOf({ req, request, selected, guess, next, clients, clock: source.clock })
    try {
      runStrategy(strategy, { req, res, request }, end)
    } catch (error) {
      guess?.release()
      throw error
    }
    // Passport answers for a strategy that fails, and nobody else hears of it
    if (guess !== undefined && strategy.needsOnlyClientRequest !== true) res.once('close', () => guess.release())
  }
  return (req, res, next) => {
    settleExchange(req, res)
    const watched = watchAuthentication(source, req, options.endpoint ?? 'token')
    if (watched === undefined) {
      run(req, res, next).catch(next)
      return
    }
    const done = (error?: unknown): void => {
      watched.endWith(error, req)
      watched.leave(() => next(error))
    }
    void watched.run(() => run(req, res, done, watched).catch(done))
  }
}

function setHeaders(res: Response, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
}

interface Ending {
  readonly req: Request
  readonly request: ClientRequest
  readonly selected: Selected
  readonly guess: Guess | undefined
  readonly next: NextFunction
  readonly clients: ClientRegistry
  readonly clock: EventSource['clock']
}

/**
 * Ends an authentication as its strategy said it went, once that has been judged; whatever place was reserved is
 * settled.
 */
function endingOf({
  req,
  request,
  selected,
  guess,
  next,
  clients,
  clock
}: Ending): (error: unknown, client: Client | undefined) => void {
  const end = (error: unknown, client: Client | undefined): void => {
    // for this run alone: whatever judges the request later has nobody who settles anything
    request.recordsIn = undefined
    const verdict = verdictOf(selected.strategy, error, client)
    if (verdict !== request.judged && isVerdict(verdict)) {
      judgeVerdict(verdict, selected, request, { clients, clock }).then(
        judged => {
          request.judged = judged
          if (judged instanceof InvalidClientError) end(judged, undefined)
          else end(undefined, judged)
        },
        (fault: unknown) => {
          guess?.release()
          next(fault)
        }
      )
    } else if (verdict instanceof InvalidClientError && guess !== undefined) settleGuess(guess, verdict, next)
    else {
      guess?.release()
      if (verdict instanceof Error) next(verdict)
      else {
        req.authenticatedClient = verdict
        next()
      }
    }
  }
  return end
}
