/**
 * The last decisions of an issuer, kept in the store for whoever operates it: every process adds to them, and none
 * waits for it.
 */
import type { Decision, Store } from 'clientele'
import type { Log } from '../log.ts'

/** A decision, and when it was made: milliseconds since the epoch. */
export interface KeptDecision extends Decision {
  readonly at: number
}

export interface KeptDecisions {
  /** Takes it down. Returns at once, and never fails. */
  keep(decision: Decision): void
  /** Finds the decisions kept, those still to be written too, the newest first. Rejects when the store does. */
  recent(): Promise<readonly KeptDecision[]>
  /** Writes what has not been written yet; resolves whatever the store says. */
  flush(): Promise<void>
}

const kind = 'decisions'
/** The records there are, which are written in turn. */
const slots = 40
const perSlot = 50
/** Seconds until nobody looks any more. */
const ttl = 7 * 86_400
/** Milliseconds for which decisions are gathered. */
const gathering = 250
/** Most decisions that wait while the store is slow; more are dropped, and counted. */
const mostWaiting = 1000

/** Keeps the decisions of an issuer: at most 2000, for a week. */
export function keptDecisions(store: Store, issuer: string, log: Log): KeptDecisions {
  let waiting: KeptDecision[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let dropped = 0
  const write = async (): Promise<void> => {
    timer = undefined
    while (waiting.length > 0) {
      const batch = waiting.slice(0, perSlot)
      await writeSlot(store, issuer, batch)
      waiting = waiting.slice(batch.length)
    }
    if (dropped > 0) log.warn({ dropped }, 'decisions were not kept: the store was too slow')
    dropped = 0
  }
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    writing = writing.then(write).catch((err: unknown) => log.warn({ err }, 'decisions could not be kept'))
    return writing
  }
  return {
    keep(decision) {
      if (waiting.length >= mostWaiting) dropped++
      else waiting.push({ ...decision, at: Date.now() })
      // a process that has nothing else to do may end
      timer ??= setTimeout(() => void flush(), gathering).unref()
    },
    async recent() {
      const places = Array.from({ length: slots }, (_, slot) => ({ kind, id: `${issuer} ${slot}` }))
      const records = await Promise.all(places.map(key => store.get(key)))
      const written = records.flatMap(record => (record === undefined ? [] : read(record.value)))
      const known = new Set(written.map(({ trace_id, at }) => `${trace_id} ${at}`))
      const all = [...written, ...waiting.filter(({ trace_id, at }) => !known.has(`${trace_id} ${at}`))]
      return all.toSorted((one, other) => other.at - one.at)
    },
    flush
  }
}

/** Takes the next slot: of several processes each gets another. */
async function writeSlot(store: Store, issuer: string, batch: readonly KeptDecision[]): Promise<void> {
  const cursor = { kind, id: `${issuer} cursor` }
  for (let attempt = 0; attempt < 20; attempt++) {
    const record = await store.get(cursor)
    const slot = record === undefined ? 0 : (Number(record.value) + 1) % slots
    const isMine = record === undefined ? await store.add(cursor, slot, ttl) : await store.swap(cursor, record.version, slot, ttl)
    if (!isMine) continue
    await store.set({ kind, id: `${issuer} ${slot}` }, JSON.stringify(batch), ttl)
    return
  }
}

function read(value: unknown): readonly KeptDecision[] {
  try {
    return JSON.parse(String(value)) as KeptDecision[]
  } catch {
    // nobody else writes there; what cannot be read is not shown
    return []
  }
}
