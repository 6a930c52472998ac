/** The last authentications of an issuer, kept in the store for whoever operates it and for `clientele replay`. */
import type { Store } from 'clientele'
import type { JudgedAuthentication } from 'clientele'
import { keptAuthentications, type KeptAuthentications } from 'clientele/replay'
import type { Log } from '../log.ts'

export type KeptDecision = JudgedAuthentication
export type KeptDecisions = KeptAuthentications

/** Keeps them: at most 2000, for a week. What cannot be kept is a line of the log. */
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
