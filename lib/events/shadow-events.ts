/** Events of a candidate configuration that is tried beside the live one (`shadow`). */
import type { Decision } from '../decisions/decision.ts'
import type { EventBase } from './event-base.ts'

/** A candidate configuration would have judged a request otherwise. */
export interface ShadowDiffered extends EventBase {
  /** Tells this event from others. */
  readonly type: 'shadow.differed'
  /** The endpoint's metadata name without `_endpoint`. */
  readonly endpoint: string
  /** The client_id the request named, where it named one. */
  readonly client_id?: string | undefined
  /** The method that judged it in the trial. */
  readonly method?: string | undefined
  /** The change for the client. */
  readonly effect: 'would_break' | 'would_be_let_in' | 'other_reason' | 'other_report'
  /**
   * The check that makes the difference: that which the client would fail or have reported; where it would be let in,
   * that which it fails now.
   */
  readonly check?: string | undefined
  /** The value the check asks for. */
  readonly expected?: string | undefined
  /** The value that came instead. */
  readonly received?: string | undefined
  /** The decision that counted. */
  readonly live: Decision
  /** The decision of the candidate. */
  readonly candidate: Decision
}

/** A request that was to be tried was not judged. Its answer was what it would have been without. */
export interface ShadowUnjudged extends EventBase {
  /** Tells this event from others. */
  readonly type: 'shadow.unjudged'
  /** The endpoint's metadata name without `_endpoint`. */
  readonly endpoint: string
  /** The client_id the request named, where it named one. */
  readonly client_id?: string | undefined
  /** `failed`: an error. `timed_out`: not within two seconds. `skipped`: too many others were being tried. */
  readonly outcome: 'failed' | 'timed_out' | 'skipped'
  /** The error, for the operator. */
  readonly reason?: string | undefined
}

/** Everything that is told of trials. */
export type ShadowEvent = ShadowDiffered | ShadowUnjudged
