/**
 * Clients an operator keeps in the store, beside those the application configures: added, disabled and enabled while
 * servers run, each of which finds out within seconds.
 */
import { hash } from 'node:crypto'
import {
  clientsCheck,
  clientRegistry,
  type Client,
  type ClientMetadata,
  type ClientRegistry,
  type ClientSource
} from '../clients/client.ts'
import { defaultMethod } from '../clients/methods.ts'
import { pooledRandomBytes } from '../crypto/random.ts'
import type { EventListener } from '../events/event-source.ts'
import type { UnstampedEvent } from '../events/events.ts'
import { harmless } from '../listeners.ts'
import { clock, ConfigurationError, fn, issuerIdentifier, readOptions, type Checks, type Read } from '../options.ts'
import type { KeySource, PrivateKeySet } from '../signing-keys/generate-keys.ts'
import { keysCheck, SigningKeys } from '../signing-keys/signing-keys.ts'
import { cachedRecords, type CachedRecords } from '../stores/cached-records.ts'
import { guardedStore } from '../stores/guarded.ts'
import { century, read as readRecord, update } from '../stores/records.ts'
import { scopedStore } from '../stores/scoped.ts'
import { storeCheck, type Key, type Store } from '../stores/store.ts'
import { maxAgeCheck } from './credential-sets.ts'
import { CredentialError } from './credential-error.ts'
import { clientOf, newRecord, type ClientRecord, type RecordMaker } from './stored-client-record.ts'
import { secretKeeper } from './secrets/stored-secret.ts'

/** The options of `storedClients()`. */
export interface StoredClientsOptions {
  /** Issuer identifier of the server that the clients belong to. */
  readonly issuer: string
  /** Keeps the clients. */
  readonly store: Store
  /** The server's own private keys: what is kept of secrets is made under a key derived from them. */
  readonly keys: PrivateKeySet | KeySource
  /**
   * The clients the application has itself: a list of metadata, or a function that finds one. They come first. Default
   * none.
   */
  readonly clients?: ClientSource | undefined
  /**
   * Seconds until this process sees what another one changed. Default 5; 0: at once, at a store operation per request.
   */
  readonly maxAge?: number | undefined
  /** Told when a client is added, disabled or enabled here. Default: nobody is. */
  readonly onEvent?: EventListener | undefined
  /** Reads the time, milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Random bytes. Default: a cryptographically secure source. */
  readonly random?: ((size: number) => Buffer) | undefined
}

/** One client the store says something about. */
export interface StoredClient {
  /** Names the client. */
  readonly client_id: string
  /** The metadata it was added with, without a secret; absent for a client of the application's own. */
  readonly metadata?: ClientMetadata
  /** Seconds since the epoch; absent for a client of the application's own. */
  readonly created_at?: number
  /** Whether it is refused as if it were not there. */
  readonly disabled: boolean
}

/** A client that was added. */
export interface AddedClient {
  /** As the store has it. */
  readonly client_id: string
  /** Its secret in clear, where its method takes one: this once, and never again. */
  readonly client_secret?: string
}

/**
 * The clients, and what is done with them. Each function resolves once it is done for this process; others on the store
 * see it within `maxAge`. Of changes at the same time, here or elsewhere, none is lost. Each rejects with
 * TemporarilyUnavailableError where the store does not answer.
 */
export interface StoredClients {
  /** For `tokenRouter()`, `authorizationServer()`, `credentialSets()` and the strategies: the same one everywhere. */
  readonly clients: ClientRegistry
  /**
   * Adds a client. Where its method takes a secret, it is given one of 256 bits (384 for `client_secret_jwt`).
   *
   * Rejects with ConfigurationError naming the member that is wrong, `client_secret` and secrets among `credentials`
   * too: they are not kept readable, and with {@link CredentialError} `duplicate` where there is a client of this id,
   * the application's own included.
   */
  add(metadata: ClientMetadata): Promise<AddedClient>
  /**
   * Has a client refused as if it were not there, with all its tokens, or no longer; the application's own clients too.
   * Rejects with {@link CredentialError} `unknown_client` where there is none.
   */
  setDisabled(client_id: string, disabled: boolean): Promise<void>
  /** Every client that was added, and every other that is disabled, in the order in which they came. */
  list(): Promise<readonly StoredClient[]>
}

/** Facts about a client that requests ask for. */
interface Judged {
  readonly disabled: boolean
  readonly client: Client | undefined
}

export const storedClientsChecks = {
  issuer: issuerIdentifier(),
  store: storeCheck,
  keys: keysCheck,
  clients: {
    ...clientsCheck,
    read: (value: unknown, key: string) => clientsCheck.read(value === undefined ? [] : value, key) as ClientSource
  },
  maxAge: maxAgeCheck,
  onEvent: fn<EventListener>(),
  clock: clock(),
  random: fn(pooledRandomBytes)
} satisfies Checks<StoredClientsOptions>

/** So many that one record still names them all. */
const mostClients = 10_000

const behind = new WeakMap<object, ClientSource | ClientRegistry>()

/** The application's own clients behind a registry that {@link storedClients} made; any other source as it is. */
export function ownClients(source: ClientSource | ClientRegistry): ClientSource | ClientRegistry {
  return behind.get(source) ?? source
}

/** Whether clients can come to this source while a server runs. */
export function isStoredClients(source: ClientSource | ClientRegistry): boolean {
  return behind.has(source)
}

/**
 * Makes the stored clients of one issuer. The program that changes them and the servers that find them share store,
 * issuer and keys, and nothing else.
 *
 * A request costs no store operation for it, but for one every few seconds and client. A store that does not answer
 * fails closed.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const stored = storedClients({ issuer, store, keys, clients: [{ client_id: 'billing', client_secret: process.env.BILLING_SECRET }] })
 * app.use(authorizationServer({ issuer, store, keys, clients: stored.clients }))
 * const { client_secret } = await stored.add({ client_id: 'reports', grant_types: ['client_credentials'] })
 */
export function storedClients(options: StoredClientsOptions): StoredClients {
  const context = contextOf(readOptions(options, storedClientsChecks))
  const { own, records, store } = context
  const clients: ClientRegistry = {
    ...own,
    async find(client_id) {
      const { value } = records.cachedAhead(client_id) ?? (await records.load(client_id))
      return value?.disabled === true ? undefined : ((await own.find(client_id)) ?? value?.client)
    }
  }
  behind.set(clients, options.clients ?? [])
  return {
    clients,
    add: metadata => addClient(context, metadata),
    setDisabled: (client_id, disabled) => setDisabled(context, client_id, disabled),
    async list() {
      const listed = await readRecord<readonly string[]>(store, listKey)
      const found = await Promise.all((listed ?? []).map(client_id => readRecord<ClientRecord>(store, keyOf(client_id))))
      return found.flatMap(record => (record === undefined ? [] : shown(record)))
    }
  }
}

interface Context extends RecordMaker {
  /** The issuer's own view of the store. */
  readonly store: Store
  readonly own: ClientRegistry
  readonly records: CachedRecords<Judged>
  readonly tell: (happening: UnstampedEvent) => void
}

function contextOf(given: Read<typeof storedClientsChecks>): Context {
  const { issuer, clock, random } = given
  const store = guardedStore(scopedStore(given.store, issuer))
  const keys = new SigningKeys(given.keys)
  const keeper = secretKeeper({ mac: (purpose, data) => keys.mac(purpose, data), random })
  const emit = harmless('onEvent', given.onEvent)
  const tell = (happening: UnstampedEvent) => emit?.({ at: clock(), issuer, ...happening })
  const records = cachedRecords<ClientRecord, Judged>({
    ...{ store, clock, maxAge: given.maxAge, keyOf },
    valueOf: record => ({ disabled: record.disabled === true, client: readable(record, keeper, tell) })
  })
  return { store, own: clientRegistry(given.clients), records, keeper, clock, random, tell }
}

async function addClient(context: Context, metadata: ClientMetadata): Promise<AddedClient> {
  const { own, keeper, store, tell } = context
  const { client_secret, ...record } = newRecord(context, metadata)
  clientOf(record, keeper)
  const { client_id } = record
  const taken = new CredentialError('duplicate', 'there is a client of this client_id')
  if ((await own.find(client_id)) !== undefined) throw taken
  await listClient(store, client_id)
  await change(context, client_id, found => {
    if (found !== undefined) throw taken
    return record
  })
  tell({ type: 'client.added', client_id, token_endpoint_auth_method: metadata.token_endpoint_auth_method ?? defaultMethod })
  return { client_id, ...(client_secret !== undefined && { client_secret }) }
}

async function setDisabled(context: Context, client_id: string, disabled: boolean): Promise<void> {
  const isOwn = (await context.own.find(client_id)) !== undefined
  if (isOwn) await listClient(context.store, client_id)
  const seen = { disabled }
  await change(context, client_id, found => {
    if (found?.metadata === undefined && !isOwn)
      throw new CredentialError('unknown_client', 'there is no such client, or it registered itself')
    seen.disabled = found?.disabled === true
    return seen.disabled === disabled ? undefined : { client_id, ...found, disabled: disabled ? true : undefined }
  })
  if (seen.disabled !== disabled) context.tell({ type: disabled ? 'client.disabled' : 'client.enabled', client_id })
}

async function change(
  { store, records }: Context,
  client_id: string,
  changed: (record: ClientRecord | undefined) => ClientRecord | undefined
): Promise<void> {
  try {
    await update<ClientRecord>(store, keyOf(client_id), changed, () => century)
  } finally {
    records.forget(client_id)
  }
}

/** Reads a client. One kept by another version, or under other keys, is no reason for a request to fail: it is told. */
function readable(record: ClientRecord, keeper: RecordMaker['keeper'], tell: Context['tell']): Client | undefined {
  try {
    return clientOf(record, keeper)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const { client_id } = record
    tell({ type: 'client.misconfigured', client_id, member: error.key.replace(/^client\./, ''), reason: error.message })
    return undefined
  }
}

/** Before there is anything of it: no client is there that nobody can list. */
async function listClient(store: Store, client_id: string): Promise<void> {
  await update<readonly string[]>(
    store,
    listKey,
    (listed = []) => {
      if (listed.includes(client_id)) return undefined
      if (listed.length >= mostClients)
        throw new CredentialError('too_many', `the store has ${mostClients} clients: keep more in a database of your own`)
      return [...listed, client_id]
    },
    () => century
  )
}

function shown({ client_id, metadata, created_at, ...record }: ClientRecord): readonly StoredClient[] {
  const disabled = record.disabled === true
  if (metadata === undefined) return disabled ? [{ client_id, disabled }] : []
  return [{ client_id, metadata, ...(created_at !== undefined && { created_at }), disabled }]
}

const listKey: Key = { kind: 'stored_clients', id: 'all' }

function keyOf(client_id: string): Key {
  return { kind: 'stored_client', id: hash('sha256', client_id, 'base64url') }
}
