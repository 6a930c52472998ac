/** Routes of the application's own: any method and content type, and bodies that are the application's. */
import { describe, expect, it } from '@jest/globals'
import express, { type Express, type RequestHandler } from 'express'
import passport from 'passport'
import request, { type Test } from 'supertest'
import {
  authenticateClient,
  builtInStrategies,
  ClientSecretBasicStrategy,
  memoryStore,
  NoneStrategy,
  oauthErrorHandler,
  SelfSignedTlsClientAuthStrategy,
  type Decision
} from '../../lib/index.ts'
import { makeCertificate } from '../support/certificates/certificates.ts'
import { basic, challenge, issuer, passportOptions, refusal, secret } from '../support/servers/strategy-app.ts'

const { jwk, der } = makeCertificate({ subject: 'robot' })
const clients = [
  { client_id: 'billing', client_secret: secret },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'device', token_endpoint_auth_method: 'none' },
  {
    client_id: 'robot',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ ...jwk, x5c: [der.toString('base64')] }] }
  }
]
const good = basic('billing', secret)
const json = { client_id: 'somebody else', items: [{ client_secret: ['a', 'b'] }] }

interface Made {
  readonly app: Express
  readonly decisions: Decision[]
}

const certificateSource = () => ({ der, verified: false })

const ways: readonly (readonly [string, (before: readonly RequestHandler[], after: readonly RequestHandler[]) => Made])[] = [
  [
    'passport.authenticate with client_secret_basic',
    (before, after) => {
      const decisions: Decision[] = []
      const authenticator = new passport.Passport()
      authenticator.use(new ClientSecretBasicStrategy({ clients, onDecision: decision => decisions.push(decision) }))
      const authenticate = authenticator.authenticate('client_secret_basic', passportOptions) as RequestHandler
      return appOf([...before, authenticate, ...after], decisions)
    }
  ],
  [
    'authenticateClient with methods of headers',
    (before, after) => {
      const decisions: Decision[] = []
      const strategies = [new ClientSecretBasicStrategy({ clients }), new NoneStrategy({ clients })]
      const onDecision = (decision: Decision) => decisions.push(decision)
      return appOf([...before, authenticateClient({ clients, strategies, onDecision }), ...after], decisions)
    }
  ],
  ['authenticateClient with every method', everyMethod]
]

function everyMethod(before: readonly RequestHandler[], after: readonly RequestHandler[]): Made {
  const decisions: Decision[] = []
  const strategies = builtInStrategies({ clients, issuer, store: memoryStore() })
  const onDecision = (decision: Decision) => decisions.push(decision)
  return appOf([...before, authenticateClient({ clients, strategies, onDecision }), ...after], decisions)
}

function appOf(handlers: readonly RequestHandler[], decisions: Decision[]): Made {
  const app = express()
  for (const handler of handlers) app.use(handler)
  app.use((req, res) => void res.json({ by: req.authenticatedClient?.client_id, body: req.body ?? null }))
  app.use(oauthErrorHandler({ onError: () => undefined }))
  return { app, decisions }
}

const verbs = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const

describe.each(ways)('%s', (_way, make) => {
  it.each(verbs)('takes a header by %s, and refuses a wrong one', async verb => {
    const { app } = make([], [])
    expect((await request(app)[verb]('/').set(good)).status).toBe(200)
    const refused = await request(app)[verb]('/').set(basic('billing', 'wrong'))
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, challenge])
    if (verb !== 'head') expect(refused.text).toBe(refusal)
  })

  const bodies: readonly (readonly [string, RequestHandler, (test: Test) => Test, unknown])[] = [
    ['JSON', express.json(), test => test.send(json), json],
    ['text', express.text(), test => test.type('text/plain').send('client_secret=x'), 'client_secret=x'],
    ['a stream', express.raw(), test => test.type('application/octet-stream').send(Buffer.alloc(90_000, 1)), expect.any(Object)]
  ]
  it.each(bodies)('leaves %s to the application, parsed before or after', async (_what, parser, send, body) => {
    for (const { app } of [make([parser], []), make([], [parser])])
      expect((await send(request(app).put('/').set(good))).body).toEqual({ by: 'billing', body })
  })

  it('leaves an upload to the application', async () => {
    const { app } = make([], [])
    const response = await request(app)
      .post('/')
      .set(good)
      .attach('file', Buffer.alloc(200_000), 'scan.pdf')
      .field('client_secret', 'x')
    expect([response.status, response.body]).toEqual([200, { by: 'billing', body: null }])
  })

  it('leaves a compressed body to the application', async () => {
    const { app } = make([], [express.json()])
    const response = await request(app).put('/').set(good).set('Content-Type', 'application/json').send('{}')
    expect(response.body).toEqual({ by: 'billing', body: {} })
    expect((await request(app).get('/').set(good).set('Content-Encoding', 'gzip')).status).toBe(200)
  })

  it('leaves a query to the application, but for what authenticates clients', async () => {
    const { app } = make([], [])
    await request(app).get('/?code=5&token=x&password=y').set(good).expect(200)
  })

  it('refuses two Authorization headers', async () => {
    const { app } = make([], [])
    const response = await request(app)
      .get('/')
      .set('Authorization', [good.Authorization, good.Authorization] as never)
    expect([400, 401]).toContain(response.status)
  })
})

describe('a form', () => {
  const headers = ways.slice(0, 2)
  it.each(headers)('that no method lives in is the application’s: %s', async (_way, make) => {
    const parser = express.urlencoded({ extended: true })
    const form = 'tags=a&tags=b&filter[client_secret]=x&client_secret=y'
    const body = { tags: ['a', 'b'], filter: { client_secret: 'x' }, client_secret: 'y' }
    for (const { app } of [make([parser], []), make([], [parser])])
      expect((await request(app).post('/').set(good).type('form').send(form)).body).toEqual({ by: 'billing', body })
  })

  it('that a method lives in is read, and two mechanisms in one request are an error', async () => {
    const { app, decisions } = everyMethod([], [])
    const by = async (form: object): Promise<unknown> => (await request(app).put('/').type('form').send(form)).body.by
    expect(await by({ client_id: 'post', client_secret: secret, note: 'x' })).toBe('post')
    const two = await request(app).put('/').set(good).type('form').send({ client_id: 'post', client_secret: secret })
    expect([two.status, decisions.at(-1)?.checks.at(-1)?.check]).toEqual([400, 'one_mechanism'])
  })
})

describe('a client that names itself in the URL', () => {
  const strategies = [new SelfSignedTlsClientAuthStrategy({ clients }), new NoneStrategy({ clients })]
  const { app } = appOf([authenticateClient({ clients, strategies, certificateSource })], [])

  it('is one with a certificate, of any method and content type', async () => {
    expect((await request(app).get('/?client_id=robot')).body.by).toBe('robot')
    expect((await request(app).put('/?client_id=robot').send(json)).body.by).toBe('robot')
    expect((await request(app).post('/').type('form').send({ client_id: 'robot' })).body.by).toBe('robot')
  })

  it('or a public one, once', async () => {
    expect((await request(app).get('/?client_id=device')).body.by).toBe('device')
    expect((await request(app).get('/?client_id=device&client_id=robot')).status).toBe(400)
    expect((await request(app).get('/?client_id=billing')).status).toBe(401)
    expect((await request(app).get('/')).status).toBe(401)
    expect((await request(app).get('/?client_id=post&client_secret=x')).status).toBe(400)
  })
})

it('a refusal without oauthErrorHandler() keeps its status and its challenge', async () => {
  const app = express().set('env', 'test')
  app.use(authenticateClient({ clients, strategies: [new ClientSecretBasicStrategy({ clients })] }))
  const refused = await request(app).get('/').set(basic('billing', 'wrong'))
  expect([refused.status, refused.headers['www-authenticate'], refused.type]).toEqual([401, challenge, 'text/html'])
})
