import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose'
import request from 'supertest'
import {
  api,
  authorize,
  clients,
  codeForm,
  issuer,
  redeemed,
  redirected,
  token,
  userinfo
} from '../support/servers/authorization-server.ts'
import { asking, resume, signIn, type Asking } from '../support/servers/asking-server.ts'

describe('id_token_hint', () => {
  const hintOf = async (app: Express, client_id?: string) => (await redeemed(app, client_id)).id_token

  it('of the person who is there goes through, expired or not', async () => {
    const h = await asking()
    const id_token_hint = await hintOf(h.app)
    h.clock.now += 7_200_000
    for (const prompt of [undefined, 'none'])
      expect(redirected(await authorize(h.app, { id_token_hint, prompt }))).toHaveProperty('code')
  })

  it('of somebody else asks for a sign-in, or says so under prompt=none; another person signing in is no answer', async () => {
    const h = await asking()
    const id_token_hint = await hintOf(h.app)
    signIn(h, 'bob')
    expect(redirected(await authorize(h.app, { id_token_hint, prompt: 'none' }))).toMatchObject({ error: 'login_required' })
    await authorize(h.app, { id_token_hint })
    expect(h.prompts.at(-1)?.name).toBe('login')
    expect(redirected(await resume(h.app, h.prompts.at(-1)?.id, signIn(h, 'carol')))).toMatchObject({ error: 'login_required' })
    await authorize(h.app, { id_token_hint })
    expect(redirected(await resume(h.app, h.prompts.at(-1)?.id, signIn(h, 'alice')))).toHaveProperty('code')
  })

  it('that is none of ours for this client is refused', async () => {
    const h = await asking()
    const own = await hintOf(h.app)
    const { response = '' } = redirected(await authorize(h.app, { response_mode: 'jwt' }))
    const foreign = await hintOf(h.app, 'other')
    const { access_token } = await redeemed(h.app, 'web', { resource: api })
    for (const id_token_hint of [
      'x',
      'a.b.c',
      `${own}x`,
      own.replace(/\.[^.]+\./, '.e30.'),
      response,
      foreign,
      access_token,
      'x'.repeat(9000)
    ])
      expect(redirected(await authorize(h.app, { id_token_hint, state: 's' }))).toMatchObject({
        error: 'invalid_request',
        state: 's'
      })
  })
})

describe('what the pages are told', () => {
  it('is what the client sent', async () => {
    const h = await asking()
    const sent = {
      login_hint: 'alice',
      ui_locales: 'se de',
      claims_locales: 'se',
      display: 'popup',
      acr_values: 'urn:one  urn:two'
    }
    await authorize(h.app, { ...sent, prompt: 'login' })
    expect(h.prompts[0]).toMatchObject({ ...sent, acr_values: ['urn:one', 'urn:two'], claims: [], authorization_details: [] })
    await authorize(h.app, { prompt: 'login', display: 'hologram' })
    expect(h.prompts[1]?.display).toBeUndefined()
  })

  it('has the acr values its client registered, where the request asks for none', async () => {
    const h = await asking({ clients: clients.map(client => ({ ...client, default_acr_values: ['urn:usual', 'urn:other'] })) })
    const claims = (acr: object) => JSON.stringify({ id_token: { acr } })
    for (const [change, expected] of [
      [{}, ['urn:usual', 'urn:other']],
      [{ claims: claims({ essential: true }) }, ['urn:usual', 'urn:other']],
      [{ acr_values: 'urn:one' }, ['urn:one']],
      [{ claims: claims({ values: ['urn:two'] }) }, ['urn:two']],
      [{ claims: claims({ values: ['urn:two'], essential: true }) }, ['urn:two']]
    ] as const) {
      await authorize(h.app, { ...change, prompt: 'login' })
      expect(h.prompts.at(-1)?.acr_values).toEqual(expected)
    }
  })

  it('of acr comes back in the ID Token; without one nothing fails', async () => {
    const acr = async (...given: Parameters<typeof asking>) =>
      decodeJwt((await redeemed((await asking(...given)).app, 'web', { acr_values: '1 2' })).id_token)['acr']
    expect(await acr({}, 'urn:pwd')).toBe('urn:pwd')
    expect(await acr()).toBeUndefined()
    const { app } = await asking({ acrValues: ['urn:pwd'] })
    expect((await request(app).get('/.well-known/openid-configuration')).body).toMatchObject({
      acr_values_supported: ['urn:pwd'],
      claims_parameter_supported: true
    })
  })
})

describe('the claims parameter', () => {
  const asked = {
    userinfo: { email: { essential: true }, phone_number: null, nickname: { essential: true }, secret_note: null },
    id_token: { name: null, sub: null, nobody_knows: { essential: true } }
  }
  const scope = 'openid'

  async function agreed(h: Asking, change: Readonly<Record<string, string>>) {
    const form = await codeForm(h.app, change).catch(() => undefined)
    expect(form).toBeUndefined()
    const { code = '' } = redirected(await resume(h.app, h.prompts.at(-1)?.id, { consent: true }))
    const { code_verifier, redirect_uri } = {
      code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      redirect_uri: 'https://client.example.com/cb'
    }
    return (await token(h.app, 'web', { grant_type: 'authorization_code', code, code_verifier, redirect_uri })).body as Record<
      string,
      string
    >
  }

  it.each(['opaque', 'JWT'])('gives what was agreed to, where it was asked for (%s)', async format => {
    const h = await asking(format === 'JWT' ? { defaultResource: 'inferred' } : {})
    const claims = JSON.stringify(asked)
    const tokens = await agreed(h, { scope: 'openid offline_access api:read', claims })
    expect(tokens['access_token']?.startsWith('eyJ')).toBe(format === 'JWT')
    expect([...(h.prompts[0]?.claims ?? [])].sort()).toEqual(['email', 'name', 'nickname', 'phone_number'])
    expect(decodeJwt(tokens['id_token'] ?? '')).toMatchObject({ name: 'Alice', sub: 'alice' })
    expect(decodeJwt(tokens['id_token'] ?? '')).not.toHaveProperty('email')
    const expected = { sub: 'alice', email: 'alice@example.com', phone_number: '+49 30 1' }
    expect((await userinfo(h.app, tokens['access_token'] ?? '')).body).toEqual(expected)
    const { body } = await token(h.app, 'web', { grant_type: 'refresh_token', refresh_token: tokens['refresh_token'] ?? '' })
    const refreshed = body as Record<string, string>
    expect(decodeJwt(refreshed['id_token'] ?? '')).toMatchObject({ name: 'Alice' })
    expect((await userinfo(h.app, refreshed['access_token'] ?? '')).body).toEqual(expected)
  })

  it('is agreed to each time beyond the scope, and not within it', async () => {
    const h = await asking()
    const claims = JSON.stringify({ userinfo: { email: null } })
    expect(redirected(await authorize(h.app, { claims, scope, prompt: 'none' }))).toMatchObject({ error: 'consent_required' })
    expect(redirected(await authorize(h.app, { claims, scope: 'openid email', prompt: 'none' }))).toHaveProperty('code')
  })

  it('is no way around what the client may ask for', async () => {
    const h = await asking({ clients: clients.map(client => ({ ...client, scope: 'openid' })) })
    const claims = JSON.stringify({ userinfo: { email: null, name: null }, id_token: { email: null } })
    const { access_token, id_token } = await redeemed(h.app, 'web', { claims, scope })
    expect((await userinfo(h.app, access_token)).body).toEqual({ sub: 'alice' })
    expect(decodeJwt(id_token)).not.toHaveProperty('email')
  })

  it.each([
    '{',
    '[]',
    'null',
    '"x"',
    '{"userinfo":[]}',
    '{"id_token":1}',
    '{"userinfo":null}',
    '{"userinfo":{"name":true}}',
    `{"userinfo":{"x":"${'x'.repeat(8200)}"}}`,
    '{"id_token":{"sub":{"values":["a","b"]}}}'
  ])('that is malformed is refused: %.40s', async claims => {
    const { app } = await asking()
    expect(redirected(await authorize(app, { claims, state: 's' }))).toMatchObject({ error: 'invalid_request', state: 's' })
  })

  it('can name the person, and a kind of sign-in that is essential', async () => {
    const h = await asking()
    const claims = (id_token: object) => JSON.stringify({ id_token })
    expect(redirected(await authorize(h.app, { claims: claims({ sub: { value: 'alice' } }), prompt: 'none' }))).toHaveProperty(
      'code'
    )
    expect(redirected(await authorize(h.app, { claims: claims({ sub: { value: 'bob' } }), prompt: 'none' }))).toMatchObject({
      error: 'login_required'
    })
    const acr = claims({ acr: { essential: true, values: ['urn:mfa'] } })
    expect(redirected(await authorize(h.app, { claims: acr, prompt: 'none' }))).toMatchObject({ error: 'login_required' })
    await authorize(h.app, { claims: acr })
    expect(h.prompts.at(-1)).toMatchObject({ name: 'login', acr_values: ['urn:mfa'] })
    expect(redirected(await resume(h.app, h.prompts.at(-1)?.id, signIn(h, 'alice', 'urn:pwd')))).toMatchObject({
      error: 'unmet_authentication_requirements'
    })
    await authorize(h.app, { claims: acr })
    expect(redirected(await resume(h.app, h.prompts.at(-1)?.id, signIn(h, 'alice', 'urn:mfa')))).toHaveProperty('code')
  })
})

describe('userinfo', () => {
  it('takes the token in a form, once', async () => {
    const { app } = await asking()
    const { access_token } = await redeemed(app)
    const post = () => request(app).post('/oauth2/userinfo').type('form')
    expect((await post().send({ access_token })).body).toEqual({ sub: 'alice' })
    expect((await post().send({ access_token }).set('Authorization', `Bearer ${access_token}`)).status).toBe(400)
    expect((await post().send({ access_token: 'x' })).status).toBe(401)
    expect((await request(app).get(`/oauth2/userinfo?access_token=${access_token}`)).status).toBe(401)
  })

  it('is signed for clients that registered it', async () => {
    const { app, clock } = await asking({
      clients: clients.map(client => ({ ...client, userinfo_signed_response_alg: 'ES256' }))
    })
    const response = await userinfo(app, (await redeemed(app, 'web', { scope: 'openid email' })).access_token).responseType(
      'blob'
    )
    expect([response.status, response.type]).toEqual([200, 'application/jwt'])
    const jwks = (await request(app).get('/oauth2/jwks')).body as JSONWebKeySet
    const text = (response.body as Buffer).toString()
    const { payload } = await jwtVerify(text, createLocalJWKSet(jwks), {
      issuer,
      audience: 'web',
      currentDate: new Date(clock.now)
    })
    expect(payload).toMatchObject({ sub: 'alice', email: 'alice@example.com' })
  })
})

describe('options', () => {
  it.each<[string, object]>([
    ['acrValues', { acrValues: 'urn:pwd' }],
    ['acrValues', { acrValues: ['two words'] }],
    ['authorizationDetails', { authorizationDetails: 'payment' }],
    ['authorizationDetails.payment', { authorizationDetails: { payment: true } }],
    ['requirePushedAuthorizationRequests', { requirePushedAuthorizationRequests: 'true' }],
    ['requireSignedRequestObject', { requireSignedRequestObject: 1 }],
    [
      'clients[0].require_pushed_authorization_requests',
      { clients: [{ ...clients[0], require_pushed_authorization_requests: 'false' }] }
    ]
  ])('a wrong %s is refused by name: %j', async (key, options) => {
    await expect(asking(options)).rejects.toMatchObject({ name: 'ConfigurationError', key })
  })
})
