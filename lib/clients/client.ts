/** The clients of an authorization server: what was registered, with its defaults, checked once. */
import { readCredentials } from './configured-credentials.ts'
import { federatedId, keepCredentials, registeredCredentials, type ClientSecret, type CredentialOfClient } from './credentials.ts'
import { checkMethodNeeds, defaultMethod, isPublicMethod } from './methods.ts'
import type { Fail } from './metadata/kinds.ts'
import { metadataRules } from './metadata/rules.ts'
import type { ClientMetadata, ReadMetadata, RegisteredMetadata } from './metadata/metadata.ts'
import { misconfiguredReport } from './misconfigured.ts'
import { readMetadata } from './metadata/read.ts'
import { isJsonObject } from '../json.ts'
import { ConfigurationError, required, valueLike, type Check } from '../options.ts'

export type { ClientCredential } from './configured-credentials.ts'
export type { AssertionAudience, ClientMetadata, ReadMetadata, RegisteredMetadata } from './metadata/metadata.ts'
export { clientSecrets, type ClientSecret } from './credentials.ts'

/**
 * A client as the library works with it: metadata with its defaults, immutable, without any secret among its visible
 * members.
 */
export interface Client extends Omit<RegisteredMetadata, 'client_secret' | 'credentials'> {
  /** The method it is registered for; `client_secret_basic` where none was registered (RFC 7591 §2). */
  readonly token_endpoint_auth_method: string
  /** The grants it may use; `authorization_code` where none was registered. */
  readonly grant_types: readonly string[]
  /** The response types it may ask for; `code` where none was registered. */
  readonly response_types: readonly string[]
  /** The addresses its answers may go to. */
  readonly redirect_uris: readonly string[]
}

/**
 * Source of clients: a list, or a function that looks one up. Return the same object while nothing changed: what is
 * parsed from it is cached by its identity.
 */
export type ClientSource =
  | readonly ClientMetadata[]
  | ((client_id: string) => ClientMetadata | null | undefined | Promise<ClientMetadata | null | undefined>)

/**
 * Finds clients. Rejects when the source does; never answers with a client of another id, nor with one that is
 * configured wrongly.
 */
export interface ClientRegistry {
  /** Finds a client by its `client_id`; undefined where there is none. */
  find(client_id: string): Promise<Client | undefined>
  /** Told of each authentication, for whoever records what is still in use. Does not throw, and takes no time. */
  used?(client: Client, method: string, credentials: readonly string[]): void
  /** The clients that are configured as a list: one that does not name itself is looked for among these. */
  readonly listed?: (() => readonly Client[]) | undefined
  /** Why a client_id was not found last time, where there is more to say than that nobody has it. */
  whyUnknown?(client_id: string): WhyUnknown | undefined
}

/** Why nobody has a client_id. */
export interface WhyUnknown {
  /** The check that failed. */
  readonly check: 'client_document_url' | 'client_document' | 'client_document_limit'
  /** A clause an operator can read. */
  readonly reason: string
}

const parsed = new WeakMap<ClientMetadata, Client>()
const registries = new WeakMap<object, ClientRegistry>()

/** A public client has no credential: it is registered for `none` (RFC 6749 §2.1). */
export function isPublic(client: Client): boolean {
  return isPublicMethod(client.token_endpoint_auth_method)
}

/**
 * Checks metadata and applies the defaults of RFC 7591 §2: `client_secret_basic`, `authorization_code`, `code`.
 *
 * @param path names the metadata in errors, such as `clients[3]`.
 * @param secrets the client's secrets, where the metadata has no `client_secret` because nobody keeps it readable.
 * @throws {@link ConfigurationError} naming the member that is wrong.
 */
export function toClient(metadata: ClientMetadata, path = 'client', secrets: readonly ClientSecret[] = []): Client {
  const cached = parsed.get(metadata)
  if (cached !== undefined) return cached
  const { metadata: read, added } = checkMetadata(metadata, path, secrets.length > 0)
  const client: Client = Object.freeze({
    ...withoutCredentials(read),
    token_endpoint_auth_method: read.token_endpoint_auth_method ?? defaultMethod,
    grant_types: Object.freeze([...(read.grant_types ?? ['authorization_code'])]),
    response_types: Object.freeze([...(read.response_types ?? ['code'])]),
    redirect_uris: Object.freeze([...(read.redirect_uris ?? [])])
  })
  const expiry = read.client_secret_expires_at
  const expires_at = expiry === undefined || expiry === 0 ? undefined : expiry
  const { client_secret } = read
  const registered = client_secret === undefined ? secrets : [{ id: '1', value: client_secret, expires_at }]
  keepCredentials(client, [...registeredCredentials(client, registered), ...added])
  parsed.set(metadata, client)
  return client
}

function withoutCredentials(metadata: ReadMetadata): Omit<RegisteredMetadata, 'client_secret' | 'credentials'> {
  const rest: Record<string, unknown> = { ...metadata }
  delete rest['client_secret']
  delete rest['credentials']
  return rest as unknown as Omit<RegisteredMetadata, 'client_secret' | 'credentials'>
}

/** Check of a source of clients; what is wrong with one of a list is said by {@link clientRegistry}. */
export const clientsCheck: Check<ClientSource | ClientRegistry> = required(
  valueLike<ClientSource | ClientRegistry>(
    'a list of client metadata or a function that finds a client by its client_id',
    value => typeof value === 'function' || Array.isArray(value) || isRegistry(value)
  )
)

/** Makes a registry of a source; one source has one registry, however many strategies it is given to. */
export function clientRegistry(source: ClientSource | ClientRegistry): ClientRegistry {
  if (isRegistry(clientsCheck.read(source, 'clients'))) return source as ClientRegistry
  const known = registries.get(source)
  if (known !== undefined) return known
  const registry = typeof source === 'function' ? registryOfFunction(source) : registryOfList(source as readonly ClientMetadata[])
  registries.set(source, registry)
  return registry
}

function isRegistry(source: unknown): source is ClientRegistry {
  return isJsonObject(source) && typeof source['find'] === 'function'
}

function registryOfList(list: readonly ClientMetadata[]): ClientRegistry {
  const byId = new Map<string, Client>()
  list.forEach((metadata, index) => {
    const client = toClient(metadata, `clients[${index}]`)
    if (byId.has(client.client_id))
      throw new ConfigurationError(`clients[${index}].client_id`, 'is already the client_id of another client')
    byId.set(client.client_id, client)
  })
  return { find: client_id => Promise.resolve(byId.get(client_id)), listed: () => [...byId.values()] }
}

function registryOfFunction(lookUp: Exclude<ClientSource, readonly ClientMetadata[]>): ClientRegistry {
  const tell = misconfiguredReport(lookUp)
  return {
    async find(client_id) {
      const metadata = await lookUp(client_id)
      // databases say null where there is no row
      if (metadata === undefined || metadata === null) return undefined
      try {
        return checkFound(toClient(metadata), client_id)
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error
        // one row is wrong: the source answered, and the others are as good as ever
        tell(client_id, error)
        return undefined
      }
    }
  }
}

/** A source that looks up loosely (case, trimming, a wrong row) must not let one client in as another. */
function checkFound(client: Client, client_id: string): Client {
  if (client.client_id === client_id) return client
  throw new ConfigurationError('client.client_id', 'must be the client_id that was asked for')
}

/** Checks metadata, and returns it without `null` beside what its `credentials` are. */
function checkMetadata(
  given: unknown,
  path: string,
  hasSecrets: boolean
): { readonly metadata: ReadMetadata; readonly added: readonly CredentialOfClient[] } {
  const fail: Fail = (member, mustBe) => {
    throw new ConfigurationError(`${path}.${member}`, mustBe)
  }
  if (typeof given !== 'object' || given === null) throw new ConfigurationError(path, 'must be an object of client metadata')
  const metadata = readMetadata(given, fail)
  if ((metadata as Partial<ReadMetadata>).client_id === undefined) fail('client_id', 'must be a non-empty string')
  const federated = (metadata.federated_credentials ?? []).map(federatedId)
  const taken = metadata.client_secret === undefined ? federated : ['1', ...federated]
  const added = readCredentials(metadata.credentials, fail, taken)
  for (const rule of metadataRules) rule(metadata, fail)
  checkMethodNeeds(metadata, fail, hasSecrets, added)
  return { metadata, added }
}
