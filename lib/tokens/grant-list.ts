/**
 * Where the grants of a person are found by that person: their clients, and what each of these holds. What a client
 * holds is on pages: the newest is written again with each grant more, those before it never change, so that one grant
 * more costs the same however many there are. A grant is listed before any code or token of it is handed out: nothing
 * lives that its person cannot end.
 *
 * The newest page says until when its client is among the person's, so that nobody looks there for each grant. Whoever
 * takes a client away from there empties its list first, and writes that down even where nothing was on it: a grant
 * that is being put there meanwhile is put there anew, and its client too.
 */
import type { GrantRevoked } from '../events/events.ts'
import { read, update, updateOutOfTurn, write } from '../stores/records.ts'
import type { Key, WriteStep } from '../stores/store.ts'
import { tokenDigest } from './grant.ts'
import { endGrantOf } from './grant-chain.ts'
import type { TokenServer } from './token-server.ts'

/** Names what one client holds of one person's. */
export interface Holding {
  readonly sub: string
  readonly client_id: string
}

/**
 * The name of a client, grant or page, and the milliseconds since the epoch after which it is gone by itself. The
 * oldest come first.
 */
type Listed = readonly [name: string, until: number]

/** What one client holds of one person's. */
interface GrantList {
  readonly newest: readonly Listed[]
  /** The pages before, by name. */
  readonly pages: readonly Listed[]
  /** Until when the client is among its person's: milliseconds since the epoch. */
  readonly client_until: number
}

/** A list, also as it was when it had no pages. */
type StoredList = GrantList | readonly Listed[]

const empty: GrantList = { newest: [], pages: [], client_until: 0 }
/** As many grants a page has. */
const perPage = 50
/** As many pages a list has, the newest among them: a thousand grants. Beyond that those of the oldest end. */
const mostPages = 20
/** As many clients a person may have. Beyond that the oldest holds nothing more. */
const mostClients = 1000
/** Seconds a list is kept at least: longer than whoever read it takes to write it. */
const leastKept = 120

/**
 * Puts a grant on its person's list before it exists, until then: milliseconds since the epoch.
 *
 * @param steps what is done in one step with that, or right after it.
 */
export async function listGrant(
  server: TokenServer,
  id: string,
  holding: Holding,
  until: number,
  steps: readonly WriteStep[] = []
): Promise<void> {
  const withGrant = async (list: GrantList): Promise<GrantList> => {
    const others = { ...list, newest: list.newest.filter(([name]) => name !== id) }
    const { newest, pages, client_until } = await withRoom(server, holding, others, id)
    return {
      newest: [...newest, [id, until]],
      pages,
      client_until: client_until >= until ? client_until : await listClient(server, holding, until)
    }
  }
  await change(server, holding, withGrant, steps)
}

/** The names of what a client holds of a person's, or lately did; the oldest first. */
export async function listedGrants(server: TokenServer, holding: Holding): Promise<readonly string[]> {
  return namesOn(server, listOf(server, await read<StoredList>(server.store, listKey(holding))))
}

/** The clients that hold something of a person's, or lately did. */
export async function clientsOfPerson({ store }: TokenServer, sub: string): Promise<readonly string[]> {
  return ((await read<readonly Listed[]>(store, clientsKey(sub))) ?? []).map(([client_id]) => client_id)
}

/** Ends all that a client holds of a person's, codes on their way to it included. */
export async function endListed(server: TokenServer, holding: Holding, by: GrantRevoked['by']): Promise<void> {
  const end = ending(server, holding, by)
  await change(server, holding, async list => ((await end(list)) ? { ...list, newest: [], pages: [] } : undefined))
}

/** Takes grants that have ended off the list. */
export async function forgetGrants(server: TokenServer, holding: Holding, ended: readonly string[]): Promise<void> {
  const gone = new Set(ended)
  const isLeft = ([name]: Listed): boolean => !gone.has(name)
  await change(server, holding, async list => {
    const isPageLeft = await Promise.all(list.pages.map(async page => (await readPage(server, page)).some(isLeft)))
    const newest = list.newest.filter(isLeft)
    const pages = list.pages.filter((_page, index) => isPageLeft[index])
    const isSame = newest.length === list.newest.length && pages.length === list.pages.length
    return isSame ? undefined : { ...list, newest, pages }
  })
}

/** Ends a grant, and tells of it. */
export async function endGrant(server: TokenServer, grant: string, client_id: string, by: GrantRevoked['by']): Promise<void> {
  await endGrantOf(server.store, grant)
  server.emit?.({ type: 'grant.revoked', grant, client_id, by })
}

/**
 * Puts a client among its person's, whether or not it is there: whoever takes it away meanwhile sees that. Answers
 * until when it is there, which is twice the grant's time. What is one too many holds nothing more before it goes.
 */
async function listClient(server: TokenServer, { sub, client_id }: Holding, until: number): Promise<number> {
  const { store, clock } = server
  let client_until = 0
  await update<readonly Listed[]>(
    store,
    clientsKey(sub),
    async (found = []) => {
      const before = found.find(([known]) => known === client_id)?.[1] ?? 0
      client_until = Math.max(before, 2 * until - clock())
      const others = still(server, found).filter(([known]) => known !== client_id)
      const gone = others.slice(0, Math.max(0, others.length + 1 - mostClients))
      await Promise.all(gone.map(([known]) => emptyList(server, { sub, client_id: known })))
      return [...others.slice(gone.length), [client_id, client_until]]
    },
    listed => secondsLeft(server, listed)
  )
  return client_until
}

/** Not in turn: this process's others may be waiting for the clients, which this is about. */
async function emptyList(server: TokenServer, holding: Holding): Promise<void> {
  const end = ending(server, holding, 'limit')
  const emptied = (list: GrantList): Promise<GrantList> => end(list).then(() => empty)
  await change(server, holding, emptied, [], updateOutOfTurn)
}

/** The list with room for this grant on its newest page: a full one becomes the last of those before. */
async function withRoom(server: TokenServer, holding: Holding, list: GrantList, id: string): Promise<GrantList> {
  const { newest, client_until } = list
  if (newest.length < perPage) return list
  // by what is on it: whoever fills the list at the same time writes the same page
  const name = tokenDigest(JSON.stringify([holding.sub, holding.client_id, newest]))
  const page: Listed = [name, Math.max(...newest.map(([, until]) => until))]
  await write(server.store, pageKey(page), newest, secondsLeft(server, newest))
  const [oldest, ...others] = [...list.pages, page]
  if (others.length + 1 < mostPages) return { newest: [], pages: [...list.pages, page], client_until }
  // what has been put there again since stays
  const later = await namesOn(server, { newest, pages: others, client_until })
  await ending(server, holding, 'limit', new Set([...later, id]))({ newest: [], pages: [oldest], client_until })
  return { newest: [], pages: others, client_until }
}

/**
 * Ends what is on a list but for what stays, and says whether there was anything. It ends before it leaves the list: a
 * process that stops in between leaves nothing alive that is not on it. What it ended before it does not end again.
 */
function ending(server: TokenServer, { client_id }: Holding, by: GrantRevoked['by'], stays: ReadonlySet<string> = new Set()) {
  const ended = new Set<string>()
  return async (list: GrantList): Promise<boolean> => {
    const names = await namesOn(server, list)
    const gone = names.filter(name => !stays.has(name))
    await Promise.all(gone.filter(name => !ended.has(name)).map(name => endGrant(server, name, client_id, by)))
    for (const name of gone) ended.add(name)
    // what stays may be written nowhere else yet: its page is left to expire
    if (gone.length === names.length) await Promise.all(list.pages.map(page => server.store.delete(pageKey(page))))
    return list.newest.length + list.pages.length > 0
  }
}

async function namesOn(server: TokenServer, { newest, pages }: GrantList): Promise<readonly string[]> {
  const before = await Promise.all(pages.map(page => readPage(server, page)))
  return [...new Set([...before.flat(), ...newest].map(([name]) => name))]
}

async function readPage(server: TokenServer, page: Listed): Promise<readonly Listed[]> {
  return still(server, (await read<readonly Listed[]>(server.store, pageKey(page))) ?? [])
}

/** Changes a list, and keeps it for as long as anything on it, or as its client is among its person's. */
async function change(
  server: TokenServer,
  holding: Holding,
  changed: (list: GrantList) => Promise<GrantList | undefined>,
  steps: readonly WriteStep[] = [],
  by: typeof updateOutOfTurn<StoredList> = update
): Promise<void> {
  const ttlOf = (list: StoredList): number => {
    const { newest, pages, client_until } = listOf(server, list)
    return Math.max(leastKept, secondsLeft(server, [...newest, ...pages, ['', client_until]]))
  }
  await by(server.store, listKey(holding), found => changed(listOf(server, found)), ttlOf, steps)
}

function listOf(server: TokenServer, found: StoredList = empty): GrantList {
  const { newest, pages, client_until } = 'newest' in found ? found : { ...empty, newest: found }
  return { newest: still(server, newest), pages: still(server, pages), client_until }
}

/** Those that are not gone by themselves. */
function still({ clock }: TokenServer, listed: readonly Listed[]): readonly Listed[] {
  const now = clock()
  return listed.filter(([, until]) => until > now)
}

function secondsLeft({ clock }: TokenServer, listed: readonly Listed[]): number {
  return Math.max(1, ...listed.map(([, until]) => Math.ceil((until - clock()) / 1000)))
}

function clientsKey(sub: string): Key {
  return { kind: 'person_clients', id: tokenDigest(sub) }
}

function listKey({ sub, client_id }: Holding): Key {
  return { kind: 'person_grants', id: tokenDigest(JSON.stringify([sub, client_id])) }
}

function pageKey([name]: Listed): Key {
  return { kind: 'person_grants_page', id: name }
}
