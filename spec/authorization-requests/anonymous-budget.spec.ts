import { describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import request from 'supertest'
import { memoryStore, type AuthorizationServerOptions, type Key, type Store } from '../../lib/index.ts'
import { authorizationQuery, authorize, harness, redirected, token } from '../support/servers/authorization-server.ts'
import { authorizeDevice, deviceServer } from '../support/servers/devices.ts'
import { form, par } from '../support/servers/pushed-requests.ts'

const anonymousBudget = 65_536
const large = { state: 's'.repeat(1_900), nonce: 'n'.repeat(1_900) }
const from = (app: Express, address: string, query = authorizationQuery(large)) =>
  request(app).get(`/oauth2/authorize?${query}`).set('X-Forwarded-For', address)

async function signedOut(options: Partial<AuthorizationServerOptions> = {}) {
  const app = express()
  app.set('trust proxy', true)
  const h = await harness({ anonymousBudget, ...options }, app)
  h.person.account = undefined
  return h
}

/** A store that counts what is in it. */
function counting(): { store: Store; bytes: () => number } {
  let bytes = 0
  const behind = memoryStore()
  const counted = (write: (key: Key, value: never, ttl: number) => Promise<unknown>) => (key: Key, value: never, ttl: number) => {
    bytes += JSON.stringify(value).length
    return write(key, value, ttl)
  }
  const store = { ...bound(behind), set: counted(behind.set.bind(behind)), add: counted(behind.add.bind(behind)) } as Store
  return { store, bytes: () => bytes }
}

function bound(store: Store): Store {
  const names = ['get', 'set', 'add', 'take', 'swap', 'delete', 'deleteGrant', 'close'] as const
  return Object.fromEntries(names.map(name => [name, store[name].bind(store)])) as unknown as Store
}

describe('what people who have not signed in can have stored', () => {
  it('is bounded for their network, and no other', async () => {
    const { store, bytes } = counting()
    const h = await signedOut({ store })
    let kept = 0
    let refused = 0
    for (let time = 0; time < 100; time++) {
      const response = await from(h.app, '203.0.113.7')
      if (response.status === 200) kept++
      else refused++
      if (response.status === 303)
        expect(redirected(response)).toMatchObject({ error: 'temporarily_unavailable', state: large.state })
    }
    expect([kept > 10, refused > 50, bytes() <= anonymousBudget]).toEqual([true, true, true])
    expect((await from(h.app, '203.0.113.8')).status).toBe(200)
  })

  it('is one network’s for a whole IPv6 /64, and for ten minutes', async () => {
    const h = await signedOut()
    const fill = async () => {
      for (let time = 0; time < 30; time++) await from(h.app, `2001:db8:1:2::${time}`)
      return (await from(h.app, '2001:db8:1:2:ffff::1')).status
    }
    expect(await fill()).toBe(303)
    expect((await from(h.app, '2001:db8:1:3::1')).status).toBe(200)
    h.clock.now += 600_001
    expect((await from(h.app, '2001:db8:1:2::1')).status).toBe(200)
  })

  it('is no bound for those who have signed in, or where it is off', async () => {
    for (const options of [{}, { anonymousBudget: false as const }]) {
      const h = await signedOut(options)
      if (Object.keys(options).length === 0) h.person.account = { sub: 'alice', auth_time: 1 }
      h.person.consented = false
      for (let time = 0; time < 60; time++) expect((await from(h.app, '203.0.113.7')).status).toBe(200)
    }
  })

  it('uses no pushed request up when it is spent', async () => {
    const h = await signedOut()
    const { request_uri } = (await token(h.app, 'web', form(), par)).body as { request_uri: string }
    for (let time = 0; time < 40; time++) await from(h.app, '203.0.113.7')
    for (let time = 0; time < 10; time++) await from(h.app, '203.0.113.7', authorizationQuery())
    const query = new URLSearchParams({ client_id: 'web', request_uri }).toString()
    expect(redirected(await from(h.app, '203.0.113.7', query))).toMatchObject({ error: 'temporarily_unavailable' })
    expect((await from(h.app, '203.0.113.8', query)).status).toBe(200)
  })

  it('bounds long posted requests too', async () => {
    const { app } = await signedOut()
    const post = () =>
      request(app)
        .post('/oauth2/authorize')
        .type('form')
        .send(authorizationQuery({ ...large, login_hint: 'l'.repeat(1_900) }))
    const locations: string[] = []
    for (let time = 0; time < 40; time++) locations.push(String((await post()).headers['location']))
    expect([locations[0]?.includes('request_uri='), locations.at(-1)?.includes('error=temporarily_unavailable')]).toEqual([
      true,
      true
    ])
  })
})

describe('what public clients can have stored', () => {
  it('is bounded at the pushed authorization request endpoint; confidential ones are known', async () => {
    const { app } = await signedOut()
    const push = (client_id: string) => token(app, client_id, form(large), par)
    for (let time = 0; time < 20; time++) await push('spa')
    const refused = await push('spa')
    expect([refused.status, refused.body]).toMatchObject([429, { error: 'temporarily_unavailable' }])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await push('web')).status).toBe(201)
  })

  it('is bounded at the device authorization endpoint', async () => {
    const { app } = await deviceServer({ anonymousBudget })
    let last = await authorizeDevice(app, 'native')
    for (let time = 0; time < 120; time++) last = await authorizeDevice(app, 'native')
    expect([last.status, last.body]).toMatchObject([429, { error: 'temporarily_unavailable' }])
    expect((await authorizeDevice(app, 'web')).status).toBe(200)
  })
})

describe('anonymousBudget', () => {
  it.each([0, 1, 65_535, 1.5, Number.NaN, Infinity, '65536', null, true])('refuses %p', async given => {
    await expect(harness({ anonymousBudget: given as never })).rejects.toMatchObject({ key: 'anonymousBudget' })
  })

  it('lets ten thousand sign-ins of a network wait by default', async () => {
    const h = await harness()
    h.person.account = undefined
    for (let time = 0; time < 200; time++) expect((await authorize(h.app, { state: 'a state of some length' })).status).toBe(200)
  })
})
