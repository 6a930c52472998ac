/** Ten thousand clients nobody has heard of: how much is fetched and kept for them, and what becomes of the others meanwhile. */
import { describe, expect, it } from '@jest/globals'
import { documentClients, type DocumentHappening } from '../../../lib/clients/documents/document-clients.ts'
import { documentFetches } from '../../../lib/clients/documents/fetches.ts'
import { guardedFetch, TemporarilyUnavailableError, type FetchJson } from '../../../lib/index.ts'
import { clientRegistry, type Client, type ClientRegistry } from '../../../lib/clients/client.ts'
import { DocumentPostponedError, mayBegin } from '../../../lib/clients/documents/postponed.ts'

const redirect_uris = ['https://app.example/cb']
const configured = { client_id: 'configured', token_endpoint_auth_method: 'none', redirect_uris }

interface Given {
  readonly timeout?: number
  readonly inner?: ClientRegistry
  readonly limits?: { readonly newPerHost: number; readonly newPerMinute: number; readonly atOnce: number }
  /** The clients that somebody agreed to. */
  readonly consented?: readonly string[]
}

const defaults = { newPerHost: 100, newPerMinute: 1000, atOnce: 100 }

function registry(fetchJson: FetchJson, given: Given = {}) {
  const { timeout = 3000, inner = clientRegistry([configured]), limits = defaults, consented = [] } = given
  const clock = { now: 1_800_000_000_000 }
  const told: DocumentHappening[] = []
  const clients = documentClients(inner, {
    policy: { hosts: () => true, redirectUris: 'any', maxBytes: 5120, timeout, ca: undefined, limits },
    rules: () => ({
      ...{ redirectUris: 'any' as const, loopback: false, publicClients: true },
      ...{ offered: { signingAlgorithms: ['RS256'] }, profileProblems: () => [] }
    }),
    fetchJson,
    wasConsented: client_id => Promise.resolve(consented.includes(client_id)),
    clock: () => clock.now,
    tell: happening => void told.push(happening)
  })
  return { clients, clock, told }
}

const count = 10_000
const settled = () => new Promise(resolve => setImmediate(resolve))

describe('ten thousand unknown ids in a minute', () => {
  it('of one host cost ten fetches, and ten more the minute after', async () => {
    let fetches = 0
    const { clients, clock, told } = registry(() => Promise.reject(new Error(`fetch ${(fetches += 1)}`)))
    for (let index = 0; index < count; index++) expect(await clients.find(`https://evil.example/${index}`)).toBeUndefined()
    expect(fetches).toBe(10)
    expect(told).toHaveLength(count)
    clock.now += 60_001
    for (let index = 0; index < 100; index++) await clients.find(`https://evil.example/${index}`)
    expect(fetches).toBe(20)
  })

  it('of as many hosts are fetched a hundred at a time, a thousand wait, and the rest are told at once to come again', async () => {
    let [underWay, most, fetches] = [0, 0, 0]
    const release: (() => void)[] = []
    const fetchJson: FetchJson = async () => {
      fetches += 1
      most = Math.max(most, (underWay += 1))
      await new Promise<void>(resolve => release.push(resolve))
      underWay -= 1
      throw new Error('nothing there')
    }
    const { clients } = registry(fetchJson)
    let [refused, postponed] = [0, 0]
    const asked = Array.from({ length: count }, (_, index) =>
      clients.find(`https://host-${index}.example/client`).then(
        () => void (refused += 1),
        (error: unknown) => void (postponed += error instanceof TemporarilyUnavailableError ? 1 : 0)
      )
    )
    await settled()
    expect([fetches, refused, postponed]).toEqual([100, 0, count - 1100])
    // whoever is known is found meanwhile
    expect(await clients.find('configured')).toMatchObject(configured)
    while (refused + postponed < count) {
      for (const done of release.splice(0)) done()
      await settled()
    }
    await Promise.all(asked)
    // each of a host that fails, which has a bound of its own for that
    expect([fetches, most, refused]).toEqual([1100, 100, 1100])
    // what is remembered of them is bounded too
    const remembered = Array.from({ length: count }, (_, index) => clients.whyUnknown?.(`https://host-${index}.example/client`))
    expect(remembered.filter(reason => reason !== undefined).length).toBeLessThanOrEqual(2000)
  })

  it('of hosts that each fail once cost ten thousand fetches, and the rest are told to come again', async () => {
    let fetches = 0
    const { clients, clock } = registry(() => Promise.reject(new Error(`fetch ${(fetches += 1)}`)))
    for (let index = 0; index < count; index++) await clients.find(`https://host-${index}.evil.example/client`)
    await expect(clients.find('https://one-more.evil.example/client')).rejects.toThrow(TemporarilyUnavailableError)
    expect(fetches).toBe(count)
    clock.now += 60_001
    expect(await clients.find('https://one-more.evil.example/client')).toBeUndefined()
    expect(fetches).toBe(count + 1)
  })

  it('with documents are kept as far as 32 MiB go, and no further', async () => {
    const filler = 'x'.repeat(4900)
    const host = { isThere: true }
    const { clients, clock } = registry(
      client_id =>
        host.isThere ? Promise.resolve({ json: { client_id, redirect_uris, filler } }) : Promise.reject(new Error('no')),
      { limits: { newPerHost: count, newPerMinute: count, atOnce: 100 } }
    )
    const ids = Array.from({ length: count }, (_, index) => `https://good.example/${index}`)
    for (const client_id of ids) await clients.find(client_id)
    host.isThere = false
    // a minute in which new ones may be asked for
    clock.now += 60_001
    let kept = 0
    for (const client_id of ids) kept += (await clients.find(client_id)) === undefined ? 0 : 1
    expect(kept).toBeGreaterThan(1000)
    expect(kept).toBeLessThanOrEqual(33_554_432 / 4900)
  })

  it('does not keep what is there from being found, once it is', async () => {
    const good = 'https://good.example/client'
    const { clients } = registry(address =>
      address === good ? Promise.resolve({ json: { client_id: good, redirect_uris } }) : Promise.reject(new Error('no'))
    )
    for (let index = 0; index < 1000; index++) await clients.find(`https://evil.example/${index}`)
    for (let index = 0; index < 1000; index++) await clients.find(`https://evil-${index}.example/client`)
    expect(await clients.find(good)).toMatchObject({ client_id: good })
  })
})

/** A host with a document at every address. */
const everywhere = (fetched: string[]) => (client_id: string) => {
  fetched.push(client_id)
  return Promise.resolve({ json: { client_id, redirect_uris } })
}

describe('ten thousand ids with a document each, in a minute', () => {
  const addresses = (host: string) => Array.from({ length: count }, (_, index) => `https://${host}.example/${index}`)

  it('of one host cost a hundred fetches; whoever would be one more comes again', async () => {
    const fetched: string[] = []
    const { clients, clock, told } = registry(everywhere(fetched))
    const ids = addresses('good')
    let postponed = 0
    let last: unknown
    for (const client_id of ids)
      await clients.find(client_id).catch((error: unknown) => {
        last = error
        postponed += 1
      })
    expect(last).toMatchObject({ error: 'temporarily_unavailable', status: 503, headers: { 'Retry-After': '60' } })
    expect([fetched.length, postponed]).toEqual([100, count - 100])
    expect(told.filter(({ type }) => type === 'client_document.refused')).toHaveLength(postponed)
    expect(clients.whyUnknown?.('https://good.example/9999')).toMatchObject({ check: 'client_document_limit' })
    // other hosts do not pay for it
    expect(await clients.find('https://other.example/client')).toBeDefined()
    clock.now += 60_000
    for (const client_id of ids.slice(5000, 5100)) expect(await clients.find(client_id)).toBeDefined()
    expect(fetched).toHaveLength(201)
  })

  it('of as many hosts cost a thousand', async () => {
    const fetched: string[] = []
    const { clients } = registry(everywhere(fetched))
    const found = await Promise.allSettled(
      Array.from({ length: count }, (_, index) => clients.find(`https://host-${index}.example/client`))
    )
    expect(fetched).toHaveLength(1000)
    expect(found.filter(({ status }) => status === 'fulfilled')).toHaveLength(1000)
  })

  it('cost nobody else anything: who was read before is read again, and whom somebody agreed to is found', async () => {
    const fetched: string[] = []
    const agreed = 'https://good.example/agreed-in-another-process'
    const { clients, clock } = registry(everywhere(fetched), { consented: [agreed] })
    const before = 'https://good.example/before'
    await clients.find(before)
    // no longer fresh by then
    clock.now += 299_000
    const flood = addresses('good').slice(0, 1000)
    await Promise.allSettled(flood.map(client_id => clients.find(client_id)))
    expect(fetched).toHaveLength(101)
    clock.now += 2_000
    await expect(clients.find('https://good.example/another')).rejects.toBeInstanceOf(TemporarilyUnavailableError)
    for (const client_id of [before, agreed]) expect(await clients.find(client_id)).toMatchObject({ client_id })
    expect(fetched.slice(-2)).toEqual([before, agreed])
  })

  it('do not keep those who are known waiting behind them', async () => {
    const held: (() => void)[] = []
    const agreed = 'https://slow.example/agreed'
    const fetched: string[] = []
    const { clients } = registry(
      async client_id => {
        fetched.push(client_id)
        await new Promise<void>(resolve => held.push(resolve))
        return { json: { client_id, redirect_uris } }
      },
      { consented: [agreed] }
    )
    const strangers = addresses('slow').slice(0, 500)
    const flood = strangers.map(client_id => clients.find(client_id).catch(() => undefined))
    await settled()
    expect(fetched).toHaveLength(10)
    const known = clients.find(agreed)
    await settled()
    held.shift()?.()
    await settled()
    expect(fetched.at(-1)).toBe(agreed)
    for (let isOver = false; !isOver;) {
      for (const done of held.splice(0)) done()
      await settled()
      isOver = held.length === 0
    }
    expect(await known).toMatchObject({ client_id: agreed })
    expect((await Promise.all(flood)).filter(found => found !== undefined)).toHaveLength(100)
  })
})

describe('ids whose documents were read before, at hosts that no longer answer', () => {
  /** A registry that has read those documents, a thousand in a minute; from then on their hosts hang. */
  async function hanging(count: number) {
    const state = { hangs: false, held: [] as (() => void)[] }
    const agreed = 'https://app.example/agreed'
    const made = registry(
      async client_id => {
        if (state.hangs && client_id !== agreed) await new Promise<void>(resolve => state.held.push(resolve))
        return { json: { client_id, redirect_uris } }
      },
      { consented: [agreed], timeout: 50 }
    )
    const ids = Array.from({ length: count }, (_, index) => `https://n${index}.evil.example/client`)
    for (const [index, client_id] of [...ids, agreed].entries()) {
      if (index % 1000 === 0) made.clock.now += 61_000
      await made.clients.find(client_id)
    }
    made.clock.now += 301_000
    state.hangs = true
    return { ...made, ids, agreed, held: state.held }
  }

  it('keep nobody waiting that somebody agreed to', async () => {
    const { clients, ids, agreed, held } = await hanging(1100)
    const flood = ids.map(client_id => clients.find(client_id))
    await settled()
    expect(held).toHaveLength(100)
    const read = await clients.find(agreed)
    expect(read).toMatchObject({ client_id: agreed })
    expect(read !== undefined && mayBegin(read)).toBe(true)
    const found = await Promise.race([Promise.all(flood.slice(100)), new Promise(resolve => setTimeout(resolve, 5000))])
    // what was granted to them before goes on, and nothing begins: they are to come again
    expect(found).toHaveLength(1000)
    for (const client of (found as Client[]).slice(0, 10)) expect(() => mayBegin(client)).toThrow(DocumentPostponedError)
    for (const done of held.splice(0)) done()
    await Promise.all(flood)
  })
})

describe('a name that resolves to public and private addresses at once', () => {
  it.each([
    ['93.184.215.14', '10.0.0.1'],
    ['198.41.0.4', '127.0.0.1'],
    ['198.41.0.4', '169.254.169.254'],
    ['2606:4700::1111', '::ffff:169.254.169.254'],
    ['198.41.0.4', 'fd00::1']
  ])('%s and %s: its document is not connected to', async (...addresses) => {
    const lookup = () => Promise.resolve(addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })))
    const { clients } = registry(guardedFetch({ lookup, timeout: 200 }), { timeout: 200 })
    const client_id = 'https://both.example/client'
    expect(await clients.find(client_id)).toBeUndefined()
    expect(clients.whyUnknown?.(client_id)).toMatchObject({ check: 'client_document', reason: expect.stringMatching(/address/) })
  })
})

it('what a client with a document proves itself with is recorded nowhere', async () => {
  const noted: string[] = []
  const inner = { ...clientRegistry([configured]), used: ({ client_id }: Client) => void noted.push(client_id) }
  const address = 'https://good.example/client'
  const { clients } = registry(client_id => Promise.resolve({ json: { client_id, redirect_uris } }), { inner })
  for (const client_id of [address, 'configured', address]) {
    const client = await clients.find(client_id)
    if (client !== undefined) clients.used?.(client, 'none', [])
  }
  expect(noted).toEqual(['configured'])
})

it('a fetch that is shared is let go of when it is over', async () => {
  const fetchOnce = documentFetches({
    fetchJson: () => Promise.resolve({ json: {} }),
    acquaintanceOf: () => Promise.resolve('new' as const),
    limits: defaults,
    timeout: 100,
    clock: Date.now,
    read: (_, { json }) => json
  })
  expect(await Promise.all([fetchOnce('https://a.example/x'), fetchOnce('https://a.example/x')])).toEqual([{}, {}])
})
