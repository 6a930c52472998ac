/**
 * The logout tokens that are still to be sent, kept until every client has had its answer: a process that stops in
 * between leaves them to the next. Whoever sends a batch holds it for some seconds, and goes on holding it while it is
 * at work.
 */
import { add, find, read, swap, update } from '../../stores/records.ts'
import type { Key, Store } from '../../stores/store.ts'
import type { EndedSession } from './logout-token.ts'

/** An ended session, and the clients still to be told of it. */
interface LogoutBatch extends EndedSession {
  /** Those not told yet. */
  readonly clients: readonly string[]
  /** Until when somebody is at work on it: milliseconds since the epoch. */
  readonly held_until: number
}

/** Milliseconds a batch is held for, and after which its holder says so again. */
export const holding = 10_000
export const holdAgain = 4000

/** Seconds a batch is kept at most. */
const lifetime = 3600
/** The lists of batches: several, so that logouts at once seldom wait for one another. */
const lists = 4

/** Keeps a batch, held by whoever calls. False where it is there already. */
export async function keepBatch(store: Store, id: string, batch: LogoutBatch): Promise<boolean> {
  // listed first: what is kept is found
  await update<readonly string[]>(
    store,
    listKey(listOf(id)),
    (found = []) => (found.includes(id) ? undefined : [...found, id]),
    () => lifetime
  )
  return add(store, batchKey(id), batch, lifetime)
}

/** Takes hold of a batch that nobody holds; undefined where there is none, or somebody does. */
export async function holdBatch(store: Store, id: string, now: number): Promise<LogoutBatch | undefined> {
  const found = await find<LogoutBatch>(store, batchKey(id))
  if (found === undefined) {
    await unlist(store, id)
    return undefined
  }
  const batch = found.value
  if (batch.held_until > now) return undefined
  const held: LogoutBatch = { ...batch, held_until: now + holding }
  return (await swap(store, batchKey(id), found.version, held, lifetime)) ? held : undefined
}

/** Goes on holding a batch. */
export async function keepHolding(store: Store, id: string, now: number): Promise<void> {
  await change(store, id, batch => ({ ...batch, held_until: now + holding }))
}

/** A client of the batch has had its answer. */
export async function settleClient(store: Store, id: string, client_id: string): Promise<void> {
  await change(store, id, batch => ({ ...batch, clients: batch.clients.filter(known => known !== client_id) }))
}

/** Forgets a batch of which everybody has been told. */
export async function forgetBatch(store: Store, id: string): Promise<void> {
  await store.delete(batchKey(id))
  await unlist(store, id)
}

/** Every batch there is, held or not. */
export async function batches(store: Store): Promise<readonly string[]> {
  const found = await Promise.all(Array.from({ length: lists }, (_, list) => read<readonly string[]>(store, listKey(list))))
  return found.flatMap(ids => ids ?? [])
}

async function change(store: Store, id: string, to: (batch: LogoutBatch) => LogoutBatch): Promise<void> {
  await update<LogoutBatch>(
    store,
    batchKey(id),
    found => found && to(found),
    () => lifetime
  )
}

async function unlist(store: Store, id: string): Promise<void> {
  await update<readonly string[]>(
    store,
    listKey(listOf(id)),
    found => (found?.includes(id) === true ? found.filter(known => known !== id) : undefined),
    () => lifetime
  )
}

function listOf(id: string): number {
  return id.charCodeAt(0) % lists
}

function listKey(list: number): Key {
  return { kind: 'logout_batches', id: String(list) }
}

function batchKey(id: string): Key {
  return { kind: 'logout_batch', id }
}
