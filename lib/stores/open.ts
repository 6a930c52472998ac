/**
 * Opens the store that an address names, as it stands in an environment variable.
 *
 * @module clientele/stores/open
 */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigurationError } from '../options.ts'
import { memoryStore } from './memory.ts'
import type { Store } from './store.ts'

/** Parts of a store's address, read before anything is opened. */
export interface StoreAddress {
  /** Which kind of store it is. */
  readonly engine: 'memory' | 'sqlite' | 'redis' | 'postgres'
  /** The file of an embedded store, or the address of a server; of a Redis Cluster those of its nodes, by commas. */
  readonly address: string
}

/**
 * Reads an address: `memory:`, `sqlite:<file>`, `redis://…`, `rediss://…`, `postgres://…` or `postgresql://…`. A Redis
 * Cluster is several of its nodes, separated by commas: `redis://one:6379,redis://two:6379`.
 *
 * @throws ConfigurationError naming `url` where it means no store.
 */
export function readStoreAddress(url: string): StoreAddress {
  if (url === 'memory:') return { engine: 'memory', address: '' }
  const file = url.startsWith('sqlite:') ? url.replace(/^sqlite:(?:\/\/)?/, '') : ''
  if (file !== '') return { engine: 'sqlite', address: file }
  if (/^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url)) return { engine: 'postgres', address: url }
  if (nodesOf(url).every(node => /^rediss?:\/\//.test(node) && URL.canParse(node))) return { engine: 'redis', address: url }
  throw new ConfigurationError('url', 'must be memory:, sqlite:<file>, redis://<host> or postgres://<host>/<database>')
}

function nodesOf(urls: string): readonly string[] {
  return urls.split(/,(?=rediss?:)/)
}

/**
 * Opens the store of an address, whose driver is an optional dependency of this package. Answers only once it could be
 * reached, its tables made where they were missing.
 *
 * @throws ConfigurationError naming `url` where it means no store, or one that cannot be opened. The address is not
 * repeated: it may hold a password.
 *
 * @example
 * const store = await openStore(process.env.STORE_URL ?? 'memory:')
 */
export async function openStore(url: string): Promise<Store> {
  const { engine, address } = readStoreAddress(url)
  try {
    return await engines[engine](address)
  } catch (error) {
    throw new ConfigurationError('url', `${mustBe[engine]} (${reasonOf(error)})`)
  }
}

const engines: Readonly<Record<StoreAddress['engine'], (address: string) => Promise<Store>>> = {
  memory: () => Promise.resolve(memoryStore()),
  sqlite: async path => {
    const { sqliteStore } = await import('./sqlite.ts')
    const folder = dirname(path)
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
    return sqliteStore({ path })
  },
  redis: async urls => {
    const { redisStore } = await import('./redis.ts')
    const nodes = nodesOf(urls)
    return redisStore({ url: nodes.length === 1 ? urls : nodes })
  },
  postgres: async url => (await import('./postgres.ts')).postgresStore({ url })
}

const mustBe: Readonly<Record<StoreAddress['engine'], string>> = {
  memory: 'must be a store that can be opened',
  sqlite: 'must name a database file that can be read and written',
  redis: 'must name a Redis server that answers',
  postgres: 'must name a PostgreSQL database that answers'
}

const reasons: Readonly<Record<string, string>> = {
  '28P01': 'the password is wrong',
  '28000': 'access is not allowed',
  '3D000': 'there is no such database',
  '42501': 'the user may not create the tables',
  WRONGPASS: 'the password is wrong',
  NOAUTH: 'a password is needed',
  DeadlineError: 'it did not answer in time',
  ERR_MODULE_NOT_FOUND: 'its driver is not installed'
}

/** A code or the first word of what the driver says; never more, because drivers quote addresses. */
function reasonOf(error: unknown): string {
  const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown }
  const word = /^[A-Z]{4,20}\b/.exec(String(message))?.[0]
  const candidates = [code, word, name].filter(candidate => typeof candidate === 'string')
  const found = candidates.find(candidate => /^\w{1,40}$/.test(candidate)) ?? 'unknown error'
  return reasons[found] ?? found
}
