import { describe, expect, it } from '@jest/globals'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { memoryStore } from '../../lib/stores/memory.ts'
import type { Store } from '../../lib/stores/store.ts'
import { generateKeys } from '../../lib/signing-keys/generate-keys.ts'
import { SigningKeys } from '../../lib/signing-keys/signing-keys.ts'
import { storedKeys, type StoredKeys, type StoredKeysOptions } from '../../lib/signing-keys/stored-keys.ts'
import { breakableStore } from '../support/servers/authorization-server.ts'

const issuer = 'https://as.example.com'
const secret = 'a secret of the environment, long enough'
const day = 86_400
const open: StoredKeys[] = []

const setup = () => {
  const clock = { now: 1_800_000_000_000 }
  const pass = (seconds: number) => void (clock.now += seconds * 1000)
  const store = memoryStore({ clock: () => clock.now })
  const node = async (options: Partial<StoredKeysOptions> = {}) => {
    const keys = await storedKeys({ store, issuer, algorithms: ['ES256'], clock: () => clock.now, ...options })
    open.push(keys)
    return keys
  }
  return { store, pass, node }
}
const kids = (keys: StoredKeys) => keys.current().keys.flatMap(({ kty, kid }) => (kty === 'oct' ? [] : [kid]))
const kept = async (store: Store) => JSON.stringify(await store.get({ kind: 'signing_keys', id: issuer }))

describe('storedKeys', () => {
  it('are the same for any number of nodes that start together, and after a restart', async () => {
    const { node } = setup()
    const nodes = await Promise.all(Array.from({ length: 20 }, () => node()))
    const first = JSON.stringify(nodes[0]?.current())
    for (const keys of nodes) expect(JSON.stringify(keys.current())).toBe(first)
    expect(JSON.stringify((await node()).current())).toBe(first)
  })

  it('are one for each algorithm, those of every other issuer being others', async () => {
    const { node } = setup()
    const all = await node({ algorithms: undefined })
    expect(all.current().keys.map(({ alg }) => alg)).toEqual(['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519', 'HS256'])
    expect(kids(await node({ issuer: `${issuer}/other` }))).not.toEqual(kids(all))
  })

  it('get a key for an algorithm that was not there before, and retire those of one no longer wanted', async () => {
    const { node } = setup()
    const [es256] = kids(await node())
    const both = await node({ algorithms: ['EdDSA', 'ES256'] })
    expect(both.current().keys.map(({ alg }) => alg)).toEqual(['EdDSA', 'ES256', 'HS256'])
    const other = new SigningKeys(await node({ algorithms: ['EdDSA'] }))
    expect(other.publicKeys().keys.map(({ kid }) => kid)).toContain(es256)
  })

  it('change ahead of time: published, then signing, then verifying, then gone', async () => {
    const { node, pass } = setup()
    const policy = { rotateEvery: 90 * day, publishAhead: day, keepRetired: 10 * day }
    const keys = await node(policy)
    const signing = new SigningKeys(keys)
    const signer = async () => JSON.parse(atob((await signing.sign('ES256', 'JWT', {})).split('.')[0] ?? '')) as { kid: string }
    const [first] = kids(keys)
    const early = await signing.sign('ES256', 'JWT', { early: true })
    pass(89 * day - 1)
    await keys.refresh()
    expect(kids(keys)).toEqual([first])
    pass(1)
    await keys.refresh()
    const [, second] = kids(keys)
    expect(second).toBeDefined()
    expect((await signer()).kid).toBe(first)
    pass(day)
    await keys.refresh()
    expect(kids(keys)).toEqual([second, first])
    expect((await signer()).kid).toBe(second)
    expect(signing.verify(early, 'JWT')).toEqual({ early: true })
    pass(10 * day)
    await keys.refresh()
    expect(kids(keys)).toEqual([second])
    expect(signing.verify(early, 'JWT')).toBeUndefined()
  })

  it('give every node that follows the same new key, whichever is told', async () => {
    const { node, pass } = setup()
    const nodes = await Promise.all([node(), node(), node()])
    await Promise.all(nodes.map(keys => keys.rotate()))
    await Promise.all(nodes.map(keys => keys.refresh()))
    expect(kids(nodes[0])).toHaveLength(2)
    for (const keys of nodes) expect(kids(keys)).toEqual(kids(nodes[0]))
    const [old, next] = kids(nodes[0])
    pass(3600)
    await Promise.all(nodes.map(keys => keys.refresh()))
    for (const keys of nodes) expect(kids(keys)).toEqual([next, old])
  })

  it('never show a verifier a signature whose key it cannot have, while nodes rotate one after the other', async () => {
    const { node, pass } = setup()
    const [one, two] = await Promise.all([node(), node()])
    const nodes = [new SigningKeys(one), new SigningKeys(two)] as const
    await one.rotate()
    await two.refresh()
    const cached = nodes[1].publicKeys() as JSONWebKeySet
    pass(3600)
    await one.refresh() // signs with the new key, before the other has looked
    const jws = await nodes[0].sign('ES256', 'JWT', { sub: 'a' })
    expect(nodes[1].verify(jws, 'JWT')).toEqual({ sub: 'a' })
    expect((await jwtVerify(jws, createLocalJWKSet(cached))).payload).toEqual({ sub: 'a' })
  })

  it('sign with new keys at once where they must', async () => {
    const { node } = setup()
    const keys = await node()
    const [old] = kids(keys)
    await keys.rotate({ immediately: true })
    const [now, before] = kids(keys)
    expect(before).toBe(old)
    expect(now).not.toBe(old)
  })

  it('make the same MACs through every rotation: refresh tokens stay good', async () => {
    const { node } = setup()
    const keys = await node()
    const signing = new SigningKeys(keys)
    const before = signing.mac('refresh_token', Buffer.from('x'))
    await keys.rotate({ immediately: true })
    expect(signing.mac('refresh_token', Buffer.from('x'))).toEqual(before)
  })

  it('rest readable without a secret, and sealed with one, whatever they were before', async () => {
    const { node, store } = setup()
    const first = kids(await node())
    expect(await kept(store)).toContain('"d":')
    expect(kids(await node({ secret }))).toEqual(first)
    expect(await kept(store)).not.toContain('"d":')
    expect(await kept(store)).not.toContain(first[0] ?? '')
    const newer = 'the secret that came after the first'
    expect(kids(await node({ secret: newer, previousSecrets: [secret] }))).toEqual(first)
    expect(kids(await node({ secret: newer }))).toEqual(first)
    await expect(node({ secret })).rejects.toThrow('secret must be the secret the stored keys were encrypted with')
    await expect(node()).rejects.toThrow('secret must be the secret the stored keys were encrypted with')
  })

  it('cannot be opened under another issuer, or changed', async () => {
    const { node, store } = setup()
    await node({ secret })
    const key = { kind: 'signing_keys', id: issuer }
    const { sealed } = (await store.get(key))?.value as { sealed: string }
    await store.set({ ...key, id: 'https://other.example' }, { sealed }, 60)
    await expect(node({ issuer: 'https://other.example', secret })).rejects.toThrow('secret must be')
    for (const position of [0, 20, sealed.length - 3]) {
      const changed = `${sealed.slice(0, position)}${sealed[position] === 'A' ? 'B' : 'A'}${sealed.slice(position + 1)}`
      await store.set(key, { sealed: changed }, 60)
      await expect(node({ secret })).rejects.toThrow('secret must be')
    }
  })

  it('stay as they were while the store does not answer, and follow again when it does', async () => {
    const { node, store } = setup()
    const breakable = breakableStore(store)
    const keys = await node({ store: breakable.store })
    const other = await node()
    const before = kids(keys)
    breakable.broken.set('get', 'rejects')
    await other.rotate({ immediately: true })
    await expect(keys.refresh()).rejects.toThrow('ECONNREFUSED')
    expect(kids(keys)).toEqual(before)
    breakable.broken.clear()
    await keys.refresh()
    expect(kids(keys)).toEqual(kids(other))
  })

  it('follow by themselves, and tell where that fails', async () => {
    const { node, store } = setup()
    const breakable = breakableStore(store)
    const told = new Promise(resolve => void node({ store: breakable.store, followEvery: 1, onError: resolve }))
    await new Promise(resolve => setTimeout(resolve, 100))
    breakable.broken.set('get', 'rejects')
    expect(String(await told)).toContain('ECONNREFUSED')
    for (const keys of open) keys.close()
  })

  it('do not start without a store that answers', async () => {
    const { store, node } = setup()
    const breakable = breakableStore(store)
    breakable.broken.set('get', 'rejects')
    await expect(node({ store: breakable.store })).rejects.toThrow('ECONNREFUSED')
  })

  it.each([
    [{ secret: 'short' }, 'secret must be a string of at least 32 characters'],
    [{ previousSecrets: [''] }, 'previousSecrets[0] must be a string of at least 32 characters'],
    [{ issuer: 'http://as.example.com' }, 'issuer must be an https URL'],
    [{ algorithms: ['HS256'] }, 'algorithms must be a list of ES256'],
    [{ algorithms: [] }, 'algorithms must be a list of ES256'],
    [{ rotateEvery: 3600 }, 'rotateEvery must be 0 or more than publishAhead, 3600'],
    [{ rotateEvery: -1 }, 'rotateEvery must be a whole number'],
    [{ publishAhead: 5 }, 'publishAhead must be at least followEvery, 30'],
    [{ followEvery: 0 }, 'followEvery must be a whole number'],
    [{ keepRetired: 0.5 }, 'keepRetired must be a whole number'],
    [{ rotateEvry: 1 }, 'rotateEvry is not a known option; did you mean rotateEvery?']
  ])('refuse %j, naming the option', async (options, message) => {
    await expect(setup().node(options as never)).rejects.toThrow(message)
  })
})

describe('SigningKeys of a source', () => {
  it('publish what they have by now, whoever asked before', async () => {
    const [set, next] = [await generateKeys(['ES256']), await generateKeys(['ES256'])]
    const listeners: ((keys: typeof set) => void)[] = []
    const keys = new SigningKeys({ current: () => set, subscribe: listener => void listeners.push(listener) })
    const kids = () => keys.publicKeys().keys.map(({ kid }) => kid)
    const [before] = kids()
    listeners.forEach(listener => listener(next))
    expect(kids()).toEqual(next.keys.flatMap(({ kid, kty }) => (kty === 'oct' ? [] : [kid])))
    expect(kids()).not.toContain(before)
  })

  it('keep what they had where a change cannot be used', async () => {
    const set = await generateKeys(['ES256'])
    const listeners: ((keys: typeof set) => void)[] = []
    const keys = new SigningKeys({ current: () => set, subscribe: listener => void listeners.push(listener) })
    const jws = await keys.sign('ES256', 'JWT', {})
    expect(() => listeners.forEach(listener => listener({ keys: [] }))).toThrow('keys must contain')
    expect(keys.verify(jws, 'JWT')).toEqual({})
  })
})
