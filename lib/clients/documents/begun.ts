/**
 * The fetches for ids nobody here has heard of, within the last minute: those under way, and those that succeeded. For
 * those that failed their hosts have a bound, and all together one ten times as large, so that whoever makes hosts fail
 * keeps nobody else waiting.
 */

/** Bounds of how many are begun within a minute. */
export interface MinuteLimits {
  /** At one host. */
  readonly newPerHost: number
  /** All hosts together: no more is remembered than that either. */
  readonly newPerMinute: number
}

/** Milliseconds. */
export const minute = 60_000
/**
 * As many times {@link MinuteLimits.newPerMinute} may fail within a minute: whoever has all names below one is a new
 * host each time.
 */
const failuresToNew = 10

interface BegunFetches {
  /** Milliseconds until one more may begin at a host; 0: it may now. */
  wait(hostname: string): number
  /** Notes one that begins. @returns what takes it out again, for one that failed. */
  note(hostname: string): () => void
}

/** @param clock milliseconds since the epoch. */
export function begunFetches({ newPerHost, newPerMinute }: MinuteLimits, clock: () => number): BegunFetches {
  const begun: { readonly hostname: string; readonly at: number }[] = []
  const failed: number[] = []
  const ofHost = new Map<string, number>()
  const countDown = (hostname: string): void => {
    const left = (ofHost.get(hostname) ?? 1) - 1
    if (left === 0) ofHost.delete(hostname)
    else ofHost.set(hostname, left)
  }
  const forget = (now: number): void => {
    for (let [first] = begun; first !== undefined && first.at + minute <= now; [first] = begun) {
      begun.shift()
      countDown(first.hostname)
    }
    while ((failed[0] ?? now) + minute <= now) failed.shift()
  }
  return {
    wait(hostname) {
      const now = clock()
      forget(now)
      const isHostFull = (ofHost.get(hostname) ?? 0) >= newPerHost
      const [firstFailed = now] = failed
      if (failed.length >= newPerMinute * failuresToNew) return firstFailed + minute - now
      if (!isHostFull && begun.length < newPerMinute) return 0
      const oldest = isHostFull ? begun.find(fetch => fetch.hostname === hostname) : begun[0]
      return oldest === undefined ? 0 : oldest.at + minute - now
    },
    note(hostname) {
      const one = { hostname, at: clock() }
      begun.push(one)
      ofHost.set(hostname, (ofHost.get(hostname) ?? 0) + 1)
      return () => {
        const index = begun.lastIndexOf(one)
        if (index === -1) return
        begun.splice(index, 1)
        failed.push(one.at)
        countDown(hostname)
      }
    }
  }
}
