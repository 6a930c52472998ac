/**
 * Signing keys that live in the store: made once for all nodes, rotated without anybody noticing, and still there after
 * a restart.
 */
import { harmless } from '../listeners.ts'
import {
  clock,
  ConfigurationError,
  eachOf,
  fn,
  integer,
  issuerIdentifier,
  listOf,
  readOptions,
  required,
  textLike,
  type Checks,
  type Read
} from '../options.ts'
import { add, find, swap, type Found } from '../stores/records.ts'
import { storeCheck, type Key, type Store } from '../stores/store.ts'
import {
  everySigningAlgorithm,
  signingAlgorithms,
  type KeySource,
  type PrivateKeySet,
  type SigningAlgorithm
} from './generate-keys.ts'
import { dueKeys, firstKeys, keySetOf, rotatedKeys, type KeptKeys, type RotationPolicy } from './key-rotation.ts'
import { sealOf, type Kept, type Seal } from './sealed-keys.ts'

/** The options of `storedKeys()`. */
export interface StoredKeysOptions {
  /** The store all nodes share; the same that is given to the server. */
  readonly store: Store
  /** The identifier of the issuer that the keys belong to. */
  readonly issuer: string
  /**
   * The secret that encrypts the keys in the store: at least 32 characters, kept elsewhere, such as in the environment.
   * Without it and `previousSecrets` they rest there readable.
   */
  readonly secret?: string | undefined
  /** Secrets of the past: they still open what they sealed, which is sealed anew under `secret`. */
  readonly previousSecrets?: readonly string[] | undefined
  /** One key is kept for each. Default: ES256, RS256, PS256, EdDSA, Ed25519. */
  readonly algorithms?: readonly SigningAlgorithm[] | undefined
  /** Seconds a key signs. Default 7,776,000 (90 days); 0: until `rotate()` is called. */
  readonly rotateEvery?: number | undefined
  /** Seconds a key is published before it signs, so that caches of `jwks_uri` have it by then. Default 3600. */
  readonly publishAhead?: number | undefined
  /** Seconds a key goes on verifying after it has signed; longer than any token lives. Default 2,592,000 (30 days). */
  readonly keepRetired?: number | undefined
  /** Seconds after which every node has seen a change. Default 30. */
  readonly followEvery?: number | undefined
  /** Reads the time: milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Told where following failed; the keys stay as they were. What it throws or rejects with is ignored. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** Keys that follow the store. */
export interface StoredKeys extends KeySource {
  /**
   * Begins a rotation of every key: the next ones are published now and sign after `publishAhead`. `immediately` has
   * them sign at once, for a key that was stolen: whoever has the old `jwks_uri` in a cache sees signatures fail until
   * it is read again.
   */
  rotate(options?: { readonly immediately?: boolean }): Promise<void>
  /** Looks into the store now, and does what is due. @throws where the store does not answer. */
  refresh(): Promise<void>
  /** Follows no longer. */
  close(): void
}

const year = 31_536_000
const secretCheck = textLike('a string of at least 32 characters', secret => secret.length >= 32)

export const storedKeysChecks = {
  store: storeCheck,
  issuer: issuerIdentifier(),
  secret: secretCheck,
  previousSecrets: eachOf('earlier secrets', required(secretCheck), []),
  algorithms: listOf(everySigningAlgorithm.join(', '), isAlgorithm, signingAlgorithms),
  rotateEvery: integer({ min: 0, max: 10 * year, default: 7_776_000 }),
  publishAhead: integer({ min: 0, max: year }),
  keepRetired: integer({ min: 0, max: 10 * year, default: 2_592_000 }),
  followEvery: integer({ min: 1, max: 3600, default: 30 }),
  clock: clock(),
  onError: fn<NonNullable<StoredKeysOptions['onError']>>()
} satisfies Checks<StoredKeysOptions>

/** Seconds the record is kept; it is written again long before. */
const recordTtl = 10 * year
const mostAttempts = 1000

/**
 * Finds the keys of an issuer in the store, or makes them: of any number of nodes that start together one makes them,
 * and all have the same.
 *
 * @throws ConfigurationError naming the option that is wrong, or `secret` where it does not open what is stored;
 * whatever the store rejects with.
 *
 * @example
 * const keys = await storedKeys({ store, issuer: 'https://as.example.com', secret: process.env.KEYS_SECRET })
 * app.use(authorizationServer({ issuer: 'https://as.example.com', clients, store, keys, interaction }))
 */
export async function storedKeys(options: StoredKeysOptions): Promise<StoredKeys> {
  const read = readOptions(options, storedKeysChecks)
  const checked = check(read)
  const tell = harmless('onError', read.onError)
  const keeper = new KeyKeeper(checked)
  await keeper.refresh()
  const timer = setInterval(() => {
    keeper.refresh().catch((error: unknown) => tell?.(error))
  }, checked.followEvery * 1000)
  timer.unref()
  return {
    current: () => keeper.current(),
    subscribe: listener => void keeper.listeners.push(listener),
    refresh: () => keeper.refresh(),
    rotate: ({ immediately = false } = {}) => keeper.rotate(immediately),
    close: () => clearInterval(timer)
  }
}

interface Checked {
  readonly store: Store
  readonly key: Key
  readonly seal: Seal<KeptKeys>
  readonly policy: RotationPolicy
  readonly followEvery: number
  /** Seconds since the epoch. */
  readonly now: () => number
}

/** One issuer's keys as this node last saw them. */
class KeyKeeper {
  readonly listeners: ((keys: PrivateKeySet) => void)[] = []
  private readonly given: Checked
  private seen: { readonly version: Found<unknown>['version']; readonly set: PrivateKeySet } | undefined

  constructor(given: Checked) {
    this.given = given
  }

  current(): PrivateKeySet {
    return this.seen?.set ?? { keys: [] }
  }

  refresh(): Promise<void> {
    const { policy, now } = this.given
    return this.change(keys => dueKeys(keys, policy, now()))
  }

  rotate(immediately: boolean): Promise<void> {
    const { policy, now } = this.given
    return this.change(keys => rotatedKeys(keys, policy, now(), immediately))
  }

  /** Reads, changes and writes back, once, however often somebody else is quicker. */
  private async change(changed: (keys: KeptKeys) => Promise<KeptKeys>): Promise<void> {
    const { store, key, seal } = this.given
    let written = false
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const found = (await find<Kept<KeptKeys>>(store, key)) ?? (await this.found())
      if (found === undefined) continue
      const { record: keys, current } = seal.open(found.value)
      const next = written ? keys : await changed(keys)
      if (next === keys && current) {
        this.take(found.version, keys)
        return
      }
      written = await swap(store, key, found.version, seal.close(next), recordTtl)
    }
    throw new Error('the stored keys change faster than they can be read')
  }

  /** Makes the first keys, or finds those that another node made meanwhile. */
  private async found(): Promise<Found<Kept<KeptKeys>> | undefined> {
    const { store, key, seal, policy, now } = this.given
    await add(store, key, seal.close(await firstKeys(policy, now())), recordTtl)
    return find(store, key)
  }

  private take(version: Found<unknown>['version'], keys: KeptKeys): void {
    if (this.seen?.version === version) return
    const set = keySetOf(keys)
    this.seen = { version, set }
    for (const listener of this.listeners) listener(set)
  }
}

function check(options: Read<typeof storedKeysChecks>): Checked {
  const { store, issuer, secret, previousSecrets, algorithms, rotateEvery, keepRetired, followEvery, clock } = options
  const { publishAhead = 3600 } = options
  if (rotateEvery !== 0 && rotateEvery <= publishAhead)
    throw new ConfigurationError('rotateEvery', `must be 0 or more than publishAhead, ${publishAhead}`)
  if (publishAhead < followEvery && options.publishAhead !== undefined)
    throw new ConfigurationError('publishAhead', `must be at least followEvery, ${followEvery}`)
  if (algorithms.length === 0) throw new ConfigurationError('algorithms', `must be a list of ${everySigningAlgorithm.join(', ')}`)
  return {
    store,
    key: { kind: 'signing_keys', id: issuer },
    seal: sealOf(issuer, [...(secret === undefined ? [] : [secret]), ...previousSecrets]),
    policy: { algorithms, rotateEvery, publishAhead, keepRetired },
    followEvery,
    now: () => Math.floor(clock() / 1000)
  }
}

function isAlgorithm(alg: unknown): alg is SigningAlgorithm {
  return everySigningAlgorithm.some(known => known === alg)
}
