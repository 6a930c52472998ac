/**
 * One decision per authentication: what was checked about one attempt, in order, and how each check came out. The wire
 * says the same thing to every refused client; whoever operates the server reads the decision.
 *
 * A decision never contains a secret, an assertion or a token: `expected` and `received` carry identifiers, algorithms,
 * addresses and times only.
 */
export { checkNames, checkSections, isCheckName, type CheckName, type OpenCheckName } from './checks.ts'

/** The outcome of a check. `skipped`: another failed before it. `report`: it failed, and its dial lets it through. */
export type CheckOutcome = 'pass' | 'fail' | 'skipped' | 'report'

/** One check of a decision. */
export interface Check {
  /**
   * The check's name, such as `registered_method`, `signature` or `audience`: one of `checkNames`, or of the
   * application's own strategy.
   */
  readonly check: string
  /** The outcome of this check. */
  readonly outcome: CheckOutcome
  /** The section of the specification that asks for this check. */
  readonly section?: string
  /** The value the check asks for. */
  readonly expected?: string
  /** The value that came instead. */
  readonly received?: string
  /** One sentence: how to make this check pass, on whichever side has to move. */
  readonly fix?: string
}

/** The record of one authentication. */
export interface Decision {
  /**
   * The W3C trace id of the request, 32 hex digits: the same in every decision, event and error it leads to. Also what
   * a support request should quote.
   */
  readonly trace_id: string
  /** The endpoint the client called, by its metadata name without `_endpoint`, such as `token`. */
  readonly endpoint: string
  /** The client_id the request named; it is not known to exist unless the check `client` passed. */
  readonly client_id?: string
  /** The mechanism that the request visibly carried; see {@link Mechanism}. */
  readonly mechanism?: string
  /** The client authentication method that judged it (a `token_endpoint_auth_method` value). */
  readonly method?: string
  /** Which of the client's credentials it was: `secret:<id>`, `kid:<kid>` or `x5t#S256:<thumbprint>`. */
  readonly credential?: string
  /** `authenticated`: every check passed, or was let through. */
  readonly outcome: 'authenticated' | 'refused'
  /** Every check, in the order they were made. */
  readonly checks: readonly Check[]
}

/** The details of a check that did not pass. */
export interface CheckDetail {
  /** The section of the specification that asks for the check. */
  readonly section?: string
  /** The value the check asks for. */
  readonly expected?: string
  /** The value that came instead; never a secret, an assertion or a token. */
  readonly received?: string
  /** One sentence on how to make the check pass. */
  readonly fix?: string
}
