/** The engines several processes can share. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from 'clientele'
import { postgresStore } from 'clientele/stores/postgres'
import { redisStore } from 'clientele/stores/redis'
import { sqliteStore } from 'clientele/stores/sqlite'
import { startPostgres } from '../../engines/postgres-server.ts'
import { startRedis, startRedisCluster } from '../../engines/redis-server.ts'
import type { DatabaseServer } from '../../engines/server-process.ts'
import type { StoreEngine } from './setup.ts'

export interface RunningEngine {
  readonly store: StoreEngine
  /** The server to kill, where there is one. */
  readonly server?: DatabaseServer
  stop(): Promise<void>
}

/** `timeout` in milliseconds: generous, where what is measured is not time. */
export function openStore({ engine, address }: StoreEngine, timeout = 30_000): Promise<Store> {
  switch (engine) {
    case 'sqlite':
      return sqliteStore({ path: String(address), timeout })
    case 'postgres':
      return postgresStore({ url: String(address), timeout })
    case 'redis':
      return redisStore({ url: address, timeout })
  }
}

export const engines: Readonly<Record<string, () => Promise<RunningEngine>>> = {
  SQLite: () => {
    const folder = mkdtempSync(join(tmpdir(), 'clientele-cluster-'))
    return Promise.resolve({
      store: { engine: 'sqlite', address: join(folder, 'store.db') },
      stop: () => {
        rmSync(folder, { recursive: true, force: true })
        return Promise.resolve()
      }
    })
  },
  PostgreSQL: async () => {
    const server = await startPostgres()
    return { store: { engine: 'postgres', address: server.url }, server, stop: () => server.stop() }
  },
  Redis: async () => {
    const server = await startRedis()
    return { store: { engine: 'redis', address: server.url }, server, stop: () => server.stop() }
  },
  'Redis Cluster': async () => {
    const cluster = await startRedisCluster()
    return { store: { engine: 'redis', address: cluster.urls }, stop: () => cluster.stop() }
  }
}
