/** Runs strategies by name, on a Passport instance of their own, and leaves nothing of a request behind. */
import type { Request } from 'express'
import passport from 'passport'
import type { Client } from '../clients/client.ts'
import { ServerError } from '../errors.ts'
import { ReadRequest } from '../http/client-request.ts'
import type { ClientRequest } from '../client-request.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'

/** Takes the outcome of a strategy's run: an error, or a client; neither where the strategy called `pass()`. */
export type RunEnd = (error: unknown, client: Client | undefined) => void

/** The part of a response that Passport uses where a strategy fails or redirects. */
export interface Answerable {
  statusCode: number
  setHeader(name: string, value: string | readonly string[]): unknown
  end(text?: string): unknown
}

/**
 * Runs one strategy for one request. `end` is called once at most; a strategy that calls `fail()` has Passport answer
 * instead.
 */
type RunStrategy = (
  strategy: ClientAuthenticationStrategy,
  exchange: { readonly req: Request; readonly res: Answerable; readonly request: ClientRequest },
  end: RunEnd
) => void

/** Passport's options of a run: no session, and the client at neither `req.client` (the socket) nor `req.user`. */
const passportOptions = { session: false, assignProperty: 'authenticatedClient', authInfo: false }

/** Passport's middleware, typed by what it really asks for. */
type PassportHandler = (req: Request | ReadRequest, res: PassportResponse, next: (error?: unknown) => void) => void

export function strategyRunner(strategies: readonly ClientAuthenticationStrategy[]): RunStrategy {
  // made as they are needed: a server has several endpoints and many methods, and its clients use few of both
  let authenticator: InstanceType<typeof passport.Passport> | undefined
  let handlers: (PassportHandler | undefined)[] | undefined
  const handlerOf = (name: string): PassportHandler => {
    const index = strategies.findIndex(one => one.name === name)
    const known = handlers?.[index]
    if (known !== undefined) return known
    const strategy = strategies[index]
    if (strategy === undefined) throw new ServerError({ reason: `no strategy is called ${name}` })
    // there are no sessions: what Passport would restore them with is not kept
    authenticator ??= new passport.Passport().unuse('session')
    const handler = authenticator.use(strategy).authenticate(name, passportOptions) as PassportHandler
    handlers ??= strategies.map(() => undefined)
    handlers[index] = handler
    return handler
  }
  return (strategy, exchange, end) => {
    const handle = handlerOf(strategy.name)
    const run = new Run(strategy, exchange, end)
    handle(run.given, run.response, error => run.end(error))
  }
}

/**
 * Passport assigns five functions to properties for every request, and V8 puts a function that is written as the value
 * of an assignment straight into its old generation, where it and all that it reaches stay until the next full
 * collection. What these five reach is the request, the response and `next`: here they get stand-ins, which let go of
 * all three as soon as the run has ended.
 */
class Run {
  readonly given: Request | ReadRequest
  readonly response: PassportResponse
  private done: RunEnd | undefined

  constructor(strategy: ClientAuthenticationStrategy, { req, res, request }: Parameters<RunStrategy>[1], done: RunEnd) {
    this.given = strategy.needsOnlyClientRequest === true ? new ReadRequest(request) : req
    this.response = new PassportResponse(res)
    this.done = done
  }

  end(error: unknown): void {
    const { given, done } = this
    if (done === undefined) return
    const client = given.authenticatedClient as Client | undefined
    this.done = undefined
    this.response.release()
    if (given instanceof ReadRequest) given.release()
    done(error, client)
  }
}

/** Lets go of the response as soon as the run has ended. */
class PassportResponse {
  private res: Answerable | undefined

  constructor(res: Answerable) {
    this.res = res
  }

  get statusCode(): number {
    return this.res?.statusCode ?? 0
  }

  set statusCode(status: number) {
    if (this.res !== undefined) this.res.statusCode = status
  }

  setHeader(name: string, value: string | readonly string[]): void {
    this.res?.setHeader(name, value)
  }

  end(text?: string): void {
    this.res?.end(text)
  }

  release(): void {
    this.res = undefined
  }
}
