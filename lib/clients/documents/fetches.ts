/** Fetching documents that strangers name: one at a time for each, and few that fail for each host. */
import type { FetchedJson, FetchJson } from '../../outbound/guarded-fetch.ts'
import { growingCache } from '../../stores/growing-cache.ts'

/** Thrown in place of a fetch that is not made. */
export class FetchRefusedError extends Error {
  override readonly name = 'FetchRefusedError'
}

export interface DocumentFetching<T> {
  readonly fetchJson: FetchJson
  /** Milliseconds a fetch may take. */
  readonly timeout: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Makes of a document what is wanted. What it throws is a failure like any other. */
  readonly read: (address: string, fetched: FetchedJson) => T
}

/** Milliseconds. */
const window = 60_000
const mostFailures = 10
/** Fetches under way, all hosts together; whoever would be one more waits, as long as a fetch may take. */
const mostAtOnce = 100
const mostWaiting = 1000
const mostHosts = 10_000

interface Host {
  /** When the failures of the last minute were, in milliseconds since the epoch. */
  failures: number[]
  underWay: number
}

/** One of the fetches that may be under way. */
interface Place {
  leave(failed: boolean): void
}

/**
 * A function that fetches and reads the document at an address; those who ask for the same at the same time share it.
 *
 * It rejects with {@link FetchRefusedError} where the host has failed too often within the minute, or too many wait;
 * with what the fetch and `read` throw otherwise.
 */
export function documentFetches<T>({ fetchJson, timeout, clock, read }: DocumentFetching<T>): (address: string) => Promise<T> {
  const shared = new Map<string, Promise<T>>()
  const enter = placesFor(timeout, clock)
  const fetchOnce = async (address: string): Promise<T> => {
    const place = await enter(new URL(address).hostname)
    let failed = true
    try {
      const document = read(address, await fetchJson(address))
      failed = false
      return document
    } finally {
      place.leave(failed)
    }
  }
  return address => {
    const known = shared.get(address)
    if (known !== undefined) return known
    const fetched = fetchOnce(address).finally(() => shared.delete(address))
    shared.set(address, fetched)
    return fetched
  }
}

/** Somebody for whom there is no room yet. */
interface Waiter {
  readonly hostname: string
  readonly admit: (place: Place) => void
  readonly refuse: (error: Error) => void
}

const tooMany = 'too many documents are fetched at once'

/** Whoever waits is admitted in turn: each is looked at once for every fetch that ends, however many they are. */
function placesFor(timeout: number, clock: () => number): (hostname: string) => Place | Promise<Place> {
  const hosts = growingCache<Host>(mostHosts)
  const waiters = new Set<Waiter>()
  let underWay = 0
  const tryToEnter = (hostname: string): Place | undefined => {
    const host = hosts.get(hostname) ?? { failures: [], underWay: 0 }
    hosts.set(hostname, host)
    host.failures = host.failures.filter(at => clock() < at + window)
    if (host.failures.length >= mostFailures)
      throw new FetchRefusedError(
        `its host has failed ${mostFailures} times within a minute, and is asked again when that is over`
      )
    // those under way may fail yet
    const isFull = host.failures.length + host.underWay >= mostFailures
    return isFull || underWay >= mostAtOnce ? undefined : take(host)
  }
  const take = (host: Host): Place => {
    host.underWay += 1
    underWay += 1
    return {
      leave(failed) {
        if (failed) host.failures.push(clock())
        host.underWay -= 1
        underWay -= 1
        for (const waiter of waiters) letIn(waiter)
      }
    }
  }
  const letIn = (waiter: Waiter): void => {
    try {
      const place = tryToEnter(waiter.hostname)
      if (place !== undefined) waiter.admit(place)
    } catch (error) {
      waiter.refuse(error as Error)
    }
  }
  return hostname => {
    const place = tryToEnter(hostname)
    if (place !== undefined) return place
    if (waiters.size >= mostWaiting) throw new FetchRefusedError(tooMany)
    return waitAmong(waiters, hostname, timeout)
  }
}

/** Resolves where somebody admits it, and rejects where nobody has within the time (milliseconds). */
function waitAmong(waiters: Set<Waiter>, hostname: string, timeout: number): Promise<Place> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer)
      waiters.delete(waiter)
    }
    const waiter: Waiter = {
      hostname,
      admit(place) {
        done()
        resolve(place)
      },
      refuse(error) {
        done()
        reject(error)
      }
    }
    const timer = setTimeout(() => waiter.refuse(new FetchRefusedError(tooMany)), timeout)
    waiters.add(waiter)
  })
}
