/** Registrations of clients (RFC 7591) as the store keeps them. */
import { add, century, read, update, write } from '../stores/records.ts'
import type { Key, Store } from '../stores/store.ts'
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

/** Operations of registration on the store. This node sees their effect at once. */
export interface Registrations {
  /** True where there was none of this client_id. */
  create(record: ClientRecord): Promise<boolean>
  /** The record as it is now; undefined where there is none, or it has ended. */
  read(client_id: string): Promise<ClientRecord | undefined>
  /**
   * Changes the record, whoever else changes it at the same time; resolves to what it is afterwards, undefined where
   * there is none, or it has ended.
   *
   * @param change is called with what is there, again where that is another by then; undefined leaves it as it is.
   */
  change(client_id: string, change: (record: ClientRecord) => ClientRecord | undefined): Promise<ClientRecord | undefined>
  /** Ends the client, and has that known for `ttl` seconds. */
  end(client_id: string, ttl: number): Promise<void>
}

export function clientKey(client_id: string): Key {
  return { kind: 'registered_client', id: client_id }
}

/** Record left of a client that was ended. */
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
  const ttlOf = (record: ClientRecord | EndedRecord): number => (living(record)?.unused === true ? unusedTtl : century)
  return {
    async create(record) {
      const { client_id } = record.metadata
      const created = await add(store, clientKey(client_id), record, ttlOf(record))
      forget(client_id)
      return created
    },
    async read(client_id) {
      return isRegisteredClientId(client_id) ? living(await read(store, clientKey(client_id))) : undefined
    },
    async change(client_id, change) {
      const changed = (found: ClientRecord | EndedRecord | undefined): ClientRecord | undefined => {
        const record = living(found)
        return record && change(record)
      }
      const after = await update(store, clientKey(client_id), changed, ttlOf)
      forget(client_id)
      return living(after)
    },
    async end(client_id, ttl) {
      // written over whatever is there: a change that is under way finds that it has ended
      await write(store, clientKey(client_id), { ended: true } satisfies EndedRecord, ttl)
      forget(client_id)
    }
  }
}

/** The record of a client that has not ended. */
export function living(record: ClientRecord | EndedRecord | undefined): ClientRecord | undefined {
  return record === undefined || 'ended' in record ? undefined : record
}
