/** Fetching documents that strangers name: one at a time for each, and only so many. */
import type { FetchedJson, FetchJson } from '../../outbound/guarded-fetch.ts'
import { placesFor, type Acquaintance, type PlacesContext } from './places.ts'

interface DocumentFetching<T> extends PlacesContext {
  readonly fetchJson: FetchJson
  /** What is known of an address. */
  readonly acquaintanceOf: (address: string) => Promise<Acquaintance>
  /** Makes of a document what is wanted. What it throws is a failure like any other. */
  readonly read: (address: string, fetched: FetchedJson) => T
}

/**
 * A function that fetches and reads the document at an address; those who ask for the same at the same time share it.
 *
 * It rejects with `FetchRefusedError` where the host has failed too often within the minute, with `FetchPostponedError`
 * where there are too many fetches; with what the fetch, `acquaintanceOf` and `read` throw otherwise.
 */
export function documentFetches<T>(context: DocumentFetching<T>): (address: string) => Promise<T> {
  const { fetchJson, acquaintanceOf, read } = context
  const shared = new Map<string, Promise<T>>()
  const enter = placesFor(context)
  const fetchOnce = async (address: string): Promise<T> => {
    const place = await enter({ hostname: new URL(address).hostname, acquaintance: await acquaintanceOf(address) })
    let failed = true
    try {
      const document = read(address, await fetchJson(address))
      failed = false
      return document
    } finally {
      place.leave(failed)
    }
  }
  return address => {
    const known = shared.get(address)
    if (known !== undefined) return known
    const fetched = fetchOnce(address).finally(() => shared.delete(address))
    shared.set(address, fetched)
    return fetched
  }
}
