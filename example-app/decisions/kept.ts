/** What was decided about clients, kept in the store for whoever operates it. */
import type { Decision, Json, JudgedAuthentication, Store } from 'clientele'
import { keptAuthentications, type KeptAuthentications } from 'clientele/replay'
import type { Log } from '../log.ts'

export type KeptDecision = JudgedAuthentication
export type KeptDecisions = KeptAuthentications

/** Keeps the last authentications of an issuer: at most 2000, for a week. What cannot be kept is a line of the log. */
export function keptDecisions(store: Store, issuer: string, log: Log): KeptDecisions {
  return keptAuthentications({
    store,
    issuer,
    onLost: lost =>
      'error' in lost
        ? log.warn({ err: lost.error }, 'decisions could not be kept')
        : log.warn(lost, 'decisions were not kept: the store was too slow')
  })
}

/** Seconds. */
const day = 86_400
/** Whoever sends wrong secrets without end fills no store. */
const mostPerMinute = 60

/**
 * Keeps decisions that refused a client or tolerated a deviation, some a minute, for a day: `clientele why` finds them
 * by the trace id that the log and the caller have. Never waits, and never fails.
 */
export function decisionKeeper(store: Store): (decision: Decision) => void {
  let minute = 0
  let kept = 0
  return decision => {
    const isPlain = decision.outcome !== 'refused' && !decision.checks.some(({ outcome }) => outcome === 'report')
    if (isPlain) return
    const now = Math.floor(Date.now() / 60_000)
    if (now !== minute) [minute, kept] = [now, 0]
    if ((kept += 1) > mostPerMinute) return
    // the first of a trace: nobody who learns the id of one replaces what is there
    store
      .add({ kind: 'decision', id: decision.trace_id }, JSON.parse(JSON.stringify(decision)) as Json, day)
      .catch(() => undefined)
  }
}
