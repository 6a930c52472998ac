/** The fetches for ids nobody here has heard of, within the last minute. */

/** Bounds of how many are begun within a minute. */
export interface MinuteLimits {
  /** At one host. */
  readonly newPerHost: number
  /** All hosts together: no more is remembered than that either. */
  readonly newPerMinute: number
}

/** Milliseconds. */
export const minute = 60_000

export interface BegunFetches {
  /** Milliseconds until one more may begin at a host; 0: it may now. */
  wait(hostname: string): number
  note(hostname: string): void
}

/** @param clock milliseconds since the epoch. */
export function begunFetches({ newPerHost, newPerMinute }: MinuteLimits, clock: () => number): BegunFetches {
  const begun: { readonly hostname: string; readonly at: number }[] = []
  const ofHost = new Map<string, number>()
  const forget = (now: number): void => {
    for (let [first] = begun; first !== undefined && first.at + minute <= now; [first] = begun) {
      begun.shift()
      const left = (ofHost.get(first.hostname) ?? 1) - 1
      if (left === 0) ofHost.delete(first.hostname)
      else ofHost.set(first.hostname, left)
    }
  }
  return {
    wait(hostname) {
      const now = clock()
      forget(now)
      const isHostFull = (ofHost.get(hostname) ?? 0) >= newPerHost
      if (!isHostFull && begun.length < newPerMinute) return 0
      const oldest = isHostFull ? begun.find(fetch => fetch.hostname === hostname) : begun[0]
      return oldest === undefined ? 0 : oldest.at + minute - now
    },
    note(hostname) {
      begun.push({ hostname, at: clock() })
      ofHost.set(hostname, (ofHost.get(hostname) ?? 0) + 1)
    }
  }
}
