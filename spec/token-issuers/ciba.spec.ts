import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { memoryStore } from '../../lib/index.ts'
import { api, breakableStore, files, listening, token, userinfo } from '../support/servers/authorization-server.ts'
import {
  account,
  asked,
  askers,
  backchannelServer,
  client_notification_token,
  good,
  grant_type,
  page,
  pinged,
  poll,
  waiting,
  type Asking
} from '../support/servers/backchannel.ts'
import { fiftyPolls, outcome } from '../support/servers/devices.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'

async function approved(server: Asking, form = good, client_id = 'web'): Promise<string> {
  const { auth_req_id } = await asked(server.app, form, client_id)
  if (!(await server.server.backchannel.approve(page, await waiting(server), account))) throw new Error('was not approved')
  return auth_req_id
}

describe('a client that polls', () => {
  it('waits until its person has approved, and then gets their tokens', async () => {
    const server = await backchannelServer()
    const { app, clock } = server
    const { auth_req_id } = await asked(app, { ...good, scope: 'openid offline_access api:read' })
    expect(outcome(await poll(app, auth_req_id))).toBe('400 authorization_pending')
    expect(await server.server.backchannel.approve(page, await waiting(server), account)).toBe(true)
    clock.now += 5000
    const response = await poll(app, auth_req_id)
    const tokens = response.body as Record<string, string>
    expect(tokens).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.any(String),
      id_token: expect.any(String),
      scope: 'openid offline_access api:read'
    })
    const claims = decodeJwt(tokens['id_token'] ?? '')
    expect(claims).toMatchObject({ ...account, aud: 'web', at_hash: expect.any(String) })
    // what binds an ID Token to its request is for those that are pushed
    expect(Object.keys(claims).filter(name => name.startsWith('urn:'))).toEqual([])
    expect((await userinfo(app, tokens['access_token'] ?? '')).body).toEqual({ sub: 'alice' })
    const refreshed = await token(app, 'web', { grant_type: 'refresh_token', refresh_token: tokens['refresh_token'] ?? '' })
    expect(outcome(refreshed)).toBe('200')
  })

  it('gets the resource and details it asked for, and keeps its request when it names another resource', async () => {
    const server = await backchannelServer({}, { authorizationDetails: { payment: () => true } })
    const auth_req_id = await approved(server, {
      ...good,
      resource: api,
      authorization_details: '[{"type":"payment","amount":7}]'
    })
    expect(outcome(await poll(server.app, auth_req_id, 'web', { resource: files }))).toBe('400 invalid_target')
    const { body } = await poll(server.app, auth_req_id)
    expect(decodeJwt((body as { access_token: string }).access_token)).toMatchObject({
      aud: api,
      sub: 'alice',
      authorization_details: [{ type: 'payment', amount: 7 }]
    })
  })

  it('gets tokens bound to the key it proves', async () => {
    const server = await backchannelServer()
    const auth_req_id = await approved(server)
    const proof = await prove(await makeDpopKey(), 'POST', 'https://as.example.com/oauth2/token', server.clock.now)
    expect((await poll(server.app, auth_req_id).set('DPoP', proof)).body).toMatchObject({ token_type: 'DPoP' })
  })

  it('is told that its person refused, every time', async () => {
    const server = await backchannelServer()
    const { auth_req_id } = await asked(server.app)
    expect(await server.server.backchannel.deny(page, await waiting(server), account)).toBe(true)
    for (let again = 0; again < 3; again++) expect(outcome(await poll(server.app, auth_req_id))).toBe('400 access_denied')
  })

  it('is slowed down, five seconds more each time', async () => {
    const { app, clock } = await backchannelServer()
    const { auth_req_id } = await asked(app)
    const at = async (seconds: number) => {
      clock.now = 1_800_000_000_000 + seconds * 1000
      return outcome(await poll(app, auth_req_id))
    }
    expect(await at(0)).toBe('400 authorization_pending')
    expect(await at(4)).toBe('400 slow_down')
    expect(await at(13)).toBe('400 slow_down')
    expect(await at(28)).toBe('400 authorization_pending')
  })

  it('is told that its request has expired, approved or not, and later that there is none', async () => {
    const server = await backchannelServer({ requestTtl: 60 })
    const ids = [await approved(server), (await asked(server.app)).auth_req_id]
    server.clock.now += 60_000
    for (const id of ids) expect(outcome(await poll(server.app, id))).toBe('400 expired_token')
    server.clock.now += 600_000
    for (const id of ids) expect(outcome(await poll(server.app, id))).toBe('400 invalid_grant')
  })

  it('gets tokens once; what it got stays good', async () => {
    const server = await backchannelServer()
    const auth_req_id = await approved(server)
    const { access_token } = (await poll(server.app, auth_req_id)).body as { access_token: string }
    for (let again = 0; again < 3; again++) expect(outcome(await poll(server.app, auth_req_id))).toBe('400 invalid_grant')
    expect((await userinfo(server.app, access_token)).status).toBe(200)
  })
})

describe('an auth_req_id', () => {
  it.each([
    ['is missing', {}, '400 invalid_request'],
    ['is empty', { auth_req_id: '' }, '400 invalid_request'],
    ['was never issued', { auth_req_id: `${'A'.repeat(22)}.${'B'.repeat(43)}` }, '400 invalid_grant'],
    ['is none', { auth_req_id: '.' }, '400 invalid_grant'],
    ['is long', { auth_req_id: `${'A'.repeat(40_000)}.B` }, '400 invalid_grant'],
    ['is not ASCII', { auth_req_id: '💩.💩' }, '400 invalid_grant']
  ])('that %s is refused', async (_name, form, expected) => {
    const { app } = await backchannelServer()
    expect(outcome(await token(app, 'web', { grant_type, ...form }))).toBe(expected)
  })

  it('is another client’s: it buys nothing and loses nothing', async () => {
    const server = await backchannelServer()
    const auth_req_id = await approved(server)
    expect(outcome(await poll(server.app, auth_req_id, 'other'))).toBe('400 invalid_grant')
    expect(outcome(await poll(server.app, auth_req_id))).toBe('200')
  })

  it('is for confidential clients with the grant', async () => {
    const server = await backchannelServer()
    const auth_req_id = await approved(server)
    for (const client_id of ['spa', 'codes-only'])
      expect(outcome(await poll(server.app, auth_req_id, client_id))).toBe('400 unauthorized_client')
  })

  it('of a client that is pushed to is not polled for; of one that is pinged it is', async () => {
    const posted: unknown[] = []
    const postJson = (_url: string, { body }: { body: object }) => Promise.resolve(posted.push(body) > 0 ? 204 : 500)
    const clients = askers(pinged(), pinged(undefined, 'push'))
    const server = await backchannelServer({ postJson }, { clients })
    const form = { ...good, client_notification_token }
    const push = await asked(server.app, form, 'pushed')
    expect(outcome(await poll(server.app, push.auth_req_id, 'pushed'))).toBe('400 unauthorized_client')
    await server.server.backchannel.deny(page, await waiting(server), account)
    const auth_req_id = await approved(server, form, 'pinged')
    expect(outcome(await poll(server.app, auth_req_id, 'pinged'))).toBe('200')
  })

  it('ends nothing and buys nothing while the store does not answer', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const server = await backchannelServer({}, { store })
    const auth_req_id = await approved(server)
    for (const operation of ['get', 'add'] as const) {
      broken.set(operation, 'rejects')
      expect(outcome(await poll(server.app, auth_req_id))).toBe('503 temporarily_unavailable')
      broken.clear()
    }
    expect(outcome(await poll(server.app, auth_req_id))).toBe('200')
  })
})

describe('fifty polls at once', () => {
  it('of an approved request: one gets tokens, and they work', async () => {
    const server = await backchannelServer()
    const auth_req_id = await approved(server)
    const answers = await listening(server.app, address => fiftyPolls(address, { grant_type, auth_req_id }))
    const good = answers.filter(({ status }) => status === 200)
    expect(good).toHaveLength(1)
    expect(new Set(answers.map(outcome))).toEqual(new Set(['200', '400 invalid_grant']))
    expect((await userinfo(server.app, good[0]?.body.access_token ?? '')).status).toBe(200)
  })

  it('of a pending request: one is in time', async () => {
    const server = await backchannelServer()
    const { auth_req_id } = await asked(server.app)
    const answers = (await listening(server.app, address => fiftyPolls(address, { grant_type, auth_req_id }))).map(outcome)
    expect(answers.filter(answer => answer === '400 authorization_pending')).toHaveLength(1)
    expect(answers.filter(answer => answer === '400 slow_down')).toHaveLength(49)
  })
})
