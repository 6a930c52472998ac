import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { tokenExchange, type ExchangeVerdict, type TokenExchangeOptions } from '../../lib/index.ts'
import { assertionHarness, exchange, knownHere, lastReason, tokensOf, tokenType } from '../support/servers/assertion-grants.ts'
import { alice, api, files, redeemed, token, userinfo, type Form } from '../support/servers/authorization-server.ts'

const notAllowed = { status: 400, body: { error: 'invalid_request', error_description: 'this exchange is not allowed' } }

describe('token exchange', () => {
  it("gives a token for less than another client's token, and says what it is", async () => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web')
    const response = await exchange(made, access_token, { resource: api, scope: 'api:read' })
    expect([response.status, response.body]).toEqual([
      200,
      {
        access_token: expect.any(String),
        issued_token_type: tokenType('access_token'),
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'api:read'
      }
    ])
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
    const claims = decodeJwt(tokensOf(response).access_token)
    expect(claims).toMatchObject({ sub: alice.sub, client_id: 'gateway', aud: api, scope: 'api:read', auth_time: 1_799_999_900 })
    expect(claims).not.toHaveProperty('act')
    expect(await made.server.verifyAccessToken(tokensOf(response).access_token)).toBeDefined()
  })

  it.each([
    ['a JWT', api, 'api:read'],
    ['an opaque token', files, 'files:read']
  ])('takes %s', async (_, resource, scope) => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web', { resource, scope: 'openid api:read files:read' })
    const response = await exchange(made, access_token)
    expect(tokensOf(response)).toMatchObject({ scope: expect.stringContaining(scope) })
    expect(await made.server.verifyAccessToken(tokensOf(response).access_token)).toMatchObject({ sub: alice.sub, aud: resource })
  })

  it("takes a client's own token, and one a client has for itself", async () => {
    const made = await assertionHarness()
    const own = tokensOf(await token(made.app, 'gateway', { grant_type: 'client_credentials', scope: 'api:read api:write' }))
    const response = await exchange(made, own.access_token, { scope: 'api:read' })
    const exchanged = await made.server.verifyAccessToken(tokensOf(response).access_token)
    expect(exchanged).toMatchObject({ sub: 'gateway', client_id: 'gateway', scope: ['api:read'] })
    expect(exchanged?.grant).toMatch(/^~[\w-]{22}$/)
    expect(await made.server.grants('gateway')).toEqual([])
  })

  it('never gives a refresh token or an ID Token, whatever the scope', async () => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web')
    const { body } = await exchange(made, access_token)
    expect(Object.keys(body as object).sort()).toEqual(['access_token', 'expires_in', 'issued_token_type', 'scope', 'token_type'])
    expect(tokensOf({ body }).scope).toBe('openid api:read')
    expect((await userinfo(made.app, tokensOf({ body }).access_token)).body).toMatchObject({ sub: alice.sub })
  })

  it('is for clients registered for it, and confidential', async () => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web')
    for (const client_id of ['web', 'spa'])
      expect(await exchange(made, access_token, {}, client_id)).toMatchObject({
        status: 400,
        body: { error: 'unauthorized_client' }
      })
  })

  it.each([
    ['subject_token', { subject_token: '' }, 'subject_token is missing'],
    ['subject_token_type', { subject_token_type: '' }, 'subject_token_type is missing'],
    ['the type of a SAML assertion', { subject_token_type: tokenType('saml2') }, 'this subject_token_type is not accepted'],
    ['a type in another case', { subject_token_type: tokenType('ACCESS_TOKEN') }, 'this subject_token_type is not accepted'],
    ['the last part of a type', { subject_token_type: 'access_token' }, 'this subject_token_type is not accepted'],
    [
      'a prototype member as type',
      { subject_token_type: `${tokenType('')}__proto__` },
      'this subject_token_type is not accepted'
    ],
    ['an ID Token requested', { requested_token_type: tokenType('id_token') }, 'this requested_token_type is not issued here'],
    [
      'a refresh token requested',
      { requested_token_type: tokenType('refresh_token') },
      'this requested_token_type is not issued here'
    ],
    ['an ID-JAG requested', { requested_token_type: tokenType('id-jag') }, 'this requested_token_type is not issued here'],
    ['nonsense requested', { requested_token_type: 'jwt' }, 'this requested_token_type is not issued here'],
    ['an actor without a type', { actor_token: 'x' }, 'actor_token and actor_token_type are sent together'],
    ['a type without an actor', { actor_token_type: tokenType('jwt') }, 'actor_token and actor_token_type are sent together'],
    [
      'a refresh token as actor',
      { actor_token: 'x', actor_token_type: tokenType('refresh_token') },
      'this actor_token_type is not accepted'
    ]
  ])('refuses a request with %s wrong', async (_, form, error_description) => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web')
    expect(await exchange(made, access_token, form)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', error_description }
    })
    expect(made.asked).toEqual([])
  })
})

describe('scope', () => {
  it.each<[string, string, string | undefined, string, string | undefined]>([
    ['what the subject token has and the client may have', 'openid api:read files:read', undefined, 'reader', 'api:read'],
    [
      'all of the subject token, for a client that registered none',
      'api:read files:read',
      undefined,
      'unscoped',
      'api:read files:read'
    ],
    ['what is asked for of that', 'api:read api:write', 'api:write', 'gateway', 'api:write'],
    ['nothing, where both have nothing in common', 'files:read', undefined, 'reader', undefined]
  ])('is %s', async (_, has, scope, client_id, expected) => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web', { scope: has })
    const response = await exchange(made, access_token, scope === undefined ? {} : { scope }, client_id)
    expect([response.status, tokensOf(response).scope]).toEqual([200, expected])
    expect(made.asked.at(-1)?.scope).toEqual(expected?.split(' ') ?? [])
  })

  it.each([
    ['the subject token', 'api:read', 'api:read api:write', 'gateway'],
    ['the subject token, which has none', 'openid', 'api:read', 'gateway'],
    ['the client', 'api:read api:write', 'api:write', 'reader'],
    ['the server', 'api:read', 'api:admin', 'unscoped'],
    ['the syntax', 'api:read', 'api:read  api:read', 'gateway']
  ])('beyond %s is invalid_scope', async (_, has, scope, client_id) => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web', { scope: has })
    expect(await exchange(made, access_token, { scope }, client_id)).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' }
    })
    expect(made.asked).toEqual([])
  })

  it('does not come back in a second exchange', async () => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web', { scope: 'openid api:read api:write' })
    const narrow = tokensOf(await exchange(made, access_token, { scope: 'api:read' })).access_token
    expect(await exchange(made, narrow, { scope: 'api:read api:write' })).toMatchObject({ body: { error: 'invalid_scope' } })
    expect(tokensOf(await exchange(made, narrow)).scope).toBe('api:read')
  })
})

describe('the target', () => {
  const both = { scope: 'api:read files:read' }

  it.each<[string, Form, string]>([
    ['resource', { resource: files }, files],
    ['audience', { audience: files }, files],
    ['both, alike', { resource: files, audience: files }, files],
    ['neither: that of the subject token', {}, api]
  ])('is named by %s', async (_, form, aud) => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web', { ...both, ...(aud === api && { resource: api }) })
    const exchanged = tokensOf(await exchange(made, access_token, form))
    expect(await made.server.verifyAccessToken(exchanged.access_token)).toMatchObject({ aud })
    expect(made.asked[0]).toMatchObject({ resource: aud, audience: form['audience'] })
    expect(exchanged.scope).toBe(aud === api ? 'api:read' : 'files:read')
  })

  it.each<[string, Form]>([
    ['an unknown resource', { resource: 'https://evil.example' }],
    ['a resource with a slash', { resource: `${api}/` }],
    ['an unknown audience', { audience: 'billing' }],
    ['a client as audience', { audience: 'web' }],
    ['two targets', { resource: api, audience: files }],
    ['one known, one not', { resource: api, audience: 'https://evil.example' }],
    ['a prototype member', { audience: '__proto__' }]
  ])('is invalid_target: %s', async (_, form) => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web', both)
    expect(await exchange(made, access_token, form)).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
    expect(made.asked).toEqual([])
  })

  it('decides whether a JWT can be had', async () => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web', both)
    const requested_token_type = tokenType('jwt')
    const response = await exchange(made, access_token, { requested_token_type, resource: api })
    expect(response.body).toMatchObject({ issued_token_type: requested_token_type, token_type: 'Bearer' })
    expect(decodeJwt(tokensOf(response).access_token)).toMatchObject({ aud: api })
    for (const form of [{ requested_token_type, resource: files }, { requested_token_type }])
      expect(await exchange(made, access_token, form)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })
})

describe('the policy', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['true', true],
    ['a word', 'impersonation'],
    ['an empty object', {}],
    ['no', { allow: false }],
    ['true in an object', { allow: true }],
    ['a word it does not know', { allow: 'yes' }],
    ['a list', [{ allow: 'impersonation' }]]
  ])('that says %s refuses', async (_, verdict) => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web')
    made.verdict.now = verdict as ExchangeVerdict
    expect(await exchange(made, access_token)).toMatchObject(notAllowed)
    expect(lastReason(made)).toBe('policy: not allowed')
  })

  it('tells the operator why, and nobody else', async () => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web')
    made.verdict.now = { allow: false, reason: 'the gateway is closed on Sundays' }
    const response = await exchange(made, access_token)
    expect([response.status, response.text.includes('Sundays')]).toEqual([400, false])
    expect(lastReason(made)).toBe('policy: the gateway is closed on Sundays')
  })

  it('may take its time, and a fault in it is ours', async () => {
    const policy = () => Promise.reject(new Error('opa://10.0.0.7 hunter2'))
    const made = await assertionHarness({ exchange: { policy } })
    const { access_token } = await redeemed(made.app, 'web')
    const response = await exchange(made, access_token)
    expect([response.status, response.text.includes('hunter2')]).toEqual([500, false])
    const slow = await assertionHarness({ exchange: { policy: () => Promise.resolve({ allow: 'impersonation' }) } })
    expect((await exchange(slow, (await redeemed(slow.app, 'web')).access_token)).status).toBe(200)
  })

  it('knows everything about the exchange', async () => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web', { resource: api, scope: 'openid api:read' })
    await exchange(made, access_token, { audience: api })
    expect(made.asked).toEqual([
      {
        sub: alice.sub,
        subject: expect.objectContaining({
          type: 'access_token',
          iss: 'https://as.example.com',
          client_id: 'web',
          resources: [api]
        }),
        actor: undefined,
        client: expect.objectContaining({ client_id: 'gateway' }),
        scope: ['openid', 'api:read'],
        resource: api,
        audience: api
      }
    ])
  })
})

describe('options', () => {
  const policy = () => undefined
  it.each<[string, unknown]>([
    ['policy', {}],
    ['policy', { policy: 'no' }],
    ['subject', { policy, trustedIssuers: [{ issuer: 'i', jwks: { keys: [] } }] }],
    ['subject', { policy, subject: 'sub' }],
    ['trustedIssuers', { policy, trustedIssuers: 'https://idp.example' }],
    ['trustedIssuers[0].issuer', { policy, trustedIssuers: [{}], subject: knownHere }],
    ['fetchJson', { policy, fetchJson: 1 }],
    ['policies', { policy, policies: [] }]
  ])('name what is wrong: %s', (key, options) => {
    expect(() => tokenExchange(options as TokenExchangeOptions)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', key })
    )
  })
})
