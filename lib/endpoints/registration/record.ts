/** The secrets kept of a registration, and all that the client is told of it (RFC 7591 §3.2.1, RFC 7592 §3). */
import { defaultMethod, generateSecret, needsReadableSecret, secretMethods } from '../../clients/methods.ts'
import type { ReadMetadata } from '../../clients/metadata/metadata.ts'
import type { StoredSecret } from '../../clients/stored-secret.ts'
import type { ClientRecord } from '../../clients/registrations.ts'
import type { EndpointContext } from '../endpoint.ts'
import type { Registration } from './options.ts'

/** The keeper of records: the server, and what registering at it is like. */
export interface Registrar {
  readonly context: EndpointContext
  readonly registration: Registration
}

/** A secret as the client gets it, once. */
export interface IssuedSecret {
  readonly value: string
  readonly stored: StoredSecret
}

/**
 * A fresh secret, where the client needs one it does not have: its method asks for one, and there is none, or none of
 * the kind, or more than half of the newest one's life is over. A method that computes with the secret needs one that
 * is kept readable, the others one that nobody can read.
 */
export function issueSecret(
  { context, registration }: Registrar,
  { client_id, token_endpoint_auth_method: method = defaultMethod }: ReadMetadata,
  existing: readonly StoredSecret[]
): IssuedSecret | undefined {
  if (!secretMethods.includes(method)) return undefined
  const { random, clock } = context.server
  const now = Math.floor(clock() / 1000)
  const newest = usableSecrets(method, existing).at(-1)
  if (newest !== undefined && !isAgeing(newest, now)) return undefined
  const readable = needsReadableSecret(method)
  const value = generateSecret(random, readable)
  const id = Buffer.from(random(6)).toString('hex')
  const lives = registration.clientSecretTtl
  const dates = { id, created_at: now, ...(lives > 0 && { expires_at: now + lives }) }
  return { value, stored: registration.secrets.keep(client_id, { ...dates, value, readable }) }
}

function isAgeing({ created_at, expires_at }: StoredSecret, now: number): boolean {
  return expires_at !== undefined && now >= created_at + (expires_at - created_at) / 2
}

/** The credentials a client keeps beside a fresh one: those its method can use, and that have not expired. */
export function keptSecrets(
  { context }: Registrar,
  { token_endpoint_auth_method: method = defaultMethod }: ReadMetadata,
  existing: readonly StoredSecret[]
): readonly StoredSecret[] {
  const now = context.server.clock() / 1000
  return usableSecrets(method, existing).filter(({ expires_at }) => expires_at === undefined || expires_at > now)
}

function usableSecrets(method: string, existing: readonly StoredSecret[]): readonly StoredSecret[] {
  if (!secretMethods.includes(method)) return []
  return existing.filter(({ sealed }) => (sealed !== undefined) === needsReadableSecret(method))
}

/**
 * The client information response: everything that is registered, and what applies where nothing was. A secret is in it
 * only when it was just made: it is not kept readable.
 */
export function clientInformation(
  { context }: Registrar,
  record: ClientRecord,
  shown: { readonly registration_access_token: string; readonly client_secret: string | undefined }
): Readonly<Record<string, unknown>> {
  const { metadata, credentials, client_id_issued_at, software_statement } = record
  const newest = credentials.at(-1)
  return {
    ...(isForPeople(metadata) && { id_token_signed_response_alg: context.server.idTokenAlgorithms[0] }),
    ...metadata,
    client_id_issued_at,
    ...(shown.client_secret !== undefined && { client_secret: shown.client_secret }),
    ...(newest !== undefined && { client_secret_expires_at: newest.expires_at ?? 0 }),
    registration_client_uri: `${context.addressOf('registration_endpoint')}/${metadata.client_id}`,
    registration_access_token: shown.registration_access_token,
    ...(software_statement !== undefined && { software_statement })
  }
}

/** Whether the client can get ID Tokens. */
function isForPeople({ scope }: ReadMetadata): boolean {
  return scope?.split(' ').includes('openid') === true
}
