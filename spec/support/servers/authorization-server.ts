/** An authorization server in an Express app, with a clock, a person and a store that do what a spec tells them. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import request, { type Response } from 'supertest'
import {
  authorizationServer,
  memoryStore,
  type Account,
  type AuthorizationServer,
  type AuthorizationServerOptions,
  type ClientMetadata,
  type Interaction,
  type Store
} from '../../../lib/index.ts'
import { serverKeys } from '../keys/made-keys.ts'

export const issuer = 'https://as.example.com'
export const callback = 'https://client.example.com/cb'
/** RFC 7636 Appendix B. */
export const code_verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
export const code_challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
export const api = 'https://api.example.com'
export const files = 'https://files.example.com'

/** The grants that need no options. */
export const all = ['authorization_code', 'refresh_token', 'client_credentials']
const publicly = ['authorization_code', 'refresh_token']
const everything = 'openid profile email address phone offline_access api:read api:write files:read'

/** Every client's secret is `secret of <client_id>`. */
export const clients: readonly ClientMetadata[] = [
  { client_id: 'web', grant_types: all, scope: everything },
  { client_id: 'other', grant_types: all, scope: everything },
  { client_id: 'spa', token_endpoint_auth_method: 'none', grant_types: publicly, scope: everything },
  { client_id: 'native', token_endpoint_auth_method: 'none', grant_types: publicly, scope: everything },
  { client_id: 'posting', token_endpoint_auth_method: 'client_secret_post', grant_types: all },
  { client_id: 'narrow', grant_types: ['client_credentials'], response_types: [], scope: 'api:read' },
  { client_id: 'codes-only', grant_types: ['authorization_code'], scope: everything },
  { client_id: 'es256', grant_types: all, id_token_signed_response_alg: 'ES256' }
].map(client => ({
  redirect_uris: [callback],
  ...(client.token_endpoint_auth_method !== 'none' && { client_secret: `secret of ${client.client_id}` }),
  ...client
}))

/** The same clients, registered for no grant but these: a server refuses to start with clients of grants it does not have. */
export const registeredFor = (grants: readonly string[], list = clients): readonly ClientMetadata[] =>
  list.map(client => ({ ...client, grant_types: (client.grant_types ?? []).filter(grant => grants.includes(grant)) }))

const keys = serverKeys()

/** Keys for specs: made once per file, because RSA keys take their time. */
export const specKeys = (): ReturnType<typeof serverKeys> => keys

export const alice = {
  sub: 'alice',
  claims: {
    sub: 'not-alice',
    name: 'Alice',
    email: 'alice@example.com',
    email_verified: true,
    phone_number: '+49 30 1',
    address: { country: 'DE' },
    secret_note: 'never told'
  }
}

export interface Harness {
  readonly app: Express
  readonly server: AuthorizationServer
  readonly store: Store
  /** Milliseconds since the epoch. */
  readonly clock: { now: number }
  /** Whoever uses the browser. */
  readonly person: { account: Account | undefined; consented: boolean }
  /** Whatever `onError` was told. */
  readonly errors: unknown[]
}

/** The server in an app of its own; `POST /resume/<id>` does what the application's pages would, `GET /any-api` answers whoever has a good access token. */
export async function harness(options: Partial<AuthorizationServerOptions> = {}, app = express()): Promise<Harness> {
  const clock = { now: 1_800_000_000_000 }
  const person: Harness['person'] = { account: { sub: alice.sub, auth_time: clock.now / 1000 - 100 }, consented: true }
  const errors: unknown[] = []
  const store = options.store ?? memoryStore({ clock: () => clock.now })
  const interaction: Interaction = {
    account: () => person.account,
    consented: () => person.consented,
    prompt: (_req, res, { id, name, client, scope, login_hint }) =>
      void res.status(200).json({ id, name, client_id: client.client_id, scope, login_hint })
  }
  const server = authorizationServer({
    issuer,
    clients: options.tokenIssuers ? registeredFor(options.tokenIssuers.map(({ grant_type }) => grant_type)) : clients,
    keys: await keys,
    scopes: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'],
    resources: [
      { resource: api, scopes: ['api:read', 'api:write'] },
      { resource: files, scopes: ['files:read'], accessTokenFormat: 'opaque', accessTokenTtl: 120 }
    ],
    // what a token is for, specs say themselves
    defaultResource: 'none',
    clock: () => clock.now,
    claims: sub => (sub === alice.sub ? alice.claims : undefined),
    onError: error => errors.push(error),
    // tables of wrong secrets are longer than anybody's patience
    guessProtection: false,
    interaction,
    ...options,
    store
  })
  app.use(server)
  app.post('/resume/:id', express.json(), (req, res) => void server.resume(req, res, req.params.id, req.body))
  app.get('/any-api', server.requireAccessToken(), (req, res) => void res.json(req.accessToken))
  app.get('/interaction/:id', async (req, res) => void res.json({ prompt: await server.interaction(req, req.params.id) }))
  return { app, server, store, clock, person, errors }
}

export type Form = Readonly<Record<string, string>>

export const basic = (client_id: string, secret = `secret of ${client_id}`): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(secret)}`).toString('base64')}`

/** Whether a client of {@link clients} is public: then it sends its client_id alone. */
const isPublic = (client_id: string) => ['spa', 'native'].includes(client_id)

/** A token request, the client authenticated as it is registered. A string is sent as it is. */
export function token(app: Express | Server | string, client_id: string, form: Form | string, path = '/oauth2/token') {
  const sent = typeof form === 'string' ? form : new URLSearchParams(form).toString()
  const named = isPublic(client_id) ? `${sent}&client_id=${client_id}` : sent
  const post = request(app).post(path).type('application/x-www-form-urlencoded')
  return (isPublic(client_id) ? post : post.set('Authorization', basic(client_id))).send(named)
}

/** A good authorization request of a client of {@link clients}, changed as given; undefined leaves a parameter out. */
export function authorizationQuery(change: Readonly<Record<string, string | undefined>> = {}): string {
  const query: Readonly<Record<string, string | undefined>> = {
    client_id: 'web',
    redirect_uri: callback,
    response_type: 'code',
    scope: 'openid offline_access api:read',
    code_challenge,
    code_challenge_method: 'S256',
    ...change
  }
  return new URLSearchParams(
    Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  ).toString()
}

export const authorize = (app: Express, change?: Readonly<Record<string, string | undefined>>, path = '/oauth2/authorize') =>
  request(app).get(`${path}?${authorizationQuery(change)}`)

/** The same request by POST, sent on as a browser does. */
export async function authorizeByPost(app: Express, query: string): Promise<Response> {
  const sentOn = await request(app).post('/oauth2/authorize').type('form').send(query)
  const { location } = sentOn.headers as { location?: string }
  return location?.startsWith(`${issuer}/oauth2/authorize?`) === true ? request(app).get(location.slice(issuer.length)) : sentOn
}

/** The parameters a response sends to the client with its redirect. */
export function redirected(response: Pick<Response, 'status' | 'headers'>): Form {
  const location = new URL(String(response.headers['location']))
  return Object.fromEntries(location.searchParams)
}

/** A fresh code, and the form that redeems it. */
export async function codeForm(
  app: Express,
  change: Readonly<Record<string, string | undefined>> = {},
  path?: string
): Promise<{ grant_type: string; code: string; redirect_uri: string; code_verifier: string }> {
  const { code } = redirected(await authorize(app, change, path))
  if (code === undefined) throw new Error('the authorization endpoint gave no code')
  return { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
}

/** What a code of the client buys. */
export async function redeemed(app: Express, client_id = 'web', change: Readonly<Record<string, string | undefined>> = {}) {
  const response = await token(app, client_id, await codeForm(app, { client_id, ...change }))
  if (response.status !== 200) throw new Error(`no tokens: ${response.text}`)
  return response.body as { access_token: string; refresh_token: string; id_token: string; scope: string; expires_in: number }
}

export const userinfo = (app: Express, access_token: string) =>
  request(app).get('/oauth2/userinfo').set('Authorization', `Bearer ${access_token}`)

/** The application's own API, which takes tokens for every resource. */
export const atApi = (app: Express, access_token: string, path = '/any-api') =>
  request(app).get(path).set('Authorization', `Bearer ${access_token}`)

/** Serves the app on a real port while `run` works with its address. */
export async function listening<T>(app: Express, run: (address: string) => Promise<T>): Promise<T> {
  const server = createServer(app)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    return await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** A store whose named operations fail while `broken` says so: rejecting, or throwing before there is a promise. */
export function breakableStore(behind: Store): { store: Store; broken: Map<keyof Store, 'rejects' | 'throws'> } {
  const broken = new Map<keyof Store, 'rejects' | 'throws'>()
  const store = new Proxy(behind, {
    get(target, name: keyof Store) {
      return (...given: unknown[]): unknown => {
        const failure = new Error('ECONNREFUSED 10.0.0.7:6379 password=hunter2')
        if (broken.get(name) === 'throws') throw failure
        return broken.has(name) ? Promise.reject(failure) : Reflect.apply(Reflect.get(target, name), target, given)
      }
    }
  })
  return { store, broken }
}
