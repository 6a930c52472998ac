/** What two decisions about one request have between them. */
import type { Check, Decision } from '../../decisions/decision.ts'

/**
 * What a candidate configuration would change for the client of a request. `would_break`: the client is authenticated,
 * and would be refused. `would_be_let_in`: the other way round. `other_reason`: refused by both, at different checks.
 * `other_report`: authenticated by both, and other broken rules are let through.
 */
export type ShadowEffect = 'would_break' | 'would_be_let_in' | 'other_reason' | 'other_report'

/** One request that a candidate configuration would have judged otherwise. */
export interface ShadowDifference {
  /** The change for the client. */
  readonly effect: ShadowEffect
  /** The decision that counted. */
  readonly live: Decision
  /** The decision of the candidate, with the same `trace_id`. */
  readonly candidate: Decision
}

/** Undefined where the candidate judged as the live configuration did. */
export function differenceOf(live: Decision, candidate: Decision): ShadowDifference | undefined {
  const effect = effectOf(live, candidate)
  return effect && { effect, live, candidate }
}

/** What was judged, as far as the two are compared. */
type Judged = Pick<Decision, 'outcome' | 'checks'>

/** The change for the client; undefined where there is none. */
export function effectOf(live: Judged, candidate: Judged): ShadowEffect | undefined {
  if (live.outcome !== candidate.outcome) return live.outcome === 'authenticated' ? 'would_break' : 'would_be_let_in'
  if (live.outcome === 'refused') return deciding(live)?.check === deciding(candidate)?.check ? undefined : 'other_reason'
  return reported(live) === reported(candidate) ? undefined : 'other_report'
}

/** The check a decision is told by: the one that failed, otherwise the first that was let through. */
export function deciding({ checks }: Judged): Check | undefined {
  return checks.find(({ outcome }) => outcome === 'fail') ?? checks.find(({ outcome }) => outcome === 'report')
}

function reported({ checks }: Judged): string {
  const names = checks.filter(({ outcome }) => outcome === 'report').map(({ check }) => check)
  return names.sort().join()
}
