/**
 * Decisions that refused a client or tolerated a deviation, kept for a day: `clientele why` finds them by the trace id
 * that the log and the caller have.
 */
import type { Decision, Json, Store } from 'clientele'

/** Seconds. */
const day = 86_400
/** Whoever sends wrong secrets without end fills no store. */
const mostPerMinute = 60

/** Keeps decisions, some a minute; never waits, and never fails. */
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
