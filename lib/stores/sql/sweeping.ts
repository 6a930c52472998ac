/** Gives back the space of records that have expired or whose grant was ended: a few at a time, beside the work. */
import type { CompiledQuery } from 'kysely'
import type { Queries } from './queries.ts'

export interface SweepingOptions {
  readonly queries: Pick<Queries, 'sweepExpired' | 'sweepGrant' | 'sweepDueGrants' | 'forgetGrants'>
  /** Rows that each statement of a step removes at most. */
  readonly rows: number
  readonly clock: () => number
  /** Runs a statement; answers how many rows it removed. */
  readonly run: (query: CompiledQuery) => Promise<number>
}

export interface Sweeping {
  /**
   * Has what is left of this grant removed soon. Nothing depends on it: what a crash leaves behind goes after an hour.
   */
  grantEnded(grant: Buffer): void
  /** Stops; resolves when no step is under way any more. */
  stop(): Promise<void>
}

/**
 * Milliseconds between two steps: when the last one left nothing to do, when it did not, and when the database failed.
 */
const pauses = { idle: 1_000, busy: 5, failed: 5_000 }
/** Grants that wait to be removed, at most; more than that are left to the hour. */
const mostGrants = 10_000

/** Begins sweeping in the background. The timer keeps no process alive. */
export function startSweeping({ queries, rows: limit, clock, run }: SweepingOptions): Sweeping {
  const grants: Buffer[] = []
  let timer: NodeJS.Timeout | undefined
  let step = Promise.resolve()
  let stopped = false

  const schedule = (pause: number) => {
    if (stopped) return
    // every process sweeps, and they need not all do it at the same moment
    timer = setTimeout(sweep, pause * (0.5 + Math.random()))
    timer.unref()
  }
  const sweep = () => {
    step = removeSome().then(
      removedAll => schedule(removedAll ? pauses.idle : pauses.busy),
      () => schedule(pauses.failed)
    )
  }
  const removeSome = async (): Promise<boolean> => {
    const grant = grants.at(-1)
    if (grant !== undefined && (await run(queries.sweepGrant({ grant, limit, now: clock() }))) < limit) grants.pop()
    const expired = await run(queries.sweepExpired({ limit, now: clock() }))
    const ofDue = await run(queries.sweepDueGrants({ limit, now: clock() }))
    const forgotten = await run(queries.forgetGrants({ limit, now: clock() }))
    return grants.length === 0 && Math.max(expired, ofDue, forgotten) < limit
  }

  schedule(pauses.idle)
  return {
    grantEnded(grant) {
      if (grants.length < mostGrants) grants.push(grant)
    },
    stop() {
      stopped = true
      clearTimeout(timer)
      return step
    }
  }
}
