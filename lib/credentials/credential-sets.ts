/**
 * Credentials that live and die without an outage: what a client's source gave, and what is added beside it here, work
 * side by side, each with dates of its own and a record of its last use.
 */
import { pooledRandomBytes } from '../crypto/random.ts'
import { isPublicMethod, provingMethods } from '../clients/methods.ts'
import { clientOrigin, withOrigin } from '../clients/client-origin.ts'
import type { Known } from '../stores/cached-records.ts'
import { clientsCheck, clientRegistry, isPublic, type Client, type ClientRegistry, type ClientSource } from '../clients/client.ts'
import { credentialSet } from '../clients/credentials.ts'
import { review, withCredentialFunctions, type CredentialFunctions } from './functions.ts'
import { CredentialError } from './credential-error.ts'
import { withRecord, type RecordKeeper } from './record.ts'
import { credentialRecords, type CredentialRecords } from './records.ts'
import type { CredentialRecord } from './record.ts'
import { dailyReview } from './review.ts'
import { lastUses, type LastUses } from './last-use.ts'
import { secretKeeper } from './secrets/stored-secret.ts'
import { upgradeHash } from './secrets/upgrade-hash.ts'
import { harmless } from '../listeners.ts'
import type { EventListener } from '../events/event-source.ts'
import { clock, ConfigurationError, fn, integer, issuerIdentifier, listOf, readOptions, type Checks } from '../options.ts'
import { scopedStore } from '../stores/scoped.ts'
import { storeCheck, type Store } from '../stores/store.ts'
import type { KeySource, PrivateKeySet } from '../signing-keys/generate-keys.ts'
import { guardedStore } from '../stores/guarded.ts'
import { keysCheck, SigningKeys } from '../signing-keys/signing-keys.ts'

/** The functions, and the clients as they are with what the functions changed. */
export interface CredentialSets extends CredentialFunctions {
  /**
   * For `tokenRouter()`, `authorizationServer()`, `authenticateClient()` and the strategies: the same one everywhere.
   */
  readonly clients: ClientRegistry
}

/** The options of `credentialSets()`. */
export interface CredentialSetsOptions {
  /** Issuer identifier of the server that the clients belong to. */
  readonly issuer: string
  /** Keeps what changed of clients' credentials. */
  readonly store: Store
  /** The registered clients: a list of metadata, or a function that finds one by its client_id. */
  readonly clients: ClientSource | ClientRegistry
  /** The server's own private keys: what is kept of secrets is made under a key derived from them. */
  readonly keys: PrivateKeySet | KeySource
  /** The methods that can be allowed. Default: the six built in that prove something. */
  readonly methods?: readonly string[] | undefined
  /**
   * Seconds until this process sees what another one changed. Default 5; 0: at once, at a store operation per request.
   */
  readonly maxAge?: number | undefined
  /** Told when a credential is added, revoked, about to end or no longer used. Default: nobody is. */
  readonly onEvent?: EventListener | undefined
  /** Reads the time, milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Random bytes. Default: a cryptographically secure source. */
  readonly random?: ((size: number) => Buffer) | undefined
}

/** Check of the greatest age, in seconds, of what a process knows of another one's changes. */
export const maxAgeCheck = integer({ min: 0, max: 3600, default: 5 })

/** Methods that prove something. */
const methodsCheck = listOf(
  'client authentication methods, and none is not among them',
  (method): method is string => typeof method === 'string' && !isPublicMethod(method),
  provingMethods
)

export const credentialSetsChecks = {
  issuer: issuerIdentifier(),
  store: storeCheck,
  clients: clientsCheck,
  keys: keysCheck,
  methods: methodsCheck,
  maxAge: maxAgeCheck,
  onEvent: fn<EventListener>(),
  clock: clock(),
  random: fn(pooledRandomBytes)
} satisfies Checks<CredentialSetsOptions>

/**
 * Makes the credential sets of one issuer's clients. `authorizationServer()` has them already, as `server.credentials`;
 * they are made apart for a token router, for strategies on routes of one's own, and for a program that changes them
 * from outside: on the same store, with the same issuer and keys.
 *
 * A request costs no store operation for it, but for one every few seconds and client. A store that does not answer
 * fails closed.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const credentials = credentialSets({ issuer, store, clients, keys })
 * app.use('/oauth2', tokenRouter({ issuer, store, keys, clients: credentials.clients }))
 * const { client_secret } = await credentials.rotateSecret('billing', { label: 'winter 2026' })
 */
export function credentialSets(options: CredentialSetsOptions): CredentialSets {
  const { issuer, store, onEvent, ...read } = readOptions(options, credentialSetsChecks)
  const keys = new SigningKeys(read.keys)
  const { clients, methods, maxAge, clock, random } = read
  return openCredentialSets({
    ...{ issuer, clients, maxAge, clock, random },
    store: guardedStore(scopedStore(store, issuer)),
    mac: (purpose, data) => keys.mac(purpose, data),
    methods: () => methods,
    emit: harmless('onEvent', onEvent)
  })
}

/** Parts of credential sets, once they have been checked. */
interface CredentialSetsParts {
  readonly issuer: string
  /** The issuer's own view of the store. */
  readonly store: Store
  readonly mac: RecordKeeper['mac']
  readonly clock: () => number
  readonly random: (size: number) => Uint8Array
  readonly clients: ClientSource | ClientRegistry
  /** The methods that can be allowed. */
  readonly methods: () => readonly string[]
  readonly maxAge: number
  readonly emit: EventListener | undefined
  /** Set where nothing that is added could be used to authenticate: why. */
  readonly unusable?: string | undefined
}

/** Credential sets behind a registry that they made, with their issuer and clients. */
interface KnownCredentialSets {
  readonly sets: CredentialSets
  readonly issuer: string
  /** The clients as they were given. */
  readonly given: ClientSource | ClientRegistry
}

const known = new WeakMap<object, KnownCredentialSets>()

/** The credential sets whose `clients` these are; undefined for any other. */
export function credentialSetsOf(clients: ClientSource | ClientRegistry): KnownCredentialSets | undefined {
  return known.get(clients)
}

export function openCredentialSets(parts: CredentialSetsParts): CredentialSets {
  const { issuer, store, clock, mac, random, clients: given } = parts
  const inner = clientRegistry(given)
  const records = credentialRecords({ store, clock, maxAge: parts.maxAge })
  let unknown: CredentialRecords | undefined
  // apart, so that made-up ids drive no client out
  const strangers = (): CredentialRecords => (unknown ??= credentialRecords({ store, clock, maxAge: parts.maxAge }))
  const keeper: RecordKeeper = {
    mac,
    secrets: secretKeeper({ mac, random }),
    upgrade: (client_id, id, secret) => upgradeHash(records, client_id, id, secret)
  }
  const uses = lastUses(store, clock)
  const find = async (client_id: string): Promise<Client> => {
    const client = await inner.find(client_id)
    if (client === undefined || isPublic(client))
      throw new CredentialError('unknown_client', 'there is no such client, or it is public and has no credentials')
    if (parts.unusable !== undefined) throw new ConfigurationError('clients', parts.unusable)
    return client
  }
  const { emit, methods } = parts
  const context = { issuer, clock, random, methods, emit, records, keeper, uses, find }
  const daily = dailyReview(store, clock, client_id => review(context, client_id))
  const clients = overlay({ inner, records, strangers, keeper, uses, review: daily, clock })
  const sets: CredentialSets = withCredentialFunctions({ clients }, context)
  known.set(clients, { sets, issuer, given })
  return sets
}

interface OverlayParts {
  readonly inner: ClientRegistry
  readonly records: CredentialRecords
  /** Records that are asked about those that are no clients. */
  readonly strangers: () => CredentialRecords
  readonly keeper: RecordKeeper
  readonly uses: LastUses
  readonly review: (client_id: string) => void
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/**
 * The clients of a registry, each with what is kept of its credentials: one object for as long as both are the same.
 */
function overlay({ inner, records, strangers, keeper, uses, review, clock }: OverlayParts): ClientRegistry {
  const derived = new WeakMap<Client, { readonly found: Known<CredentialRecord>; readonly client: Client }>()
  const derive = (base: Client, found: Known<CredentialRecord>): Client => {
    if (found.value === undefined) return base
    const before = derived.get(base)
    if (before?.found === found) return before.client
    const client = withOrigin(withRecord(base, found.value, keeper), clientOrigin(base))
    derived.set(base, { found, client })
    return client
  }
  const lastUse = new WeakMap<Client, Use>()
  return {
    listed: inner.listed,
    async find(client_id) {
      const base = await inner.find(client_id)
      // nothing is kept of clients that prove nothing
      if (base !== undefined && isPublic(base)) return base
      // nor of those that are not there, but whether the store was asked must not tell them apart
      const known = base === undefined ? strangers() : records
      const found = known.cachedAhead(client_id) ?? (await known.load(client_id))
      return base === undefined ? undefined : derive(base, found)
    },
    used(client, method, credentials) {
      inner.used?.(client, method, credentials)
      if (isPublic(client)) return
      const now = clock()
      // most clients do the same thing over and over, and that is recorded once a minute
      if (isRepetition(lastUse.get(client), method, credentials, now)) return
      lastUse.set(client, { method, credentials, at: now })
      uses.note(client.client_id, [
        `method:${method}`,
        ...credentials.flatMap(credential => listedName(client, credential) ?? [])
      ])
      review(client.client_id)
    }
  }
}

interface Use {
  readonly method: string
  readonly credentials: readonly string[]
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Milliseconds: less than the minute after which a use is recorded again. */
const repetitionWindow = 15_000

function isRepetition(before: Use | undefined, method: string, credentials: readonly string[], now: number): boolean {
  if (before === undefined) return false
  return (
    before.method === method &&
    before.credentials.length === credentials.length &&
    before.credentials.every((credential, index) => credential === credentials[index]) &&
    now >= before.at &&
    now - before.at < repetitionWindow
  )
}

const namesByClient = new WeakMap<Client, ReadonlySet<string>>()

/** Finds the name a use is recorded by: this one if the client has it, or `jwks_uri` for a key that came from there. */
export function listedName(client: Client, credential: string): string | undefined {
  let names = namesByClient.get(client)
  if (names === undefined) {
    names = new Set(credentialSet(client).all.map(one => one.credential))
    namesByClient.set(client, names)
  }
  if (names.has(credential)) return credential
  return names.has('jwks_uri') ? 'jwks_uri' : undefined
}
