/** The making of a decision: check by check, up to the first that fails. */
import type { OpenCheckName } from './checks.ts'
import type { Check, CheckDetail, CheckOutcome, Decision } from './decision.ts'
import { InvalidClientError, type OAuthError } from '../errors.ts'
import { pooledRandomBytes } from '../crypto/random.ts'
import { printable } from '../printable.ts'

/**
 * Collects the checks of one attempt. A strategy calls {@link pass} as it goes and throws what {@link refuse} returns
 * at the first check that fails; the checks it announced and never reached are recorded as `skipped`.
 */
export class DecisionBuilder {
  /** The endpoint's metadata name without `_endpoint`. */
  endpoint: string
  /** The `client_id` the request named. */
  client_id: string | undefined
  /** The mechanism of the request. */
  mechanism: string | undefined
  /** The method that judges it. */
  method: string | undefined
  /** The credential it was, once that is known: `secret:<id>`, `kid:<kid>`, `x5t#S256:<thumbprint>`. */
  credential: string | undefined
  /** Those that passed are names alone until somebody wants to read them. */
  private readonly checks: (Check | OpenCheckName)[] = []
  private announced: readonly OpenCheckName[] = []
  /** Why it is refused, once that is decided. */
  private failed: string | undefined
  private readonly traceId: (() => string) | undefined
  private ownTraceId: string | undefined
  /** The error that {@link refuse} returned last. */
  refusal: InvalidClientError | undefined

  /**
   * @param traceId the id of the request's trace; asked for when there is a record to put it into. Without it the
   * attempt has one of its own.
   */
  constructor(endpoint: string, traceId?: () => string) {
    this.endpoint = endpoint
    this.traceId = traceId
  }

  /** Whether a check has failed: then nobody is authenticated any more. */
  get hasFailed(): boolean {
    return this.failed !== undefined
  }

  /** The trace id of the request, or one of the attempt's own. */
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

  /** Records a check that passed. @param detail where there is more to say than that. */
  pass(check: OpenCheckName, detail?: CheckDetail): void {
    if (this.failed === undefined) this.checks.push(detail === undefined ? check : checkOf(check, 'pass', detail))
  }

  /** A rule was broken, and the dial for it says to let it through and tell the operator. */
  report(check: OpenCheckName, detail: CheckDetail): void {
    if (this.failed === undefined) this.checks.push(checkOf(check, 'report', detail))
  }

  /**
   * Records the failed check that decides, for work that goes on only so that its end says nothing of when it was
   * decided: nothing after it is recorded, and {@link refuse} refuses for this, whatever it is called with.
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

  /**
   * The same, answered with another error: where the client is not to be refused for good, but to come again with
   * something else. What failed before decides as ever.
   */
  refuseAs(check: OpenCheckName, detail: CheckDetail, error: OAuthError): OAuthError {
    const before = this.failed
    const refusal = this.refuse(check, detail)
    if (before !== undefined) return refusal
    error.decision = refusal.decision
    return error
  }

  /** The record as it stands. */
  finish(outcome: Decision['outcome']): Decision {
    const checks = this.checks.map((check): Check => (typeof check === 'string' ? { check, outcome: 'pass' } : check))
    const reached = checks.length
    for (const check of this.announced) if (!isAmong(checks, reached, check)) checks.push({ check, outcome: 'skipped' })
    const { endpoint, client_id, mechanism, method, credential } = this
    // member by member: a literal that spreads what there may be costs several times as much, and every record is one
    const decision: Writable<Partial<Decision>> = { trace_id: this.trace_id, endpoint }
    if (client_id !== undefined) decision.client_id = printable(client_id)
    if (mechanism !== undefined) decision.mechanism = mechanism
    if (method !== undefined) decision.method = method
    if (credential !== undefined) decision.credential = printable(credential)
    decision.outcome = outcome
    decision.checks = checks
    return decision as Decision
  }
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

/** Whether one of the first so many is of this name. */
function isAmong(checks: readonly Check[], count: number, name: OpenCheckName): boolean {
  for (let index = 0; index < count; index++) if (checks[index]?.check === name) return true
  return false
}

function checkOf(check: OpenCheckName, outcome: CheckOutcome, detail: CheckDetail): Check {
  const { section, expected, received, fix } = detail
  const made: Writable<Check> = { check, outcome }
  if (section !== undefined) made.section = section
  if (expected !== undefined) made.expected = printable(expected)
  if (received !== undefined) made.received = printable(received)
  if (fix !== undefined) made.fix = fix
  return made
}
