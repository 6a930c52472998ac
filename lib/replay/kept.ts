/**
 * The last authentications of an issuer, kept in the store for whoever operates it: every process adds to them, and no
 * request waits for it.
 */
import type { JudgedAuthentication, JudgedListener } from '../authentication/judged.ts'
import { harmless } from '../listeners.ts'
import { fn, issuerIdentifier, readOptions, required, type Checks } from '../options.ts'
import { storeCheck, type Store } from '../stores/store.ts'
import { readJudged } from './records.ts'

/** The options of `keptAuthentications()`. */
export interface KeptAuthenticationsOptions {
  /** The store they are kept in; of several processes the same one. */
  readonly store: Store
  /** The issuer whose authentications they are. */
  readonly issuer: string
  /**
   * Told where some could not be kept: how many were dropped because the store was too slow, or what it rejected with.
   * What it throws or rejects with is ignored.
   */
  readonly onLost?: ((lost: { readonly dropped: number } | { readonly error: unknown }) => void) | undefined
}

export const keptAuthenticationsChecks = {
  store: required(storeCheck),
  issuer: issuerIdentifier(),
  onLost: fn<(lost: { readonly dropped: number } | { readonly error: unknown }) => void>()
} satisfies Checks<KeptAuthenticationsOptions>

/** The last authentications of one issuer. */
export interface KeptAuthentications {
  /** Takes one down: hand it over as `onJudged`. Returns at once, and never fails. */
  readonly keep: JudgedListener
  /** Finds those that are kept, also those still to be written, the newest first. Rejects when the store does. */
  recent(): Promise<readonly JudgedAuthentication[]>
  /** Writes what has not been written yet; resolves whatever the store says. */
  flush(): Promise<void>
}

const kind = 'decisions'
/** The records there are, which are written in turn. */
const slots = 40
const perSlot = 50
/** Seconds until nobody looks any more. */
const ttl = 7 * 86_400
/** Milliseconds for which they are gathered. */
const gathering = 250
/** Most of those that are kept in that time: what is busier would push out in a second what came before. */
const mostGathered = 100
/** Most that wait while the store is slow; more are dropped, and counted. */
const mostWaiting = 1000

/**
 * Keeps the authentications of an issuer: the last 2000, for a week; of each process at most 400 a second.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const kept = keptAuthentications({ store, issuer })
 * app.use(authorizationServer({ issuer, clients, store, keys, interaction, onJudged: kept.keep }))
 */
export function keptAuthentications(options: KeptAuthenticationsOptions): KeptAuthentications {
  const { store, issuer, onLost } = readOptions(options, keptAuthenticationsChecks)
  const lost = harmless('onLost', onLost)
  let waiting: JudgedAuthentication[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let gathered = 0
  let dropped = 0
  const write = async (): Promise<void> => {
    timer = undefined
    gathered = 0
    while (waiting.length > 0) {
      const batch = waiting.slice(0, perSlot)
      await writeSlot(store, issuer, batch)
      waiting = waiting.slice(batch.length)
    }
    if (dropped > 0) lost?.({ dropped })
    dropped = 0
  }
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    writing = writing.then(write).catch((error: unknown) => lost?.({ error }))
    return writing
  }
  const keep = (judged: JudgedAuthentication): void => {
    if (++gathered > mostGathered) return
    if (waiting.length >= mostWaiting) dropped++
    else waiting.push(judged)
    // a process that has nothing else to do may end
    timer ??= setTimeout(() => void flush(), gathering).unref()
  }
  return {
    keep: Object.assign(keep, { wants: () => gathered < mostGathered }),
    async recent() {
      const places = Array.from({ length: slots }, (_, slot) => ({ kind, id: `${issuer} ${slot}` }))
      const records = await Promise.all(places.map(key => store.get(key)))
      const written = records.flatMap(record => (record === undefined ? [] : read(record.value)))
      const known = new Set(written.map(({ trace_id, at }) => `${trace_id} ${at}`))
      const all = [...written, ...waiting.filter(({ trace_id, at }) => !known.has(`${trace_id} ${at}`))]
      return all.sort((one, other) => other.at - one.at)
    },
    flush
  }
}

/** Takes the next slot: of several processes each gets another. */
async function writeSlot(store: Store, issuer: string, batch: readonly JudgedAuthentication[]): Promise<void> {
  const cursor = { kind, id: `${issuer} cursor` }
  for (let attempt = 0; attempt < 20; attempt++) {
    const record = await store.get(cursor)
    const slot = record === undefined ? 0 : (Number(record.value) + 1) % slots
    const isMine = record === undefined ? await store.add(cursor, slot, ttl) : await store.swap(cursor, record.version, slot, ttl)
    if (!isMine) continue
    await store.set({ kind, id: `${issuer} ${slot}` }, JSON.stringify(batch), ttl)
    return
  }
  // they wait for the next time
  throw new Error('other processes took every slot first')
}

/** What cannot be read is not shown: nobody else writes there. */
function read(value: unknown): readonly JudgedAuthentication[] {
  try {
    const list: unknown = JSON.parse(String(value))
    return Array.isArray(list) ? list.flatMap(one => readJudged(one) ?? []) : []
  } catch {
    return []
  }
}
