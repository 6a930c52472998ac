/**
 * Places for the fetches of documents: how many may be under way, and of those for ids nobody here has heard of how
 * many may begin within a minute. Ids that somebody agreed to have places of their own, and go first at their host.
 */
import { growingCache } from '../../stores/growing-cache.ts'
import { begunFetches, minute, type MinuteLimits } from './begun.ts'

/** Thrown in place of a fetch that is not made: its host fails. */
export class FetchRefusedError extends Error {
  override readonly name = 'FetchRefusedError'
}

/** Thrown in place of a fetch that is not made now: there are too many, and nothing is wrong with this one. */
export class FetchPostponedError extends Error {
  override readonly name = 'FetchPostponedError'
  /** Seconds after which to come again. */
  readonly retryAfter: number
  constructor(message: string, retryAfter: number) {
    super(message)
    this.retryAfter = retryAfter
  }
}

interface FetchLimits extends MinuteLimits {
  /** Fetches under way, all hosts together, and as many again for ids that somebody agreed to. */
  readonly atOnce: number
}

export interface PlacesContext {
  readonly limits: FetchLimits
  /** Milliseconds somebody waits for a place. */
  readonly timeout: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** One of the fetches that may be under way. */
interface Place {
  leave(failed: boolean): void
}

/**
 * What is known of an id: somebody agreed to its client; or its document was read here before, which is more than
 * nothing and could be anybody's doing.
 */
export type Acquaintance = 'agreed' | 'read' | 'new'

/** What is to be fetched. */
interface Wanted {
  readonly hostname: string
  readonly acquaintance: Acquaintance
}

const mostFailures = 10
const mostWaiting = 1000
const mostHosts = 10_000

interface Host {
  /** When the failures of the last minute were, in milliseconds since the epoch. */
  failures: number[]
  underWay: number
}

/** Somebody for whom there is no room yet. */
interface Waiter extends Wanted {
  readonly admit: (place: Place) => void
  readonly refuse: (error: Error) => void
}

/**
 * A function that gives places. It throws, or rejects with, {@link FetchRefusedError} where the host has failed too
 * often within the minute, and {@link FetchPostponedError} where too many fetches were begun, or too many wait.
 *
 * Whoever waits is admitted in turn, those that somebody agreed to first.
 */
export function placesFor({ limits, timeout, clock }: PlacesContext): (wanted: Wanted) => Place | Promise<Place> {
  const hosts = growingCache<Host>(mostHosts)
  const begun = begunFetches(limits, clock)
  const lanes = { agreed: laneOf(), others: laneOf() }
  const tryToEnter = (wanted: Wanted): Place | undefined => {
    const host = hosts.get(wanted.hostname) ?? { failures: [], underWay: 0 }
    hosts.set(wanted.hostname, host)
    checkFailures(host, clock())
    const wait = wanted.acquaintance === 'new' ? begun.wait(wanted.hostname) : 0
    if (wait > 0) throw new FetchPostponedError(tooManyNew, Math.ceil(wait / 1000))
    // those under way may fail yet
    const isFull = host.failures.length + host.underWay >= mostFailures
    return isFull || laneFor(wanted).underWay >= limits.atOnce ? undefined : take(host, wanted)
  }
  const laneFor = ({ acquaintance }: Wanted): Lane => (acquaintance === 'agreed' ? lanes.agreed : lanes.others)
  const take = (host: Host, wanted: Wanted): Place => {
    const lane = laneFor(wanted)
    host.underWay += 1
    lane.underWay += 1
    const takeOut = wanted.acquaintance === 'new' ? begun.note(wanted.hostname) : undefined
    return {
      leave(failed) {
        if (failed) {
          host.failures.push(clock())
          takeOut?.()
        }
        host.underWay -= 1
        lane.underWay -= 1
        for (const lane of [lanes.agreed, lanes.others]) letInAll(lane)
      }
    }
  }
  const letInAll = (lane: Lane): void => {
    for (const waiter of lane.waiters) {
      if (lane.underWay >= limits.atOnce) return
      letIn(waiter)
    }
  }
  const letIn = (waiter: Waiter): void => {
    try {
      const place = tryToEnter(waiter)
      if (place !== undefined) waiter.admit(place)
    } catch (error) {
      waiter.refuse(error as Error)
    }
  }
  return wanted => {
    const { waiters } = laneFor(wanted)
    const place = tryToEnter(wanted)
    if (place !== undefined) return place
    if (waiters.size >= mostWaiting) throw new FetchPostponedError(tooManyAtOnce, Math.ceil(timeout / 1000))
    return waitAmong(waiters, wanted, timeout)
  }
}

const tooManyNew = 'too many new documents were fetched within a minute'
const tooManyAtOnce = 'too many documents are fetched at once'

/** Fetches of one kind. */
interface Lane {
  underWay: number
  readonly waiters: Set<Waiter>
}

function laneOf(): Lane {
  return { underWay: 0, waiters: new Set() }
}

/** @param now milliseconds since the epoch. @throws FetchRefusedError */
function checkFailures(host: Host, now: number): void {
  host.failures = host.failures.filter(at => now < at + minute)
  if (host.failures.length < mostFailures) return
  throw new FetchRefusedError(`its host has failed ${mostFailures} times within a minute, and is asked again when that is over`)
}

/** Resolves where somebody admits it, and rejects where nobody has within the time (milliseconds). */
function waitAmong(waiters: Set<Waiter>, wanted: Wanted, timeout: number): Promise<Place> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer)
      waiters.delete(waiter)
    }
    const waiter: Waiter = {
      ...wanted,
      admit(place) {
        done()
        resolve(place)
      },
      refuse(error) {
        done()
        reject(error)
      }
    }
    const timer = setTimeout(() => waiter.refuse(new FetchPostponedError(tooManyAtOnce, Math.ceil(timeout / 1000))), timeout)
    waiters.add(waiter)
  })
}
