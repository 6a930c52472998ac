/**
 * Keys behind a client's `jwks_uri`, kept for a while. Too long, and a rotated key is unknown; too short, and anyone who sends
 * assertions with made-up `kid` values makes this server flood the client's. So: one fetch at a time per URL, shared by all
 * who wait, and never two within the cooldown.
 */
import type { JWK } from 'jose'
import { checkInteger } from '../options.ts'
import type { Clock } from '../request.ts'
import { GuardedFetchError, type FetchedJson, type FetchJson } from './guarded-fetch.ts'

export interface RemoteKeySetOptions {
  readonly fetchJson: FetchJson
  readonly clock?: Clock | undefined
  /** Seconds a set is used without asking again where its answer does not say. Default 300. `max-age` counts from 60 s to 15 min. */
  readonly freshness?: number | undefined
  /** Seconds after a fetch before a key that was not in it is looked for again. Default 30. */
  readonly cooldown?: number | undefined
  /** Seconds after a failed fetch before the next. Default 10. */
  readonly failureCooldown?: number | undefined
  /** Seconds a set is used while it cannot be fetched again. Default 3600. */
  readonly staleLimit?: number | undefined
  /** How many URLs are kept, the least recently used first to go. Default 10 000. */
  readonly maxEntries?: number | undefined
}

export interface RemoteKeys {
  readonly keys: readonly JWK[]
  /** Why the last fetch failed, as a clause; undefined where it did not. */
  readonly problem: string | undefined
}

export interface RemoteKeySets {
  /**
   * The keys at a URL. Fetches, at most once, where none are kept, where they are no longer fresh, or where `satisfied` says that they are
   * not the ones needed; a cooldown may forbid each of these. Never rejects: a source that fails leaves the
   * keys kept so far, within the stale limit, or none.
   */
  get(url: string, satisfied: (keys: readonly JWK[]) => boolean): Promise<RemoteKeys>
}

interface Entry {
  keys: readonly JWK[]
  problem: string | undefined
  /** Milliseconds, as the clock reads. */
  freshUntil: number
  staleUntil: number
  nextFetch: number
  fetching: Promise<void> | undefined
}

const shortestFreshness = 60
const longestFreshness = 900

/** @throws {@link ConfigurationError} for a wrong option. */
export function remoteKeySets(options: RemoteKeySetOptions): RemoteKeySets {
  const { fetchJson, clock = Date.now } = options
  const seconds = (key: 'freshness' | 'cooldown' | 'failureCooldown' | 'staleLimit', value: number): number =>
    1000 * checkInteger(options[key], key, { min: 0, max: 86_400, default: value })
  const freshness = seconds('freshness', 300)
  const cooldown = seconds('cooldown', 30)
  const failureCooldown = seconds('failureCooldown', 10)
  const staleLimit = seconds('staleLimit', 3600)
  const maxEntries = checkInteger(options.maxEntries, 'maxEntries', { min: 1, max: 1_000_000, default: 10_000 })
  const entries = new Map<string, Entry>()

  const refresh = async (url: string, entry: Entry): Promise<void> => {
    try {
      const { keys, maxAge } = keysOf(await fetchJson(url))
      const now = clock()
      const kept = maxAge === undefined ? freshness : 1000 * Math.min(Math.max(maxAge, shortestFreshness), longestFreshness)
      Object.assign(entry, {
        keys,
        problem: undefined,
        freshUntil: now + kept,
        staleUntil: now + kept + staleLimit,
        nextFetch: now + cooldown
      })
    } catch (error) {
      entry.problem = error instanceof GuardedFetchError ? error.message : 'the fetch failed'
      entry.nextFetch = clock() + failureCooldown
    } finally {
      entry.fetching = undefined
    }
  }

  return {
    async get(url, satisfied) {
      const entry = entryOf(entries, url, maxEntries)
      const now = clock()
      if (now < entry.freshUntil && satisfied(entry.keys)) return { keys: entry.keys, problem: undefined }
      if (entry.fetching !== undefined || now >= entry.nextFetch) await (entry.fetching ??= refresh(url, entry))
      return { keys: clock() < entry.staleUntil ? entry.keys : [], problem: entry.problem }
    }
  }
}

function entryOf(entries: Map<string, Entry>, url: string, maxEntries: number): Entry {
  const found = entries.get(url)
  const entry = found ?? { keys: [], problem: undefined, freshUntil: 0, staleUntil: 0, nextFetch: 0, fetching: undefined }
  // a Map keeps insertion order: what was used last goes to the end, what is dropped comes from the front
  if (found !== undefined) entries.delete(url)
  entries.set(url, entry)
  const [oldest] = entries.keys()
  if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest)
  return entry
}

function keysOf({ json, maxAge }: FetchedJson): { keys: readonly JWK[]; maxAge: number | undefined } {
  const keys: unknown = typeof json === 'object' && json !== null && 'keys' in json ? json.keys : undefined
  if (!Array.isArray(keys)) throw new GuardedFetchError('not_json', 'the answer was not a JWK set')
  return { keys: keys.filter(key => typeof key === 'object' && key !== null) as JWK[], maxAge }
}
