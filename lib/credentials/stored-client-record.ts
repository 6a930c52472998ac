/** A client as an operator's store keeps it. */
import { toClient, type Client, type ClientMetadata } from '../clients/client.ts'
import { defaultMethod, generateSecret, needsReadableSecret, secretMethods } from '../clients/methods.ts'
import type { SecretKeeper, StoredSecret } from '../clients/stored-secret.ts'
import { ConfigurationError } from '../options.ts'

/** One client the store says something about: of those the application has itself, that it is disabled. */
export interface ClientRecord {
  readonly client_id: string
  readonly metadata?: ClientMetadata | undefined
  readonly credentials?: readonly StoredSecret[] | undefined
  readonly created_at?: number | undefined
  readonly disabled?: true | undefined
}

/** Means of making a record. */
export interface RecordMaker {
  readonly keeper: SecretKeeper
  readonly random: (size: number) => Uint8Array
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/**
 * Makes the record of a client that is added, and its secret. @throws ConfigurationError naming the member that must
 * not be there.
 */
export function newRecord(
  { keeper, random, clock }: RecordMaker,
  metadata: ClientMetadata
): ClientRecord & { readonly client_secret?: string | undefined } {
  if (metadata.client_secret !== undefined && metadata.client_secret !== null)
    throw new ConfigurationError('client.client_secret', 'must be left out: the client is given one')
  const secretAt = (metadata.credentials ?? []).findIndex(({ type }) => type === 'secret')
  if (secretAt !== -1)
    throw new ConfigurationError(`client.credentials[${secretAt}]`, 'must be no secret: the client is given one')
  const { client_id, token_endpoint_auth_method: method } = metadata
  const created_at = Math.floor(clock() / 1000)
  const record = { client_id, metadata, created_at }
  if (!secretMethods.includes(method ?? defaultMethod)) return record
  const readable = needsReadableSecret(method ?? defaultMethod)
  const value = generateSecret(random, readable)
  const credentials = [keeper.keep(client_id, { id: '1', created_at, value, readable })]
  return { ...record, credentials, client_secret: value }
}

/**
 * The client of a record; undefined where it is one of the application's own. @throws ConfigurationError naming the
 * member that is wrong.
 */
export function clientOf({ client_id, metadata, credentials = [] }: ClientRecord, keeper: SecretKeeper): Client | undefined {
  const secrets = credentials.map(secret => keeper.restore(client_id, secret))
  return metadata && toClient(metadata, 'client', secrets)
}
