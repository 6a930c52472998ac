/** The outcome of one authentication, told as events and a span; nothing is looked at where nobody listens. */
import type { Request } from 'express'
import type { Client } from '../clients/client.ts'
import { printable } from '../printable.ts'
import type { Decision } from '../decisions/decision.ts'
import { OAuthError, TooManyAttemptsError } from '../errors.ts'
import type { EventSource } from '../events/event-source.ts'
import { toOAuthError } from '../http/error-handler.ts'
import { networkOf } from '../http/network.ts'
import type { ClientRequest, DecisionWatch } from '../client-request.ts'
import { beginOperation, failedCheck, type Operation } from '../events/telemetry.ts'
import { traceIdOf } from '../http/trace.ts'

/** Watches an authentication from before its request is read; undefined where nobody listens. */
export function watchAuthentication(source: EventSource, req: Request, endpoint: string): WatchedAuthentication | undefined {
  const operation = beginOperation('client_authentication', req)
  if (operation === undefined && source.emit === undefined) return undefined
  return new WatchedAuthentication(source, req, endpoint, operation)
}

/** A watch that hears every decision, beside another that goes on hearing what it wants. */
export function watchBeside(watch: DecisionWatch | undefined, tell: (decision: Decision) => void): DecisionWatch {
  return {
    every: true,
    tell(decision) {
      if (watch?.every === true || decision.outcome === 'authenticated') watch?.tell(decision)
      tell(decision)
    }
  }
}

export class WatchedAuthentication implements DecisionWatch {
  readonly every = true
  private readonly begun = performance.now()
  private decision: Decision | undefined
  private named: { readonly client_id: string | undefined; readonly method: string } | undefined
  private ended = false
  private request: ClientRequest | undefined
  private readonly source: EventSource
  private readonly req: Request
  private readonly endpoint: string
  private readonly operation: Operation | undefined

  constructor(source: EventSource, req: Request, endpoint: string, operation: Operation | undefined) {
    this.source = source
    this.req = req
    this.endpoint = endpoint
    this.operation = operation
  }

  run<T>(work: () => T): T {
    return this.operation === undefined ? work() : this.operation.run(work)
  }

  /** Goes on with what is no part of it. */
  leave<T>(work: () => T): T {
    return this.operation === undefined ? work() : this.operation.leave(work)
  }

  /** Which method is to judge, and for whom. */
  select(method: string, client_id: string): void {
    this.named = { method, client_id: client_id === '' ? undefined : printable(client_id) }
  }

  /** The request that is judged, once it was read. */
  follow(request: ClientRequest): this {
    this.request = request
    return this
  }

  tell(decision: Decision): void {
    this.decision = decision
    if (decision.outcome === 'authenticated') this.source.tolerated(decision)
  }

  /** Ends as the strategy did; once that is known, where the use of what proved the client is settled later. */
  endWith(error: unknown, { authenticatedClient: client }: Pick<Request, 'authenticatedClient'>): void {
    const use = error === undefined ? this.request?.lateUse : undefined
    if (use === undefined) this.end(error, error === undefined ? client : undefined)
    else use.ended = late => this.end(late, late === undefined ? client : undefined)
  }

  /** @param error what the client is refused with; undefined: it is authenticated. */
  end(error: unknown, client: Client | undefined): void {
    if (this.ended) return
    this.ended = true
    const failure = error === undefined ? undefined : toOAuthError(error)
    const { decision, endpoint } = this
    const method = decision?.method ?? this.named?.method
    const client_id = client?.client_id ?? decision?.client_id ?? this.named?.client_id
    const about = { endpoint, method, credential: decision?.credential }
    this.emit({ ...about, decision, duration: performance.now() - this.begun }, client_id, failure)
    const failed_check = failedCheck(decision)
    this.operation?.end({ ...about, client_id, failed_check, outcome: outcomeOf(failure) }, failure?.error)
  }

  private emit(about: About, client_id: string | undefined, failure: OAuthError | undefined): void {
    const { emit } = this.source
    if (emit === undefined) return
    const trace_id = traceIdOf(this.req)
    const { endpoint, decision } = about
    if (failure === undefined) {
      emit({ type: 'authentication.succeeded', trace_id, client_id: client_id ?? '', ...about })
      return
    }
    const { error, reason } = failure
    emit({ type: `authentication.${outcomeOf(failure)}`, trace_id, client_id, error, reason, ...about })
    if (failure instanceof TooManyAttemptsError)
      emit({ type: 'guesses.exceeded', trace_id, endpoint, client_id, network: networkOf(this.req) })
    if (client_id !== undefined && failedCheck(decision) === 'replay')
      emit({ type: 'assertion.replayed', trace_id, client_id, use: 'client_authentication' })
  }
}

interface About {
  readonly endpoint: string
  readonly method: string | undefined
  readonly credential: string | undefined
  readonly decision: Decision | undefined
  readonly duration: number
}

function outcomeOf(failure: undefined): 'succeeded'
function outcomeOf(failure: OAuthError): 'refused' | 'unanswered'
function outcomeOf(failure: OAuthError | undefined): 'succeeded' | 'refused' | 'unanswered'
function outcomeOf(failure: OAuthError | undefined): 'succeeded' | 'refused' | 'unanswered' {
  if (failure === undefined) return 'succeeded'
  return failure.status >= 500 ? 'unanswered' : 'refused'
}
