/** The method of docs/adding-a-method.md, word by word, beside the built-in ones: what nobody who writes one has to think of. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import {
  authenticateClient,
  builtInStrategies,
  generateKeys,
  guessProtection,
  InvalidClientError,
  memoryStore,
  oauthErrorHandler,
  tokenRouter,
  type ClientMetadata,
  type Decision,
  type Proof,
  type ServerEvent,
  type TokenRouterOptions
} from 'clientele'
import express, { type Express, type RequestHandler } from 'express'
import passport from 'passport'
import supertest from 'supertest'
import { apiKeys, ApiKeyStrategy } from '../types/extensions.ts'

const issuer = 'https://as.example.com'
const keys = await generateKeys(['ES256'])
const shared = { grant_types: ['client_credentials'], scope: 'jobs' }
const clients: readonly ClientMetadata[] = [
  { ...shared, client_id: 'billing', token_endpoint_auth_method: 'x_api_key' },
  { ...shared, client_id: 'other', token_endpoint_auth_method: 'x_api_key' },
  { ...shared, client_id: 'signing', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] } },
  { ...shared, client_id: 'secretive', client_secret: 'a secret that is long enough' },
  {
    ...shared,
    client_id: 'moving',
    client_secret: 'another that is long enough',
    credentials: [{ type: 'method', id: 'm1', method: 'x_api_key', expires_at: 2000 }]
  }
]
/** Where no other method is mounted. */
const keyed = clients.filter(client => client.token_endpoint_auth_method === 'x_api_key')
// every one of them has a key: what refuses is not that it is missing
for (const { client_id } of clients) apiKeys.set(client_id, `key of ${client_id}`)
apiKeys.set('nobody', 'key of nobody')

interface World {
  readonly app: Express
  readonly decisions: Decision[]
  readonly events: ServerEvent[]
}

function made(options: Partial<TokenRouterOptions> = {}): World {
  const decisions: Decision[] = []
  const events: ServerEvent[] = []
  const store = memoryStore()
  const clock = options.clock ?? Date.now
  const given = options.clients ?? clients
  const strategies = [
    ...builtInStrategies({ clients: given, issuer, store, clock }),
    new ApiKeyStrategy({ clients: given, clock })
  ]
  const router = tokenRouter({
    ...{ issuer, clients, store, keys, strategies, scopes: ['jobs'], guessProtection: { attempts: 3, window: 60 } },
    onDecision: decision => void decisions.push(decision),
    onEvent: event => events.push(event),
    ...options
  })
  return { app: express().use(router), decisions, events }
}

const ask = (app: Express, form: Record<string, string>, headers: Record<string, string>) =>
  supertest(app)
    .post('/token')
    .type('form')
    .set(headers)
    .send({ grant_type: 'client_credentials', ...form })
const asks = (app: Express, client_id: string, key = `key of ${client_id}`) => ask(app, { client_id }, { 'x-api-key': key })
const refusal = { error: 'invalid_client', error_description: 'client authentication failed' }
const failed = ({ checks }: Decision) => checks.filter(({ outcome }) => outcome === 'fail').map(({ check }) => check)

it('is the class of the page', () => {
  const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  const [, block = ''] = /```ts\nimport [^\n]+\n\n(export class .+?)```/s.exec(read('docs/adding-a-method.md')) ?? []
  expect(block).toContain('extends MethodStrategy')
  expect(read('spec/types/extensions.ts')).toContain(block)
})

describe('a method of one’s own', () => {
  it('authenticates, with a decision, an event and a token', async () => {
    const { app, decisions, events } = made()
    const { status, body } = await asks(app, 'billing')
    expect([status, body.token_type, body.scope]).toEqual([200, 'Bearer', 'jobs'])
    const checks = ['client', 'registered_method', 'api_key'].map(check => ({ check, outcome: 'pass' }))
    const about = { endpoint: 'token', client_id: 'billing', mechanism: 'api_key', method: 'x_api_key' }
    expect(decisions).toMatchObject([{ ...about, outcome: 'authenticated', checks }])
    const [first] = events
    expect(first).toMatchObject({
      type: 'authentication.succeeded',
      client_id: 'billing',
      method: 'x_api_key',
      decision: decisions[0]
    })
  })

  it.each([
    ['a client registered for private_key_jwt alone', 'signing', 'key of signing', 'registered_method'],
    ['a client registered for client_secret_basic alone', 'secretive', 'key of secretive', 'registered_method'],
    ['a client that may use it no longer', 'moving', 'key of moving', 'registered_method'],
    ['a client that does not exist', 'nobody', 'key of nobody', 'client'],
    ['another client’s key', 'billing', 'key of other', 'api_key'],
    ['a wrong key', 'billing', 'wrong', 'api_key'],
    ['an empty key', 'billing', '', 'api_key']
  ])('refuses %s, and tells why', async (_what, client_id, key, check) => {
    const { app, decisions, events } = made({ clock: () => 3_000_000 })
    const { status, body } = await asks(app, client_id, key)
    expect([status, body]).toEqual([401, refusal])
    expect(decisions.map(decision => [decision.outcome, decision.client_id, ...failed(decision)])).toEqual([
      ['refused', client_id, check]
    ])
    expect(events[0]).toMatchObject({ type: 'authentication.refused', client_id, decision: decisions[0] })
  })

  it('refuses a right key beside another mechanism', async () => {
    const { app, decisions } = made()
    const secret = Buffer.from('secretive:a secret that is long enough').toString('base64')
    const { status, body } = await ask(
      app,
      { client_id: 'billing' },
      { 'x-api-key': 'key of billing', authorization: `Basic ${secret}` }
    )
    expect([status, body.error]).toEqual([400, 'invalid_request'])
    expect(decisions.map(failed)).toEqual([['one_mechanism']])
  })

  it('bounds how often keys can be guessed', async () => {
    const { app, decisions } = made()
    const statuses: number[] = []
    for (let times = 0; times < 5; times++) statuses.push((await asks(app, 'billing', 'wrong')).status)
    expect(statuses.slice(0, 2)).toEqual([401, 401])
    expect(statuses.at(-1)).toBe(429)
    expect((await asks(app, 'billing')).status).toBe(429)
    expect(failed(decisions.at(-1) ?? ({ checks: [] } as never))).toEqual(['failure_budget'])
  })

  it('answers 503 where its clients cannot be looked up', async () => {
    const { app } = made({ clients: () => Promise.reject(new Error('no directory')) })
    expect((await asks(app, 'billing')).status).toBe(503)
  })

  it('has its guarantees run by Passport alone, too', async () => {
    const decisions: Decision[] = []
    const authenticator = new passport.Passport()
    authenticator.use(new ApiKeyStrategy({ clients, onDecision: decision => void decisions.push(decision) }))
    const options = { session: false, assignProperty: 'authenticatedClient' }
    const app = express().use(authenticator.authenticate('x_api_key', options) as RequestHandler, (req, res) => {
      res.json(req.authenticatedClient?.client_id)
    })
    app.use(oauthErrorHandler())
    expect((await asks(app, 'billing')).body).toBe('billing')
    expect((await asks(app, 'signing')).status).toBe(401)
    expect((await asks(app, 'billing', 'wrong')).status).toBe(401)
    expect(decisions.map(({ outcome }) => outcome)).toEqual(['authenticated', 'refused', 'refused'])
  })

  it('is authenticated on a route of one’s own', async () => {
    const strategies = [new ApiKeyStrategy({ clients })]
    const guesses = guessProtection({ store: memoryStore() })
    const app = express().use(authenticateClient({ clients, strategies, guessProtection: guesses }), (req, res) => {
      res.json(req.authenticatedClient)
    })
    app.use(oauthErrorHandler())
    expect((await asks(app, 'billing')).body).toMatchObject({ client_id: 'billing', token_endpoint_auth_method: 'x_api_key' })
    expect((await asks(app, 'signing')).status).toBe(401)
  })
})

describe('a method that is written carelessly', () => {
  class Careless extends ApiKeyStrategy {
    private readonly careless: Proof['prove']
    constructor(prove: Proof['prove']) {
      super({ clients })
      this.careless = prove
    }
    protected override proof(): Proof {
      return { checks: ['api_key'], prove: this.careless }
    }
  }

  it.each<[string, Proof['prove'], number, string[][]]>([
    ['answers false', () => Promise.resolve(false as never), 500, []],
    ['answers nothing', () => Promise.resolve(undefined as never), 500, []],
    ['throws what is no refusal', () => Promise.reject(new Error('the keys cannot be read')), 500, []],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- carelessness
    ['throws something that is no error', () => Promise.reject('no'), 500, []],
    [
      'fails a check and throws nothing',
      (_client, decision) => {
        decision.fail('api_key')
        return {}
      },
      401,
      [['api_key']]
    ],
    [
      'makes a refusal and does not throw it',
      (_client, decision) => {
        decision.refuse('api_key')
        return {}
      },
      401,
      [['api_key']]
    ],
    [
      'throws a refusal of its own making',
      () => Promise.reject(new InvalidClientError({ reason: 'no such key' })),
      401,
      [['x_api_key']]
    ]
  ])('and %s lets nobody in', async (_what, prove, status, checks) => {
    const { app, decisions } = made({ clients: keyed, strategies: [new Careless(prove)] })
    expect((await asks(app, 'billing')).status).toBe(status)
    expect(decisions.map(failed)).toEqual(checks)
  })
})

describe('listeners that fail', () => {
  let warn: jest.SpiedFunction<typeof process.emitWarning>
  beforeEach(() => {
    warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  })
  afterEach(() => {
    warn.mockRestore()
  })

  it.each<[string, () => unknown]>([
    [
      'throw',
      () => {
        throw new Error('full')
      }
    ],
    ['reject', () => Promise.reject(new Error('full'))]
  ])('and %s decide nothing about it', async (_how, fail) => {
    const onDecision = () => fail() as undefined
    const strategies = [new ApiKeyStrategy({ clients, onDecision })]
    const { app } = made({ clients: keyed, strategies, onDecision, onEvent: () => fail(), onError: () => fail() })
    expect((await asks(app, 'billing')).status).toBe(200)
    expect((await asks(app, 'billing', 'wrong')).status).toBe(401)
    await new Promise(resolve => setImmediate(resolve))
    expect(warn.mock.calls.map(([message]) => String(message).split(' ')[0]).sort()).toEqual(['onDecision', 'onError', 'onEvent'])
  })
})
