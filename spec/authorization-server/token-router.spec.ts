import { describe, expect, it } from '@jest/globals'
import express, { json, urlencoded, type Express, type Request, type RequestHandler, type Response } from 'express'
import request from 'supertest'
import { clientCredentials, memoryStore, tokenRouter, type TokenRouterOptions } from '../../lib/index.ts'
import {
  api,
  basic,
  breakableStore,
  clients,
  issuer,
  registeredFor,
  specKeys,
  token
} from '../support/servers/authorization-server.ts'

const keys = await specKeys()
const grant_type = 'client_credentials'
const formType = 'application/x-www-form-urlencoded'

interface Mounting {
  readonly before?: readonly RequestHandler[]
  readonly after?: readonly RequestHandler[]
  readonly at?: string
}

function appWith(options: Partial<TokenRouterOptions> = {}, { before = [], after = [], at = '/oauth2' }: Mounting = {}) {
  const errors: unknown[] = []
  const app = express()
  for (const handler of before) app.use(handler)
  app.use(
    at,
    tokenRouter({
      issuer,
      clients: options.tokenIssuers ? registeredFor([grant_type]) : clients,
      keys,
      store: memoryStore(),
      scopes: ['api:read'],
      resources: [{ resource: api }],
      onError: error => errors.push(error),
      ...options
    })
  )
  for (const handler of after) app.use(handler)
  return { app, errors }
}

const ask = (app: Express) => request(app).post('/oauth2/token').set('Authorization', basic('web'))

describe('tokenRouter', () => {
  it('answers a token request, not to be stored', async () => {
    const response = await token(appWith().app, 'web', { grant_type, scope: 'api:read' })
    expect([response.status, response.body]).toEqual([
      200,
      { access_token: expect.any(String), token_type: 'Bearer', expires_in: 3600, scope: 'api:read' }
    ])
    expect(response.headers).toMatchObject({
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'content-type': 'application/json'
    })
    expect(Number(response.headers['content-length'])).toBe(Buffer.byteLength(response.text))
  })

  it.each(['get', 'head', 'put', 'patch', 'delete', 'options'] as const)('refuses %s with 405 and Allow', async method => {
    const { app } = appWith()
    const response = await request(app)[method]('/oauth2/token?grant_type=x').set('Authorization', basic('web'))
    expect([response.status, response.headers['allow'], response.headers['cache-control']]).toEqual([405, 'POST', 'no-store'])
    if (method !== 'head') expect(response.body).toEqual({ error: 'invalid_request', error_description: 'use POST' })
  })

  it.each([
    'text/plain',
    'application/json',
    'multipart/form-data; boundary=x',
    'application/xml',
    `${formType}; charset=utf-16`,
    'form'
  ])('refuses a body of type %s with 415', async type => {
    const response = await ask(appWith().app).set('Content-Type', type).send('grant_type=client_credentials')
    expect([response.status, (response.body as { error: string }).error, response.headers['cache-control']]).toEqual([
      415,
      'invalid_request',
      'no-store'
    ])
  })

  it.each([
    ['missing', '', 'invalid_request'],
    ['empty', 'grant_type=', 'invalid_request'],
    ['twice', 'grant_type=client_credentials&grant_type=client_credentials', 'invalid_request'],
    ['nobody knows', 'grant_type=password', 'unsupported_grant_type'],
    ['in another case', 'grant_type=Client_Credentials', 'unsupported_grant_type'],
    ['with a space', 'grant_type=client_credentials+', 'unsupported_grant_type'],
    ['a prototype member', 'grant_type=constructor', 'unsupported_grant_type'],
    ['a prototype', 'grant_type=__proto__', 'unsupported_grant_type'],
    ['huge', `grant_type=${'x'.repeat(60_000)}`, 'unsupported_grant_type']
  ])('answers a grant_type that is %s with %s', async (_, form, error) => {
    const response = await token(appWith().app, 'web', form)
    expect([response.status, response.body]).toEqual([400, { error, error_description: expect.any(String) }])
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' })
  })

  it('answers unauthorized_client for a grant the client is not registered for', async () => {
    expect(await token(appWith().app, 'narrow', { grant_type: 'authorization_code', code: 'x' })).toMatchObject({
      status: 400,
      body: { error: 'unauthorized_client' }
    })
    const { app } = appWith({ tokenIssuers: [clientCredentials()] })
    expect(await token(app, 'web', { grant_type: 'authorization_code', code: 'x' })).toMatchObject({
      status: 400,
      body: { error: 'unsupported_grant_type' }
    })
  })

  it('authenticates the client before it looks at the grant', async () => {
    const wrong = await request(appWith().app)
      .post('/oauth2/token')
      .set('Authorization', basic('web', 'wrong'))
      .type('form')
      .send({ grant_type: 'password' })
    expect([wrong.status, wrong.body, wrong.headers['www-authenticate']]).toEqual([
      401,
      { error: 'invalid_client', error_description: expect.any(String) },
      expect.stringMatching(/^Basic /)
    ])
    expect((await request(appWith().app).post('/oauth2/token').type('form').send({ grant_type })).status).toBe(401)
  })

  it('says the same whatever the request accepts', async () => {
    const response = await ask(appWith().app).set('Accept', 'text/html').type('form').send({ grant_type: 'password' })
    expect(response.headers['content-type']).toBe('application/json')
  })
})

describe('what a token issuer throws', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a word Express knows', 'router'],
    ['another', 'route'],
    ['a number', 0]
  ])('is an answer even where it is %s: the request goes no further', async (_, thrown) => {
    const issue = () => new Promise<never>((_resolve, reject: (error: Error) => void) => reject(thrown as Error))
    const after = [(_req: Request, res: Response) => void res.send('the application answered')]
    const { app, errors } = appWith({ tokenIssuers: [{ grant_type, issue }] }, { after })
    expect(await token(app, 'web', { grant_type })).toMatchObject({ status: 500, body: { error: 'server_error' } })
    expect(errors).toHaveLength(1)
  })
})

describe('JSON bodies', () => {
  it('are read only where jsonBody is on, and forms still are', async () => {
    const { app } = appWith({ jsonBody: true })
    expect((await ask(app).send({ grant_type })).status).toBe(200)
    expect((await token(app, 'web', { grant_type })).status).toBe(200)
    expect((await ask(appWith({ jsonBody: false }).app).send({ grant_type })).status).toBe(415)
  })

  it.each([
    'null',
    '[]',
    '"x"',
    '1',
    '{"grant_type":"client_credentials"',
    '{"grant_type" "x"}',
    '{"grant_type":["client_credentials"]}',
    '{"grant_type":{}}',
    '{"grant_type":1}',
    '{"grant_type":"a","grant_type":"client_credentials"}',
    '\ufeff{}'
  ])('are refused where they are %s', async body => {
    const response = await ask(appWith({ jsonBody: true }).app)
      .set('Content-Type', 'application/json')
      .send(body)
    expect([response.status, (response.body as { error: string }).error]).toEqual([400, 'invalid_request'])
  })
})

describe('in a host application', () => {
  it.each<[string, Mounting]>([
    ['behind urlencoded', { before: [urlencoded({ extended: false })] }],
    ['behind extended urlencoded', { before: [urlencoded({ extended: true })] }],
    ['behind urlencoded, twice', { before: [urlencoded({ extended: true }), urlencoded({ extended: false })] }],
    ['behind json and urlencoded', { before: [json(), urlencoded({ extended: true })] }],
    ['before urlencoded', { after: [urlencoded({ extended: true })] }],
    ['under another prefix', { at: '/tenants/acme/oauth2' }],
    ['at the root', { at: '/' }]
  ])('works %s', async (_, mounting) => {
    const path = `${mounting.at ?? '/oauth2'}/token`.replace('//', '/')
    const { app } = appWith({}, mounting)
    expect((await token(app, 'web', { grant_type }, path)).status).toBe(200)
    expect((await token(app, 'web', { grant_type: 'password' }, path)).status).toBe(400)
  })

  it('leaves every other path to the application', async () => {
    const { app } = appWith({}, { after: [(req, res) => void res.status(418).send(req.originalUrl)] })
    for (const path of ['/oauth2', '/oauth2/tokens', '/oauth2/token/x', '/token', '/'])
      expect((await request(app).post(path)).status).toBe(418)
  })
})

describe('a store that does not answer', () => {
  it.each([
    ['rejects', 'set'],
    ['throws', 'set']
  ] as const)('%s: 503, and no token', async (how, operation) => {
    const { store, broken } = breakableStore(memoryStore())
    const { app } = appWith({ store })
    broken.set(operation, how)
    const response = await token(app, 'web', { grant_type })
    expect([response.status, response.body]).toEqual([
      503,
      { error: 'temporarily_unavailable', error_description: expect.any(String) }
    ])
    expect(response.headers).toMatchObject({ 'retry-after': '5', 'cache-control': 'no-store' })
    expect(response.text).not.toMatch(/hunter2|ECONN/)
    broken.clear()
    expect((await token(app, 'web', { grant_type })).status).toBe(200)
  })

  it('is not needed for a token nothing has to be recorded of, where guesses are not counted', async () => {
    const { store, broken } = breakableStore(memoryStore())
    for (const operation of ['set', 'get', 'add', 'take', 'swap'] as const) broken.set(operation, 'rejects')
    expect((await token(appWith({ store, guessProtection: false }).app, 'web', { grant_type, resource: api })).status).toBe(200)
  })

  it('is not asked for clients: a source that fails is 503 too', async () => {
    const { app } = appWith({ clients: () => Promise.reject(new Error('hunter2')) })
    const response = await token(app, 'web', { grant_type })
    expect([response.status, response.headers['retry-after'], response.text.includes('hunter2')]).toEqual([503, '5', false])
  })
})

describe('options', () => {
  it.each<[string, unknown, string]>([
    ['issuer', 'http://as.example.com', 'issuer'],
    ['clients', 'web', 'clients'],
    ['store', {}, 'store'],
    ['keys', {}, 'keys'],
    ['strategies', [], 'strategies'],
    ['tokenIssuers', [], 'tokenIssuers'],
    ['tokenIssuers', [null], 'tokenIssuers[0]'],
    ['tokenIssuers', [clientCredentials(), { grant_type: 'x' }], 'tokenIssuers[1]'],
    ['tokenIssuers', [clientCredentials(), clientCredentials()], 'tokenIssuers[1]'],
    ['jsonBody', 'true', 'jsonBody'],
    ['certificates', 1, 'certificates'],
    ['requireDpopNonce', 'yes', 'requireDpopNonce'],
    ['certificate', 'direct', 'certificate'],
    ['fetchJson', {}, 'fetchJson'],
    ['onDecision', {}, 'onDecision'],
    ['onError', 'log', 'onError'],
    ['assertionAudience', 'token_endpoint', 'assertionAudience'],
    ['tokenEndpoints', 'https://as.example.com/oauth2/token', 'tokenEndpoints'],
    ['tokenEndpoints', ['/oauth2/token'], 'tokenEndpoints'],
    ['profile', 'fapi2', 'profile'],
    ['tokenIsuers', [], 'tokenIsuers']
  ])('%s: %j is refused by name', (name, value, key) => {
    expect(() => appWith({ [name]: value })).toThrow(expect.objectContaining({ name: 'ConfigurationError', key }))
  })
})
