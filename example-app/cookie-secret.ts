/** The secret cookies are signed with: made once, and then the same after every restart and in every process on the store. */
import { randomBytes } from 'node:crypto'
import type { Key, Store } from 'clientele'

const key: Key = { kind: 'server_secret', id: 'cookies' }
/** Seconds, counted from the last start. */
const tenYears = 10 * 31_536_000

/** Of any number of processes that start at once, all get the one secret that was kept first. */
export async function cookieSecret(store: Store): Promise<string> {
  await store.add(key, randomBytes(32).toString('base64url'), tenYears)
  const kept = await store.get(key)
  if (typeof kept?.value !== 'string') throw new Error('the store does not keep what was written to it')
  await store.swap(key, kept.version, kept.value, tenYears)
  return kept.value
}
