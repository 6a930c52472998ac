/** The store that commands share with the servers. */
import { existsSync } from 'node:fs'
import { ConfigurationError, type Store } from 'clientele'
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
    throw error.key === 'url' ? new CommandError(error.message.replace(/^url/, '--store')) : error
  }
}
