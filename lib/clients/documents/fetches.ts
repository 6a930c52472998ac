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
  /** Resolve when they are over. */
  readonly underWay: Set<Promise<void>>
}

/** One of the fetches that may be under way. */
interface Place {
  leave(failed: boolean): void
}

/**
 * A function that fetches and reads the document at an address; those who ask for the same at the same time share it.
 *
 * It rejects with {@link FetchRefusedError} where the host has failed too often within the minute, or too many wait; with what the fetch and
 * `read` throw otherwise.
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

function placesFor(timeout: number, clock: () => number): (hostname: string) => Promise<Place> {
  const hosts = growingCache<Host>(mostHosts)
  const underWay = new Set<Promise<void>>()
  let waiting = 0
  return async hostname => {
    const deadline = AbortSignal.timeout(timeout)
    for (;;) {
      const host = hosts.get(hostname) ?? { failures: [], underWay: new Set() }
      hosts.set(hostname, host)
      host.failures = host.failures.filter(at => clock() < at + window)
      if (host.failures.length >= mostFailures)
        throw new FetchRefusedError(
          `its host has failed ${mostFailures} times within a minute, and is asked again when that is over`
        )
      // those under way may fail yet
      const isFull = host.failures.length + host.underWay.size >= mostFailures
      if (!isFull && underWay.size < mostAtOnce) return take(host, underWay, clock)
      if (deadline.aborted || waiting >= mostWaiting) throw new FetchRefusedError('too many documents are fetched at once')
      waiting += 1
      await Promise.race(isFull ? host.underWay : underWay)
      waiting -= 1
    }
  }
}

function take(host: Host, underWay: Set<Promise<void>>, clock: () => number): Place {
  const { promise, resolve } = withResolver()
  host.underWay.add(promise)
  underWay.add(promise)
  return {
    leave(failed) {
      if (failed) host.failures.push(clock())
      host.underWay.delete(promise)
      underWay.delete(promise)
      resolve()
    }
  }
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>(done => (resolve = done))
  return { promise, resolve }
}
