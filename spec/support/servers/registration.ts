/** A server clients can register at, and what they send to it. */
import type { Express } from 'express'
import request, { type Response } from 'supertest'
import type { AuthorizationServerOptions, ClientMetadata, RegistrationOptions, Store } from '../../../lib/index.ts'
import { all, callback, harness, type Form, type Harness } from './authorization-server.ts'

export const endpoint = '/oauth2/register'
export const initialAccessToken = 'initial-access-token-of-the-specs'

/** A server with registration; open unless told otherwise, and for every grant. */
export function registrationHarness(
  registration: Partial<RegistrationOptions> = {},
  options: Partial<AuthorizationServerOptions> = {},
  app?: Express
): Promise<Harness> {
  const grantTypes = options.tokenIssuers?.map(({ grant_type }) => grant_type) ?? all
  return harness({ registration: { access: 'open', grantTypes, ...registration }, ...options }, app)
}

export const send = (app: Express, document: unknown, bearer?: string) => {
  const post = request(app).post(endpoint).type('application/json')
  const authorized = bearer === undefined ? post : post.set('Authorization', `Bearer ${bearer}`)
  return authorized.send(typeof document === 'string' ? document : JSON.stringify(document))
}

/** What a client learns of itself. */
export interface ClientInformation extends ClientMetadata {
  readonly client_secret: string
  readonly client_secret_expires_at: number
  readonly client_id_issued_at: number
  readonly registration_client_uri: string
  readonly registration_access_token: string
}

export const web = { redirect_uris: [callback] }
export const machine = { grant_types: ['client_credentials'], scope: 'api:read' }

/** Registers a client that must be accepted. */
export async function register(app: Express, document: object = web, bearer?: string): Promise<ClientInformation> {
  const response = await send(app, document, bearer)
  if (response.status !== 201) throw new Error(`not registered: ${response.status} ${response.text}`)
  return response.body as ClientInformation
}

type Manager = Pick<ClientInformation, 'registration_client_uri' | 'registration_access_token'>

/** A request to a client's own registration, with its token or another one; null: with none. */
export function manage(
  app: Express,
  method: 'get' | 'put' | 'delete',
  { registration_client_uri, registration_access_token }: Manager,
  document?: unknown
) {
  const asked = request(app)[method](new URL(registration_client_uri).pathname)
  const authorized = asked.set('Authorization', `Bearer ${registration_access_token}`)
  return document === undefined ? authorized : authorized.type('application/json').send(JSON.stringify(document))
}

/** The same object without some of its members. */
export function without(object: object, ...members: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([member]) => !members.includes(member)))
}

export const refusalOf = ({ status, body }: Response) => ({ status, ...(body as object) })

/** A token request of a registered client with its secret, by the method it registered. */
export function tokenFor(app: Express, client: ClientInformation, form: Form = { grant_type: 'client_credentials' }) {
  const { client_id, client_secret } = client
  const post = request(app).post('/oauth2/token').type('application/x-www-form-urlencoded')
  if (client.token_endpoint_auth_method === 'client_secret_basic') return post.auth(client_id, client_secret).send(form)
  return post.send({ ...form, client_id, ...(client.token_endpoint_auth_method === 'client_secret_post' && { client_secret }) })
}

/** Every record a store holds of one kind, as text: for looking what is not in it. */
export function recordingStore(behind: Store): { readonly store: Store; readonly written: string[] } {
  const written: string[] = []
  const note = (...values: unknown[]): void => void written.push(JSON.stringify(values))
  return {
    written,
    store: storeWith(behind, {
      set: (key, value, ttl) => (note(key, value, ttl), behind.set(key, value, ttl)),
      add: (key, value, ttl) => (note(key, value, ttl), behind.add(key, value, ttl)),
      swap: (key, version, value, ttl) => (note(key, value, ttl), behind.swap(key, version, value, ttl))
    })
  }
}

/** The same store, some of its operations done by others. */
export function storeWith(behind: Store, operations: Partial<Store>): Store {
  return {
    get: key => behind.get(key),
    set: (key, value, ttl) => behind.set(key, value, ttl),
    add: (key, value, ttl) => behind.add(key, value, ttl),
    take: key => behind.take(key),
    swap: (key, version, value, ttl) => behind.swap(key, version, value, ttl),
    delete: key => behind.delete(key),
    deleteGrant: grant => behind.deleteGrant(grant),
    close: () => behind.close(),
    ...operations
  }
}
