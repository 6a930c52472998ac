/** Registrations of clients (RFC 7591) as the store keeps them. */
import type { Json, Key, Store, StoredRecord } from '../stores/store.ts'
import type { ReadMetadata } from './metadata/metadata.ts'
import type { StoredSecret } from './stored-secret.ts'

/** A registered client as the store keeps it. */
export interface ClientRecord {
  /** Registered names and values, `client_id` too; no secret. */
  readonly metadata: ReadMetadata
  /** Any number side by side; the newest is the last. */
  readonly credentials: readonly StoredSecret[]
  /** The digest of the registration access token. */
  readonly registration_access_token: string
  /** Seconds since the epoch. */
  readonly client_id_issued_at: number
  /** The software statement it registered with, as it was sent. */
  readonly software_statement?: string | undefined
  /** It has never authenticated, and is not kept for long until it does. */
  readonly unused?: boolean | undefined
  /** True: it registered with an initial access token. */
  readonly vouched?: true | undefined
}

/** A record, and which state of it. */
export interface FoundClientRecord {
  readonly record: ClientRecord
  readonly version: StoredRecord['version']
}

/** What registration does with the store. Every operation is one atomic step, and seen on this node at once. */
export interface Registrations {
  /** True where there was none of this client_id. */
  create(record: ClientRecord): Promise<boolean>
  /** The record as it is now; undefined where there is none, or it has ended. */
  read(client_id: string): Promise<FoundClientRecord | undefined>
  /** Replaces that state of the record; false where it is another by now. */
  replace(version: StoredRecord['version'], record: ClientRecord): Promise<boolean>
  /** Ends the client, and has that known for `ttl` seconds. */
  end(client_id: string, ttl: number): Promise<void>
}

/** Stores end every record some time: a client goes with its DELETE, not with its age. In seconds. */
const century = 3_155_760_000

export function clientKey(client_id: string): Key {
  return { kind: 'registered_client', id: client_id }
}

/** What is left of a client that was ended. */
export interface EndedRecord {
  readonly ended: true
}

/** Whether this could be the client_id of a client that registered itself: nobody is asked about others. */
export function isRegisteredClientId(client_id: string): boolean {
  return /^[0-9a-f]{32}$/.test(client_id)
}

/**
 * @param unusedTtl seconds a client is kept that never authenticates.
 * @param forget what is told of every change.
 */
export function registrationsOf(
  { store, unusedTtl }: { readonly store: Store; readonly unusedTtl: number },
  forget: (client_id: string) => void
): Registrations {
  const ttlOf = ({ unused }: ClientRecord): number => (unused === true ? unusedTtl : century)
  return {
    async create(record) {
      const { client_id } = record.metadata
      const created = await store.add(clientKey(client_id), record as unknown as Json, ttlOf(record))
      forget(client_id)
      return created
    },
    async read(client_id) {
      const found = isRegisteredClientId(client_id) ? await store.get(clientKey(client_id)) : undefined
      if (found === undefined) return undefined
      const record = found.value as unknown as ClientRecord | EndedRecord
      return 'ended' in record ? undefined : { record, version: found.version }
    },
    async replace(version, record) {
      const { client_id } = record.metadata
      const replaced = await store.swap(clientKey(client_id), version, record as unknown as Json, ttlOf(record))
      forget(client_id)
      return replaced
    },
    async end(client_id, ttl) {
      // written over whatever is there: a change that is under way finds another version and fails
      await store.set(clientKey(client_id), { ended: true }, ttl)
      forget(client_id)
    }
  }
}
