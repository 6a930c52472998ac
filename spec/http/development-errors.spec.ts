import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import request from 'supertest'
import {
  authorizationServer,
  ConfigurationError,
  InvalidClientError,
  InvalidGrantError,
  memoryStore,
  oauthErrorHandler,
  tokenRouter,
  type AuthorizationServerOptions,
  type Decision
} from '../../lib/index.ts'
import { readOptions } from '../../lib/options.ts'
import { developmentErrorChecks, errorBody as bodyBy, type DevelopmentErrorOptions } from '../../lib/http/development-errors.ts'
import { issuer, specKeys } from '../support/servers/authorization-server.ts'
import { endpoint, refusals } from '../support/checks/refusals.ts'

const decision = (...checks: Decision['checks'][number][]): Decision => ({
  trace_id: '1',
  endpoint: 'token',
  outcome: 'refused',
  checks
})
const refusal = (...checks: Decision['checks'][number][]) => new InvalidClientError({ decision: decision(...checks) })
const words = { error: 'invalid_client', error_description: 'client authentication failed' }

const { NODE_ENV } = process.env
afterEach(() => {
  process.env['NODE_ENV'] = NODE_ENV
})

const errorBody = (options: DevelopmentErrorOptions) => bodyBy(readOptions(options, developmentErrorChecks))

describe('errorBody', () => {
  it.each([{}, { developmentErrors: false }, { errorPages: 'https://wiki.example.com/' }])(
    'is the usual one with %j',
    options => {
      const error = refusal({ check: 'secret', outcome: 'fail' })
      expect(JSON.stringify(errorBody(options)(error))).toBe(JSON.stringify(error))
      expect(errorBody(options)(error)).toEqual(words)
    }
  )

  it('has the record, and the page of the check that failed', () => {
    const error = refusal({ check: 'client', outcome: 'pass' }, { check: 'audience', outcome: 'fail' })
    const body = errorBody({ developmentErrors: true })(error) as { error_uri: string }
    expect(body).toEqual({ ...words, error_uri: expect.any(String), decision: error.decision })
    expect(fileURLToPath(body.error_uri)).toMatch(/docs.errors.audience\.md$/)
    expect(existsSync(fileURLToPath(body.error_uri))).toBe(true)
  })

  it.each([
    ['https://wiki.example.com', 'https://wiki.example.com/secret.md'],
    ['https://wiki.example.com/a/b', 'https://wiki.example.com/a/b/secret.md'],
    ['https://wiki.example.com/a/b/', 'https://wiki.example.com/a/b/secret.md'],
    ['file:///docs', 'file:///docs/secret.md']
  ])('has pages at %s', (errorPages, error_uri) => {
    const error = refusal({ check: 'secret', outcome: 'fail' })
    expect(errorBody({ developmentErrors: true, errorPages })(error)).toMatchObject({ error_uri })
  })

  it.each(['x_api_key', '../../secret', 'toString', '__proto__'])(
    'has no page for a check of the application’s own: %s',
    check => {
      const error = refusal({ check, outcome: 'fail' })
      expect(errorBody({ developmentErrors: true })(error)).toEqual({ ...words, decision: error.decision })
    }
  )

  it('is the usual one for what no record is of', () => {
    for (const error of [
      new InvalidGrantError('the code has expired'),
      new InvalidClientError({ reason: 'of another strategy' })
    ])
      expect(errorBody({ developmentErrors: true })(error)).toEqual(error.toJSON())
  })

  it.each<[string, object]>([
    ['developmentErrors', { developmentErrors: 'yes' }],
    ['developmentErrors', { developmentErrors: 1 }],
    ['developmentErrors', { developmentErrors: null }],
    ['errorPages', { errorPages: '' }],
    ['errorPages', { errorPages: 'docs/errors' }],
    ['errorPages', { errorPages: 'javascript:alert(1)' }],
    ['errorPages', { errorPages: 'https://wiki.example.com/?page=' }],
    ['errorPages', { errorPages: 'https://wiki.example.com/#' + 'a' }],
    ['errorPages', { errorPages: 5, developmentErrors: true }]
  ])('%s may not be wrong: %j', (key, options) => {
    expect(() => errorBody(options)).toThrow(ConfigurationError)
    expect(() => errorBody(options)).toThrow(key)
  })
})

describe('in production', () => {
  const interaction: AuthorizationServerOptions['interaction'] = {
    account: () => undefined,
    consented: () => true,
    prompt: () => undefined
  }

  it('nothing can be made with it', async () => {
    const given = { issuer, clients: [], store: memoryStore(), keys: await specKeys(), developmentErrors: true }
    const makers = [
      () => authorizationServer({ ...given, interaction }),
      () => tokenRouter(given),
      () => oauthErrorHandler({ developmentErrors: true })
    ]
    for (const make of makers) expect(make).not.toThrow()
    process.env['NODE_ENV'] = 'production'
    for (const make of makers) {
      expect(make).toThrow(ConfigurationError)
      expect(make).toThrow(/developmentErrors/)
    }
    expect(() => authorizationServer({ ...given, interaction, developmentErrors: false })).not.toThrow()
  })
})

describe('a whole server', () => {
  it('answers with it at every endpoint where clients authenticate', async () => {
    const server = authorizationServer({
      issuer,
      clients: [{ client_id: 'web', client_secret: 'a secret of the web', redirect_uris: ['https://client.example.com/cb'] }],
      store: memoryStore(),
      keys: await specKeys(),
      interaction: { account: () => undefined, consented: () => true, prompt: () => undefined },
      developmentErrors: true,
      onError: () => undefined
    })
    const app = express().use(server)
    for (const path of ['token', 'par', 'introspect', 'revoke']) {
      const { status, body, headers } = await request(app)
        .post(`/oauth2/${path}`)
        .type('form')
        .auth('web', 'wrong')
        .send({ token: 'x' })
      expect([path, status]).toEqual([path, 401])
      expect(body).toMatchObject({
        ...words,
        error_uri: `${issuer}/errors/secret`,
        decision: { client_id: 'web', outcome: 'refused' }
      })
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'www-authenticate': expect.stringMatching(/^Basic/) })
    }
  })

  it('serves the pages it leads to, unless they are elsewhere', async () => {
    const given = {
      issuer: `${issuer}/acme`,
      clients: [],
      store: memoryStore(),
      keys: await specKeys(),
      onError: () => undefined
    }
    const app = express().use(authorizationServer({ ...given, developmentErrors: true }))
    const { text, type } = await request(app).get('/acme/errors/secret').expect(200)
    expect([type, text.split('\n')[0]]).toEqual(['text/plain', '# `secret`'])
    await request(app).post('/acme/errors/secret').expect(405)
    await request(app).get('/acme/errors/nothing').expect(404)
    const routed = express().use('/oauth2', tokenRouter({ ...given, developmentErrors: true }))
    for (const options of [{}, { developmentErrors: true, errorPages: 'https://wiki.example.com' }])
      await request(express().use(authorizationServer({ ...given, ...options })))
        .get('/acme/errors/secret')
        .expect(404)
    await request(routed).get('/oauth2/errors/secret').expect(200)
  })

  it('has the record of the attempt that used the attempts of a network up', async () => {
    const to = await endpoint({ developmentErrors: true, guessProtection: { attempts: 1 } })
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => to.post({ client_id: `c${index}`, client_secret: 'x' }))
    )
    const last = await to.post({ client_id: 'another', client_secret: 'x' })
    expect(answers.map(({ status }) => status)).toContain(401)
    expect(last.status).toBe(429)
    expect(last.body).toMatchObject({ error_uri: expect.stringMatching(/errors.client$/), decision: { client_id: 'another' } })
  })

  it('says nothing of it where it is not asked to', async () => {
    const to = await endpoint({ developmentErrors: false })
    const { text } = await refusals.secret(to)
    expect(text).toBe(JSON.stringify(words))
  })
})
