import { describe, expect, it } from '@jest/globals'
import { memoryStore, type Key, type Store } from '../../lib/index.ts'
import { grantKey } from '../../lib/tokens/grant.ts'
import { keepGrant, personGrants, type NewGrant } from '../../lib/tokens/person-grants.ts'
import { rotate } from '../../lib/tokens/refresh-token.ts'
import type { TokenServer } from '../../lib/tokens/token-server.ts'
import { codeForm, harness, redeemed, token, userinfo } from '../support/servers/authorization-server.ts'
import { tokens } from './server.ts'

const kept: NewGrant = { client_id: 'web', sub: 'alice', scope: ['openid'], resources: [], auth_method: 'none' }
const hour = 3600

/** Counts what is asked of a store, by operation. */
function countedStore(behind: Store): { store: Store; asked: [operation: string, kind: string][] } {
  const asked: [string, string][] = []
  const store = new Proxy(behind, {
    get:
      (target, name: keyof Store) =>
      (...given: unknown[]): unknown => {
        const kind = String((given[0] as Key | undefined)?.kind).replace(/^.*example\.com/, '')
        // what clients prove themselves with is recorded beside, for whoever authenticates
        if (!/^(?:client_credentials|credential_)/.test(kind)) asked.push([name, kind])
        return Reflect.apply(Reflect.get(target, name), target, given)
      }
  })
  return { store, asked }
}

const clientsOf = async (server: TokenServer, sub: string) =>
  (await personGrants(server).grants(sub)).map(({ client_id }) => client_id).sort()
const idsOf = async (server: TokenServer, sub: string) => (await personGrants(server).grants(sub)).map(({ id }) => id).sort()

describe('the grants of a person', () => {
  it('say who holds what since when, the newest first', async () => {
    const h = await harness()
    await redeemed(h.app, 'codes-only', { scope: 'openid' })
    h.clock.now += 5_000
    const { refresh_token } = await redeemed(h.app, 'web', {
      scope: 'openid offline_access api:read',
      resource: 'https://api.example.com'
    })
    const since = h.clock.now / 1000
    const [newest, oldest, ...rest] = await h.server.grants('alice')
    expect([newest, oldest, rest]).toEqual([
      {
        id: expect.any(String),
        client_id: 'web',
        scope: ['openid', 'offline_access', 'api:read'],
        resources: ['https://api.example.com'],
        since
      },
      { id: expect.any(String), client_id: 'codes-only', scope: ['openid'], resources: [], since: since - 5 },
      []
    ])
    h.clock.now += 60_000
    await token(h.app, 'web', { grant_type: 'refresh_token', refresh_token })
    expect((await h.server.grants('alice'))[0]).toMatchObject({ since, last_used: since + 60 })
  })

  it('say what exactly was allowed', async () => {
    const details = [{ type: 'payment', amount: 5 }]
    const { server } = await tokens()
    await keepGrant(server, 'g', { ...kept, authorization_details: details }, hour)
    expect(await personGrants(server).grants('alice')).toMatchObject([{ id: 'g', authorization_details: details }])
  })

  it('are each person’s own, whatever people and clients are called', async () => {
    const { server } = await tokens()
    const names = ['alice', 'alice\n', '__proto__', '["alice","web"]', 'ALICE', '日本語']
    let grant = 0
    for (const sub of names)
      for (const client_id of names) await keepGrant(server, `g${(grant += 1)}`, { ...kept, sub, client_id }, hour)
    for (const sub of names) expect(await clientsOf(server, sub)).toEqual([...names].sort())
    for (const stranger of ['', 'bob', 'alic', 'x'.repeat(5000)]) expect(await clientsOf(server, stranger)).toEqual([])
    await personGrants(server).revokeGrants('alice', '__proto__')
    expect(await clientsOf(server, 'alice')).toEqual(names.filter(name => name !== '__proto__').sort())
    for (const sub of names.slice(1)) expect(await clientsOf(server, sub)).toHaveLength(names.length)
  })

  it('of other issuers in the same store are not among them', async () => {
    const store = memoryStore()
    const [one, other] = [await harness({ store }), await harness({ store, issuer: 'https://as.example.com/acme' })]
    await redeemed(one.app)
    expect([await one.server.grants('alice'), await other.server.grants('alice')]).toEqual([[expect.any(Object)], []])
  })

  it('are gone when they ended: by time, by a replay, by reuse', async () => {
    const h = await harness()
    await redeemed(h.app, 'codes-only', { scope: 'openid' })
    const form = await codeForm(h.app)
    await token(h.app, 'web', form)
    await token(h.app, 'web', form)
    expect(await h.server.grants('alice')).toMatchObject([{ client_id: 'codes-only' }])
    h.clock.now += 3_601_000
    expect(await h.server.grants('alice')).toEqual([])
  })

  it('of a client that acts for itself are none, and cost nothing', async () => {
    const { store, asked } = countedStore(memoryStore())
    const { app, server } = await harness({ store })
    await token(app, 'web', { grant_type: 'client_credentials' })
    expect(asked).toEqual([['set', 'access_token']])
    expect(await server.grants('web')).toEqual([])
  })

  it('cost no step of the store when a code is redeemed or a token refreshed', async () => {
    let now = 0
    const { store, asked } = countedStore(memoryStore({ clock: () => now }))
    const h = await harness({ store })
    now = h.clock.now
    const form = await codeForm(h.app)
    asked.length = 0
    const { refresh_token } = (await token(h.app, 'web', form)).body as { refresh_token: string }
    expect(asked.map(([operation, kind]) => `${operation} ${kind}`)).toEqual([
      'take authorization_code',
      'set grant',
      'set access_token'
    ])
    asked.length = 0
    await token(h.app, 'web', { grant_type: 'refresh_token', refresh_token })
    expect(asked.map(([operation, kind]) => `${operation} ${kind}`)).toEqual(['get grant', 'swap grant', 'set access_token'])
  })
})

describe('revokeGrants', () => {
  it('ends every token of the client, of no other client and of no other person', async () => {
    const h = await harness()
    const [mine, again, others] = [await redeemed(h.app), await redeemed(h.app), await redeemed(h.app, 'other')]
    h.person.account = { sub: 'bob', auth_time: 1 }
    const theirs = await redeemed(h.app)
    await h.server.revokeGrants('alice', 'web')
    for (const { access_token, refresh_token } of [mine, again]) {
      expect((await userinfo(h.app, access_token)).status).toBe(401)
      expect((await token(h.app, 'web', { grant_type: 'refresh_token', refresh_token })).body).toMatchObject({
        error: 'invalid_grant'
      })
    }
    for (const { access_token } of [others, theirs]) expect((await userinfo(h.app, access_token)).status).toBe(200)
    expect(await h.server.grants('alice')).toMatchObject([{ client_id: 'other' }])
    expect(await h.server.grants('bob')).toHaveLength(1)
  })

  it('ends a code on its way, and lets the client begin anew', async () => {
    const h = await harness()
    const form = await codeForm(h.app)
    await h.server.revokeGrants('alice', 'web')
    expect((await token(h.app, 'web', form)).body).toMatchObject({ error: 'invalid_grant' })
    await redeemed(h.app)
    expect(await h.server.grants('alice')).toHaveLength(1)
  })

  it('of what there is not is no error', async () => {
    const { server } = await tokens()
    await personGrants(server).revokeGrants('nobody', 'nothing')
    await personGrants(server).revokeGrants('', '')
  })
})

describe('revokeGrant', () => {
  it('ends one grant, for its person alone', async () => {
    const h = await harness()
    const [one, another] = [await redeemed(h.app), await redeemed(h.app)]
    const [first] = await h.server.grants('alice')
    const id = first?.id ?? ''
    expect(await h.server.revokeGrant('bob', id)).toBe(false)
    expect(await h.server.grants('alice')).toHaveLength(2)
    expect(await h.server.revokeGrant('alice', id)).toBe(true)
    expect(await h.server.revokeGrant('alice', id)).toBe(false)
    expect(await h.server.grants('alice')).toHaveLength(1)
    const statuses = await Promise.all([one, another].map(async tokens => (await userinfo(h.app, tokens.access_token)).status))
    expect(statuses.sort()).toEqual([200, 401])
  })

  it.each(['', 'g', '__proto__', 'x'.repeat(20_000), '\u0000', 'AAAAAAAAAAAAAAAAAAAAAA'])(
    'an id that is none is nobody’s (%#)',
    async id => {
      const { server } = await harness()
      expect(await server.revokeGrant('alice', id)).toBe(false)
    }
  )
})

describe('the list', () => {
  it('has a grant for as long as it is refreshed, and is written down once in its lifetime', async () => {
    let now = 0
    const { store, asked } = countedStore(memoryStore({ clock: () => now }))
    const { server, clock } = await tokens({ store, refreshTokenTtl: 1000, accessTokenTtl: 10 })
    const forward = (seconds: number) => (now = clock.now += seconds * 1000)
    forward(0)
    await keepGrant(server, 'g', { ...kept, refresh: { generation: 0, rotated_at: clock.now } }, 1010)
    asked.length = 0
    for (let generation = 0; generation < 20; generation += 1) {
      forward(900)
      expect(await rotate(server, { grant: 'g', generation }, true)).toMatchObject({ outcome: 'current' })
      expect(await idsOf(server, 'alice')).toEqual(['g'])
    }
    const written = asked.filter(([operation, kind]) => kind.startsWith('person_') && operation !== 'get')
    expect(written.length).toBeGreaterThan(0)
    expect(written.length).toBeLessThanOrEqual(16)
    await personGrants(server).revokeGrants('alice', 'web')
    expect(await store.get(grantKey('g'))).toBeUndefined()
  })
})
