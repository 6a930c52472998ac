import { describe, expect, it } from '@jest/globals'
import type { JWK } from 'jose'
import { GuardedFetchError, type FetchedJson } from '../../lib/outbound/guarded-fetch.ts'
import { remoteKeySets, type RemoteKeySetOptions } from '../../lib/client-keys/remote-key-set.ts'

const url = 'https://client.example/jwks'
const has = (kid: string) => (keys: readonly JWK[]) => keys.some(jwk => jwk.kid === kid)

/** A source whose answers and time the spec decides. */
function source(options: Partial<RemoteKeySetOptions> = {}) {
  const state = {
    time: 1_000_000,
    fetches: 0,
    kids: ['a'],
    waits: undefined as Promise<unknown> | undefined,
    maxAge: undefined as number | undefined,
    failure: undefined as Error | undefined
  }
  const fetchJson = async (): Promise<FetchedJson> => {
    state.fetches += 1
    await state.waits
    if (state.failure !== undefined) throw state.failure
    const json = { keys: state.kids.map(kid => ({ kty: 'EC', kid })) }
    return state.maxAge === undefined ? { json } : { json, maxAge: state.maxAge }
  }
  const sets = remoteKeySets({ fetchJson, clock: () => state.time * 1000, ...options })
  const kids = async (kid = 'a', at = url) => (await sets.get(at, has(kid))).keys.map(jwk => jwk.kid)
  return { state, sets, kids }
}

describe('remoteKeySets', () => {
  it('fetches once and keeps what it got, the objects themselves', async () => {
    const { state, sets } = source()
    const first = await sets.get(url, has('a'))
    const second = await sets.get(url, has('a'))
    expect(second.keys[0]).toBe(first.keys[0])
    expect(state.fetches).toBe(1)
  })

  it('shares one fetch among all who wait for it', async () => {
    const { state, kids } = source()
    const all = await Promise.all(Array.from({ length: 100 }, () => kids()))
    expect(all.every(([kid]) => kid === 'a')).toBe(true)
    expect(state.fetches).toBe(1)
  })

  it.each([
    [undefined, 300],
    [0, 60],
    [59, 60],
    [600, 600],
    [86_400, 900],
    [9_999_999_999, 900]
  ])('keeps an answer with max-age %p fresh for %d seconds', async (maxAge, freshness) => {
    const { state, kids } = source()
    state.maxAge = maxAge
    await kids()
    state.time += freshness - 1
    await kids()
    expect(state.fetches).toBe(1)
    state.time += 1
    await kids()
    expect(state.fetches).toBe(2)
  })

  it('finds a new key as soon as the cooldown has passed, within sixty seconds', async () => {
    const { state, kids } = source()
    await kids()
    state.kids = ['a', 'b']
    expect(await kids('b')).toEqual(['a'])
    state.time += 29
    expect(await kids('b')).toEqual(['a'])
    expect(state.fetches).toBe(1)
    state.time += 1
    expect(await kids('b')).toEqual(['a', 'b'])
    expect(state.fetches).toBe(2)
  })

  it('fetches at most once per cooldown for any number of unknown kids', async () => {
    const { state, kids } = source()
    await kids()
    for (let second = 0; second < 60; second++) {
      state.time += 1
      await Promise.all(Array.from({ length: 20 }, (_, index) => kids(`made up ${second} ${index}`)))
    }
    expect(state.fetches).toBe(3)
  })

  it('uses what it has while a source fails, until the stale limit', async () => {
    const { state, sets, kids } = source()
    await kids()
    state.failure = new GuardedFetchError('status', 'the status was 500')
    state.time += 300
    expect(await sets.get(url, has('a'))).toMatchObject({ keys: [{ kid: 'a' }], problem: 'the status was 500' })
    state.time += 599
    expect(await kids()).toEqual(['a'])
    state.time += 1
    expect(await kids()).toEqual([])
    state.failure = undefined
    state.time += 10
    expect(await sets.get(url, has('a'))).toMatchObject({ keys: [{ kid: 'a' }], problem: undefined })
  })

  it('leaves a source that fails alone for the failure cooldown', async () => {
    const { state, kids } = source()
    state.failure = new Error('down')
    for (let index = 0; index < 10; index++) expect(await kids()).toEqual([])
    expect(state.fetches).toBe(1)
    state.time += 10
    state.failure = undefined
    expect(await kids()).toEqual(['a'])
    expect(state.fetches).toBe(2)
  })

  it('says nothing of an error it does not know', async () => {
    const { state, sets } = source()
    state.failure = new Error('connect ECONNREFUSED 10.0.0.7:443')
    expect((await sets.get(url, has('a'))).problem).toBe('the fetch failed')
  })

  it.each([[null], [5], ['keys'], [[]], [{}], [{ keys: null }], [{ keys: {} }], [{ keys: 'a' }]])(
    'refuses the document %j',
    async json => {
      const sets = remoteKeySets({ fetchJson: () => Promise.resolve({ json }) })
      expect(await sets.get(url, () => true)).toEqual({ keys: [], problem: 'the answer was not a JWK set' })
    }
  )

  it('drops members of a set that are not objects', async () => {
    const sets = remoteKeySets({ fetchJson: () => Promise.resolve({ json: { keys: [null, 5, { kty: 'EC' }] } }) })
    expect((await sets.get(url, () => true)).keys).toEqual([{ kty: 'EC' }])
  })

  it('keeps URLs apart, and only so many: the least recently used goes', async () => {
    const { state, kids } = source({ maxEntries: 2 })
    await kids('a', 'https://a.example')
    await kids('a', 'https://b.example')
    await kids('a', 'https://a.example')
    expect(state.fetches).toBe(2)
    await kids('a', 'https://c.example')
    await kids('a', 'https://a.example')
    expect(state.fetches).toBe(3)
    await kids('a', 'https://b.example')
    expect(state.fetches).toBe(4)
  })

  it.each(['freshness', 'cooldown', 'failureCooldown', 'staleLimit', 'maxEntries'])('refuses a wrong %s', option => {
    expect(() => source({ [option]: -1 })).toThrow(expect.objectContaining({ key: option }))
  })
})
