/** What every attempt has in common: Passport's rules, the record, and faults that are not the client's. */
import { describe, expect, it, jest } from '@jest/globals'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import passport from 'passport'
import request from 'supertest'
import type { ClientMetadata, ClientSource } from '../../lib/clients/client.ts'
import { authenticateClient } from '../../lib/authentication/authenticate-client.ts'
import type { Decision } from '../../lib/decisions/decision.ts'
import { InvalidClientError, OAuthError } from '../../lib/errors.ts'
import { ClientSecretBasicStrategy } from '../../lib/strategies/client-secret-basic.ts'
import { ClientSecretPostStrategy } from '../../lib/strategies/client-secret-post.ts'
import { NoneStrategy } from '../../lib/strategies/none.ts'
import { PrivateKeyJwtStrategy } from '../../lib/strategies/private-key-jwt.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import {
  appOf,
  bareMounts,
  basic,
  challenge,
  expectClient,
  expectRefused,
  issuer,
  passportOptions,
  post,
  secret,
  withMiddleware,
  withPassport,
  type StrategySetup
} from '../support/servers/strategy-app.ts'
import { carrying, claimsOf, makeKey, sign } from './assertions.ts'

const key = await makeKey('ES256', { kid: 'k' })
const clients: ClientMetadata[] = [
  { client_id: 'billing', client_secret: secret },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'keys', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } },
  { client_id: 'app', token_endpoint_auth_method: 'none' }
]
const strategy: StrategySetup['strategy'] = options => new ClientSecretBasicStrategy(options)
const good = basic('billing', secret)
const body = { scope: 'jobs' }

/** Passport with strategies under their names, as an application has it. */
function authenticate(names: string | string[], strategies: readonly passport.Strategy[]): RequestHandler {
  const authenticator = new passport.Passport()
  for (const one of strategies) authenticator.use(one)
  return authenticator.authenticate(names, passportOptions) as RequestHandler
}

describe('a refused credential', () => {
  it('does not fall through to the next strategy of a list', async () => {
    const strategies = [
      new ClientSecretBasicStrategy({ clients }),
      new ClientSecretPostStrategy({ clients }),
      new NoneStrategy({ clients })
    ]
    const { app } = appOf([authenticate(['client_secret_basic', 'client_secret_post', 'none'], strategies)])
    expectRefused(await post(app, { ...body, client_id: 'app' }, basic('billing', 'wrong')), challenge)
    expectRefused(await post(app, { ...body, client_id: 'post', client_secret: 'wrong' }))
    expectRefused(await post(app, { ...body, client_id: 'billing' }))
    expectClient(await post(app, { ...body, client_id: 'app' }), 'app')
    expectClient(await post(app, { ...body, client_id: 'post', client_secret: secret }), 'post')
  })

  it('keeps its status and challenge with Express’s own error handler', async () => {
    const app = express()
    app.set('env', 'test')
    app.use(authenticate('client_secret_basic', [new ClientSecretBasicStrategy({ clients })]))
    const refused = await request(app).post('/').set(basic('billing', 'wrong'))
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, challenge])
    expect((await request(app).post('/').set('Authorization', 'Basic !')).status).toBe(400)
  })

  it('leaves no client on the request', async () => {
    const seen: unknown[] = []
    const app = express()
    const see: ErrorRequestHandler = (error, req, _res, next) => {
      seen.push(req.authenticatedClient, error)
      next(error)
    }
    app.set('env', 'test')
    app.use(authenticate('client_secret_basic', [new ClientSecretBasicStrategy({ clients })]), see)
    await request(app).post('/').set(basic('billing', 'wrong'))
    expect(seen).toEqual([undefined, expect.any(InvalidClientError)])
  })
})

describe('an authenticated client', () => {
  it('is what the registry holds, without its secret, and is neither the person nor the socket', async () => {
    const app = express()
    app.use(authenticate('client_secret_basic', [new ClientSecretBasicStrategy({ clients })]), (req, res) => {
      const { user, authInfo, client } = req as unknown as Record<string, unknown>
      res.json([req.authenticatedClient, user ?? null, authInfo ?? null, client === req.socket || client === undefined])
    })
    const response = await request(app).post('/').set(good)
    expect(response.body).toEqual([
      expect.objectContaining({ client_id: 'billing', token_endpoint_auth_method: 'client_secret_basic' }),
      null,
      null,
      true
    ])
    expect(response.text).not.toContain(secret)
  })

  it('is that of the strategy that ran: registries of one application are not those of another', async () => {
    const theirs: ClientMetadata[] = [{ client_id: 'billing', client_secret: 'their secret' }]
    const ours = authenticate('client_secret_basic', [new ClientSecretBasicStrategy({ clients })])
    const also = authenticate('client_secret_basic', [new ClientSecretBasicStrategy({ clients: theirs })])
    for (const order of [
      [ours, also],
      [also, ours]
    ]) {
      const { app } = appOf(order)
      expectRefused(await post(app, body, good), challenge)
      expectRefused(await post(app, body, basic('billing', 'their secret')), challenge)
    }
  })

  it('costs one look-up per request', async () => {
    const asked: string[] = []
    const source = (client_id: string) => {
      asked.push(client_id)
      return clients.find(client => client.client_id === client_id)
    }
    const strategies = [
      new ClientSecretPostStrategy({ clients: source }),
      new NoneStrategy({ clients: source }),
      new PrivateKeyJwtStrategy({ clients: source, issuer, store: memoryStore() })
    ]
    const { app } = appOf([authenticateClient({ clients: source, strategies })])
    await post(app, { client_id: 'app' })
    await post(app, { client_id: 'post', client_secret: 'wrong' })
    await post(app, carrying(await sign(key.privateKey, { alg: 'ES256' }, claimsOf('keys'))))
    expect(asked).toEqual(['app', 'post', 'keys'])
  })
})

it('an unknown client and one of another method are compared with a secret too', async () => {
  const reads: number[] = []
  for (const headers of [basic('billing', 'wrong'), basic('nobody', 'wrong'), basic('post', 'wrong'), basic('app', '')]) {
    let count = 0
    const clock = () => ++count
    const { app } = withPassport()({ clients, strategy: options => new ClientSecretBasicStrategy({ ...options, clock }) })
    expectRefused(await post(app, body, headers), challenge)
    reads.push(count)
  }
  // the dates of its methods once, and a comparison once
  expect(reads).toEqual([2, 2, 2, 2])
})

const failures: readonly (readonly [what: string, source: ClientSource])[] = [
  ['rejects', () => Promise.reject(new Error('the database is away'))],
  [
    'throws',
    () => {
      throw new Error('the database is away')
    }
  ],
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- some do
  ['rejects with nothing', () => Promise.reject(undefined)]
]

const wrongRecords: typeof failures = [
  ['finds another client', () => clients[1]],
  ['finds a client in other letters', () => ({ client_id: 'BILLING', client_secret: secret })],
  ['finds a client without an id', () => ({ client_secret: secret }) as unknown as ClientMetadata],
  ['finds nonsense', () => 'billing' as unknown as ClientMetadata],
  ['finds metadata that is wrong', () => ({ client_id: 'billing', client_secret: 5 }) as unknown as ClientMetadata]
]

describe.each(bareMounts)('a source of clients, through %s,', (_way, mount) => {
  it.each(failures)('that %s is 503 with Retry-After, and nobody’s client', async (_what, clientSource) => {
    const tested = mount({ clients: clientSource, strategy })
    const response = await post(tested.app, body, good)
    expect([response.status, response.body, response.headers['retry-after']]).toEqual([
      503,
      { error: 'temporarily_unavailable', error_description: expect.any(String) },
      '5'
    ])
    expect(response.text).not.toContain('database')
    expect(tested.errors).toEqual([expect.objectContaining({ reason: 'the client could not be looked up' })])
  })

  it.each(wrongRecords)('that %s has found nobody, and its operator is warned', async (_what, clientSource) => {
    // what is wrong with a source is said once: this one is new
    const clients: ClientSource = client_id => (clientSource as (client_id: string) => ClientMetadata)(client_id)
    const { app, decisions } = mount({ clients, strategy })
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    expectRefused(await post(app, body, good), challenge)
    expect(decisions[0]?.checks[0]).toMatchObject({ check: 'client', outcome: 'fail' })
    const warnings = warn.mock.calls
    warn.mockRestore()
    expect(warnings).toEqual([[expect.stringContaining('is refused: client'), 'ClienteleWarning']])
    expect(JSON.stringify(warnings)).not.toContain(secret)
  })

  it('may answer with an OAuth error of its own', async () => {
    const limited = () =>
      Promise.reject(new OAuthError('slow_down', 429, 'too many requests', { headers: { 'Retry-After': '60' } }))
    const response = await post(mount({ clients: limited, strategy }).app, body, good)
    expect([response.status, response.body.error, response.headers['retry-after']]).toEqual([429, 'slow_down', '60'])
  })
})

describe('onDecision', () => {
  const withListener = (onDecision: (decision: Decision) => void) => ({
    clients,
    strategy: () => new ClientSecretBasicStrategy({ clients, onDecision })
  })

  it.each(bareMounts)('that throws or rejects changes nothing and ends nothing: %s', async (_way, mount) => {
    // a rejection nobody handles fails this test by itself, as it would end a server
    const listeners: readonly (() => unknown)[] = [
      () => {
        throw new Error('log is full')
      },
      () => Promise.reject(new Error('log is full')),
      () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a listener throws may be anything
        throw 'log is full'
      },
      () => ({ then: (_: unknown, reject: (reason: Error) => void) => reject(new Error('log is full')) })
    ]
    for (const listener of listeners) {
      const { app } = mount(withListener(listener))
      expectClient(await post(app, body, good), 'billing')
      expectRefused(await post(app, body, basic('billing', 'wrong')), challenge)
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  })

  it('given to the strategy and to the selection is told once', async () => {
    const decisions: Decision[] = []
    const onDecision = (decision: Decision) => void decisions.push(decision)
    const { app } = appOf([authenticateClient({ clients, strategies: [withListener(onDecision).strategy()], onDecision })])
    await post(app, body, good)
    await post(app, body, basic('billing', 'wrong'))
    expect(decisions.map(({ outcome }) => outcome)).toEqual(['authenticated', 'refused'])
  })

  it.each(bareMounts)('has a trace id of its own for every attempt: %s', async (_way, mount) => {
    const { app, decisions } = mount({ clients, strategy })
    for (let attempt = 0; attempt < 5; attempt++) await post(app, body, good)
    expect(new Set(decisions.map(({ trace_id }) => trace_id)).size).toBe(5)
  })

  it('sees every announced check, in order, whichever failed', async () => {
    const { app, decisions } = withMiddleware()({ clients, strategy })
    for (const headers of [good, basic('billing', 'wrong'), basic('post', secret), basic('nobody', secret)])
      await post(app, body, headers)
    const outcomes = decisions.map(({ checks }) => checks.map(({ check, outcome }) => `${check}:${outcome}`).join(' '))
    expect(outcomes).toEqual([
      'client:pass registered_method:pass encoding:pass secret:pass secret_expiry:pass',
      'client:pass registered_method:pass secret:fail secret_expiry:skipped',
      'client:pass registered_method:fail encoding:skipped secret:skipped secret_expiry:skipped',
      'client:fail registered_method:skipped encoding:skipped secret:skipped secret_expiry:skipped'
    ])
    for (const { checks } of decisions.slice(1)) {
      expect(checks.find(({ outcome }) => outcome === 'fail')).toMatchObject({
        section: expect.any(String),
        fix: expect.stringMatching(/^[A-Z].*\.$/)
      })
    }
  })
})

it('a strategy says so where it is run without Passport', () => {
  const bare = new ClientSecretBasicStrategy({ clients })
  const req: unknown = { method: 'POST', headers: {} }
  expect(() => bare.authenticate(req as express.Request)).toThrow('passport.authenticate(name)')
})
