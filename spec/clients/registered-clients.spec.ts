import { describe, expect, it } from '@jest/globals'
import { clientSecrets, toClient } from '../../lib/clients/client.ts'
import { secretKeeper } from '../../lib/credentials/secrets/stored-secret.ts'
import { memoryStore, registeredClients, type ClientMetadata, type ReadMetadata, type Store } from '../../lib/index.ts'
import type { ClientRecord } from '../../lib/clients/registrations.ts'
import { newClientId, openRegistrations } from '../../lib/clients/registered-clients.ts'
import { issuer } from '../support/servers/authorization-server.ts'
import { storeWith } from '../support/servers/registration.ts'

const secrets = secretKeeper({ mac: () => Buffer.alloc(32, 7), random: size => Buffer.alloc(size, 1) })
const id = (letter: string) => letter.repeat(32)

function record(client_id: string, more: Partial<ReadMetadata> = {}): ClientRecord {
  const metadata = { client_id, token_endpoint_auth_method: 'none', redirect_uris: ['https://a.example/'], ...more }
  return { metadata, credentials: [], registration_access_token: 'digest', client_id_issued_at: 1 }
}

/** A node with a clock of its own, and how often it asked the store. */
function node(store: Store, options: { maxAge?: number; configured?: readonly ClientMetadata[]; clock?: { now: number } } = {}) {
  const clock = options.clock ?? { now: 1_800_000_000_000 }
  let asked = 0
  const counting = storeWith(store, { get: key => ((asked += 1), store.get(key)) })
  const registry = registeredClients(options.configured ?? [])
  const registrations = openRegistrations(registry, {
    issuer,
    store: counting,
    secrets,
    clock: () => clock.now,
    maxAge: options.maxAge ?? 5,
    unusedTtl: 2_592_000
  })
  return { clock, registry, registrations, asked: () => asked }
}

describe('a registered client', () => {
  it('is found, the same object while nothing changes, and a new one after a change', async () => {
    const { registry, registrations, clock } = node(memoryStore())
    await registrations.create(record(id('a')))
    const first = await registry.find(id('a'))
    expect(first).toMatchObject({ client_id: id('a'), grant_types: ['authorization_code'] })
    clock.now += 60_000
    expect(await registry.find(id('a'))).toBe(first)
    await registrations.change(id('a'), () => record(id('a'), { client_name: 'New' }))
    expect(await registry.find(id('a'))).toMatchObject({ client_name: 'New' })
  })

  it('is looked up once within the age, however many ask at once', async () => {
    const { registry, registrations, clock, asked } = node(memoryStore())
    await registrations.create(record(id('a')))
    await Promise.all(Array.from({ length: 100 }, () => registry.find(id('a'))))
    expect(asked()).toBe(1)
    clock.now += 4999
    await registry.find(id('a'))
    expect(asked()).toBe(1)
    clock.now += 1
    await Promise.all(Array.from({ length: 100 }, () => registry.find(id('a'))))
    expect(asked()).toBe(2)
  })

  it('is asked for each time where the age is 0', async () => {
    const { registry, registrations, asked } = node(memoryStore(), { maxAge: 0 })
    await registrations.create(record(id('a')))
    for (let time = 0; time < 3; time++) await registry.find(id('a'))
    expect(asked()).toBe(3)
  })

  it('is not shown by a log of it with its secrets', async () => {
    const { registry, registrations } = node(memoryStore())
    const kept = secrets.keep(id('a'), { id: '1', created_at: 1, value: 'the secret', readable: true })
    const basicClient = record(id('a'), { token_endpoint_auth_method: 'client_secret_jwt' })
    await registrations.create({ ...basicClient, credentials: [kept] })
    const client = (await registry.find(id('a'))) ?? toClient({ client_id: 'none' })
    expect(JSON.stringify(client)).not.toMatch(/secret"|digest/)
    expect(clientSecrets(client)).toMatchObject([{ id: '1', value: 'the secret' }])
  })

  it('lives on through a century of nobody asking', async () => {
    const clock = { now: 1_800_000_000_000 }
    const { registry, registrations } = node(memoryStore({ clock: () => clock.now }), { clock })
    await registrations.create(record(id('a')))
    clock.now += 99 * 365.25 * 86_400_000
    expect(await registry.find(id('a'))).toBeDefined()
  })
})

describe('configured clients', () => {
  it('come first, and cost the store nothing', async () => {
    const { registry, asked } = node(memoryStore(), { configured: [{ client_id: 'web', client_secret: 'x' }] })
    expect(await registry.find('web')).toMatchObject({ client_id: 'web' })
    expect(asked()).toBe(0)
  })

  it.each([
    ['an empty one', ''],
    ['a short one', 'x'],
    ['capitals', id('A')],
    ['other letters', id('g')],
    ['one character more', `${id('a')}0`],
    ['a line break more', `${id('a')}\n`],
    ['a long one', 'x'.repeat(100_000)]
  ])('neither does a name that no registered client has: %j', async client_id => {
    const { registry, registrations, asked } = node(memoryStore())
    expect(await registry.find(client_id)).toBeUndefined()
    expect(await registrations.read(client_id)).toBeUndefined()
    expect(asked()).toBe(0)
  })

  it('in a database of their own are not asked for again for a client that is known to have registered', async () => {
    let looked = 0
    const registry = registeredClients(() => void (looked += 1))
    const registrations = openRegistrations(registry, {
      issuer,
      store: memoryStore(),
      secrets,
      clock: () => 0,
      maxAge: 5,
      unusedTtl: 0
    })
    await registrations.create(record(id('a')))
    for (let time = 0; time < 3; time++) expect(await registry.find(id('a'))).toBeDefined()
    expect(looked).toBe(1)
  })
})

describe('made-up client_ids', () => {
  it('drive no client out of the cache, and leave a bounded number behind', async () => {
    const { registry, registrations, asked } = node(memoryStore())
    await registrations.create(record(id('a')))
    await registry.find(id('a'))
    for (let index = 0; index < 20_000; index++) await registry.find(index.toString(16).padStart(32, '0'))
    const before = asked()
    await registry.find(id('a'))
    expect(asked()).toBe(before)
  })
})

describe('two nodes on one store', () => {
  it('see each other’s changes within the age, and their own at once', async () => {
    const store = memoryStore()
    const clock = { now: 1_800_000_000_000 }
    const [a, b] = [node(store, { clock }), node(store, { clock })]
    await a.registrations.create(record(id('a'), { client_name: 'first' }))
    expect(await b.registry.find(id('a'))).toMatchObject({ client_name: 'first' })
    await a.registrations.change(id('a'), () => record(id('a'), { client_name: 'second' }))
    expect(await a.registry.find(id('a'))).toMatchObject({ client_name: 'second' })
    clock.now += 5000
    expect(await b.registry.find(id('a'))).toMatchObject({ client_name: 'second' })
    await b.registrations.end(id('a'), 100)
    expect(await b.registry.find(id('a'))).toBeUndefined()
    clock.now += 5000
    expect(await a.registry.find(id('a'))).toBeUndefined()
  })

  it('lose no change of a registration, and bring none back that has ended', async () => {
    const store = memoryStore()
    const [a, b] = [node(store), node(store)]
    const counted = (known: ClientRecord) => ({ ...known, client_id_issued_at: known.client_id_issued_at + 1 })
    await a.registrations.create(record(id('a')))
    await Promise.all(Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? a : b).registrations.change(id('a'), counted)))
    expect(await b.registrations.read(id('a'))).toMatchObject({ client_id_issued_at: 51 })
    await a.registrations.end(id('a'), 100)
    expect(await b.registrations.change(id('a'), counted)).toBeUndefined()
    expect(await a.registrations.read(id('a'))).toBeUndefined()
    expect(await b.registrations.change(id('b'), counted)).toBeUndefined()
  })
})

describe('a change while a lookup is under way', () => {
  it('is not undone by what the lookup brings', async () => {
    const inner = memoryStore()
    const waiting: (() => void)[] = []
    let slow = false
    const store = storeWith(inner, {
      get: async key => {
        const found = await inner.get(key)
        if (slow) await new Promise<void>(resolve => waiting.push(resolve))
        return found
      }
    })
    const { registry, registrations } = node(store)
    await registrations.create(record(id('a')))
    slow = true
    const early = registry.find(id('a'))
    await new Promise(setImmediate)
    slow = false
    await registrations.end(id('a'), 100)
    waiting.forEach(resume => resume())
    await early
    expect(await registry.find(id('a'))).toBeUndefined()
  })
})

describe('a store that does not answer', () => {
  it('hides neither a client nor its end: whoever asks is told', async () => {
    const inner = memoryStore()
    let down = false
    const { registry, registrations, clock } = node(
      storeWith(inner, { get: key => (down ? Promise.reject(new Error('down')) : inner.get(key)) })
    )
    await registrations.create(record(id('a')))
    await registry.find(id('a'))
    down = true
    expect(await registry.find(id('a'))).toBeDefined()
    clock.now += 5000
    await expect(registry.find(id('a'))).rejects.toThrow('down')
    down = false
    expect(await registry.find(id('a'))).toBeDefined()
  })
})

describe('client_ids', () => {
  it('are 128 random bits, never a URL', () => {
    expect(newClientId(size => Buffer.alloc(size, 0xab))).toBe('ab'.repeat(16))
    expect(
      new Set(Array.from({ length: 1000 }, () => newClientId(size => crypto.getRandomValues(new Uint8Array(size))))).size
    ).toBe(1000)
  })
})
