/** Where codes, tokens, sessions and everything else that must not be forgotten is kept: what STORE_URL says. */
import { ConfigurationError, type Store } from 'clientele'
import { openStore as open, readStoreAddress, type StoreAddress } from 'clientele/stores/open'
import { ConfigError, mustBeOf } from './config/config-error.ts'
import { HttpError } from './http-error.ts'

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
  return new ConfigError('STORE_URL', mustBeOf(error) + more)
}

/** The store as pages ask it: where it does not answer, they say so (503). The library sees to its own requests. */
export function storeOfPages(store: Store): Store {
  const answered = async <T>(asked: Promise<T>): Promise<T> => {
    try {
      return await asked
    } catch (cause) {
      const error = new HttpError(503, 'The server cannot reach what it keeps. Try again in a moment.')
      error.cause = cause
      throw error
    }
  }
  return {
    get: key => answered(store.get(key)),
    set: (key, value, ttl) => answered(store.set(key, value, ttl)),
    add: (key, value, ttl) => answered(store.add(key, value, ttl)),
    take: key => answered(store.take(key)),
    swap: (key, version, value, ttl) => answered(store.swap(key, version, value, ttl)),
    delete: key => answered(store.delete(key)),
    deleteGrant: grant => answered(store.deleteGrant(grant)),
    close: () => store.close()
  }
}
