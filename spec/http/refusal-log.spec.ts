/** Refusals on stderr: when, in which words, and how many. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import {
  authorizationServer,
  memoryStore,
  oauthErrorHandler,
  tokenRouter,
  type AuthorizationServerOptions
} from '../../lib/index.ts'
import { InvalidGrantError, InvalidScopeError, OAuthError } from '../../lib/errors.ts'
import { linesOf } from '../support/checks/stderr.ts'
import { basic, breakableStore, issuer, specKeys } from '../support/servers/authorization-server.ts'

const keys = await specKeys()
const development = { NODE_ENV: undefined, DEBUG: undefined }
const clients = [{ client_id: 'web', client_secret: 'secret of web', grant_types: ['client_credentials'] }]
const nothing = (): void => undefined

const serverWith = (options: Partial<AuthorizationServerOptions> = {}) =>
  authorizationServer({ issuer, clients, keys, store: memoryStore(), scopes: ['api:read'], ...options })
const wrong = (app: express.Express, secret = 'wrong') =>
  request(app)
    .post('/oauth2/token')
    .set('Authorization', basic('web', secret))
    .type('form')
    .send({ grant_type: 'client_credentials' })
const refusedBy = (env: object, options: Partial<AuthorizationServerOptions> = {}) =>
  linesOf({ ...development, ...env }, async () => wrong(express().use(serverWith(options))))

const line = new RegExp(
  `^clientele: 401 invalid_client, POST /oauth2/token, client "web": the check secret failed. The secret does not match .+ See ${issuer}/errors/secret \\(trace [0-9a-f]{32}\\)$`
)

describe('a refusal is one line on stderr', () => {
  it.each<[string, object, Partial<AuthorizationServerOptions>]>([
    ['in development, while nobody listens', {}, {}],
    ['in development by that name', { NODE_ENV: 'development' }, {}],
    [
      'where DEBUG asks for it, whoever listens',
      { NODE_ENV: 'production', DEBUG: 'express:*,clientele' },
      { onEvent: nothing, onError: nothing }
    ],
    ['where DEBUG asks for everything', { NODE_ENV: 'test', DEBUG: '*' }, {}]
  ])('%s', async (_when, env, options) => {
    expect(await refusedBy(env, options)).toEqual([expect.stringMatching(line)])
  })

  it.each<[string, object, Partial<AuthorizationServerOptions>]>([
    ['in production', { NODE_ENV: 'production' }, {}],
    ['in tests', { NODE_ENV: 'test' }, {}],
    ['where onDecision listens', {}, { onDecision: nothing }],
    ['where onEvent listens', {}, { onEvent: nothing }],
    ['where onError listens', {}, { onError: nothing }],
    ['where DEBUG asks for somebody else', { NODE_ENV: 'production', DEBUG: 'clientele-x,express' }, {}]
  ])('but not %s', async (_when, env, options) => {
    expect(await refusedBy(env, options)).toEqual([])
  })

  it('that says where pages are, where they are elsewhere', async () => {
    const [said] = await refusedBy({}, { errorPages: 'https://wiki.example.com' })
    expect(said).toContain('See https://wiki.example.com/secret.md (trace')
  })

  it('at the token router and behind oauthErrorHandler() too', async () => {
    const lines = await linesOf(development, async () => {
      await wrong(express().use('/oauth2', tokenRouter({ issuer, clients, keys, store: memoryStore(), scopes: [] })))
      const app = express().use((_req, _res, next) => next(new InvalidScopeError('no such scope', { reason: 'a\nreason' })))
      await request(app.use(oauthErrorHandler())).get('/path?secret=x')
    })
    expect(lines).toEqual([
      expect.stringContaining(`See ${issuer}/oauth2/errors/secret`),
      'clientele: 400 invalid_scope, GET /path: no such scope (a reason)'
    ])
  })

  it('at an API that tokens protect, and 500 is told with its cause', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const statuses: number[] = []
    const lines = await linesOf(development, async () => {
      const server = serverWith({ store })
      const app = express()
        .set('env', 'development')
        .use(server)
        .get('/api', server.requireAccessToken(), (_req, res) => void res.json({}))
      const ask = async (token: string) =>
        statuses.push((await request(app).get('/api').set('Authorization', `Bearer ${token}`)).status)
      await ask('unknown')
      broken.set('get', 'rejects')
      await ask('unknown')
    })
    expect(statuses).toEqual([401, 503])
    expect(lines[0]).toBe('clientele: 401 invalid_token, GET /api: the access token is not valid (unknown, expired or revoked)')
    expect(lines[1]).toContain('TemporarilyUnavailableError')
  })

  it('but not for what clients hear as a matter of course', async () => {
    const ordinary = ['authorization_pending', 'slow_down', 'use_dpop_nonce', 'login_required', 'access_denied']
    const lines = await linesOf(development, async () => {
      const app = express().use((req, _res, next) => next(new OAuthError(req.path.slice(1), 400, 'as ever')))
      app.use(oauthErrorHandler())
      for (const error of ordinary) await request(app).get(`/${error}`)
    })
    expect(lines).toEqual([])
  })

  it('for twenty of a flood, and then a number', async () => {
    const now = performance.now.bind(performance)
    let time = 1000
    try {
      performance.now = () => time
      const lines = await linesOf(development, async () => {
        const app = express().use((_req, _res, next) => next(new InvalidGrantError('again')))
        app.use(oauthErrorHandler())
        for (let count = 0; count < 50; count++) await request(app).get('/')
        time += 10_000
        await request(app).get('/')
      })
      expect(lines).toHaveLength(22)
      expect(lines[20]).toBe('clientele: 30 more refusals are not shown')
    } finally {
      performance.now = now
    }
  })
})
