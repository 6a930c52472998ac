/** The store that commands share with the servers. */
import { existsSync } from 'node:fs'
import { ConfigurationError, memoryStore, storedKeys, type Store, type StoredKeys } from 'clientele'
import { openStore, readStoreAddress } from 'clientele/stores/open'
import { CommandError, type Terminal } from './command.ts'

/**
 * Opens the store that is named on the command line or by STORE_URL. @throws {@link CommandError} for one that this
 * command would have for itself.
 */
export async function openSharedStore(given: string | undefined, { env }: Terminal): Promise<Store> {
  const named = given ?? env['STORE_URL'] ?? ''
  const url = named === '' ? 'sqlite:data/clientele.db' : named
  const { engine, address } = readStoreAddress(url)
  if (engine === 'memory') throw new CommandError('--store must be a store that servers can share with this command')
  if (engine === 'sqlite' && !existsSync(address))
    throw new CommandError(`--store must name a database file that is there (${address} is not)`)
  return openStore(url)
}

/**
 * Opens it, has it read, and closes it again. @throws {@link CommandError} where it is none, or does not answer; a
 * ConfigurationError of anything else stays one.
 */
export async function withSharedStore<T>(
  given: string | undefined,
  terminal: Terminal,
  read: (store: Store) => Promise<T>
): Promise<T> {
  try {
    const store = await openSharedStore(given, terminal)
    try {
      return await read(store)
    } finally {
      await store.close()
    }
  } catch (error) {
    if (error instanceof CommandError) throw error
    if (!(error instanceof ConfigurationError)) throw new CommandError('the store does not answer')
    throw wrongSetting(error) ?? error
  }
}

/**
 * The store for whoever looks and leaves everything as it is: what is written is for that one alone. Keys that are due,
 * or sealed under another secret, are the servers' to write.
 */
export function untouched(store: Store): Store {
  const own = memoryStore()
  const get: Store['get'] = async key => (await own.get(key)) ?? (await store.get(key))
  return {
    ...{ get, take: own.take.bind(own), delete: own.delete.bind(own), deleteGrant: own.deleteGrant.bind(own) },
    set: (key, value, ttl) => own.set(key, value, ttl),
    add: async (key, value, ttl) => (await get(key)) === undefined && own.add(key, value, ttl),
    async swap(key, version, value, ttl) {
      if ((await get(key))?.version !== version) return false
      await own.set(key, value, ttl)
      return true
    },
    close: () => own.close()
  }
}

/** The keys of an issuer's servers. */
export function keysOf(store: Store, issuer: string, { env }: Pick<Terminal, 'env'>): Promise<StoredKeys> {
  const { KEYS_SECRET: secret = '', KEYS_SECRET_PREVIOUS: previous = '' } = env
  return storedKeys({
    ...{ store, issuer },
    ...(secret !== '' && { secret }),
    ...(previous !== '' && { previousSecrets: [previous] })
  })
}

const settings: Readonly<Record<string, string | undefined>> = {
  url: '--store',
  secret: 'KEYS_SECRET',
  'previousSecrets[0]': 'KEYS_SECRET_PREVIOUS'
}

/** The setting of a store or its keys that is wrong, in a command's words; undefined where it is something else. */
export function wrongSetting({ key, message }: ConfigurationError): CommandError | undefined {
  const name = settings[key]
  if (name === undefined) return undefined
  const mustBe = message.slice(key.length).replace('name it in previousSecrets', 'name it in KEYS_SECRET_PREVIOUS')
  return new CommandError(name + mustBe)
}
