/**
 * Clients that registered themselves (RFC 7591), kept in the store: found beside the configured ones, cached for a bounded time, and known
 * to have ended for as long as a token of theirs could live.
 */
import { clientRegistry, toClient, type Client, type ClientRegistry, type ClientSource } from './client.ts'
import { withOrigin } from './client-origin.ts'
import { growingCache } from '../stores/growing-cache.ts'
import type { SecretKeeper } from './stored-secret.ts'
import { ConfigurationError } from '../options.ts'
import {
  clientKey,
  isRegisteredClientId,
  registrationsOf,
  type ClientRecord,
  type EndedRecord,
  type Registrations
} from './registrations.ts'
import type { Store, StoredRecord } from '../stores/store.ts'

export interface RegistrationsContext {
  /** Whose clients they are. */
  readonly issuer: string
  readonly store: Store
  readonly secrets: SecretKeeper
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Seconds another node's change may go unseen here; 0 asks the store each time. */
  readonly maxAge: number
  /** Seconds a client is kept that never authenticates. */
  readonly unusedTtl: number
}

interface Internals {
  readonly configured: ClientSource | ClientRegistry
  issuer: string | undefined
  registered: RecordCache | undefined
  /** Told of a client that authenticated. */
  keepUsed: ((client_id: string) => void) | undefined
}

const internals = new WeakMap<ClientRegistry, Internals>()

/**
 * A registry of configured clients that also finds those that registered with the server it is given to. Only needed where one's own list of
 * `strategies` or a route of one's own has to know registered clients too; give all of them the same registry, and that to one server.
 *
 * @throws ConfigurationError where `configured` is neither a list nor a function.
 *
 * @example
 * const clients = registeredClients([{ client_id: 'billing', client_secret: process.env.BILLING_SECRET }])
 * const strategies = [new ClientSecretBasicStrategy({ clients })]
 * app.use(authorizationServer({ issuer, clients, strategies, store, keys, interaction, registration: { access: 'open' } }))
 */
export function registeredClients(configured: ClientSource | ClientRegistry): ClientRegistry {
  const known = clientRegistry(configured)
  const own: Internals = { configured, issuer: undefined, registered: undefined, keepUsed: undefined }
  const registry: ClientRegistry = {
    async find(client_id) {
      // a database of one's own is not asked again for what is known to be elsewhere
      const kept = own.registered?.cached(client_id)?.client
      return kept ?? (await known.find(client_id)) ?? (await own.registered?.find(client_id))?.client
    },
    used(client, method, credentials) {
      known.used?.(client, method, credentials)
      own.keepUsed?.(client.client_id)
    }
  }
  internals.set(registry, own)
  return registry
}

/** A registry that finds registered clients, and what else a server has to know of them. */
export interface RegisteredClients {
  readonly clients: ClientRegistry
  /** What is configured, as it was given. */
  readonly configured: ClientSource | ClientRegistry
}

/**
 * One registry for the configured and the registered clients of a server: the application's own, where it made one.
 *
 * @throws ConfigurationError for `strategies` of the application's own that know no registered client.
 */
export function registeredClientsOf({
  clients: given,
  strategies
}: {
  readonly clients: ClientSource | ClientRegistry
  readonly strategies?: readonly object[] | undefined
}): RegisteredClients {
  const known = internals.get(given as ClientRegistry)
  // strategies look clients up where they were told to, and would refuse every one that registered
  if (known === undefined && strategies !== undefined)
    throw new ConfigurationError(
      'clients',
      'must be what registeredClients() returns, and the strategies made with it, where clients can register'
    )
  const clients = known === undefined ? registeredClients(given) : (given as ClientRegistry)
  return { clients, configured: known?.configured ?? given }
}

/** Lets a registry find what registers through the returned operations. @throws ConfigurationError for a second issuer's. */
export function openRegistrations(registry: ClientRegistry, context: RegistrationsContext): Registrations {
  const own = internals.get(registry)
  if (own === undefined) throw new TypeError('the registry must be one that registeredClients() made')
  // a server may be made anew, as tenants are
  if (own.issuer !== undefined && own.issuer !== context.issuer)
    throw new ConfigurationError('clients', `must not be the registeredClients() of ${own.issuer}: each issuer has its own`)
  own.issuer = context.issuer
  const cache = recordCache(context)
  const registrations = registrationsOf(context, client_id => cache.forget(client_id))
  own.registered = cache
  own.keepUsed = client_id => {
    // asked at every authentication: most clients have been used before
    if (cache.isUnused(client_id)) void keepUsed(registrations, cache, client_id)
  }
  return registrations
}

/** A client that was used stays. Never rejects: where it does not work, the next use tries again. */
async function keepUsed(registrations: Registrations, cache: RecordCache, client_id: string): Promise<void> {
  cache.setUnused(client_id, false)
  try {
    const found = await registrations.read(client_id)
    if (found?.record.unused !== true) return
    const { unused, ...record } = found.record
    if (!(await registrations.replace(found.version, record))) cache.setUnused(client_id, unused)
  } catch {
    cache.setUnused(client_id, true)
  }
}

/** A client_id nobody can guess. Never a URL, which is what a client's own metadata document is called; never at the start of a command's options. */
export function newClientId(random: (size: number) => Uint8Array): string {
  return Buffer.from(random(16)).toString('hex')
}

/** What is known of one client_id. */
interface Known {
  readonly version: StoredRecord['version'] | undefined
  /** The same object while the record is the same: what is derived from it is cached by its identity. */
  readonly client: Client | undefined
  readonly ended: boolean
  readonly unused?: boolean
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly until: number
}

interface RecordCache {
  /** What is known now, if it is not too old. */
  cached(client_id: string): Known | undefined
  /** The same, or what the store says. Undefined for what is no registered client's id; nothing is asked then. */
  find(client_id: string): Promise<Known | undefined>
  /** Whether it is known never to have authenticated. */
  isUnused(client_id: string): boolean
  setUnused(client_id: string, unused: boolean): void
  /** The next to ask gets what the store says now, whatever is on its way from it. */
  forget(client_id: string): void
}

const mostCached = 10_000
/** In characters of JSON, all records together: anyone may register large ones, and have them looked up. */
const mostCachedText = 33_554_432

function recordCache(context: RegistrationsContext): RecordCache {
  const { clock } = context
  const present = growingCache<Known>(mostCached, { most: mostCachedText, sizeOf: ({ size }) => size })
  // apart, so that made-up ids drive no client out
  const absent = growingCache<Known>(mostCached)
  const unused = growingCache<boolean>(mostCached)
  const setUnused = (client_id: string, is: boolean): void => {
    if (is) unused.set(client_id, true)
    else unused.delete(client_id)
  }
  const loading = new Map<string, Promise<Known>>()
  const cached = (client_id: string): Known | undefined => {
    const known = present.get(client_id) ?? absent.get(client_id)
    return known !== undefined && clock() < known.until ? known : undefined
  }
  const keep = (client_id: string, known: Known): void => {
    const [into, outOf] = known.version === undefined ? [absent, present] : [present, absent]
    into.set(client_id, known)
    outOf.delete(client_id)
    setUnused(client_id, known.unused === true)
  }
  const load = async (client_id: string): Promise<Known> => {
    const loaded = loadRecord(context, client_id, present.get(client_id))
    loading.set(client_id, loaded)
    try {
      const fresh = await loaded
      // what was asked for before a change must not be kept after it
      if (loading.get(client_id) === loaded) keep(client_id, fresh)
      return fresh
    } finally {
      if (loading.get(client_id) === loaded) loading.delete(client_id)
    }
  }
  return {
    cached,
    find: async client_id =>
      isRegisteredClientId(client_id) ? (cached(client_id) ?? loading.get(client_id) ?? load(client_id)) : undefined,
    isUnused: client_id => unused.size > 0 && unused.has(client_id),
    setUnused,
    forget(client_id) {
      present.delete(client_id)
      absent.delete(client_id)
      loading.delete(client_id)
    }
  }
}

async function loadRecord(
  { store, secrets, clock, maxAge }: RegistrationsContext,
  client_id: string,
  previous: Known | undefined
): Promise<Known> {
  // counted from the question: what changes after the answer was made counts as unseen from then on
  const until = clock() + maxAge * 1000
  const found = await store.get(clientKey(client_id))
  if (found === undefined) return { version: undefined, client: undefined, ended: false, size: 1, until }
  if (previous?.version === found.version) return { ...previous, until }
  const record = found.value as unknown as ClientRecord | EndedRecord
  if ('ended' in record) return { version: found.version, client: undefined, ended: true, size: 1, until }
  const size = JSON.stringify(record).length
  const unused = record.unused === true
  return { version: found.version, client: clientOf(record, secrets), ended: false, unused, size, until }
}

function clientOf({ metadata, credentials, software_statement, vouched }: ClientRecord, secrets: SecretKeeper): Client {
  const { client_id } = metadata
  const client = toClient(
    metadata,
    'registered client',
    credentials.map(stored => secrets.restore(client_id, stored))
  )
  return withOrigin(client, vouched === true || software_statement !== undefined ? 'vouched' : 'registered')
}
