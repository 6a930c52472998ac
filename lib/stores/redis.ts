/** A store in Redis or Redis Cluster, for any number of processes on any number of machines. */
import { ConfigurationError, readOptions, textLike, valueLike, type Checks } from '../options.ts'
import { timeoutCheck } from './engine/deadline.ts'
import { digestOf, nameOf } from './engine/key-name.ts'
import { endedGrantLifetime, newRecord, versionMaker } from './engine/new-record.ts'
import { borrowedConnection, ownConnection, type RedisClient, type RedisConnection } from './redis/connection.ts'
import { argumentsOf, endGrantScript, getScript, takeScript, writeScript, type Script } from './redis/scripts.ts'
import type { Batch, BatchOutcome, BatchStore, FirstStep, Json, Key, Store, StoredRecord, Taken } from './store.ts'

export type { RedisClient } from './redis/connection.ts'

/** The options of `redisStore()`. */
export interface RedisStoreOptions {
  /**
   * Such as `redis://user:password@host:6379/0`, or `rediss:` for TLS. Where the server is a node of a cluster, the
   * whole cluster is used; with several addresses, any of its nodes that answers is asked for the others.
   */
  readonly url?: string | readonly string[] | undefined
  /** In place of `url`: a connected client of the package `redis`. Its settings are yours, and closing it too. */
  readonly client?: RedisClient | undefined
  /** Beginning of the names of all keys. No braces: they are the slot's. Default: `clientele:`. */
  readonly prefix?: string | undefined
  /** Milliseconds after which an operation rejects. Default: 2000. */
  readonly timeout?: number | undefined
}

/** Checks of the options. @internal */
export const redisStoreChecks = {
  url: valueLike<string | readonly string[]>('one address that starts with redis:// or rediss://, or several', value =>
    Array.isArray(value) ? value.length > 0 && value.every(isRedisUrl) : isRedisUrl(value)
  ),
  client: valueLike<RedisClient>('a connected client of the package redis', value => typeof value === 'object' && value !== null),
  prefix: textLike('a string without braces', value => !/[{}]/.test(value), 'clientele:'),
  timeout: timeoutCheck
} satisfies Checks<RedisStoreOptions>

/**
 * Opens a store in Redis (6.0 or later, or Valkey). Every operation is one script on keys of one slot, so that a
 * cluster serves as well as a single server. Time to live is the server's to keep.
 *
 * What is acknowledged must survive: run Redis with `appendonly yes`, `appendfsync always` and `maxmemory-policy
 * noeviction`.
 *
 * Needs, with `url`, the package `redis`.
 *
 * @throws ConfigurationError naming the option that is wrong. Rejects where the server cannot be reached.
 *
 * @example
 * const store = await redisStore({ url: 'redis://localhost:6379' })
 */
export async function redisStore(options: RedisStoreOptions): Promise<Store> {
  const { url, client, prefix, timeout } = readOptions(options, redisStoreChecks)
  const urls = typeof url === 'string' ? [url] : url
  if ((urls === undefined) === (client === undefined))
    throw new ConfigurationError('url', 'or client must be given, and not both')
  const connection = client === undefined ? await ownConnection(urls ?? [], timeout) : borrowedConnection(client, timeout)
  return new RedisStore(connection, prefix)
}

function isRedisUrl(url: unknown): boolean {
  return typeof url === 'string' && /^rediss?:\/\//.test(url) && URL.canParse(url)
}

class RedisStore implements BatchStore {
  private readonly connection: RedisConnection
  private readonly prefix: string
  private readonly nextVersion = versionMaker()
  /** The server has refused a script on keys of several slots: it is one of a cluster. */
  private hasSlots = false
  private closing: Promise<void> | undefined

  constructor(connection: RedisConnection, prefix: string) {
    this.connection = connection
    this.prefix = prefix
  }

  async get(key: Key): Promise<StoredRecord | undefined> {
    return parse(await this.run(getScript, this.keysOf(key)))
  }

  async set(key: Key, value: Json, ttl: number): Promise<void> {
    await this.write([{ operation: 'set', key, value, ttl }])
  }

  add(key: Key, value: Json, ttl: number): Promise<boolean> {
    return this.write([{ operation: 'add', key, value, ttl }])
  }

  async take(key: Key): Promise<Taken> {
    const reply = await this.run(takeScript, this.keysOf(key))
    if (reply === null) return { outcome: 'absent' }
    const record = parse(reply)
    return record === undefined ? { outcome: 'spent' } : { outcome: 'taken', value: record.value }
  }

  swap(key: Key, version: StoredRecord['version'], value: Json, ttl: number): Promise<boolean> {
    return this.write([{ operation: 'swap', key, version, value, ttl }])
  }

  async delete(key: Key): Promise<void> {
    await this.write([{ operation: 'delete', key }])
  }

  /** In a cluster, of records of one grant alone: no script has keys of two slots there. */
  async batch(steps: Batch): Promise<BatchOutcome> {
    const [first] = steps
    const { grant } = first.key
    const inOneSlot = grant !== undefined && steps.every(({ key }) => key.grant === grant)
    if (this.hasSlots && !inOneSlot) return 'apart'
    try {
      const wrote = await this.write(steps)
      return wrote || (first.operation !== 'add' && first.operation !== 'swap') ? 'done' : 'refused'
    } catch (error) {
      if (!isCrossSlot(error)) throw error
      this.hasSlots = true
      return 'apart'
    }
  }

  async deleteGrant(grant: string): Promise<void> {
    await this.run(endGrantScript, [this.grantKey(nameInKeys(grant))], [String(endedGrantLifetime)])
  }

  close(): Promise<void> {
    this.closing ??= this.connection.close()
    return this.closing
  }

  private run(script: Script, keys: readonly string[], values: readonly string[] = []): Promise<unknown> {
    if (this.closing !== undefined) throw new Error('the store is closed')
    return this.connection.run(script, keys, values)
  }

  /** Writes, and says whether the first step did. */
  private async write(steps: readonly FirstStep[]): Promise<boolean> {
    const values = steps.flatMap(step => this.valuesOf(step))
    const keys = steps.flatMap(({ key }) => this.keysOf(key))
    return isOne(await this.run(writeScript, keys, values))
  }

  private valuesOf(step: FirstStep): readonly string[] {
    const { operation, key } = step
    const hasGrant = key.grant !== undefined
    const version = operation === 'swap' ? String(step.version) : ''
    if (operation === 'delete') return argumentsOf({ operation, hasGrant, version, record: '', milliseconds: 0 })
    const { text, lifetime } = newRecord(step.value, step.ttl)
    const record = `${this.nextVersion()} ${text}`
    return argumentsOf({ operation, hasGrant, version, record, milliseconds: lifetime })
  }

  /** Keys of a record and of its grant. The part in braces decides the slot: the grant's name, or else the record's. */
  private keysOf(key: Key): readonly string[] {
    const record = nameInKeys(nameOf(key))
    if (key.grant === undefined) return [`${this.prefix}{${record}}`]
    const grant = nameInKeys(key.grant)
    return [`${this.prefix}{${grant}}:${record}`, this.grantKey(grant)]
  }

  private grantKey(grant: string): string {
    return `${this.prefix}{${grant}}:grant`
  }
}

function nameInKeys(name: string): string {
  return digestOf(name).toString('base64url')
}

/** Undefined for no record, and for a spent one, which has no space in it. */
function parse(reply: unknown): StoredRecord | undefined {
  // a client may be set up to answer with bytes
  const text = Buffer.isBuffer(reply) ? reply.toString() : typeof reply === 'string' ? reply : ''
  const space = text.indexOf(' ')
  return space === -1 ? undefined : { version: text.slice(0, space), value: JSON.parse(text.slice(space + 1)) as Json }
}

/** A cluster's refusal of keys of several slots, of which it has done nothing. */
function isCrossSlot(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('CROSSSLOT')
}

/** A client may be set up to answer with numbers as text. */
function isOne(reply: unknown): boolean {
  return Number(reply) === 1
}
