import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { memoryStore } from '../../lib/index.ts'
import { api, breakableStore, files, listening, token, userinfo } from '../support/servers/authorization-server.ts'
import {
  account,
  begun,
  deviceServer,
  fiftyPolls,
  grant_type,
  outcome,
  poll,
  type DeviceCodes
} from '../support/servers/devices.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'

const approved = async (server: Awaited<ReturnType<typeof deviceServer>>, client_id = 'web', form?: Record<string, string>) => {
  const codes = await begun(server.app, client_id, form)
  if (!(await server.server.device.approve(codes.user_code, account))) throw new Error('was not approved')
  return codes
}

describe('a device that polls', () => {
  it('waits until its person has approved, and then gets their tokens', async () => {
    const { app, server, clock } = await deviceServer()
    const { device_code, user_code } = await begun(app, 'web', { scope: 'openid offline_access api:read' })
    expect(outcome(await poll(app, device_code))).toBe('400 authorization_pending')
    expect(await server.device.approve(user_code, account)).toBe(true)
    clock.now += 5000
    const response = await poll(app, device_code)
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store' })
    const tokens = response.body as Record<string, string>
    expect(tokens).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.any(String),
      id_token: expect.any(String),
      scope: 'openid offline_access api:read'
    })
    expect(decodeJwt(tokens['id_token'] ?? '')).toMatchObject({ ...account, aud: 'web', at_hash: expect.any(String) })
    expect((await userinfo(app, tokens['access_token'] ?? '')).body).toEqual({ sub: 'alice' })
    const refreshed = await token(app, 'web', { grant_type: 'refresh_token', refresh_token: tokens['refresh_token'] ?? '' })
    expect(outcome(refreshed)).toBe('200')
    expect(decodeJwt((refreshed.body as { id_token: string }).id_token)).toMatchObject(account)
  })

  it('gets no ID Token without openid, and no refresh token without offline_access', async () => {
    const server = await deviceServer()
    const { device_code } = await approved(server, 'web', { scope: 'api:read' })
    const { body } = await poll(server.app, device_code)
    expect(Object.keys(body as object).sort()).toEqual(['access_token', 'expires_in', 'scope', 'token_type'])
  })

  it('gets the resource and details it asked for', async () => {
    const server = await deviceServer({ authorizationDetails: { payment: () => true } })
    const form = { scope: 'api:read', resource: api, authorization_details: '[{"type":"payment","amount":7}]' }
    const { device_code } = await approved(server, 'web', form)
    const { body } = await poll(server.app, device_code)
    expect(body).toMatchObject({ authorization_details: [{ type: 'payment', amount: 7 }] })
    expect(decodeJwt((body as { access_token: string }).access_token)).toMatchObject({
      aud: api,
      sub: 'alice',
      scope: 'api:read',
      authorization_details: [{ type: 'payment', amount: 7 }]
    })
  })

  it('keeps its code when it names a resource it was not granted', async () => {
    const server = await deviceServer()
    const { device_code } = await approved(server, 'web', { scope: 'api:read', resource: api })
    for (const resource of [files, 'https://elsewhere.example'])
      expect(outcome(await poll(server.app, device_code, 'web', { resource }))).toBe('400 invalid_target')
    expect(outcome(await poll(server.app, device_code))).toBe('200')
  })

  it('gets tokens bound to the key it proves, a public client’s refresh token too', async () => {
    const server = await deviceServer()
    const { device_code } = await approved(server, 'spa', { scope: 'offline_access api:read' })
    const key = await makeDpopKey()
    const proof = () => prove(key, 'POST', 'https://as.example.com/oauth2/token', server.clock.now)
    const response = await poll(server.app, device_code, 'spa').set('DPoP', await proof())
    expect(response.body).toMatchObject({ token_type: 'DPoP' })
    const { refresh_token } = response.body as { refresh_token: string }
    const refresh = { grant_type: 'refresh_token', refresh_token }
    expect(outcome(await token(server.app, 'spa', refresh))).toBe('400 invalid_grant')
    expect(outcome(await token(server.app, 'spa', refresh).set('DPoP', await proof()))).toBe('200')
  })

  it('is told that its person refused, every time', async () => {
    const { app, server } = await deviceServer()
    const { device_code, user_code } = await begun(app)
    expect(await server.device.deny(user_code, account)).toBe(true)
    for (let again = 0; again < 3; again++) expect(outcome(await poll(app, device_code))).toBe('400 access_denied')
  })

  it('is told that its code has expired, approved or not, and later that there is no such code', async () => {
    const server = await deviceServer()
    const { app, clock } = server
    const codes = [await begun(app), await approved(server)]
    clock.now += 599_999
    expect(outcome(await poll(app, codes[0]?.device_code ?? ''))).toBe('400 authorization_pending')
    clock.now += 1
    for (const { device_code } of codes) expect(outcome(await poll(app, device_code))).toBe('400 expired_token')
    clock.now += 600_000
    for (const { device_code } of codes) expect(outcome(await poll(app, device_code))).toBe('400 invalid_grant')
  })

  it('gets tokens once; what it got stays good', async () => {
    const server = await deviceServer()
    const { device_code } = await approved(server)
    const { access_token } = (await poll(server.app, device_code)).body as { access_token: string }
    for (let again = 0; again < 3; again++) expect(outcome(await poll(server.app, device_code))).toBe('400 invalid_grant')
    expect((await userinfo(server.app, access_token)).status).toBe(200)
  })
})

describe('polling too often', () => {
  it('makes the interval five seconds longer each time, for all later polls', async () => {
    const { app, clock } = await deviceServer()
    const { device_code } = await begun(app)
    const at = async (seconds: number) => {
      clock.now = 1_800_000_000_000 + seconds * 1000
      return outcome(await poll(app, device_code))
    }
    expect(await at(0)).toBe('400 authorization_pending')
    expect(await at(5)).toBe('400 authorization_pending')
    expect(await at(9)).toBe('400 slow_down') // from now on 10
    expect(await at(18)).toBe('400 slow_down') // 15
    expect(await at(33)).toBe('400 authorization_pending')
    expect(await at(47)).toBe('400 slow_down') // 20
    expect(await at(67)).toBe('400 authorization_pending')
    expect(await at(86)).toBe('400 slow_down')
  })

  it('does not mind what a network does to a timer', async () => {
    const { app, clock } = await deviceServer()
    const { device_code } = await begun(app)
    await poll(app, device_code)
    clock.now += 4500
    expect(outcome(await poll(app, device_code))).toBe('400 authorization_pending')
    clock.now += 4499
    expect(outcome(await poll(app, device_code))).toBe('400 slow_down')
  })

  it('does not keep a decided request from its device: only one that is pending can be slowed down', async () => {
    const { app, server } = await deviceServer()
    const [yes, no] = [await begun(app), await begun(app)]
    for (const { device_code } of [yes, no]) {
      await poll(app, device_code)
      expect(outcome(await poll(app, device_code))).toBe('400 slow_down')
    }
    await server.device.approve(yes.user_code, account)
    await server.device.deny(no.user_code, account)
    expect(outcome(await poll(app, yes.device_code))).toBe('200')
    expect(outcome(await poll(app, no.device_code))).toBe('400 access_denied')
  })

  it('slows down one code, and no other', async () => {
    const { app } = await deviceServer()
    const [hasty, patient] = [await begun(app), await begun(app)]
    await poll(app, hasty.device_code)
    expect(outcome(await poll(app, hasty.device_code))).toBe('400 slow_down')
    expect(outcome(await poll(app, patient.device_code))).toBe('400 authorization_pending')
  })
})

describe('a device code', () => {
  it.each([
    ['is missing', {}, '400 invalid_request'],
    ['is empty', { device_code: '' }, '400 invalid_request'],
    ['was never issued', { device_code: `${'A'.repeat(22)}.${'B'.repeat(43)}` }, '400 invalid_grant'],
    ['is no code', { device_code: 'x' }, '400 invalid_grant'],
    ['is a dot', { device_code: '.' }, '400 invalid_grant'],
    ['is long', { device_code: `${'A'.repeat(40_000)}.B` }, '400 invalid_grant'],
    ['is not ASCII', { device_code: '💩.💩' }, '400 invalid_grant']
  ])('that %s is refused', async (_name, form, expected) => {
    const { app } = await deviceServer()
    expect(outcome(await token(app, 'web', { grant_type, ...form }))).toBe(expected)
  })

  it('is another’s: it buys nothing and loses nothing', async () => {
    const server = await deviceServer()
    const { device_code } = await approved(server, 'spa')
    for (const stranger of ['web', 'native'])
      expect(outcome(await poll(server.app, device_code, stranger))).toBe('400 invalid_grant')
    expect(outcome(await poll(server.app, device_code, 'spa'))).toBe('200')
  })

  it('is neither an authorization code nor a refresh token, nor the other way round', async () => {
    const server = await deviceServer()
    const { device_code } = await approved(server)
    for (const form of [
      { grant_type: 'authorization_code', code: device_code, redirect_uri: 'https://client.example.com/cb' },
      { grant_type: 'refresh_token', refresh_token: device_code }
    ]) {
      expect(outcome(await token(server.app, 'web', form))).toBe('400 invalid_grant')
    }
    expect(outcome(await poll(server.app, device_code))).toBe('200')
  })

  it('is polled by a confidential client that authenticates, and by none that may not use the grant', async () => {
    const server = await deviceServer()
    const { device_code } = await approved(server)
    const named = { grant_type, device_code, client_id: 'web' }
    const { app } = server
    expect(outcome(await token(app, 'codes-only', { grant_type, device_code }))).toBe('400 unauthorized_client')
    await listening(app, async address => {
      const response = await fetch(`${address}/oauth2/token`, { method: 'POST', body: new URLSearchParams(named) })
      expect(response.status).toBe(401)
    })
  })

  it('ends nothing and buys nothing while the store does not answer', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const server = await deviceServer({ store })
    const { device_code } = await approved(server)
    for (const operation of ['get', 'add', 'get', 'add'] as const) {
      broken.set(operation, 'rejects')
      expect(outcome(await poll(server.app, device_code))).toBe('503 temporarily_unavailable')
      broken.clear()
    }
    expect(outcome(await poll(server.app, device_code))).toBe('200')
  })
})

describe('fifty polls at once', () => {
  const fifty = (address: string, { device_code }: DeviceCodes) => fiftyPolls(address, { grant_type, device_code })

  it('of an approved code: one gets tokens, and they work', async () => {
    const server = await deviceServer()
    const codes = await approved(server)
    const answers = await listening(server.app, address => fifty(address, codes))
    const good = answers.filter(({ status }) => status === 200)
    expect(good).toHaveLength(1)
    expect(new Set(answers.map(outcome))).toEqual(new Set(['200', '400 invalid_grant']))
    expect((await userinfo(server.app, good[0]?.body.access_token ?? '')).status).toBe(200)
  })

  it('of a pending code: one is in time', async () => {
    const server = await deviceServer()
    const codes = await begun(server.app)
    for (let round = 0; round < 2; round++) {
      const answers = (await listening(server.app, address => fifty(address, codes))).map(outcome)
      expect(answers.filter(answer => answer === '400 authorization_pending')).toHaveLength(1)
      expect(answers.filter(answer => answer === '400 slow_down')).toHaveLength(49)
      server.clock.now += 300_000
    }
  })

  it('while the person approves: one gets tokens, none before', async () => {
    const server = await deviceServer()
    const codes = await begun(server.app)
    const answers = await listening(server.app, async address => {
      const [polls] = await Promise.all([fifty(address, codes), server.server.device.approve(codes.user_code, account)])
      return [...polls, ...(await fifty(address, codes))]
    })
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
})
