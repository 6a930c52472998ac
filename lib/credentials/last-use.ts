/** When each credential was last used: told after the fact, seldom, and never waited for. */
import { hash } from 'node:crypto'
import { warnOnce } from '../listeners.ts'
import type { Key, Store } from '../stores/store.ts'
import { growingCache } from '../stores/growing-cache.ts'

export interface LastUses {
  /** A client used these. At most once a minute each, the store is told; what it answers changes nothing. */
  note(client_id: string, credentials: Iterable<string>): void
  /** Seconds since the epoch; undefined: never, as far as is known. */
  read(client_id: string, credential: string): Promise<number | undefined>
  /**
   * Since when it is known that there is such a credential: from the first time this is asked. Seconds since the epoch.
   */
  since(client_id: string, credential: string): Promise<number>
}

const mostRemembered = 20_000
const minute = 60_000
/** Seconds a last use is known: longer than a year, so that what is used once a year is seen to be used. */
const known = 34_560_000

/** @param clock milliseconds since the epoch. */
export function lastUses(store: Store, clock: () => number): LastUses {
  const told = growingCache<number>(mostRemembered)
  const pending: { readonly key: Key; readonly at: number }[] = []
  let flushing = false
  const flush = async (): Promise<void> => {
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      await store.set(next.key, { at: next.at }, known).catch(notRecorded)
    }
    flushing = false
  }
  const timeOf = async (key: Key): Promise<number | undefined> =>
    ((await store.get(key))?.value as { readonly at: number } | undefined)?.at
  return {
    note(client_id, credentials) {
      const now = clock()
      for (const credential of credentials) {
        const name = `${client_id}\0${credential}`
        const before = told.get(name)
        // a clock that was put back must not silence it until it has caught up
        if (before !== undefined && Math.abs(now - before) < minute) continue
        told.set(name, now)
        pending.push({ key: keyOf('credential_use', client_id, credential), at: Math.floor(now / 1000) })
      }
      if (pending.length === 0 || flushing) return
      flushing = true
      // the client gets its answer first
      setImmediate(() => void flush())
    },
    read: (client_id, credential) => timeOf(keyOf('credential_use', client_id, credential)),
    async since(client_id, credential) {
      const key = keyOf('credential_since', client_id, credential)
      const now = Math.floor(clock() / 1000)
      return (await store.add(key, { at: now }, known)) ? now : ((await timeOf(key)) ?? now)
    }
  }
}

function keyOf(kind: string, client_id: string, credential: string): Key {
  return { kind, id: hash('sha256', `${client_id.length}:${client_id}${credential}`, 'base64url') }
}

/** Said once in a process: a store that fails is told of by every request that needs it. */
export function notRecorded(error: unknown): void {
  const reason = error instanceof Error ? error.name : 'not an error'
  warnOnce(lastUses, `uses of credentials cannot be recorded: ${reason}`)
}
