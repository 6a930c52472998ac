/**
 * Clients that registered themselves (RFC 7591), kept in the store: found beside the configured ones, cached for a
 * bounded time, and known to have ended for as long as a token of theirs could live.
 */
import { clientRegistry, toClient, type Client, type ClientRegistry, type ClientSource } from './client.ts'
import { withOrigin } from './client-origin.ts'
import { cachedRecords, type CachedRecords, type Known } from '../stores/cached-records.ts'
import { growingCache } from '../stores/growing-cache.ts'
import type { SecretKeeper } from './stored-secret.ts'
import { ConfigurationError } from '../options.ts'
import {
  clientKey,
  isRegisteredClientId,
  living,
  registrationsOf,
  type ClientRecord,
  type EndedRecord,
  type Registrations
} from './registrations.ts'
import type { Store } from '../stores/store.ts'

interface RegistrationsContext {
  /** Issuer identifier of the server that the clients belong to. */
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
 * A registry of configured clients that also finds those that registered with the server it is given to. Only needed
 * where one's own list of `strategies` or a route of one's own has to know registered clients too; give all of them the
 * same registry, and that to one server.
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
      const kept = own.registered?.cached(client_id)?.value
      return kept ?? (await known.find(client_id)) ?? (await own.registered?.find(client_id))?.value
    },
    ...(known.listed && { listed: known.listed }),
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
  /** The configured clients, as they were given. */
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

/**
 * Lets a registry find what registers through the returned operations. @throws ConfigurationError for a second
 * issuer's.
 */
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
    await registrations.change(client_id, record => (record.unused === true ? { ...record, unused: undefined } : undefined))
  } catch {
    cache.setUnused(client_id, true)
  }
}

/**
 * A client_id nobody can guess. Never a URL, which is what a client's own metadata document is called; never at the
 * start of a command's options.
 */
export function newClientId(random: (size: number) => Uint8Array): string {
  return Buffer.from(random(16)).toString('hex')
}

interface RecordCache extends CachedRecords<Client> {
  /** Finds what is known, or asks the store. Undefined for what is no registered client's id; nothing is asked then. */
  find(client_id: string): Promise<Known<Client> | undefined>
  /** Whether it is known never to have authenticated. */
  isUnused(client_id: string): boolean
  setUnused(client_id: string, unused: boolean): void
}

const mostUnused = 10_000

function recordCache({ store, secrets, clock, maxAge }: RegistrationsContext): RecordCache {
  const unused = growingCache<boolean>(mostUnused)
  const setUnused = (client_id: string, is: boolean): void => {
    if (is) unused.set(client_id, true)
    else unused.delete(client_id)
  }
  const records = cachedRecords<ClientRecord | EndedRecord, Client>({
    store,
    clock,
    maxAge,
    keyOf: clientKey,
    // the same object while the record is the same: what is derived from it is cached by its identity
    valueOf(found, client_id) {
      const record = living(found)
      setUnused(client_id, record?.unused === true)
      return record && clientOf(record, secrets)
    }
  })
  return {
    ...records,
    find: async client_id =>
      isRegisteredClientId(client_id) ? (records.cached(client_id) ?? records.load(client_id)) : undefined,
    isUnused: client_id => unused.size > 0 && unused.has(client_id),
    setUnused
  }
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
