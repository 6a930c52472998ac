/** What a key set that somebody else wrote may cost this process, and how soon one of its keys is gone. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { clientKeys } from '../../lib/client-keys/client-keys.ts'
import { GuardedFetchError } from '../../lib/outbound/guarded-fetch.ts'
import { isPublicKey, unsuitable } from '../../lib/client-keys/public-keys.ts'
import { remoteKeySets, type RemoteKeySetOptions } from '../../lib/client-keys/remote-key-set.ts'
import { toClient } from '../../lib/clients/client.ts'
import { DecisionBuilder } from '../../lib/decisions/builder.ts'
import { runs } from '../support/checks/runs.ts'

const always = () => true
const url = 'https://client.example/jwks'

const setsOf = (json: unknown, options: Partial<RemoteKeySetOptions> = {}) =>
  remoteKeySets({ fetchJson: () => Promise.resolve({ json }), ...options })
const keyed = (count: number, key: object = { kty: 'EC' }) => ({ keys: Array.from({ length: count }, () => key) })

describe('a key set', () => {
  it('has at most 100 keys', async () => {
    expect((await setsOf(keyed(100)).get(url, always)).keys).toHaveLength(100)
    for (const count of [101, 21_000])
      expect(await setsOf(keyed(count)).get(url, always)).toEqual({
        keys: [],
        problem: 'the answer was a JWK set of more than 100 keys'
      })
  })

  it('counts whatever stands in the list', async () => {
    for (const key of [null, 5, 'key', [], {}])
      expect(await setsOf({ keys: Array.from({ length: 101 }, () => key) }).get(url, always)).toMatchObject({ keys: [] })
  })

  it('leaves the keys that are kept standing where the next answer has too many', async () => {
    let json: unknown = keyed(1)
    let now = 0
    const sets = remoteKeySets({ fetchJson: () => Promise.resolve({ json }), clock: () => now })
    await sets.get(url, always)
    json = keyed(101)
    now = 300_000
    expect(await sets.get(url, always)).toMatchObject({
      keys: [{ kty: 'EC' }],
      problem: expect.stringContaining('more than 100')
    })
  })

  it('is kept as far as keys are read from it, and no further', async () => {
    const x5c = ['AAAA', 'BBBB']
    const known = {
      kty: 'EC',
      use: 'sig',
      key_ops: ['verify'],
      alg: 'ES256',
      kid: 'k',
      crv: 'P-256',
      x: 'x',
      y: 'y',
      n: 'n',
      e: 'e',
      x5c
    }
    const { keys } = await setsOf({ keys: [{ ...known, x5u: 'https://e.example', custom: { deep: [[[[]]]] } }] }).get(url, always)
    expect(keys).toEqual([known])
  })

  it('refuses more than a megabyte of keys, whoever fetched it', async () => {
    const { keys, problem } = await setsOf(keyed(100, { kty: 'RSA', n: 'A'.repeat(11_000) })).get(url, always)
    expect([keys, problem]).toEqual([[], 'the answer was a JWK set of more than 1048576 bytes'])
  })

  it('judges what is kept of a key as it would have judged the key', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    const good = await exportJWK(publicKey)
    const value = fc.oneof(
      fc.constantFrom('sig', 'enc', 'verify', 'ES256', 'RSA', 'AQAB', '', 'P-256'),
      fc.constantFrom(null, true, 5, NaN),
      fc.array(fc.constantFrom('verify', 'sign', 5, null), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'length'), fc.integer(), { maxKeys: 2 })
    )
    const members = fc.constantFrom(
      'kty',
      'use',
      'key_ops',
      'alg',
      'kid',
      'crv',
      'x',
      'y',
      'n',
      'e',
      'x5c',
      'd',
      'k',
      'p',
      '__proto__'
    )
    await fc.assert(
      fc.asyncProperty(fc.dictionary(members, value, { maxKeys: 4 }), async changed => {
        const jwk = { ...good, ...changed }
        const { keys } = await setsOf({ keys: [jwk] }).get(url, always)
        expect(keys).toHaveLength(1)
        expect(isPublicKey(keys[0])).toBe(isPublicKey(jwk))
        for (const alg of ['ES256', 'PS256', 'EdDSA']) expect(unsuitable(keys[0], alg)).toBe(unsuitable(jwk, alg))
      }),
      { numRuns: runs(300) }
    )
  })
})

describe('all key sets together', () => {
  it('are bounded by bytes: the least recently used go', async () => {
    let fetches = 0
    const large = keyed(1, { kty: 'RSA', n: 'A'.repeat(900_000) })
    const sets = remoteKeySets({ fetchJson: () => Promise.resolve((fetches++, { json: structuredClone(large) })) })
    for (let index = 0; index < 100; index++) await sets.get(`https://${index}.example`, always)
    expect(fetches).toBe(100)
    await sets.get('https://99.example', always)
    await sets.get('https://60.example', always)
    expect(fetches).toBe(100)
    await sets.get('https://0.example', always)
    expect(fetches).toBe(101)
  })

  it('hold ten thousand of the usual size', async () => {
    let fetches = 0
    const set = { keys: [{ kty: 'RSA', n: 'A'.repeat(342), e: 'AQAB', kid: 'k'.repeat(43), alg: 'PS256', use: 'sig' }] }
    const sets = remoteKeySets({ fetchJson: () => Promise.resolve((fetches++, { json: set })) })
    for (let index = 0; index < 10_000; index++) await sets.get(`https://${index}.client.example/jwks`, always)
    await sets.get('https://0.client.example/jwks', always)
    expect(fetches).toBe(10_000)
  })

  it('stay small where each is as hostile as it can be', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const tiny = `{"keys":[${Array.from({ length: 100 }, () => '{"a":[[[[[[]]]]]]}').join()}]}`
    const sets = remoteKeySets({ fetchJson: () => Promise.resolve({ json: JSON.parse(tiny) as unknown }) })
    collect()
    const before = process.memoryUsage().heapUsed
    for (let index = 0; index < 2000; index++) await sets.get(`https://${index}.example`, always)
    collect()
    expect((process.memoryUsage().heapUsed - before) / 2000).toBeLessThan(16_384)
    expect((await sets.get('https://1999.example', always)).keys).toHaveLength(100)
  })
})

describe('a key that was removed', () => {
  /** A source that is up or down, and a clock. */
  function source(options: Partial<RemoteKeySetOptions> = {}) {
    const state = { now: 0, keys: [{ kty: 'EC', kid: 'a' }], down: false, fetches: 0, maxAge: 900 }
    const fetchJson = async () => {
      state.fetches += 1
      await Promise.resolve()
      if (state.down) throw new GuardedFetchError('network', 'the connection failed')
      return { json: { keys: state.keys }, maxAge: state.maxAge }
    }
    const sets = remoteKeySets({ fetchJson, clock: () => state.now * 1000, ...options })
    const kids = async () => (await sets.get(url, keys => keys.length > 0)).keys.map(({ kid }) => kid)
    return { state, sets, kids }
  }

  it('is believed as long as the answer said, and ten minutes more while the source is down', async () => {
    const { state, kids } = source()
    expect(await kids()).toEqual(['a'])
    state.down = true
    for (const [now, expected] of [
      [899, ['a']],
      [1499, ['a']],
      [1500, []],
      [5000, []]
    ] as const) {
      state.now = now
      expect(await kids()).toEqual(expected)
    }
  })

  it('is gone at once where it is forgotten', async () => {
    const { state, sets, kids } = source()
    await kids()
    state.keys = [{ kty: 'EC', kid: 'b' }]
    expect(sets.forget(url)).toBe(true)
    expect(sets.forget(url)).toBe(false)
    expect(await kids()).toEqual(['b'])
    state.down = true
    sets.forget(url)
    expect(await kids()).toEqual([])
  })

  it('does not come back with a fetch that was under way when it was forgotten', async () => {
    let answer: (keys: readonly JWK[]) => void = () => undefined
    const fetchJson = () => new Promise<{ json: unknown }>(resolve => (answer = keys => resolve({ json: { keys } })))
    const sets = remoteKeySets({ fetchJson })
    const first = sets.get(url, always)
    sets.forget(url)
    const old = answer
    const second = sets.get(url, always)
    answer([{ kty: 'EC', kid: 'new' }])
    expect((await second).keys).toEqual([{ kty: 'EC', kid: 'new' }])
    old([{ kty: 'EC', kid: 'old' }])
    expect((await first).keys).toEqual([{ kty: 'EC', kid: 'old' }])
    expect((await sets.get(url, always)).keys).toEqual([{ kty: 'EC', kid: 'new' }])
  })

  it('is forgotten by clientKeys() too, by its address', async () => {
    const client = toClient({ client_id: 'a', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: url })
    let fetches = 0
    const keys = clientKeys({ fetchJson: () => Promise.resolve((fetches++, { json: { keys: [{ kty: 'EC' }] } })) })
    const ask = () => keys.match(client, always, new DecisionBuilder('token'))
    await ask()
    await ask()
    expect([keys.forget(url), fetches]).toEqual([true, 1])
    await ask()
    expect(fetches).toBe(2)
  })
})
