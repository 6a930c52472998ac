/** Where codes, tokens, sessions and everything else that must not be forgotten is kept: what STORE_URL says. */
import { ConfigurationError, type Store } from 'clientele'
import { openStore as open, readStoreAddress, type StoreAddress } from 'clientele/stores/open'
import { ConfigError } from './config/config-error.ts'

export interface StoreSetting extends StoreAddress {
  readonly url: string
}

/** In the folder the server is started in. */
const embedded = 'sqlite:data/clientele.db'

/** @throws {@link ConfigError} naming STORE_URL when it means no store. Opens nothing yet. */
export function readStoreUrl(given = ''): StoreSetting {
  const url = given === '' ? embedded : given
  try {
    return { ...readStoreAddress(url), url }
  } catch (error) {
    throw settingError(error, '; left out, the store is the file data/clientele.db')
  }
}

/**
 * Opens the store. Answers only once it could be reached, its tables made where they were missing.
 *
 * @throws {@link ConfigError} naming STORE_URL when it cannot be opened. The address is not repeated: it may hold a
 * password.
 */
export async function openStore({ url }: StoreSetting): Promise<Store> {
  try {
    return await open(url)
  } catch (error) {
    throw settingError(error)
  }
}

function settingError(error: unknown, more = ''): unknown {
  if (!(error instanceof ConfigurationError)) return error
  return new ConfigError('STORE_URL', `${error.message.slice(error.key.length).trim()}${more}`)
}
