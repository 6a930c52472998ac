import { describe, expect, it } from '@jest/globals'
import express, { type Request, type RequestHandler } from 'express'
import type { IncomingMessage } from 'node:http'
import request from 'supertest'
import { oauthErrorHandler } from '../../lib/http/error-handler.ts'
import { readParameters, type ReadOptions } from '../../lib/http/parameters.ts'
import { OAuthError } from '../../lib/errors.ts'

const form = 'application/x-www-form-urlencoded'

/** An app that answers with the parameters it read, behind what the host application mounted before. */
function appBehind(before: RequestHandler[], options?: ReadOptions) {
  const reasons: (string | undefined)[] = []
  const app = express()
  for (const handler of before) app.use(handler)
  app.use((req, res, next) => {
    readParameters(req, options).then(parameters => res.json({ parameters, body: req.body }), next)
  })
  app.use(oauthErrorHandler({ onError: error => reasons.push(error instanceof OAuthError ? error.reason : String(error)) }))
  return { app, reasons }
}

const setBody = (req: Request, body: unknown, next: () => void) => {
  req.body = body
  next()
}

const post = (body: string | undefined, type = form, options?: ReadOptions) =>
  request(appBehind([], options).app).post('/').set('Content-Type', type).send(body)

describe('readParameters', () => {
  it.each([
    form,
    `${form}; charset=utf-8`,
    `${form};charset="UTF-8"`,
    `${form.toUpperCase()} ; Charset=utf8`,
    `${form}; boundary=x`
  ])('reads a form sent as %s', async type => {
    const response = await post('grant_type=client_credentials&scope=read+write&empty=', type)
    expect(response.body.parameters).toEqual({ grant_type: 'client_credentials', scope: 'read write' })
  })

  it('leaves the parameters in req.body', async () => {
    expect((await post('a=1')).body).toEqual({ parameters: { a: '1' }, body: { a: '1' } })
  })

  it.each(['get', 'put', 'patch', 'delete', 'options'] as const)('refuses %s', async method => {
    const response = await request(appBehind([]).app)[method]('/')
    expect([response.status, response.headers['allow'], response.body.error]).toEqual([405, 'POST', 'invalid_request'])
  })

  it.each([
    ['plain text', 'text/plain'],
    ['JSON unless asked for', 'application/json'],
    ['multipart', 'multipart/form-data; boundary=x'],
    ['another charset', `${form}; charset=iso-8859-1`],
    ['two charsets', `${form}; charset=utf-8; charset=utf-16`],
    ['two types', `${form}, application/json`],
    ['a longer name', `${form}2`]
  ])('refuses %s', async (_, type) => {
    const { app, reasons } = appBehind([])
    const response = await request(app).post('/').set('Content-Type', type).send('a=1')
    expect([response.status, response.body.error]).toEqual([415, 'invalid_request'])
    expect(reasons).toEqual([expect.any(String)])
  })

  it('takes no body and no type for no parameters, but not a body without a type', async () => {
    const { app } = appBehind([])
    expect((await request(app).post('/')).body.parameters).toEqual({})
    expect((await request(app).post('/').set('Content-Type', form)).body.parameters).toEqual({})
    const untyped = request(app).post('/').set('Content-Type', '')
    untyped.write('a=1')
    expect((await untyped).status).toBe(415)
  })

  it.each(['gzip', 'br', 'gzip, identity'])('refuses a body in the coding %s', async coding => {
    const response = await request(appBehind([]).app)
      .post('/')
      .set('Content-Type', form)
      .set('Content-Encoding', coding)
      .send('a=1')
    expect([response.status, response.headers['accept-encoding']]).toEqual([415, 'identity'])
  })

  it.each([
    'client_secret',
    'client_assertion',
    'client_assertion_type',
    'code',
    'code_verifier',
    'refresh_token',
    'password',
    'access_token',
    'assertion',
    'subject_token',
    'actor_token',
    'client%5Fsecret'
  ])('refuses %s in the URL', async name => {
    const { app, reasons } = appBehind([])
    const response = await request(app).post(`/?x=1&${name}=hunter2`).set('Content-Type', form).send('a=1')
    expect([response.status, response.body.error]).toEqual([400, 'invalid_request'])
    expect(response.body.error_description).toBe(`${decodeURIComponent(name)} must be sent in the request body, not in the URL`)
    expect(JSON.stringify([response.text, reasons])).not.toContain('hunter2')
  })

  it('takes no parameter from the URL', async () => {
    const response = await request(appBehind([]).app).post('/?tenant=1&client_id=x').set('Content-Type', form).send('a=1')
    expect(response.body.parameters).toEqual({ a: '1' })
  })

  it('counts parameters', async () => {
    expect((await post('a=1&b=2', form, { maxParameters: 2 })).status).toBe(200)
    expect((await post('a=1&b=2', form, { maxParameters: 1 })).status).toBe(400)
    expect((await post(Array.from({ length: 101 }, (_, index) => `p${index}=1`).join('&'))).status).toBe(400)
  })

  it('reads a request once', async () => {
    const app = express().use(async (req, res) => {
      const first = readParameters(req)
      const second = readParameters(req, { maxBytes: 1 })
      expect(second).toBe(first)
      expect(await readParameters(req)).toBe(await first)
      res.json(await second)
    })
    expect((await request(app).post('/').type('form').send('a=1')).body).toEqual({ a: '1' })
  })

  it('lets a body parser mounted after it be', async () => {
    for (const parser of [express.urlencoded({ extended: false }), express.json(), express.text({ type: '*/*' })]) {
      const read: RequestHandler = (req, _res, next) => void readParameters(req).then(() => next(), next)
      const app = express().use(read, parser, (req, res) => void res.json(req.body))
      const response = await request(app).post('/').type('form').send('a=1')
      expect([response.status, response.body]).toEqual([200, { a: '1' }])
    }
  })
})

describe('a JSON body, where asked for', () => {
  const postJson = (body: string, before: RequestHandler[] = []) =>
    request(appBehind(before, { jsonBody: true }).app)
      .post('/')
      .set('Content-Type', 'application/json; charset=utf-8')
      .send(body)

  it.each([
    ['itself', []],
    ['after express.json()', [express.json()]],
    ['after express.json({ strict: false })', [express.json({ strict: false })]],
    ['after express.raw()', [express.raw({ type: '*/*' })]],
    ['after express.text()', [express.text({ type: '*/*' })]]
  ])('is read %s', async (_, before) => {
    expect((await postJson('{"a":"1","b":""}', before)).body.parameters).toEqual({ a: '1' })
    expect((await postJson('{}', before)).body.parameters).toEqual({})
    for (const bad of [
      '[]',
      '["a"]',
      '{"a":1}',
      '{"a":null}',
      '{"a":["1","2"]}',
      '{"a":{"b":"c"}}',
      '{"a"',
      '"a"',
      'null',
      '7',
      'false'
    ]) {
      const response = await postJson(bad, before)
      expect([bad, response.status, response.body.error]).toEqual([bad, 400, 'invalid_request'])
    }
  })

  it('does not take the place of a form', async () => {
    expect((await post('a=1', form, { jsonBody: true })).body.parameters).toEqual({ a: '1' })
    expect((await post('a=1', 'text/plain', { jsonBody: true })).body.error_description).toContain('or application/json')
  })
})

describe('a body the application has parsed', () => {
  const collect: RequestHandler = (req, _res, next) => void (req as IncomingMessage).resume().on('end', next)
  const parsers: [string, RequestHandler[]][] = [
    ['express.urlencoded({ extended: false })', [express.urlencoded({ extended: false })]],
    ['express.urlencoded({ extended: true })', [express.urlencoded({ extended: true })]],
    ['express.text()', [express.text({ type: '*/*' })]],
    ['express.raw()', [express.raw({ type: '*/*' })]],
    ['express.json(), which leaves forms alone', [express.json()]],
    ['express.json() and express.urlencoded()', [express.json(), express.urlencoded({ extended: true })]],
    ['express.urlencoded() twice', [express.urlencoded({ extended: true }), express.urlencoded({ extended: false })]],
    ['a middleware that sets an empty body', [(req, _res, next) => setBody(req, {}, next)]],
    ['a middleware that takes its time', [(_req, _res, next) => void setTimeout(next, 20)]]
  ]

  it.each(parsers)('is read after %s', async (_, before) => {
    const { app } = appBehind(before)
    const send = (body: string) => request(app).post('/').set('Content-Type', form).send(body)
    expect((await send('grant_type=x&scope=a+b&empty=')).body.parameters).toEqual({ grant_type: 'x', scope: 'a b' })
    expect((await send('')).body.parameters).toEqual({})
    for (const bad of ['code=1&code=1', 'code=1&code=', 'code=&code=', 'code=%00', 'code=a%0Ab', `a=1&code=1&b=2&code=2`]) {
      const response = await send(bad)
      expect([bad, response.status, response.body.error]).toEqual([bad, 400, 'invalid_request'])
    }
  })

  it.each(['code[]=1', 'code[a]=1', 'code[a][b]=1', 'code[0]=1'])('refuses %s after the extended parser', async body => {
    const response = await request(appBehind([express.urlencoded({ extended: true })]).app)
      .post('/')
      .set('Content-Type', form)
      .send(body)
    expect([response.status, response.body.error_description]).toEqual([400, expect.stringContaining('code')])
  })

  it.each([
    ['a number', 7],
    ['a list', [{ a: '1' }]],
    ['a value that is a number', { a: 7 }],
    ['a value that is null', { a: null }],
    ['a value that is undefined', { a: undefined }]
  ])('refuses %s in req.body', async (_, body) => {
    const set: RequestHandler = (req, _res, next) => setBody(req, body, next)
    expect(
      (
        await request(appBehind([set]).app)
          .post('/')
          .set('Content-Type', form)
          .send('a=1')
      ).status
    ).toBe(400)
  })

  it('is held to the same bounds', async () => {
    for (const parser of [express.text({ type: '*/*' }), express.raw({ type: '*/*' })]) {
      const { app } = appBehind([parser], { maxBytes: 3 })
      expect((await request(app).post('/').set('Content-Type', form).send('a=1')).status).toBe(200)
      expect((await request(app).post('/').set('Content-Type', form).send('a=12')).status).toBe(413)
    }
    const { app } = appBehind([express.urlencoded({ extended: true })], { maxParameters: 1 })
    expect((await request(app).post('/').set('Content-Type', form).send('a=1&b=2')).status).toBe(400)
  })

  it('has no prototype either', async () => {
    const app = express().use(express.urlencoded({ extended: true }), async (req, res) => {
      expect(Object.getPrototypeOf(await readParameters(req))).toBeNull()
      res.end()
    })
    expect((await request(app).post('/').type('form').send('a=1')).status).toBe(200)
  })

  it('is a fault of the server where a middleware consumed it and left nothing', async () => {
    const { app, reasons } = appBehind([collect])
    const response = await request(app).post('/').set('Content-Type', form).send('a=1')
    expect([response.status, response.body.error]).toEqual([500, 'server_error'])
    expect(reasons).toEqual([expect.stringContaining('consumed the body')])
    expect((await request(app).post('/').set('Content-Type', form).send('')).body.parameters).toEqual({})
  })

  it('is refused where it came out empty, with a hint for the operator', async () => {
    const { app, reasons } = appBehind([express.json(), collect, (req, _res, next) => setBody(req, {}, next)])
    const response = await request(app).post('/').set('Content-Type', form).send('a=1')
    expect([response.status, response.body.error]).toEqual([400, 'invalid_request'])
    expect(reasons).toEqual([expect.stringContaining('body parser')])
  })
})
