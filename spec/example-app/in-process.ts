/** The example app in this process, on a store of the spec's own. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Key, Store } from 'clientele'
import { createApp } from '../../example-app/app.ts'
import { checkConfig } from '../../example-app/config/config.ts'
import { createLog, type Log } from '../../example-app/log.ts'
import { listen } from '../../example-app/server.ts'
import { freePort } from './running-server.ts'

export interface Serving {
  readonly issuer: string
  close(): Promise<void>
}

/** Serves these settings, whose issuer is an address of its own. */
export async function serve(
  settingsOf: (issuer: string) => object,
  store: Store,
  options: { readonly log?: Log; readonly operators?: readonly string[] } = {}
): Promise<Serving> {
  const issuer = `http://localhost:${await freePort()}`
  const config = checkConfig({ issuer, ...settingsOf(issuer) }, '.')
  const { log = createLog('silent'), operators } = options
  const listeners = await listen(config, await createApp({ config, store, log, operators }), log)
  return { issuer, close: () => listeners.close(0) }
}

/** A store in front of which something happens. */
export function before(store: Store, happens: (key: Key, writes: boolean) => Promise<void>): Store {
  return {
    get: async key => (await happens(key, false), store.get(key)),
    set: async (key, value, ttl) => (await happens(key, true), store.set(key, value, ttl)),
    add: async (key, value, ttl) => (await happens(key, true), store.add(key, value, ttl)),
    take: async key => (await happens(key, true), store.take(key)),
    swap: async (key, version, value, ttl) => (await happens(key, true), store.swap(key, version, value, ttl)),
    delete: async key => (await happens(key, true), store.delete(key)),
    deleteGrant: grant => store.deleteGrant(grant),
    close: () => store.close()
  }
}

/** A store that takes this many milliseconds to keep a session; everything else is as fast as it was. */
export function slowSessions(store: Store, ms: number): Store {
  return before(store, async ({ kind }, writes) => {
    if (writes && kind.endsWith('session')) await pause(ms)
  })
}
