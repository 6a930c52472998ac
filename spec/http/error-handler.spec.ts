import { describe, expect, it } from '@jest/globals'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { Passport, type Strategy } from 'passport'
import { BasicStrategy } from 'passport-http'
import request from 'supertest'
import { InvalidClientError, InvalidGrantError, OAuthError, ServerError } from '../../lib/errors.ts'
import { oauthErrorHandler } from '../../lib/http/error-handler.ts'

/** An app whose only route throws, and what its operator was told. */
function appThrowing(error: unknown) {
  const told: unknown[] = []
  const app = express()
  app.post('/', (_req, _res, next) => next(error))
  app.use(oauthErrorHandler({ onError: given => told.push(given) }))
  return { app, told }
}

/** The handler alone behind a parser. */
function appParsing(...handlers: RequestHandler[]) {
  const app = express()
  for (const handler of handlers) app.use(handler)
  app.post('/', (_req, res) => void res.json({ ok: true }))
  return app.use(oauthErrorHandler({ onError: () => undefined }))
}

describe('oauthErrorHandler', () => {
  it('answers an OAuth error as itself, and tells the operator', async () => {
    const error = new InvalidGrantError('the code has expired', { reason: 'private: 61 s old', headers: { 'X-Extra': 'yes' } })
    const { app, told } = appThrowing(error)
    const response = await request(app).post('/').set('Accept', 'text/html')
    expect([response.status, response.body]).toEqual([400, { error: 'invalid_grant', error_description: 'the code has expired' }])
    expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store', 'x-extra': 'yes' })
    expect(told).toEqual([error])
  })

  it.each([
    ['an error', new Error('secret detail')],
    ['an error with the status of an upstream', Object.assign(new Error('secret detail'), { status: 404 })],
    ['an exposed error with an odd status', Object.assign(new Error('secret detail'), { status: 302, expose: true })],
    [
      'an exposed error with a status that is no number',
      Object.assign(new Error('secret detail'), { status: '404', expose: true })
    ],
    ['a string', 'secret detail'],
    ['an object', { status: 400, expose: true, message: 'secret detail' }],
    ['a server error', new ServerError({ cause: new Error('secret detail') })]
  ])('says nothing of %s on the wire', async (_, thrown) => {
    const { app, told } = appThrowing(thrown)
    const response = await request(app).post('/')
    expect([response.status, response.body.error]).toEqual([500, 'server_error'])
    expect(JSON.stringify([response.text, response.headers])).not.toContain('secret detail')
    expect(told).toEqual([thrown])
  })

  it.each([
    ['a parser of other 4xx', Object.assign(new Error('x'), { status: 403, expose: true }), 403, 'invalid_request'],
    ['an exposed 401', Object.assign(new Error('x'), { status: 401, expose: true }), 401, 'invalid_client'],
    [
      "Passport's 400",
      Object.assign(new Error('Bad Request'), { name: 'AuthenticationError', status: 400 }),
      400,
      'invalid_request'
    ]
  ])('keeps the status of %s', async (_, thrown, status, code) => {
    const response = await request(appThrowing(thrown).app).post('/')
    expect([response.status, response.body.error]).toEqual([status, code])
  })

  it("keeps Passport's challenges on its AuthenticationError", async () => {
    const passport = new Passport()
    const strategy: Strategy = new BasicStrategy({ realm: 'x' }, (_id, _secret, done) => done(null, false))
    passport.use(strategy)
    const app = appParsing(passport.authenticate('basic', { session: false, failWithError: true }) as RequestHandler)
    const response = await request(app).post('/').auth('id', 'wrong')
    expect([response.status, response.body]).toEqual([401, new InvalidClientError().toJSON()])
    expect(response.headers).toMatchObject({ 'www-authenticate': 'Basic realm="x"', 'cache-control': 'no-store' })
  })

  it.each([
    ['broken JSON', express.json(), 'application/json', {}, '{"client_secret":"hunter2', 400],
    ['a body too large', express.json({ limit: 5 }), 'application/json', {}, '{"client_secret":"hunter2"}', 413],
    ['an unknown coding', express.json(), 'application/json', { 'Content-Encoding': 'zip' }, '{}', 415],
    [
      'an unknown charset',
      express.urlencoded({ extended: false }),
      'application/x-www-form-urlencoded; charset=klingon',
      {},
      'a=hunter2',
      415
    ],
    [
      'too many parameters',
      express.urlencoded({ extended: false, parameterLimit: 1 }),
      'application/x-www-form-urlencoded',
      {},
      'a=1&b=2',
      413
    ]
  ])("answers a body parser's error: %s", async (_, parser, type, headers, body, status) => {
    const response = await request(appParsing(parser)).post('/').set('Content-Type', type).set(headers).send(body)
    expect([response.status, response.body.error]).toEqual([status, 'invalid_request'])
    expect(response.text).not.toContain('hunter2')
    expect(response.headers['cache-control']).toBe('no-store')
  })

  it("answers Express's error for a malformed path", async () => {
    const app = express()
    app.post('/:id', (_req, res) => void res.json({}))
    app.use(oauthErrorHandler({ onError: () => undefined }))
    const response = await request(app).post('/%zz')
    expect([response.status, response.body.error]).toEqual([400, 'invalid_request'])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('log is down')
      }
    ],
    ['rejects', () => Promise.reject(new Error('log is down'))]
  ])('answers all the same where onError %s', async (_, onError) => {
    const app = express()
    app.post('/', (_req, _res, next) => next(new OAuthError('slow_down', 400, 'slow down')))
    app.use(oauthErrorHandler({ onError }))
    const response = await request(app).post('/')
    expect([response.status, response.body.error]).toEqual([400, 'slow_down'])
  })

  it('passes the error on where an answer has begun', async () => {
    const passed: unknown[] = []
    const last: ErrorRequestHandler = (error, _req, res, next) => {
      passed.push(error)
      res.end(typeof next)
    }
    const error = new Error('late')
    const app = express()
    app.post('/', (_req, res, next) => {
      res.write('half')
      next(error)
    })
    app.use(oauthErrorHandler({ onError: () => undefined }), last)
    expect((await request(app).post('/')).status).toBe(200)
    expect(passed).toEqual([error])
  })

  it('writes faults, and only faults, to stderr where nobody else is told', async () => {
    const written: unknown[] = []
    const write = console.error
    console.error = (line: unknown) => written.push(line)
    try {
      const fault = new Error('x')
      for (const [env, error] of [
        ['production', fault],
        ['production', new InvalidGrantError('no')],
        ['test', fault]
      ] as const) {
        const app = express().set('env', env)
        app.post('/', (_req, _res, next) => next(error))
        app.use(oauthErrorHandler())
        expect((await request(app).post('/')).body).toHaveProperty('error')
      }
      expect(written).toEqual([fault])
    } finally {
      console.error = write
    }
  })
})
