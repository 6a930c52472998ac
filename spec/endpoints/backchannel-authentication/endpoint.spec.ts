import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { memoryStore, OAuthError, type BackchannelAuthentication } from '../../../lib/index.ts'
import { api, breakableStore, harness, redeemed, token } from '../../support/authorization-server.ts'
import {
  ask,
  asked,
  askers,
  backchannelServer,
  client_notification_token,
  good,
  grant_type,
  pinged
} from '../../support/backchannel.ts'
import { outcome } from '../../support/devices.ts'

const path = '/oauth2/bc-authorize'
const without = (...names: string[]) => Object.fromEntries(Object.entries(good).filter(([name]) => !names.includes(name)))

describe('the endpoint', () => {
  it('answers with an auth_req_id, and says for how long and how often to ask', async () => {
    const { app, hints } = await backchannelServer()
    const response = await ask(app)
    expect(response.status).toBe(200)
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' })
    expect(response.body).toEqual({ auth_req_id: expect.stringMatching(/^[\w-]{22}\.[\w-]{43}$/), expires_in: 120, interval: 5 })
    expect(hints).toEqual([{ login_hint: 'alice@example.com' }])
  })

  it('is in the metadata, with its alias and what it can do', async () => {
    const { app } = await backchannelServer({ checkUserCode: () => true }, { mtlsOrigin: 'https://mtls.example.com' })
    const { body } = await request(app).get('/.well-known/openid-configuration')
    expect(body).toMatchObject({
      backchannel_authentication_endpoint: `https://as.example.com${path}`,
      mtls_endpoint_aliases: { backchannel_authentication_endpoint: `https://mtls.example.com${path}` },
      grant_types_supported: expect.arrayContaining([grant_type]),
      backchannel_token_delivery_modes_supported: ['poll', 'ping', 'push'],
      backchannel_authentication_request_signing_alg_values_supported: expect.arrayContaining(['PS256', 'ES256']),
      backchannel_user_code_parameter_supported: true
    })
    const plain = await request((await backchannelServer()).app).get('/.well-known/openid-configuration')
    expect(plain.body).toMatchObject({ backchannel_user_code_parameter_supported: false })
  })

  it('is not there where nobody is asked', async () => {
    const { app } = await harness()
    expect((await request(app).post(path)).status).toBe(404)
    const { body } = await request(app).get('/.well-known/openid-configuration')
    expect(Object.keys(body as object).filter(name => name.startsWith('backchannel'))).toEqual([])
  })

  it.each([
    ['no client', {}, '401 invalid_client'],
    ['a confidential client that only names itself', { client_id: 'web' }, '401 invalid_client'],
    ['a wrong secret', { client_id: 'posting', client_secret: 'guess' }, '401 invalid_client'],
    ['a public client', { client_id: 'spa' }, '401 invalid_client']
  ])('refuses %s', async (_name, form, expected) => {
    const { app } = await backchannelServer()
    expect(
      outcome(
        await request(app)
          .post(path)
          .type('form')
          .send({ ...good, ...form })
      )
    ).toBe(expected)
  })

  it.each(['get', 'put', 'delete'] as const)('refuses %s', async method => {
    const { app } = await backchannelServer()
    const response = await request(app)[method](path)
    expect([response.status, response.headers['allow']]).toEqual([405, 'POST'])
  })

  it('answers 503 and asks nobody while the store does not answer', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const told: unknown[] = []
    const { app, server } = await backchannelServer({ notify: request => told.push(request) }, { store })
    for (const operation of ['set', 'add', 'get'] as const) {
      broken.set(operation, 'rejects')
      expect(outcome(await ask(app))).toBe('503 temporarily_unavailable')
      broken.clear()
    }
    expect(told).toEqual([])
    expect(await server.backchannel.pending({ sub: 'alice' })).toEqual([])
  })

  it('keeps neither the id nor the client’s token in the store', async () => {
    const written: string[] = []
    const behind = memoryStore()
    const store = new Proxy(behind, {
      get: (target, name: keyof typeof behind) => {
        return (...given: unknown[]): unknown => {
          written.push(JSON.stringify(given))
          return Reflect.apply(Reflect.get(target, name), target, given)
        }
      }
    })
    const { app } = await backchannelServer({}, { store, clients: askers(pinged()) })
    const { auth_req_id } = await asked(app, { ...good, client_notification_token }, 'pinged')
    expect(written.length).toBeGreaterThan(2)
    for (const secret of [auth_req_id, auth_req_id.split('.')[1], client_notification_token])
      expect(written.join('\n')).not.toContain(secret)
  })
})

describe('what a client asks', () => {
  it.each<[string, Record<string, string> | string, string]>([
    ['without scope', without('scope'), '400 invalid_request'],
    ['without openid', { ...good, scope: 'api:read' }, '400 invalid_scope'],
    ['for an unknown scope', { ...good, scope: 'openid nonsense' }, '400 invalid_scope'],
    ['for a malformed scope', { ...good, scope: 'openid  api:read' }, '400 invalid_scope'],
    ['for an unknown resource', { ...good, resource: 'https://elsewhere.example' }, '400 invalid_target'],
    ['with details nobody checks', { ...good, authorization_details: '[{"type":"p"}]' }, '400 invalid_authorization_details'],
    ['without a hint', without('login_hint'), '400 invalid_request'],
    ['with an empty hint', { ...good, login_hint: '' }, '400 invalid_request'],
    ['with two hints', { ...good, login_hint_token: 'token of alice' }, '400 invalid_request'],
    ['with three hints', { ...good, login_hint_token: 'token of alice', id_token_hint: 'x' }, '400 invalid_request'],
    ['for nobody', { ...good, login_hint: 'mallory@example.com' }, '400 unknown_user_id'],
    ['for nobody, by a token', { scope: 'openid', login_hint_token: 'token of mallory' }, '400 unknown_user_id'],
    ['with a long hint', { ...good, login_hint: 'x'.repeat(1025) }, '400 invalid_request'],
    ['with a long token', { scope: 'openid', login_hint_token: 'x'.repeat(16_385) }, '400 invalid_request'],
    ['with an ID Token that is none', { scope: 'openid', id_token_hint: 'a.b.c' }, '400 invalid_request'],
    ['with a long message', { ...good, binding_message: 'x'.repeat(129) }, '400 invalid_binding_message'],
    ['with a message that turns around', { ...good, binding_message: 'pay \u202Ebob' }, '400 invalid_binding_message'],
    ['with a message that hides', { ...good, binding_message: 'pay\u200B' }, '400 invalid_binding_message'],
    ['with a message of two lines', { ...good, binding_message: 'pay\nbob' }, '400 invalid_request'],
    ['for no time', { ...good, requested_expiry: '0' }, '400 invalid_request'],
    ['for less than no time', { ...good, requested_expiry: '-5' }, '400 invalid_request'],
    ['for half a second', { ...good, requested_expiry: '0.5' }, '400 invalid_request'],
    ['for some time', { ...good, requested_expiry: 'ten' }, '400 invalid_request'],
    ['for ever', { ...good, requested_expiry: '9'.repeat(400) }, '400 invalid_request'],
    ['with a request that is none', { request: 'x' }, '400 invalid_request'],
    ['twice', 'scope=openid&scope=openid&login_hint=alice', '400 invalid_request'],
    ['at 100 kB', { ...good, login_hint: 'x'.repeat(100_000) }, '413 invalid_request']
  ])('%s is refused', async (_name, form, expected) => {
    const { app, server } = await backchannelServer()
    expect(outcome(await ask(app, form))).toBe(expected)
    expect(await server.backchannel.pending({ sub: 'alice' })).toEqual([])
  })

  it('is refused to a client without the grant', async () => {
    const { app } = await backchannelServer()
    expect(outcome(await ask(app, good, 'codes-only'))).toBe('400 unauthorized_client')
  })

  it('may be for whom a token or an ID Token means', async () => {
    const { app, hints } = await backchannelServer()
    await asked(app, { scope: 'openid', login_hint_token: 'token of bob' })
    const { id_token } = await redeemed(app, 'web')
    await asked(app, { scope: 'openid', id_token_hint: id_token })
    expect(hints).toEqual([{ login_hint_token: 'token of bob' }, { sub: 'alice' }])
  })

  it('may not be for whom another client’s ID Token means, nor for whom this one’s no longer means', async () => {
    const { app } = await backchannelServer({ identify: () => undefined })
    const { id_token } = await redeemed(app, 'other')
    expect(outcome(await ask(app, { scope: 'openid', id_token_hint: id_token }))).toBe('400 invalid_request')
    const own = await redeemed(app, 'web')
    expect(outcome(await ask(app, { scope: 'openid', id_token_hint: own.id_token }))).toBe('400 unknown_user_id')
  })

  it.each([
    ['1', 1],
    ['60', 60],
    ['120', 120],
    ['121', 120],
    ['999999999999', 120]
  ])('may expire after %s seconds, or sooner: %i', async (requested_expiry, expires_in) => {
    const { app, server, clock } = await backchannelServer()
    expect(await asked(app, { ...good, requested_expiry })).toMatchObject({ expires_in })
    clock.now += expires_in * 1000 - 1
    expect(await server.backchannel.pending({ sub: 'alice' })).toHaveLength(1)
    clock.now += 1
    expect(await server.backchannel.pending({ sub: 'alice' })).toEqual([])
  })

  it('is shown to its person as it was asked', async () => {
    const { app, server, clock } = await backchannelServer({}, { authorizationDetails: { payment: () => true } })
    const form = {
      ...good,
      resource: api,
      authorization_details: '[{"type":"payment","amount":7}]',
      acr_values: 'urn:acr:2 urn:acr:1',
      binding_message: 'Pay 7 € to Bob — 日本 👍'
    }
    await asked(app, form)
    expect(await server.backchannel.pending({ sub: 'alice' })).toEqual([
      {
        id: expect.stringMatching(/^[\w-]{22}\.[\w-]{43}$/),
        client: expect.objectContaining({ client_id: 'web' }),
        scope: ['openid', 'api:read'],
        resources: [api],
        authorization_details: [{ type: 'payment', amount: 7 }],
        acr_values: ['urn:acr:2', 'urn:acr:1'],
        binding_message: 'Pay 7 € to Bob — 日本 👍',
        requested_at: clock.now / 1000,
        expires_at: clock.now / 1000 + 120
      }
    ])
  })

  it.each([
    ['missing', undefined, '400 invalid_request'],
    ['empty', '', '400 invalid_request'],
    ['not a bearer token', 'a b', '400 invalid_request'],
    ['two lines', 'a\nb', '400 invalid_request'],
    ['not ASCII', 'ü', '400 invalid_request'],
    ['long', 'x'.repeat(1025), '400 invalid_request'],
    ['a bearer token', 'AZaz09-._~+/==', '200'],
    ['a long one', 'x'.repeat(1024), '200']
  ])('is answered by calling back with a token, which may be %s', async (_name, client_notification_token, expected) => {
    const { app } = await backchannelServer({}, { clients: askers(pinged(), pinged(undefined, 'push')) })
    const form = { ...good, ...(client_notification_token !== undefined && { client_notification_token }) }
    for (const client_id of ['pinged', 'pushed']) expect(outcome(await ask(app, form, client_id))).toBe(expected)
    // a client that polls sends it for nothing
    if (expected === '200') expect(outcome(await ask(app, form))).toBe('200')
  })

  it('has no interval for a client that is pushed to', async () => {
    const { app } = await backchannelServer({ interval: 2 }, { clients: askers(pinged(), pinged(undefined, 'push')) })
    const form = { ...good, client_notification_token }
    expect(Object.keys(await asked(app, form, 'pushed')).sort()).toEqual(['auth_req_id', 'expires_in'])
    expect(await asked(app, form, 'pinged')).toMatchObject({ interval: 2 })
  })

  it('is refused where its client’s way of learning of the outcome is not offered', async () => {
    const registered = new Map(askers(pinged()).map(client => [client.client_id, client]))
    const { app } = await backchannelServer({ deliveryModes: ['poll'] }, { clients: id => registered.get(id) })
    expect(outcome(await ask(app, { ...good, client_notification_token }, 'pinged'))).toBe('400 unauthorized_client')
  })
})

describe('the application', () => {
  it('tells the person, after the client has its answer', async () => {
    const told: [BackchannelAuthentication, string][] = []
    const { app, server } = await backchannelServer({ notify: (request, sub) => told.push([request, sub]) })
    await asked(app)
    const [waiting] = await server.backchannel.pending({ sub: 'alice' })
    expect(told).toEqual([[waiting, 'alice']])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no push today')
      }
    ],
    ['rejects', () => Promise.reject(new Error('no push today'))]
  ])('whose message to the person %s has its error reported, and the client its answer', async (_name, notify) => {
    const { app, errors } = await backchannelServer({ notify })
    expect(outcome(await ask(app))).toBe('200')
    expect(errors).toEqual([expect.objectContaining({ message: 'no push today' })])
  })

  it('may say that a hint has expired', async () => {
    const { app } = await backchannelServer({
      identify: () => {
        throw new OAuthError('expired_login_hint_token', 400, 'this login_hint_token has expired')
      }
    })
    expect(outcome(await ask(app, { scope: 'openid', login_hint_token: 'old' }))).toBe('400 expired_login_hint_token')
  })

  it.each([
    ['null', () => null, '400 unknown_user_id'],
    ['an empty sub', () => '', '500 server_error'],
    ['no sub', () => ({ sub: 'alice' }), '500 server_error'],
    ['an error', () => Promise.reject(new Error('no database')), '500 server_error']
  ])('that answers %s asks nobody', async (_name, identify, expected) => {
    const { app } = await backchannelServer({ identify: identify as never })
    expect(outcome(await ask(app))).toBe(expected)
  })
})

describe('user codes', () => {
  const coded = { client_id: 'coded', backchannel_user_code_parameter: true }
  const pins = async (seen: unknown[] = []) =>
    backchannelServer(
      {
        checkUserCode(user_code, sub, { client_id }) {
          seen.push([user_code, sub, client_id])
          return user_code === '1234'
        }
      },
      { clients: askers(coded) }
    )

  it.each([
    ['none', {}, '400 missing_user_code'],
    ['a wrong one', { user_code: '4321' }, '400 invalid_user_code'],
    ['the right one', { user_code: '1234' }, '200']
  ])('are asked of clients that registered for them: %s', async (_name, form, expected) => {
    const seen: unknown[] = []
    const { app } = await pins(seen)
    expect(outcome(await ask(app, { ...good, ...form }, 'coded'))).toBe(expected)
    expect(seen).toEqual([['user_code' in form ? form.user_code : undefined, 'alice', 'coded']])
  })

  it('are asked of no other client, and nowhere where they are not supported', async () => {
    expect(outcome(await ask((await pins()).app))).toBe('200')
    const { app } = await backchannelServer({}, { clients: askers(coded) })
    expect(outcome(await ask(app, good, 'coded'))).toBe('200')
  })

  it('need not be had by everybody: the application may let a missing one pass', async () => {
    const checkUserCode = (user_code: string | undefined) => user_code === undefined
    const { app } = await backchannelServer({ checkUserCode }, { clients: askers(coded) })
    expect(outcome(await ask(app, good, 'coded'))).toBe('200')
  })

  it('are only right when the check says true', async () => {
    const { app } = await backchannelServer({ checkUserCode: () => 'yes' as never }, { clients: askers(coded) })
    expect(outcome(await ask(app, { ...good, user_code: '1' }, 'coded'))).toBe('400 invalid_user_code')
  })

  it('can be wrong ten times in ten minutes, for each person; then the right one is too, and is not looked at', async () => {
    const seen: unknown[] = []
    const { app, clock } = await pins(seen)
    const attempt = (user_code: string, who = 'alice') => ask(app, { scope: 'openid', login_hint: who, user_code }, 'coded')
    for (let guess = 0; guess < 10; guess++) expect(outcome(await attempt(`9${guess}`))).toBe('400 invalid_user_code')
    expect(outcome(await attempt('1234'))).toBe('400 invalid_user_code')
    expect(seen).toHaveLength(10)
    expect(outcome(await attempt('1234', 'bob'))).toBe('200')
    clock.now += 600_000
    expect(outcome(await attempt('1234'))).toBe('200')
    for (let again = 0; again < 15; again++) expect(outcome(await attempt('1234'))).toBe('200')
  })
})

describe('an id_token_hint and a token endpoint', () => {
  it('do not take an auth_req_id for anything else', async () => {
    const { app } = await backchannelServer()
    const { auth_req_id } = await asked(app)
    for (const form of [
      { grant_type: 'authorization_code', code: auth_req_id, redirect_uri: 'https://client.example.com/cb' },
      { grant_type: 'refresh_token', refresh_token: auth_req_id }
    ]) {
      expect(outcome(await token(app, 'web', form))).toBe('400 invalid_grant')
    }
  })
})
