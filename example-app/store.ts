/** Where codes, tokens, sessions and everything else that must not be forgotten is kept: what STORE_URL says. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { memoryStore, type Store } from 'clientele'
import { ConfigError } from './config/config-error.ts'

export interface StoreSetting {
  readonly engine: 'memory' | 'sqlite' | 'redis' | 'postgres'
  /** The file of an embedded store, or the address of a server. */
  readonly address: string
}

/** In the folder the server is started in. */
const embedded: StoreSetting = { engine: 'sqlite', address: 'data/clientele.db' }

const mustBe =
  'must be memory:, sqlite:<file>, redis://<host> or postgres://<host>/<database>; left out, the store is the file data/clientele.db'

/** @throws {@link ConfigError} naming STORE_URL when it means no store. Opens nothing yet. */
export function readStoreUrl(url = ''): StoreSetting {
  if (url === '') return embedded
  if (url === 'memory:') return { engine: 'memory', address: '' }
  const file = url.startsWith('sqlite:') ? url.replace(/^sqlite:(?:\/\/)?/, '') : ''
  if (file !== '') return { engine: 'sqlite', address: file }
  if (URL.canParse(url)) {
    if (/^rediss?:\/\//.test(url)) return { engine: 'redis', address: url }
    if (/^postgres(?:ql)?:\/\//.test(url)) return { engine: 'postgres', address: url }
  }
  throw new ConfigError('STORE_URL', mustBe)
}

/**
 * Opens the store. Answers only once it could be reached, its tables made where they were missing.
 *
 * @throws {@link ConfigError} naming STORE_URL when it cannot be opened. The address is not repeated: it may hold a password.
 */
export async function openStore({ engine, address }: StoreSetting): Promise<Store> {
  try {
    switch (engine) {
      case 'memory':
        return memoryStore()
      case 'sqlite': {
        const { sqliteStore } = await import('clientele/stores/sqlite')
        const folder = dirname(address)
        if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
        return await sqliteStore({ path: address })
      }
      case 'redis': {
        const { redisStore } = await import('clientele/stores/redis')
        return await redisStore({ url: address })
      }
      case 'postgres': {
        const { postgresStore } = await import('clientele/stores/postgres')
        return await postgresStore({ url: address })
      }
    }
  } catch (error) {
    throw new ConfigError('STORE_URL', `${engineMustBe[engine]} (${reasonOf(error)})`)
  }
}

const engineMustBe: Readonly<Record<StoreSetting['engine'], string>> = {
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
