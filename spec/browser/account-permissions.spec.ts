import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { memoryStore } from 'clientele'
import { permissions, recordGrants } from '../../example-app/account-permissions.ts'

const issuer = 'https://as.example.com'
const about = { client_id: 'shop', sub: 'alice', scope: ['openid'] }

function opened() {
  const store = memoryStore()
  return { store, recorded: recordGrants(store, issuer), allowed: permissions(store, issuer) }
}

function grant(id: string) {
  return { kind: 'grant', id, grant: id }
}

afterEach(() => {
  jest.restoreAllMocks()
})

describe('the record of what people allowed', () => {
  it('has every one of many grants made at once, and ends them all', async () => {
    const { store, recorded, allowed } = opened()
    const keys = Array.from({ length: 50 }, (_none, index) => grant(`g${index}`))
    await Promise.all(keys.map(key => recorded.set(key, about, 60)))
    expect(await allowed.list('alice')).toEqual([{ client_id: 'shop', scope: ['openid'], since: expect.any(Number) }])
    await allowed.revoke('alice', 'shop')
    expect(await Promise.all(keys.map(key => store.get(key)))).toEqual(keys.map(() => undefined))
    expect(await allowed.list('alice')).toEqual([])
  })

  it('tells people, clients and issuers apart', async () => {
    const { store, recorded, allowed } = opened()
    await recorded.set(grant('a'), about, 60)
    await recorded.set(grant('b'), { ...about, client_id: '__proto__' }, 60)
    await recorded.add(grant('c'), { ...about, sub: 'bob' }, 60)
    expect((await allowed.list('alice')).map(({ client_id }) => client_id)).toEqual(['shop', '__proto__'])
    expect(await permissions(store, `${issuer}/tenant`).list('alice')).toEqual([])
    await allowed.revoke('alice', '__proto__')
    expect((await allowed.list('alice')).map(({ client_id }) => client_id)).toEqual(['shop'])
    expect(await store.get(grant('c'))).toBeDefined()
    expect(await allowed.revokedAt('alice', 'shop')).toBe(0)
    expect(await allowed.revokedAt('alice', '__proto__')).toBeGreaterThan(0)
  })

  it('leaves out what ended, and what belongs to no person', async () => {
    const { recorded, allowed } = opened()
    await recorded.set(grant('a'), about, 60)
    await recorded.deleteGrant('a')
    await recorded.set({ kind: 'access_token', id: 'x' }, about, 60)
    await recorded.set(grant('b'), { client_id: 'shop', scope: [] }, 60)
    await recorded.set(grant('c'), null, 60)
    expect(await allowed.list('alice')).toEqual([])
  })

  it('adds up the scope of what is still held, and no more', async () => {
    const { recorded, allowed } = opened()
    await recorded.set(grant('a'), about, 60)
    await recorded.set(grant('b'), { ...about, scope: ['openid', 'email'] }, 60)
    expect((await allowed.list('alice'))[0]?.scope).toEqual(['openid', 'email'])
    await allowed.revoke('alice', 'shop')
    await recorded.set(grant('c'), { ...about, scope: ['profile'] }, 60)
    expect((await allowed.list('alice'))[0]?.scope).toEqual(['profile'])
  })

  it('follows a grant that is prolonged', async () => {
    const { store, recorded, allowed } = opened()
    const start = Date.now()
    const at = (seconds: number) => jest.spyOn(Date, 'now').mockReturnValue(start + seconds * 1000)
    at(0)
    await recorded.set(grant('a'), about, 100)
    at(90)
    const { version = 0 } = (await store.get(grant('a'))) ?? {}
    expect(await recorded.swap(grant('a'), version, about, 100)).toBe(true)
    at(170)
    await recorded.set(grant('b'), about, 100)
    expect(await allowed.list('alice')).toMatchObject([{ client_id: 'shop', since: start }])
    await allowed.revoke('alice', 'shop')
    expect(await store.get(grant('a'))).toBeUndefined()
  })

  it('holds so much for each client; then the oldest ends', async () => {
    const { store, recorded, allowed } = opened()
    for (let index = 0; index <= 1000; index += 1) await recorded.set(grant(`g${index}`), about, 60)
    expect(await store.get(grant('g0'))).toBeUndefined()
    expect(await store.get(grant('g1'))).toBeDefined()
    await allowed.revoke('alice', 'shop')
    expect(await store.get(grant('g1000'))).toBeUndefined()
  })
})
