/**
 * One decision per authentication: what was checked about one attempt, in order, and how each check came out. The wire says
 * the same thing to every refused client; whoever operates the server reads the decision.
 *
 * A decision never contains a secret, an assertion or a token: `expected` and `received` carry identifiers, algorithms,
 * addresses and times only.
 */
import type { OpenCheckName } from './checks.ts'
import { InvalidClientError, type OAuthError } from '../errors.ts'
import { pooledRandomBytes } from '../crypto/random.ts'

export { checkNames, checkSections, isCheckName, type CheckName, type OpenCheckName } from './checks.ts'

export type CheckOutcome = 'pass' | 'fail' | 'skipped' | 'report'

export interface Check {
  /** The check's name, such as `registered_method`, `signature` or `audience`: one of `checkNames`, or of the application's own strategy. */
  readonly check: string
  readonly outcome: CheckOutcome
  /** The section of the specification that asks for this check. */
  readonly section?: string
  readonly expected?: string
  readonly received?: string
  /** One sentence: how to make this check pass, on whichever side has to move. */
  readonly fix?: string
}

export interface Decision {
  /**
   * The W3C trace id of the request, 32 hex digits: the same in every decision, event and error it leads to. Also what a support request should
   * quote.
   */
  readonly trace_id: string
  /** The endpoint the client called, by its metadata name without `_endpoint`, such as `token`. */
  readonly endpoint: string
  /** The client_id the request named; it is not known to exist unless the check `client` passed. */
  readonly client_id?: string
  /** What the request visibly carried; see {@link Mechanism}. */
  readonly mechanism?: string
  /** The client authentication method that judged it (a `token_endpoint_auth_method` value). */
  readonly method?: string
  /** Which of the client's credentials it was: `secret:<id>`, `kid:<kid>` or `x5t#S256:<thumbprint>`. */
  readonly credential?: string
  readonly outcome: 'authenticated' | 'refused'
  readonly checks: readonly Check[]
}

export interface CheckDetail {
  readonly section?: string
  readonly expected?: string
  readonly received?: string
  readonly fix?: string
}

const longestDetail = 256
// control characters in a client's input must not be able to forge or break log lines
// eslint-disable-next-line no-control-regex -- matching control characters is the purpose
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** Makes a caller's value safe to show to an operator: bounded in length, no control characters. */
export function printable(value: string): string {
  const bounded = value.length > longestDetail ? `${value.slice(0, longestDetail)}…` : value
  return bounded.replace(controlCharacters, '\ufffd')
}

/**
 * Collects the checks of one attempt. A strategy calls {@link pass} as it goes and throws what {@link refuse} returns at the
 * first check that fails; the checks it announced and never reached are recorded as `skipped`.
 */
export class DecisionBuilder {
  endpoint: string
  client_id: string | undefined
  mechanism: string | undefined
  method: string | undefined
  credential: string | undefined
  /** Those that passed are names alone until somebody wants to read them. */
  private readonly checks: (Check | OpenCheckName)[] = []
  private announced: readonly OpenCheckName[] = []
  /** Why it is refused, once that is decided. */
  private failed: string | undefined
  private readonly traceId: (() => string) | undefined
  private ownTraceId: string | undefined
  /** What {@link refuse} returned last. */
  refusal: InvalidClientError | undefined

  /** @param traceId the id of the request's trace; asked for when there is a record to put it into. Without it the attempt has one of its own. */
  constructor(endpoint: string, traceId?: () => string) {
    this.endpoint = endpoint
    this.traceId = traceId
  }

  /** Whether a check has failed: then nobody is authenticated any more. */
  get hasFailed(): boolean {
    return this.failed !== undefined
  }

  get trace_id(): string {
    return this.traceId?.() ?? (this.ownTraceId ??= pooledRandomBytes(16).toString('hex'))
  }

  /** Whether a broken rule was let through. */
  get hasReports(): boolean {
    return this.checks.some(check => typeof check !== 'string' && check.outcome === 'report')
  }

  /** Names the checks this attempt will go through, in order. */
  announce(checks: readonly OpenCheckName[]): void {
    this.announced = checks
  }

  pass(check: OpenCheckName): void {
    if (this.failed === undefined) this.checks.push(check)
  }

  /** A rule was broken, and the dial for it says to let it through and tell the operator. */
  report(check: OpenCheckName, detail: CheckDetail): void {
    if (this.failed === undefined) this.checks.push(checkOf(check, 'report', detail))
  }

  /**
   * Records the failed check that decides, for work that goes on only so that its end says nothing of when it was decided: nothing after it is recorded,
   * and {@link refuse} refuses for this, whatever it is called with.
   */
  fail(check: OpenCheckName, detail: CheckDetail = {}): void {
    if (this.failed !== undefined) return
    this.failed = detail.fix === undefined ? check : `${check}: ${detail.fix}`
    this.checks.push(checkOf(check, 'fail', detail))
  }

  /** Records the failed check and returns the error to throw: always the same words on the wire. */
  refuse(check: OpenCheckName, detail: CheckDetail = {}, headers?: Readonly<Record<string, string>>): InvalidClientError {
    this.fail(check, detail)
    const reason = this.failed ?? check
    this.refusal = new InvalidClientError({ reason, decision: this.finish('refused'), ...(headers && { headers }) })
    return this.refusal
  }

  /** The record as it stands. */
  finish(outcome: Decision['outcome']): Decision {
    const checks = this.checks.map(check => (typeof check === 'string' ? ({ check, outcome: 'pass' } as const) : check))
    const reached = new Set<string>(checks.map(({ check }) => check))
    const skipped = this.announced.filter(check => !reached.has(check)).map((check): Check => ({ check, outcome: 'skipped' }))
    return {
      trace_id: this.trace_id,
      endpoint: this.endpoint,
      ...(this.client_id !== undefined && { client_id: printable(this.client_id) }),
      ...(this.mechanism !== undefined && { mechanism: this.mechanism }),
      ...(this.method !== undefined && { method: this.method }),
      ...(this.credential !== undefined && { credential: printable(this.credential) }),
      outcome,
      checks: [...checks, ...skipped]
    }
  }
}

const decisions = new WeakMap<OAuthError, Decision>()

/** Notes what was checked about a client that another error than {@link InvalidClientError} refuses. Returns the error. */
export function withDecision<Refusal extends OAuthError>(error: Refusal, decision: Decision | undefined): Refusal {
  if (decision !== undefined) decisions.set(error, decision)
  return error
}

/** What was checked about the client an error refuses; undefined for errors of other kinds. */
export function decisionOf(error: OAuthError): Decision | undefined {
  return (error instanceof InvalidClientError ? error.decision : undefined) ?? decisions.get(error)
}

function checkOf(check: OpenCheckName, outcome: CheckOutcome, detail: CheckDetail): Check {
  return {
    check,
    outcome,
    ...(detail.section !== undefined && { section: detail.section }),
    ...(detail.expected !== undefined && { expected: printable(detail.expected) }),
    ...(detail.received !== undefined && { received: printable(detail.received) }),
    ...(detail.fix !== undefined && { fix: detail.fix })
  }
}
