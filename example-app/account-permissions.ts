/** What each person allowed: the clients that hold something of theirs, found by person, so that they can take it back. */
import { createHash } from 'node:crypto'
import { scopedStore, type Json, type Key, type Store } from 'clientele'

/** A client that holds codes or tokens of a person. */
export interface Permission {
  readonly client_id: string
  readonly scope: readonly string[]
  /** When the first of what it still holds was given: milliseconds since the epoch. */
  readonly since: number
}

export interface Permissions {
  /** The clients that hold something of this person's. */
  list(sub: string): Promise<Permission[]>
  /** Ends everything this client holds of the person's: codes, refresh tokens and access tokens, in every session. */
  revoke(sub: string, client_id: string): Promise<void>
  /** When the person last took everything back from this client, in milliseconds since the epoch; 0: never. */
  revokedAt(sub: string, client_id: string): Promise<number>
}

/** A grant, by a record that lives as long as it does. */
interface Held {
  readonly kind: string
  readonly id: string
  readonly grant: string
  readonly since: number
  readonly until: number
}

interface Entry {
  readonly client_id: string
  readonly scope: readonly string[]
  readonly revoked: number
  readonly held: readonly Held[]
}

/** What one client may hold of one person's; beyond it the oldest ends, so that nothing lives that the person cannot end. */
const most = 1000
const year = 365 * 24 * 3600

/** The permissions of one issuer's people, as {@link recordGrants} recorded them in this store. */
export function permissions(store: Store, issuer: string): Permissions {
  const own = scopedStore(store, issuer)
  const entriesOf = async (sub: string) => asEntries((await own.get(keyOf(sub)))?.value)
  return {
    async list(sub) {
      const entries = await entriesOf(sub)
      const permitted = await Promise.all(entries.map(entry => stillHeld(store, entry)))
      return permitted.flatMap((held, index) => {
        const { client_id = '', scope = [] } = entries[index] ?? {}
        return held.length === 0 ? [] : [{ client_id, scope, since: Math.min(...held.map(({ since }) => since)) }]
      })
    },
    async revoke(sub, client_id) {
      let ended: readonly Held[] = []
      await change(own, sub, entries => {
        ended = entryOf(entries, client_id).held
        return withEntry(entries, { client_id, scope: [], revoked: Date.now(), held: [] })
      })
      await Promise.all(ended.map(({ grant }) => store.deleteGrant(grant)))
    },
    revokedAt: async (sub, client_id) => entryOf(await entriesOf(sub), client_id).revoked
  }
}

/** The same store; every grant of a person that the server of this issuer keeps in it is recorded first. */
export function recordGrants(store: Store, issuer: string): Store {
  const own = scopedStore(store, issuer)
  const record = async (key: Key, value: Json, ttl: number) => {
    const about = personalGrant(key, value)
    if (about === undefined) return
    const tooMany = await addHeld(own, about, ttl * 1000)
    await Promise.all(tooMany.map(({ grant }) => store.deleteGrant(grant)))
  }
  return {
    get: key => store.get(key),
    async set(key, value, ttl) {
      await record(key, value, ttl)
      await store.set(key, value, ttl)
    },
    async add(key, value, ttl) {
      await record(key, value, ttl)
      return store.add(key, value, ttl)
    },
    take: key => store.take(key),
    async swap(key, version, value, ttl) {
      await record(key, value, ttl)
      return store.swap(key, version, value, ttl)
    },
    delete: key => store.delete(key),
    deleteGrant: grant => store.deleteGrant(grant),
    close: () => store.close()
  }
}

interface PersonalGrant {
  readonly key: Required<Key>
  readonly sub: string
  readonly client_id: string
  readonly scope: readonly string[]
}

/** Whose grant a record belongs to, and who holds it: codes, grants and tokens that were given for a person say so. */
function personalGrant({ kind, id, grant }: Key, value: Json): PersonalGrant | undefined {
  if (grant === undefined || typeof value !== 'object' || value === null || !('client_id' in value)) return undefined
  const { client_id, sub, scope } = value
  if (typeof client_id !== 'string' || typeof sub !== 'string') return undefined
  const words = Array.isArray(scope) ? scope.filter(word => typeof word === 'string') : []
  return { key: { kind, id, grant }, sub, client_id, scope: words }
}

/**
 * Records that the client holds the grant for `life` milliseconds; answers with what it may no longer hold. A tenth is added,
 * so that using a grant, which prolongs it, need not be written down each time.
 */
async function addHeld(own: Store, given: PersonalGrant, life: number): Promise<readonly Held[]> {
  const { key, sub, client_id, scope } = given
  const now = Date.now()
  let tooMany: readonly Held[] = []
  await change(own, sub, entries => {
    const entry = entryOf(entries, client_id)
    const known = entry.held.find(({ grant }) => grant === key.grant)
    if (known !== undefined && now + life <= known.until) return undefined
    const others = entry.held.filter(({ grant, until }) => grant !== key.grant && until > now)
    const all = [...others, { ...key, since: known?.since ?? now, until: now + life * 1.1 }]
    tooMany = all.slice(0, -most)
    const granted = others.length === 0 && known === undefined ? scope : [...new Set([...entry.scope, ...scope])]
    return withEntry(entries, { ...entry, scope: granted, held: all.slice(-most) })
  })
  return tooMany
}

/** What of it has not ended: by time, by use, or by the client's own doing. */
async function stillHeld(store: Store, { held }: Entry): Promise<Held[]> {
  const alive = await Promise.all(held.map(async ({ kind, id, grant }) => (await store.get({ kind, id, grant })) !== undefined))
  return held.filter((_held, index) => alive[index])
}

/** Changes a person's entries; where someone else did meanwhile, on top of theirs. Undefined leaves them as they are. */
async function change(
  own: Store,
  sub: string,
  update: (entries: readonly Entry[]) => readonly Entry[] | undefined
): Promise<void> {
  for (;;) {
    const found = await own.get(keyOf(sub))
    const next = update(asEntries(found?.value))
    if (next === undefined) return
    const longest = Math.max(...next.flatMap(({ held }) => held.map(({ until }) => until - Date.now())), 0) / 1000
    const ttl = Math.max(year, longest)
    const value = next as unknown as Json
    if (found === undefined ? await own.add(keyOf(sub), value, ttl) : await own.swap(keyOf(sub), found.version, value, ttl))
      return
  }
}

function entryOf(entries: readonly Entry[], client_id: string): Entry {
  return entries.find(entry => entry.client_id === client_id) ?? { client_id, scope: [], revoked: 0, held: [] }
}

function withEntry(entries: readonly Entry[], changed: Entry): readonly Entry[] {
  return [...entries.filter(({ client_id }) => client_id !== changed.client_id), changed]
}

function asEntries(value: Json | undefined): readonly Entry[] {
  return (value ?? []) as unknown as readonly Entry[]
}

function keyOf(sub: string): Key {
  return { kind: 'permissions', id: createHash('sha256').update(sub).digest('base64url') }
}
