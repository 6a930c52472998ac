import { describe, expect, it } from '@jest/globals'
import { api, files, redeemed } from '../../support/servers/authorization-server.ts'
import {
  ask,
  asked,
  askers,
  backchannelServer,
  client_notification_token,
  good,
  pinged
} from '../../support/servers/backchannel.ts'
import { outcome } from '../../support/servers/devices.ts'

const without = (...names: string[]) => Object.fromEntries(Object.entries(good).filter(([name]) => !names.includes(name)))

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
    ['with a long hint', { ...good, login_hint: 'x'.repeat(2001) }, '400 invalid_request'],
    ['with long acr_values', { ...good, acr_values: 'x'.repeat(2001) }, '400 invalid_request'],
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

  it('may be for several resources, each of which there is', async () => {
    const { app, server } = await backchannelServer()
    const several = `${new URLSearchParams(good).toString()}&resource=${api}&resource=${files}&resource=${api}`
    expect(outcome(await ask(app, `${several}&resource=https://nobody.example`))).toBe('400 invalid_target')
    expect(outcome(await ask(app, several))).toBe('200')
    expect(await server.backchannel.pending({ sub: 'alice' })).toMatchObject([{ resources: [api, files] }])
  })

  it('is kept up to 8 kB', async () => {
    const { app } = await backchannelServer({}, { authorizationDetails: { note: () => true } })
    const details = (text: string) => ({ ...good, authorization_details: JSON.stringify([{ type: 'note', text }]) })
    expect(outcome(await ask(app, details('x'.repeat(7_500))))).toBe('200')
    expect(outcome(await ask(app, details('ü'.repeat(4_100))))).toBe('400 invalid_request')
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
