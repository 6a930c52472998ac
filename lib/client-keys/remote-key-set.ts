/**
 * Keys behind a client's `jwks_uri`, kept for a while. Too long, and a rotated key is unknown; too short, and anyone
 * who sends assertions with made-up `kid` values makes this server flood the client's. So: one fetch at a time per URL,
 * shared by all who wait, and never two within the cooldown.
 */
import { LRUCache } from 'lru-cache'
import type { JWK } from 'jose'
import { clock, integer, readOptions, type Checks, type Read } from '../options.ts'
import type { Clock } from '../client-request.ts'
import { GuardedFetchError, type FetchedJson, type FetchJson } from '../outbound/guarded-fetch.ts'
import { keysInSet } from '../clients/metadata/jwk.ts'
import { keptKey, sizeOfKey } from './public-keys.ts'

export interface RemoteKeySetOptions {
  readonly fetchJson: FetchJson
  /** Reads the time. Default: `Date.now`. */
  readonly clock?: Clock | undefined
  /**
   * Seconds a set is used without asking again where its answer does not say. Default 300. `max-age` counts from 60 s
   * to 15 min.
   */
  readonly freshness?: number | undefined
  /** Seconds after a fetch before a key that was not in it is looked for again. Default 30. */
  readonly cooldown?: number | undefined
  /** Seconds after a failed fetch before the next. Default 10. */
  readonly failureCooldown?: number | undefined
  /** Seconds a set is used beyond its freshness while it cannot be fetched again. Default 600. */
  readonly staleLimit?: number | undefined
  /** The most URLs that are kept, with 64 MiB of keys at most; the least recently used go first. Default 10,000. */
  readonly maxEntries?: number | undefined
}

const longest = 86_400

/** Those of how long keys are kept. */
export const keptKeysChecks = {
  clock: clock(),
  freshness: integer({ min: 0, max: longest, default: 300 }),
  cooldown: integer({ min: 0, max: longest, default: 30 }),
  failureCooldown: integer({ min: 0, max: longest, default: 10 }),
  staleLimit: integer({ min: 0, max: longest, default: 600 }),
  maxEntries: integer({ min: 1, max: 1_000_000, default: 10_000 })
} satisfies Checks<Omit<RemoteKeySetOptions, 'fetchJson'>>

type ReadKeySetOptions = Read<typeof keptKeysChecks> & Pick<RemoteKeySetOptions, 'fetchJson'>

interface RemoteKeys {
  readonly keys: readonly JWK[]
  /** Why the last fetch failed, as a clause; undefined where it did not. */
  readonly problem: string | undefined
}

export interface RemoteKeySets {
  /**
   * The keys at a URL. Fetches, at most once, where none are kept, where they are no longer fresh, or where `satisfied`
   * says that they are not the ones needed; a cooldown may forbid each of these. Never rejects: a source that fails
   * leaves the keys kept so far, within the stale limit, or none.
   */
  get(url: string, satisfied: (keys: readonly JWK[]) => boolean): Promise<RemoteKeys>

  /**
   * Drops what is kept of a URL, whatever cooldown there was: the next who needs it fetches it. False where nothing was
   * kept.
   */
  forget(url: string): boolean
}

interface Entry {
  keys: readonly JWK[]
  /** Bytes of the keys. */
  size: number
  problem: string | undefined
  /** Milliseconds, as the clock reads. */
  freshUntil: number
  staleUntil: number
  nextFetch: number
  fetching: Promise<void> | undefined
}

/** Keys in one set, and bytes of them: whoever publishes it is a client, and need not be a friend. */
const mostKeys = 100
const largestSet = 1_048_576
/** Bytes of all sets together. */
const largestCache = 67_108_864
/** Bytes a URL takes beside its text and its keys: the entry, its times, its place in the order of use. */
const entrySize = 1024

const shortestFreshness = 60
const longestFreshness = 900

/** @throws {@link ConfigurationError} for a wrong option. */
export function remoteKeySets(options: RemoteKeySetOptions): RemoteKeySets {
  const { fetchJson, ...given } = options
  return keySetsBy({ ...readOptions(given, keptKeysChecks), fetchJson })
}

/** The same, by options that were read. */
export function keySetsBy({ fetchJson, clock, maxEntries, ...read }: ReadKeySetOptions): RemoteKeySets {
  const [freshness, cooldown, failureCooldown, staleLimit] = [
    1000 * read.freshness,
    1000 * read.cooldown,
    1000 * read.failureCooldown,
    1000 * read.staleLimit
  ]
  const share = Math.floor(largestCache / maxEntries)
  let made: LRUCache<string, Entry> | undefined
  // every server has one of these, and few have clients with key sets elsewhere
  const kept = (): LRUCache<string, Entry> =>
    (made ??= new LRUCache<string, Entry>({
      maxSize: maxEntries * share,
      // by size alone: with `max` the room for all of them would be taken at once
      sizeCalculation: ({ size }, url) => Math.max(entrySize + url.length + size, share)
    }))

  const refresh = async (url: string, entry: Entry): Promise<void> => {
    const entries = kept()
    try {
      const { keys, size, maxAge } = readKeySet(await fetchJson(url))
      const now = clock()
      const fresh = maxAge === undefined ? freshness : 1000 * boundedAge(maxAge)
      Object.assign(entry, {
        keys,
        size,
        problem: undefined,
        freshUntil: now + fresh,
        staleUntil: now + fresh + staleLimit,
        nextFetch: now + cooldown
      })
      // weighed anew, which a value that is the same is not; one that was forgotten or has made room meanwhile does not
      // come back
      if (entries.peek(url) === entry) {
        entries.delete(url)
        entries.set(url, entry)
      }
    } catch (error) {
      entry.problem = error instanceof GuardedFetchError ? error.message : 'the fetch failed'
      entry.nextFetch = clock() + failureCooldown
    } finally {
      entry.fetching = undefined
    }
  }

  return {
    async get(url, satisfied) {
      const entry = kept().get(url) ?? newEntry(kept(), url)
      const now = clock()
      if (now < entry.freshUntil && satisfied(entry.keys)) return { keys: entry.keys, problem: undefined }
      if (entry.fetching !== undefined || now >= entry.nextFetch) await (entry.fetching ??= refresh(url, entry))
      return { keys: clock() < entry.staleUntil ? entry.keys : [], problem: entry.problem }
    },
    forget: url => made?.delete(url) === true
  }
}

function newEntry(entries: LRUCache<string, Entry>, url: string): Entry {
  const entry = { keys: [], size: 0, problem: undefined, freshUntil: 0, staleUntil: 0, nextFetch: 0, fetching: undefined }
  entries.set(url, entry)
  return entry
}

/** Brings the `max-age` of an answer within bounds. In seconds. */
export function boundedAge(maxAge: number): number {
  return Math.min(Math.max(maxAge, shortestFreshness), longestFreshness)
}

/** Reads a JWK set. @throws {@link GuardedFetchError} for anything else, and for one that is too large. */
export function readKeySet({ json, maxAge }: FetchedJson): {
  readonly keys: readonly JWK[]
  /** In bytes. */
  readonly size: number
  readonly maxAge: number | undefined
} {
  const given = keysInSet(json)
  if (given === undefined) throw new GuardedFetchError('not_json', 'the answer was not a JWK set')
  if (given.length > mostKeys) throw new GuardedFetchError('too_large', `the answer was a JWK set of more than ${mostKeys} keys`)
  const keys = given.filter(key => typeof key === 'object' && key !== null).map(keptKey)
  const size = keys.reduce((sum, key) => sum + sizeOfKey(key), 0)
  if (size > largestSet) throw new GuardedFetchError('too_large', `the answer was a JWK set of more than ${largestSet} bytes`)
  return { keys, size, maxAge }
}
