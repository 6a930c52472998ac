/**
 * The contract every store implements. The store decides every race: each operation is one atomic step, whatever the
 * engine, and nothing this library does needs a transaction across two of them. Where several follow from one another,
 * a store can do them in one ({@link BatchStore}): that saves waiting, and no guarantee rests on it.
 *
 * Values are JSON. A record is absent once its time to live has passed. Codes and tokens never reach a store: the `id`
 * of their key is a digest. A store that cannot answer rejects; the library then answers 503 and issues nothing.
 */

import { ConfigurationError, type Check } from '../options.ts'

/** Anything `JSON.parse(JSON.stringify(value))` returns unchanged. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json | undefined }

/**
 * Names one record. Keys with the same `grant` belong together: they are what {@link Store.deleteGrant} ends, and in a
 * Redis Cluster they share a slot.
 */
export interface Key {
  /** The record's kind, such as `access_token` or `client_assertion`; kinds are isolated from one another. */
  readonly kind: string
  /** Unique within the kind (and grant). At most 512 characters, any Unicode. */
  readonly id: string
  /** The grant this record lives and dies with. */
  readonly grant?: string
}

/** A record, and which state of it. */
export interface StoredRecord {
  /** The value that was stored. */
  readonly value: Json
  /** Changes with every write; only ever compared for equality, by {@link Store.swap}. */
  readonly version: string | number
}

/** Outcome of {@link Store.take}. */
export type Taken<Value = Json> =
  | {
      /** `taken`: by this caller, and by no other. `spent`: by an earlier one. `absent`: never there, or expired. */
      readonly outcome: 'taken'
      /** The value that was taken. */
      readonly value: Value
    }
  | {
      /** `taken`: by this caller, and by no other. `spent`: by an earlier one. `absent`: never there, or expired. */
      readonly outcome: 'spent'
    }
  | {
      /** `taken`: by this caller, and by no other. `spent`: by an earlier one. `absent`: never there, or expired. */
      readonly outcome: 'absent'
    }

/** A step of a batch that never says no: it writes whatever is there, or removes it. */
export type WriteStep =
  | {
      /** `set`: as {@link Store.set}. `delete`: as {@link Store.delete}. */
      readonly operation: 'set'
      /** Names the record. */
      readonly key: Key
      /** The value it gets. */
      readonly value: Json
      /** Seconds it lives. */
      readonly ttl: number
    }
  | {
      /** `set`: as {@link Store.set}. `delete`: as {@link Store.delete}. */
      readonly operation: 'delete'
      /** Names the record. */
      readonly key: Key
    }

/** The step that decides whether a batch is done: one that can say no, or one that never does. */
export type FirstStep =
  | WriteStep
  | {
      /** `add`: as {@link Store.add}. `swap`: as {@link Store.swap}. */
      readonly operation: 'add'
      /** Names the record. */
      readonly key: Key
      /** The value it gets. */
      readonly value: Json
      /** Seconds it lives. */
      readonly ttl: number
    }
  | {
      /** `add`: as {@link Store.add}. `swap`: as {@link Store.swap}. */
      readonly operation: 'swap'
      /** Names the record. */
      readonly key: Key
      /** The version it must have. */
      readonly version: StoredRecord['version']
      /** The value it gets. */
      readonly value: Json
      /** Seconds it lives. */
      readonly ttl: number
    }

/** A step that decides, and what follows from it. No two steps name the same record. */
export type Batch = readonly [FirstStep, ...WriteStep[]]

/**
 * Outcome of {@link BatchStore.batch}. `done`: all of it. `refused`: the first step said no, and nothing was done.
 * `apart`: nothing was done, because this store cannot do these in one step; whoever asked then does them one after the
 * other.
 */
export type BatchOutcome = 'done' | 'refused' | 'apart'

/**
 * The place where codes, tokens, grants and used assertion ids live.
 *
 * @example
 * const store: Store = memoryStore()
 * await store.add({ kind: 'client_assertion', id: 'digest of client_id and jti' }, null, 60) // true: first use
 * await store.add({ kind: 'client_assertion', id: 'digest of client_id and jti' }, null, 60) // false: replayed
 */
export interface Store {
  /** The record, or undefined where there is none (never written, taken, deleted or expired). */
  get(key: Key): Promise<StoredRecord | undefined>

  /**
   * Writes the record, replacing one that is there. `ttl` is in seconds, greater than 0. A record of a grant that was
   * deleted is not written, and that is no error: the grant's end came first.
   */
  set(key: Key, value: Json, ttl: number): Promise<void>

  /**
   * Writes the record only where there is none, and says whether it did. Of any number of callers, exactly one gets
   * `true`.
   */
  add(key: Key, value: Json, ttl: number): Promise<boolean>

  /**
   * Takes the record out: exactly one caller gets its value (`taken`). Until the record would have expired, later
   * callers learn that it was `spent`, so that a replayed code can end the grant its key names. Otherwise `absent`.
   */
  take(key: Key): Promise<Taken>

  /**
   * Replaces the record only while it still has `version`, and says whether it did. Of any number of callers with the
   * same version, exactly one gets `true`.
   */
  swap(key: Key, version: StoredRecord['version'], value: Json, ttl: number): Promise<boolean>

  /** Removes one record. No error where there is none. */
  delete(key: Key): Promise<void>

  /**
   * Ends a grant: every record whose key names it is absent from now on, spent ones too, and for at least an hour none
   * can be written. No error where there is none.
   */
  deleteGrant(grant: string): Promise<void>

  /** Releases what the store holds. Further calls of the other operations reject. */
  close(): Promise<void>
}

/**
 * A store that can do several operations in one step. With any other they are done one after the other, which takes
 * longer and is as safe.
 */
export interface BatchStore extends Store {
  /**
   * Does several operations in one atomic step and one round trip. Where the first says no, none of the others is
   * done; otherwise all are, each with the effect it has alone, and nobody, whenever they look and whatever breaks,
   * ever finds some of them done and others not. Rejects, having done nothing, where one of them would reject.
   *
   * It is used only where it stands for the operations that are called otherwise: not where an object that inherits it
   * has an operation of its own, and not through a Proxy.
   */
  batch(steps: Batch): Promise<BatchOutcome>
}

/** The operations that every store has. */
export const operations = [
  'get',
  'set',
  'add',
  'take',
  'swap',
  'delete',
  'deleteGrant',
  'close'
] as const satisfies (keyof Store)[]

/** A store implements the whole contract, or it is refused at construction. */
export const storeCheck: Check<Store> = {
  takes: 'a Store',
  read(value, key) {
    if (value === undefined || value === null)
      throw new ConfigurationError(key, 'must be given: what memoryStore() returns, or another store')
    if (typeof value === 'function')
      throw new ConfigurationError(key, 'must be what the function returns, and not the function: call it')
    const given = value as Partial<BatchStore>
    const missing = operations.find(operation => typeof given[operation] !== 'function')
    if (missing !== undefined) throw new ConfigurationError(key, `must implement the Store contract; it has no ${missing}()`)
    if (given.batch !== undefined && typeof given.batch !== 'function')
      throw new ConfigurationError(key, 'must implement the Store contract; its batch must be a function or left out')
    return value as Store
  }
}
