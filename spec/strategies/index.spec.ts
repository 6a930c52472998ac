/** All built-in strategies together: their records, the bodies they read, faults around them, and arbitrary requests. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import fc from 'fast-check'
import { builtInStrategies } from '../../lib/strategies/index.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { carrying } from './assertions.ts'
import { clients, selecting, signed } from './every-strategy.ts'
import {
  encode,
  expectClient,
  expectInvalidRequest,
  expectRefused,
  issuer,
  listen,
  post,
  rawBasic,
  secret
} from '../support/servers/strategy-app.ts'
import { anyCharacter } from '../support/checks/any-character.ts'

describe('the record', () => {
  it('of a success names who, how and with what, and each check', async () => {
    const tested = selecting()
    await post(tested.app, carrying(await signed()))
    expect(tested.decisions[0]).toEqual({
      trace_id: expect.any(String),
      endpoint: 'token',
      client_id: 'keys',
      mechanism: 'assertion',
      method: 'private_key_jwt',
      credential: 'kid:k',
      outcome: 'authenticated',
      checks: [
        ...[
          'client',
          'registered_method',
          'assertion_format',
          'header',
          'algorithm',
          'key',
          'signature',
          'type',
          'issuer_and_subject'
        ],
        ...['audience', 'expiry', 'not_before', 'issued_at', 'lifetime', 'jti', 'replay']
      ].map(check => ({ check, outcome: 'pass' }))
    })
  })

  it('of a malformed request says so', async () => {
    const tested = selecting()
    expectInvalidRequest(await post(tested.app, {}, rawBasic('basic')))
    expect(tested.decisions[0]).toMatchObject({
      outcome: 'refused',
      method: 'client_secret_basic',
      checks: [{ check: 'request', outcome: 'fail' }]
    })
  })

  it('cannot be broken by what a client sends', async () => {
    const tested = selecting()
    const client_id = `\u2028${'x'.repeat(5000)}`
    expectRefused(await post(tested.app, { client_id, client_secret: 'x' }))
    expect(tested.decisions[0]?.client_id).toMatch(/^\ufffdx{255}…$/)
  })
})

describe('clients and stores that fail', () => {
  it('answer 503 while the client is looked up to choose a strategy', async () => {
    const away = () => Promise.reject(new Error('away'))
    const { app } = selecting(undefined, { clients: away })
    const response = await post(app, { client_id: 'app' })
    expect([response.status, response.body.error, response.headers['retry-after']]).toEqual([503, 'temporarily_unavailable', '5'])
  })

  it('cannot make a client of the wrong record', async () => {
    const { app } = selecting(undefined, {
      clients: () => clients[6],
      strategies: builtInStrategies({ clients: () => clients[6], issuer, store: memoryStore() })
    })
    expectRefused(await post(app, { client_id: 'basic' }))
    expectClient(await post(app, { client_id: 'app', scope: 'jobs' }), 'app')
  })
})

describe('bodies', () => {
  const json = { client_id: 'post', client_secret: secret, scope: 'jobs' }
  const send = (app: express.Express, body: unknown) =>
    post(app, typeof body === 'string' ? body : JSON.stringify(body), { 'Content-Type': 'application/json' })

  it('in JSON are read where jsonBody is on, and nowhere else', async () => {
    expectClient(await send(selecting(undefined, { jsonBody: true }).app, json), 'post')
    expectClient(await send(selecting(undefined, { jsonBody: true }, [express.json()]).app, json), 'post')
    expectClient(await post(selecting(undefined, { jsonBody: true }).app, json), 'post')
    for (const before of [[], [express.json()]]) {
      for (const jsonBody of [undefined, false]) expectRefused(await send(selecting(undefined, { jsonBody }, before).app, json))
    }
  })

  const bad = [
    'null',
    '[]',
    '5',
    '"post"',
    '{"client_id":"app",}',
    '{"client_id":["app"]}',
    '{"client_id":{"a":"app"}}',
    '{"client_id":5}',
    '{"client_id":null}',
    '{"client_id":true}',
    '{"client_id":"app","client_id":"app"}',
    '{"client_id":"a\\u0000"}',
    '{"client_id":"\\ud800"}',
    '{'
  ]
  it.each(bad)('in JSON are refused as %s', async text => {
    expectInvalidRequest(await send(selecting(undefined, { jsonBody: true }).app, text))
    const parsed = await send(selecting(undefined, { jsonBody: true }, [express.json({ strict: false })]).app, text)
    // a parser keeps the last of two members: only our own reading can see both
    if (text.includes(',"client_id"')) expect(parsed.status).toBe(200)
    else expectInvalidRequest(parsed)
  })

  it('may be as large, and have as many parameters, as the options say', async () => {
    const { app } = selecting(undefined, { maxBytes: 100, maxParameters: 3 })
    expectClient(await post(app, { client_id: 'app', scope: 'jobs' }), 'app')
    expectInvalidRequest(await post(app, { client_id: 'app', a: '1', b: '2', c: '3' }))
    expectInvalidRequest(await post(app, { client_id: 'app', a: 'x'.repeat(100) }), 413)
  })
})

it('arbitrary bodies and headers never give 200 or a fault', async () => {
  const { url, close } = await listen(
    selecting([
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth'
    ]).app
  )
  const names = fc.constantFrom(
    'client_id',
    'client_secret',
    'client_assertion',
    'client_assertion_type',
    'grant_type',
    '__proto__'
  )
  const values = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.constantFrom(
      ...clients.map(({ client_id }) => client_id),
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      'e30.e30.x',
      ''
    )
  )
  const pairs = fc
    .tuple(names, values, fc.boolean())
    .map(([name, value, raw]) => (raw ? `${name}=${value}` : encode({ [name]: value })))
  const forms = fc.oneof(
    fc.array(pairs, { maxLength: 5 }).map(list => list.join('&')),
    fc.string({ unit: anyCharacter })
  )
  const text = fc
    .oneof(fc.string(), fc.constantFrom('basic:', 'keys:x', ':', '%:%'))
    .map(value => Buffer.from(value).toString('base64'))
  const header = fc.option(
    fc.oneof(
      text.map(value => `Basic ${value}`),
      fc.string().map(value => value.replace(/[^\x20-\x7e]/g, ''))
    ),
    { nil: undefined }
  )
  try {
    await fc.assert(
      fc.asyncProperty(forms, header, async (form, Authorization) => {
        const response = await post(url, form, Authorization === undefined ? {} : { Authorization })
        expect([400, 401]).toContain(response.status)
        expect(response.body).toEqual({
          error: expect.stringMatching(/^invalid_(request|client)$/),
          error_description: expect.any(String)
        })
      }),
      { numRuns: 200 }
    )
  } finally {
    await close()
  }
})
