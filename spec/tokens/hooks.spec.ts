/** Claims of the application's own in tokens, and tokens of the server before this one. */
import { describe, expect, it, jest } from '@jest/globals'
import { decodeJwt } from 'jose'
import {
  InvalidGrantError,
  memoryStore,
  type AuthorizationServerOptions,
  type ClaimsContext,
  type ClaimsHook,
  type ForeignToken
} from '../../lib/index.ts'
import { reservedClaims } from '../../lib/tokens/hooks.ts'
import { api, atApi, codeForm, files, harness, redeemed, token } from '../support/servers/authorization-server.ts'

const introspected = async (app: Parameters<typeof atApi>[0], access_token: string) =>
  (await token(app, 'web', { token: access_token }, '/oauth2/introspect')).body as Record<string, unknown>

/** Asks for a token of a client that acts for itself, and tells how it went. */
async function asked(options: Partial<AuthorizationServerOptions>, resource = api) {
  const { app, errors } = await harness(options)
  const scope = resource === api ? 'api:read' : 'files:read'
  const { status, body } = await token(app, 'web', { grant_type: 'client_credentials', scope, resource })
  return {
    app,
    status,
    body: body as Record<string, string>,
    error: errors[0] as { reason?: string; cause?: unknown } | undefined
  }
}

describe('accessTokenClaims', () => {
  it('are in JWTs, in what introspection says of opaque tokens, and on req.accessToken', async () => {
    const accessTokenClaims = () => ({ tenant: 'acme', roles: ['reader'], left_out: undefined })
    const jwt = await asked({ accessTokenClaims })
    expect(decodeJwt(jwt.body['access_token'] ?? '')).toMatchObject({ tenant: 'acme', roles: ['reader'], client_id: 'web' })
    for (const { app, body } of [jwt, await asked({ accessTokenClaims }, files)]) {
      const access_token = body['access_token'] ?? ''
      expect((await atApi(app, access_token)).body).toMatchObject({ tenant: 'acme', roles: ['reader'], client_id: 'web' })
      expect(await introspected(app, access_token)).toMatchObject({ active: true, tenant: 'acme', roles: ['reader'] })
    }
  })

  it('are told of the person, the client, the grant, the resource and the scope', async () => {
    const contexts: ClaimsContext[] = []
    const { app, person } = await harness({ accessTokenClaims: context => void contexts.push(context) })
    person.account = { sub: 'alice', auth_time: 1_799_999_000, acr: 'high', sid: 'a session' }
    const { refresh_token } = await redeemed(app, 'web', { resource: api })
    await token(app, 'web', { grant_type: 'refresh_token', refresh_token, scope: 'api:read' })
    await token(app, 'web', { grant_type: 'client_credentials' })
    expect(contexts[0]).toMatchObject({
      account: { sub: 'alice', auth_time: 1_799_999_000, acr: 'high', sid: 'a session' },
      client: { client_id: 'web' },
      grant: { client_id: 'web', sub: 'alice', resources: [api] },
      grant_type: 'authorization_code',
      resource: api,
      scope: ['openid', 'offline_access', 'api:read']
    })
    expect(contexts[1]).toMatchObject({ account: { sub: 'alice' }, grant_type: 'refresh_token', scope: ['api:read'] })
    expect(contexts[2]).toMatchObject({ account: undefined, grant_type: 'client_credentials', resource: undefined })
  })

  it.each([...reservedClaims])('cannot set %s', async name => {
    const claims = JSON.parse(`{"tenant":"acme","${name}":"x"}`) as object
    const { status, body, error } = await asked({ accessTokenClaims: () => claims as never })
    expect([status, body]).toEqual([500, { error: 'server_error', error_description: 'the server met an error' }])
    expect(error?.reason).toBe(`accessTokenClaims must not set ${name}: that claim is the server's`)
  })

  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  it.each<[string, ClaimsHook, number, string]>([
    [
      'throws',
      () => {
        throw new Error('ECONNREFUSED')
      },
      503,
      'accessTokenClaims failed; see the cause'
    ],
    ['rejects', () => Promise.reject(new Error('ECONNREFUSED')), 503, 'accessTokenClaims failed; see the cause'],
    ['answers with text', (() => 'admin') as never, 500, 'accessTokenClaims must answer with an object of claims'],
    ['answers with a list', (() => ['admin']) as never, 500, 'accessTokenClaims must answer with an object of claims'],
    ['answers with a circle', () => cyclic, 500, 'accessTokenClaims must answer with what JSON can say; see the cause'],
    ['answers with a bigint', () => ({ n: 1n }), 500, 'accessTokenClaims must answer with what JSON can say; see the cause'],
    [
      'says too much',
      () => ({ roles: 'x'.repeat(5000) }),
      500,
      'accessTokenClaims must not answer with more than 4096 bytes of claims: they were 5012'
    ]
  ])('fail closed where the function %s', async (_what, accessTokenClaims, expected, reason) => {
    const { status, body, error } = await asked({ accessTokenClaims })
    expect([status, body['access_token'], error?.reason]).toEqual([expected, undefined, reason])
  })

  it('can refuse, in the words of OAuth', async () => {
    const accessTokenClaims = () => Promise.reject(new InvalidGrantError('this account is suspended'))
    const { status, body } = await asked({ accessTokenClaims })
    expect([status, body]).toEqual([400, { error: 'invalid_grant', error_description: 'this account is suspended' }])
  })

  it('are not waited for for ever, and use no refresh token up while they fail', async () => {
    let answers: 'none' | 'claims' = 'claims'
    const accessTokenClaims: ClaimsHook = () => (answers === 'claims' ? { tenant: 'acme' } : new Promise(() => undefined))
    const { app, errors } = await harness({ accessTokenClaims, refreshRetryWindow: 0 })
    const { refresh_token } = await redeemed(app)
    const form = { grant_type: 'refresh_token', refresh_token }
    answers = 'none'
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] })
    try {
      const response = token(app, 'web', form).then(({ status }) => status)
      while (jest.getTimerCount() === 0) await new Promise(resolve => setImmediate(resolve))
      let status: number | undefined
      void response.then(ended => (status = ended))
      while (status === undefined) {
        jest.advanceTimersByTime(5000)
        await new Promise(resolve => setImmediate(resolve))
      }
      expect([status, errors.at(-1)]).toEqual([
        503,
        expect.objectContaining({ reason: 'accessTokenClaims did not answer within 5000 ms' })
      ])
    } finally {
      jest.useRealTimers()
    }
    answers = 'claims'
    expect((await token(app, 'web', form)).status).toBe(200)
  })
})

describe('idTokenClaims as a function', () => {
  it('adds claims to ID Tokens alone, beside those that are always there', async () => {
    const idTokenClaims: ClaimsHook = ({ account, scope }) => ({
      'https://acme.example/plan': 'gold',
      of: account?.sub,
      given: scope.length
    })
    const { app } = await harness({ idTokenClaims })
    const { id_token, access_token } = await redeemed(app, 'web', { nonce: 'n' })
    expect(decodeJwt(id_token)).toMatchObject({
      sub: 'alice',
      aud: 'web',
      nonce: 'n',
      'https://acme.example/plan': 'gold',
      of: 'alice',
      given: 3
    })
    expect((await atApi(app, access_token)).body).not.toHaveProperty('of')
  })

  it('is not asked where there is no ID Token, and cannot set what is the server’s', async () => {
    const idTokenClaims = jest.fn<ClaimsHook>(() => ({ nonce: 'another' }))
    const { app, errors } = await harness({ idTokenClaims })
    await token(app, 'web', { grant_type: 'client_credentials' })
    expect(idTokenClaims).not.toHaveBeenCalled()
    expect((await token(app, 'web', await codeForm(app))).status).toBe(500)
    expect(errors.at(-1)).toMatchObject({ reason: "idTokenClaims must not set nonce: that claim is the server's" })
  })
})

describe('findToken', () => {
  const live: ForeignToken = { client_id: 'web', sub: 'alice', scope: ['api:read'], exp: 1_800_000_600, aud: api }
  const server = (found: unknown, more: Partial<AuthorizationServerOptions> = {}) =>
    harness({
      findToken: async presented => {
        if (found instanceof Error) throw found
        return presented === 'old-token' ? (found as ForeignToken) : undefined
      },
      ...more
    })

  it('finds tokens of the server before this one, for as long as they live', async () => {
    const { app, clock } = await server(live)
    expect((await atApi(app, 'old-token')).body).toMatchObject({ client_id: 'web', sub: 'alice', scope: ['api:read'], aud: api })
    expect(await introspected(app, 'old-token')).toMatchObject({ active: true, sub: 'alice', scope: 'api:read', exp: live.exp })
    expect((await atApi(app, 'another')).status).toBe(401)
    clock.now = live.exp * 1000
    expect((await atApi(app, 'old-token')).status).toBe(401)
  })

  it('knows those no more that their client has revoked', async () => {
    const { app } = await server(live)
    await token(app, 'other', { token: 'old-token' }, '/oauth2/revoke').expect(200)
    expect((await atApi(app, 'old-token')).status).toBe(200)
    await token(app, 'web', { token: 'old-token' }, '/oauth2/revoke').expect(200)
    expect((await atApi(app, 'old-token')).status).toBe(401)
  })

  it('gives no access for a client or a person that is gone', async () => {
    expect((await atApi((await server({ ...live, client_id: 'gone' })).app, 'old-token')).status).toBe(401)
    expect((await atApi((await server(live, { account: () => false })).app, 'old-token')).status).toBe(401)
  })

  it.each<[unknown, number]>([
    [{ ...live, scope: 'api:read' }, 500],
    [{ ...live, exp: '1800000600' }, 500],
    [{}, 500],
    ['alice', 500],
    [null, 401],
    [new Error('ECONNREFUSED'), 503]
  ])('gives none for %j', async (found, status) => {
    const { app, errors } = await server(found)
    expect([(await atApi(app, 'old-token')).status, errors.length]).toEqual([status, 1])
  })

  it('is not asked for a token of this server’s', async () => {
    const findToken = jest.fn(() => undefined)
    const { app } = await harness({ findToken, store: memoryStore({ clock: () => 1_800_000_000_000 }) })
    const { access_token } = await redeemed(app, 'web', { resource: files, scope: 'files:read' })
    expect((await atApi(app, access_token)).status).toBe(200)
    expect(findToken).not.toHaveBeenCalled()
  })
})
