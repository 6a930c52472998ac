/**
 * Review of a client's credentials for what an operator should hear before its users do: what ends soon, and what
 * nobody uses any more.
 */
import { hash } from 'node:crypto'
import type { CredentialEvent } from '../events/events.ts'
import { defined } from '../json.ts'
import type { Store } from '../stores/store.ts'
import type { CredentialInfo } from './listing.ts'
import { growingCache } from '../stores/growing-cache.ts'
import { notRecorded, type LastUses } from './last-use.ts'

const day = 86_400
/** Seconds before its end from which a credential is told of. */
const endsSoon = 14 * day
/** Seconds after which a credential that others of the client outlived in use is told of. */
const unusedFor = 30 * day

/**
 * The events there are to tell now: `credential.expiring` for what ends within 14 days, `credential.unused` for what
 * was not used for 30 days while another one was.
 *
 * @param now seconds since the epoch.
 */
export async function reviewCredentials(
  {
    issuer,
    client_id,
    uses,
    now
  }: { readonly issuer: string; readonly client_id: string; readonly uses: LastUses; readonly now: number },
  credentials: readonly CredentialInfo[]
): Promise<readonly CredentialEvent[]> {
  const live = credentials.filter(({ state }) => state === 'live')
  const events: CredentialEvent[] = []
  for (const info of live) {
    const { credential, label, expires_at, last_used_at } = info
    const event = { at: now * 1000, issuer, client_id, credential, ...defined({ label, expires_at, last_used_at }) }
    if (expires_at !== undefined && expires_at - now <= endsSoon) events.push({ type: 'credential.expiring', ...event })
    // asked of each, so that the time of those nobody has used begins to run
    const since =
      Math.max(last_used_at ?? 0, info.created_at ?? 0, info.not_before ?? 0) || (await uses.since(client_id, credential))
    const othersAreUsed = live.some(other => other !== info && isInUse(other, now))
    if (now - since >= unusedFor && othersAreUsed) events.push({ type: 'credential.unused', ...event })
  }
  return events
}

function isInUse({ last_used_at }: CredentialInfo, now: number): boolean {
  return last_used_at !== undefined && now - last_used_at < unusedFor
}

/**
 * Has each client that authenticates reviewed once a day, by one process of all on the store. Nothing waits for it.
 *
 * @param clock milliseconds since the epoch.
 */
export function dailyReview(
  store: Store,
  clock: () => number,
  review: (client_id: string) => Promise<unknown>
): (client_id: string) => void {
  const reviewed = growingCache<number>(20_000)
  const run = async (client_id: string): Promise<void> => {
    const key = { kind: 'credential_review', id: hash('sha256', client_id, 'base64url') }
    if (await store.add(key, null, day)) await review(client_id)
  }
  return client_id => {
    const now = clock()
    const before = reviewed.get(client_id)
    if (before !== undefined && Math.abs(now - before) < day * 1000) return
    reviewed.set(client_id, now)
    setImmediate(() => void run(client_id).catch(notRecorded))
  }
}
