/** What the script of one method says: who the client is, what it sends, and everything that can be wrong with that. */
import type { AuthorizationServerOptions, ClientMetadata } from 'clientele'
import type { MadeCertificate } from '../../certificates/certificates.ts'
import type { Parts } from '../../clients/attestation.ts'
import { api, type Answer, type Send, type Sending } from './exchange.ts'

/** Parts of a good conversation to replace. `undefined` leaves one out. */
export interface Change {
  /** Of the assertion or the attestation. */
  readonly jwt?: Parts
  /** Of the proof beside it. */
  readonly proof?: Parts
  readonly form?: Readonly<Record<string, string | undefined>>
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly certificate?: MadeCertificate | undefined
  /** Sends the same request once more. */
  readonly twice?: true
}

export interface Fault {
  /** What is wrong, as a table says it. */
  readonly what: string
  /** The check of the decision that fails. Undefined where the client is authenticated, and its grant is refused. */
  readonly check?: string
  readonly change: Change
}

export interface MethodScript {
  readonly method: string
  /** The client's metadata beside its name, method and grants. */
  readonly registered: Partial<ClientMetadata>
  readonly options?: Partial<AuthorizationServerOptions>
  readonly documents?: Readonly<Record<string, object>>
  /** Everything the client sends until it has a token, changed as given; resolves to the last answer. */
  readonly talk: (send: Send, change?: Change) => Promise<Answer>
  /** How it calls the API then. Default: with a Bearer token. */
  readonly call?: (access_token: string) => Promise<Sending> | Sending
  readonly faults: readonly Fault[]
}

export const grant = { grant_type: 'client_credentials', scope: 'invoices:read' }
export const secret = 'dO7mZ2yQ9tK4vB6xN1cR8sW3pL5hJ0fA'

const given = (values: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined))

/** A request with parts of it replaced, sent once or twice. */
export async function sendChanged(send: Send, sending: Sending, { form, headers, twice, ...rest }: Change = {}): Promise<Answer> {
  const changed = {
    ...sending,
    ...(sending.form && { form: given({ ...sending.form, ...form }) }),
    headers: given({ ...sending.headers, ...headers }),
    ...('certificate' in rest && { certificate: rest.certificate })
  }
  const answer = await send(changed)
  return twice === true ? send(changed) : answer
}

export const bearerCall = (access_token: string): Sending => ({
  method: 'GET',
  host: new URL(api).host,
  path: '/invoices',
  headers: { Authorization: `Bearer ${access_token}` }
})
