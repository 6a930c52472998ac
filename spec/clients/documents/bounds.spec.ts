/** Ten thousand clients nobody has heard of: how much is fetched and kept for them, and what becomes of the others meanwhile. */
import { describe, expect, it } from '@jest/globals'
import { documentClients, type DocumentHappening } from '../../../lib/clients/documents/document-clients.ts'
import { documentFetches } from '../../../lib/clients/documents/fetches.ts'
import { guardedFetch, type FetchJson } from '../../../lib/index.ts'
import { clientRegistry, type Client, type ClientRegistry } from '../../../lib/clients/client.ts'

const redirect_uris = ['https://app.example/cb']
const configured = { client_id: 'configured', token_endpoint_auth_method: 'none', redirect_uris }

function registry(fetchJson: FetchJson, timeout = 3000, inner: ClientRegistry = clientRegistry([configured])) {
  const clock = { now: 1_800_000_000_000 }
  const told: DocumentHappening[] = []
  const clients = documentClients(inner, {
    policy: { hosts: () => true, redirectUris: 'any', maxBytes: 5120, timeout, ca: undefined },
    rules: () => ({
      ...{ redirectUris: 'any' as const, loopback: false, publicClients: true },
      ...{ offered: { signingAlgorithms: ['RS256'] }, profileProblems: () => [] }
    }),
    fetchJson,
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

  it('of as many hosts are fetched a hundred at a time, a thousand wait, and the rest are told at once', async () => {
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
    let refused = 0
    const asked = Array.from({ length: count }, (_, index) =>
      clients.find(`https://host-${index}.example/client`).then(() => void (refused += 1))
    )
    await settled()
    expect([fetches, refused]).toEqual([100, count - 1100])
    // whoever is known is found meanwhile
    expect(await clients.find('configured')).toMatchObject(configured)
    while (refused < count) {
      for (const done of release.splice(0)) done()
      await settled()
    }
    await Promise.all(asked)
    expect([fetches, most]).toEqual([1100, 100])
    // what is remembered of them is bounded too
    const remembered = Array.from({ length: count }, (_, index) => clients.whyUnknown?.(`https://host-${index}.example/client`))
    expect(remembered.filter(reason => reason !== undefined).length).toBeLessThanOrEqual(2000)
  })

  it('with documents are kept as far as 32 MiB go, and no further', async () => {
    const filler = 'x'.repeat(4900)
    const host = { isThere: true }
    const { clients } = registry(client_id =>
      host.isThere ? Promise.resolve({ json: { client_id, redirect_uris, filler } }) : Promise.reject(new Error('no'))
    )
    const ids = Array.from({ length: count }, (_, index) => `https://good.example/${index}`)
    for (const client_id of ids) expect(await clients.find(client_id)).toBeDefined()
    host.isThere = false
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
    expect(await clients.find(good)).toMatchObject({ client_id: good })
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
    const { clients } = registry(guardedFetch({ lookup, timeout: 200 }), 200)
    const client_id = 'https://both.example/client'
    expect(await clients.find(client_id)).toBeUndefined()
    expect(clients.whyUnknown?.(client_id)).toMatchObject({ check: 'client_document', reason: expect.stringMatching(/address/) })
  })
})

it('what a client with a document proves itself with is recorded nowhere', async () => {
  const noted: string[] = []
  const inner = { ...clientRegistry([configured]), used: ({ client_id }: Client) => void noted.push(client_id) }
  const address = 'https://good.example/client'
  const { clients } = registry(client_id => Promise.resolve({ json: { client_id, redirect_uris } }), 3000, inner)
  for (const client_id of [address, 'configured', address]) {
    const client = await clients.find(client_id)
    if (client !== undefined) clients.used?.(client, 'none', [])
  }
  expect(noted).toEqual(['configured'])
})

it('a fetch that is shared is let go of when it is over', async () => {
  const fetchOnce = documentFetches({
    fetchJson: () => Promise.resolve({ json: {} }),
    timeout: 100,
    clock: Date.now,
    read: (_, { json }) => json
  })
  expect(await Promise.all([fetchOnce('https://a.example/x'), fetchOnce('https://a.example/x')])).toEqual([{}, {}])
})
