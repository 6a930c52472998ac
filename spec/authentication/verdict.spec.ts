/** Strategies written for Passport alone: what they say is held against the registration, and told like any other attempt. */
import { afterEach, describe, expect, it } from '@jest/globals'
import express, { type Request } from 'express'
import { Strategy as PassportStrategy } from 'passport'
import request from 'supertest'
import {
  authenticateClient,
  InvalidClientError,
  memoryStore,
  guessProtection,
  NoneStrategy,
  oauthErrorHandler,
  TemporarilyUnavailableError,
  type AuthenticateClientOptions,
  type ClientAuthenticationStrategy,
  type ClientMetadata,
  type ClientRequest,
  type Decision,
  type Identification,
  type ServerEvent
} from 'clientele'

type Act = (this: Said, req: Request) => void

/** Says what it is told to, for the client of a header; as docs once showed it, and as anybody may write it. */
class Said extends PassportStrategy implements ClientAuthenticationStrategy {
  override readonly name = 'x_said'
  readonly mechanism: string
  readonly guessable = true
  private readonly act: Act
  constructor(act: Act, mechanism = 'said') {
    super()
    this.act = act
    this.mechanism = mechanism
  }
  identify({ headers }: ClientRequest): Identification {
    const client_id = headers['x-client']
    return typeof client_id === 'string' ? { outcome: 'present', client_id } : { outcome: 'absent' }
  }
  override authenticate(req: Request): void {
    this.act(req)
  }
}

const clients: readonly ClientMetadata[] = [
  { client_id: 'billing', token_endpoint_auth_method: 'x_said' },
  { client_id: 'other', token_endpoint_auth_method: 'x_said' },
  { client_id: 'signing', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] } },
  { client_id: 'app', token_endpoint_auth_method: 'none' },
  {
    client_id: 'late',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [] },
    credentials: [{ type: 'method', id: 'm', method: 'x_said', expires_at: 1000 }]
  }
]

let decisions: Decision[] = []
let events: ServerEvent[] = []
afterEach(() => {
  decisions = []
  events = []
})

async function send(
  act: Act,
  client_id = 'billing',
  {
    form = {},
    mechanism,
    ...options
  }: Partial<AuthenticateClientOptions> & { form?: Record<string, string>; mechanism?: string } = {}
) {
  const app = express()
  const authenticate = authenticateClient({
    clients,
    strategies: [new Said(act, mechanism), new NoneStrategy({ clients })],
    onDecision: decision => void decisions.push(decision),
    onEvent: event => events.push(event),
    ...options
  })
  app.use(authenticate, (req, res) => void res.json(req.authenticatedClient))
  app.use(oauthErrorHandler({ onError: () => undefined }))
  const test = request(app).post('/').type('form')
  return (client_id === '' ? test : test.set('x-client', client_id)).send(form)
}

const named = (client_id: unknown, more: object = {}): Act =>
  function () {
    const client = {
      client_id,
      token_endpoint_auth_method: 'x_said',
      grant_types: [],
      response_types: [],
      redirect_uris: [],
      ...more
    }
    this.success(client)
  }
const failed = () =>
  decisions.flatMap(({ checks }) => checks.filter(({ outcome }) => outcome === 'fail').map(({ check }) => check))

describe('a strategy that names the client', () => {
  it('has it authenticated as it is registered, with a decision and an event', async () => {
    const { status, body } = await send(named('billing', { grant_types: ['everything'], admin: true }))
    expect([status, body]).toMatchObject([200, { client_id: 'billing', grant_types: ['authorization_code'] }])
    expect(body.admin).toBeUndefined()
    const checks = ['client', 'registered_method', 'x_said'].map(check => ({ check, outcome: 'pass' }))
    expect(decisions).toMatchObject([
      { outcome: 'authenticated', client_id: 'billing', method: 'x_said', mechanism: 'said', checks }
    ])
    expect(events).toMatchObject([{ type: 'authentication.succeeded', client_id: 'billing', decision: decisions[0] }])
  })

  it.each<[string, string, Act, string]>([
    ['is registered for another method alone', 'signing', named('signing'), 'registered_method'],
    ['may use the method no longer', 'late', named('late'), 'registered_method'],
    ['does not exist', 'nobody', named('nobody'), 'client'],
    ['is not the one the request names', 'billing', named('other'), 'one_client_id'],
    ['is public, and another', 'billing', named('app'), 'one_client_id'],
    ['has no id', 'billing', named(undefined), 'one_client_id'],
    ['has an id of another type', 'billing', named(['billing']), 'one_client_id']
  ])('has nobody let in where it %s', async (_what, client_id, act, check) => {
    const { status, body } = await send(act, client_id)
    expect([status, body.error]).toEqual([401, 'invalid_client'])
    expect(failed()).toEqual([check])
    expect(decisions).toMatchObject([{ outcome: 'refused', client_id }])
    expect(events).toMatchObject([{ type: 'authentication.refused', client_id, decision: decisions[0] }])
  })

  it.each(['said', 'assertion'])('has nobody let in beside a client_id of another (mechanism %s)', async mechanism => {
    const { status } = await send(named('billing'), 'billing', { form: { client_id: 'other' }, mechanism })
    expect([400, 401]).toContain(status)
    expect(failed()).toEqual(['one_client_id'])
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['false', false],
    ['nothing much', 0],
    ['text', 'billing'],
    ['a list', ['billing']],
    ['an error', new InvalidClientError()]
  ])('has nobody let in where it names %s', async (_what, client) => {
    const { status } = await send(function () {
      this.success(client as never)
    })
    expect(status).toBe(401)
    expect(decisions).toMatchObject([{ outcome: 'refused' }])
  })

  it('gains nothing from what an earlier route judged', async () => {
    const app = express()
    const none = authenticateClient({ clients, strategies: [new NoneStrategy({ clients })] })
    let judged: unknown
    const said = new Said(function () {
      this.success(judged as never)
    }, 'client_id')
    said.identify = () => ({ outcome: 'present', client_id: 'app' })
    app.use(none, (req, _res, next) => {
      judged = req.authenticatedClient
      next()
    })
    app.use(authenticateClient({ clients, strategies: [said] }), (req, res) => void res.json(req.authenticatedClient))
    app.use(oauthErrorHandler())
    expect((await request(app).post('/').type('form').send({ client_id: 'app' })).status).toBe(401)
    expect(judged).toMatchObject({ client_id: 'app' })
  })

  it('answers 503 where the client cannot be looked up', async () => {
    const { status } = await send(named('billing'), 'billing', { clients: () => Promise.reject(new Error('no directory')) })
    expect(status).toBe(503)
  })
})

describe('a strategy that refuses', () => {
  it('is told, with its reason, and keeps its own headers', async () => {
    const headers = { 'WWW-Authenticate': 'Said realm="x"' }
    const response = await send(function () {
      this.error(new InvalidClientError({ reason: 'it was said wrongly', headers }))
    })
    expect([response.status, response.headers['www-authenticate']]).toEqual([401, 'Said realm="x"'])
    expect(decisions).toMatchObject([
      { outcome: 'refused', checks: [{}, {}, { check: 'x_said', outcome: 'fail', fix: 'it was said wrongly' }] }
    ])
    expect(events).toMatchObject([{ type: 'authentication.refused', decision: decisions[0] }])
  })

  it('has the record it kept itself told, once', async () => {
    const decision: Decision = {
      trace_id: 'x',
      endpoint: 'token',
      outcome: 'refused',
      checks: [{ check: 'own', outcome: 'fail' }]
    }
    await send(function () {
      this.error(new InvalidClientError({ decision }))
    })
    expect(decisions).toEqual([decision])
  })

  it('is refused all the same where it passes', async () => {
    const { status } = await send(function () {
      this.pass()
    })
    expect([status, failed()]).toEqual([401, ['x_said']])
  })

  it.each(['route', 'router', 0, '', false, {}, 7])('and ends in %p, which is no error, lets nobody on', async thrown => {
    const { status } = await send(function () {
      this.error(thrown)
    })
    expect(status).toBe(500)
  })

  it('passes a fault on as it is', async () => {
    const { status } = await send(function () {
      this.error(new TemporarilyUnavailableError())
    })
    expect([status, decisions]).toEqual([503, []])
  })

  it('has its refusals counted', async () => {
    const guesses = guessProtection({ store: memoryStore(), attempts: 2, window: 60 })
    const wrong: Act = function () {
      this.error(new InvalidClientError())
    }
    const statuses: number[] = []
    for (let times = 0; times < 4; times++) statuses.push((await send(wrong, 'billing', { guessProtection: guesses })).status)
    expect(statuses[0]).toBe(401)
    expect(statuses.at(-1)).toBe(429)
  })
})
