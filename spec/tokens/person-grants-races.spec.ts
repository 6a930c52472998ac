import { describe, expect, it } from '@jest/globals'
import { memoryStore, TemporarilyUnavailableError, type Key, type Store } from '../../lib/index.ts'
import { mintAuthorizationCode } from '../../lib/codes/authorization-code.ts'
import { grantKey, tokenDigest } from '../../lib/tokens/grant.ts'
import { keepGrant, personGrants, type NewGrant } from '../../lib/tokens/person-grants.ts'
import type { TokenServer } from '../../lib/tokens/token-server.ts'
import { breakableStore, codeForm, harness, token, userinfo } from '../support/servers/authorization-server.ts'
import { tokens } from './server.ts'

const kept: NewGrant = { client_id: 'web', sub: 'alice', scope: ['openid'], resources: [], auth_method: 'none' }
const hour = 3600

const idsOf = async (server: TokenServer, sub: string) => (await personGrants(server).grants(sub)).map(({ id }) => id)

/** A store every operation of which takes its time, and another each time: what is done at once really overlaps. */
function slowStore(behind: Store): Store {
  let turn = 0
  const later = () => new Promise(resolve => setTimeout(resolve, (turn += 7) % 5))
  return new Proxy(behind, {
    get:
      (target, name: keyof Store) =>
      async (...given: unknown[]): Promise<unknown> => {
        await later()
        const answer: unknown = await Reflect.apply(Reflect.get(target, name), target, given)
        await later()
        return answer
      }
  })
}

describe('at once', () => {
  it('fifty authorizations of one person lose nothing, and can all be taken back', async () => {
    const store = slowStore(memoryStore())
    const h = await harness({ store })
    const wanted = Array.from({ length: 50 }, (_none, index) => (index % 2 === 0 ? 'web' : 'other'))
    const codes = await Promise.all(wanted.map(client_id => codeForm(h.app, { client_id })))
    const bought = await Promise.all(codes.map((form, index) => token(h.app, wanted[index] ?? '', form)))
    expect(new Set(bought.map(({ status }) => status))).toEqual(new Set([200]))
    const listed = await h.server.grants('alice')
    expect(listed).toHaveLength(50)
    expect(new Set(listed.map(({ id }) => id)).size).toBe(50)
    await Promise.all([h.server.revokeGrants('alice', 'web'), h.server.revokeGrants('alice', 'other')])
    expect(await h.server.grants('alice')).toEqual([])
    for (const { body } of bought)
      expect((await userinfo(h.app, (body as { access_token: string }).access_token)).status).toBe(401)
  })

  it('authorizing and taking back leave nothing alive that is not listed', async () => {
    const store = slowStore(memoryStore())
    const h = await harness({ store })
    const buy = async () => (await token(h.app, 'web', await codeForm(h.app))).body as { access_token?: string }
    const revoking = async () => {
      for (let turn = 0; turn < 6; turn += 1) {
        await new Promise(resolve => setTimeout(resolve, 20))
        await h.server.revokeGrants('alice', 'web')
      }
    }
    const [bought] = await Promise.all([Promise.all(Array.from({ length: 30 }, buy)), revoking()])
    const alive = await Promise.all(bought.map(({ access_token = '' }) => h.server.verifyAccessToken(access_token)))
    const listed = new Set((await h.server.grants('alice')).map(({ id }) => id))
    for (const found of alive) if (found !== undefined) expect(listed).toContain(found.grant)
    await h.server.revokeGrants('alice', 'web')
    for (const { access_token = '' } of bought) expect(await h.server.verifyAccessToken(access_token)).toBeUndefined()
  })
})

interface Interruption {
  readonly operation: keyof Store
  readonly kind: string
  readonly run: () => Promise<unknown>
}

/** A store that does something else before an operation, once. */
function interruptedStore(behind: Store): { store: Store; hook: { before?: Interruption | undefined } } {
  const hook: { before?: Interruption | undefined } = {}
  const store = new Proxy(behind, {
    get:
      (target, name: keyof Store) =>
      async (...given: unknown[]): Promise<unknown> => {
        const { before } = hook
        if (before?.operation === name && before.kind === (given[0] as Key).kind) {
          hook.before = undefined
          await before.run()
        }
        return Reflect.apply(Reflect.get(target, name), target, given)
      }
  })
  return { store, hook }
}

/** Servers of four processes: each has the store to itself, and knows of the others by what is in it. */
const fourServers = (behind: Store, slow = slowStore) =>
  Promise.all(Array.from({ length: 4 }, async () => (await tokens({ store: slow(behind) })).server)) as Promise<
    [TokenServer, TokenServer, TokenServer, TokenServer]
  >

describe('in four processes at once', () => {
  it('many grants of one person at two clients, some of them put there again, are all there', async () => {
    const servers = await fourServers(memoryStore())
    const ids = Array.from({ length: 112 }, (_none, index) => `g${index}`)
    const keep = async (id: string, index: number) => {
      const server = servers[index % 4] ?? servers[0]
      const record = { ...kept, client_id: index % 8 < 4 ? 'web' : 'other' }
      await keepGrant(server, id, record, hour)
      if (index % 5 === 0) await keepGrant(server, id, record, 2 * hour)
    }
    await Promise.all(ids.map(keep))
    for (const server of servers) expect((await idsOf(server, 'alice')).sort()).toEqual([...ids].sort())
    await Promise.all(
      servers.map((server, index) => personGrants(server).revokeGrants('alice', index % 2 === 0 ? 'web' : 'other'))
    )
    for (const id of ids) expect(await servers[0].store.get(grantKey(id))).toBeUndefined()
  })

  it('what begins while it is taken back is listed, or has ended', async () => {
    const servers = await fourServers(memoryStore())
    const ids = Array.from({ length: 100 }, (_none, index) => `g${index}`)
    const take = async (server: TokenServer) => {
      for (let turn = 0; turn < 8; turn += 1) {
        await personGrants(server).revokeGrants('alice', 'web')
        await personGrants(server).revokeGrant('alice', `g${turn * 12}`)
      }
    }
    await Promise.all([
      ...ids.map((id, index) => keepGrant(servers[index % 4] ?? servers[0], id, kept, hour)),
      ...servers.map(take)
    ])
    const alive = await Promise.all(ids.map(async id => (await servers[0].store.get(grantKey(id))) !== undefined))
    const living = ids.filter((_id, index) => alive[index])
    expect((await idsOf(servers[1], 'alice')).sort()).toEqual(living.sort())
  })

  it('of clients that come to a person who has a thousand, and those they push out, what lives is listed', async () => {
    const behind = memoryStore()
    const servers = await fourServers(behind)
    const { server: quick } = await tokens({ store: behind })
    const known = Array.from({ length: 40 }, (_none, index) => `client ${index}`)
    for (const client_id of known) await keepGrant(quick, `of ${client_id}`, { ...kept, client_id }, hour)
    const clientsKey: Key = { kind: 'person_clients', id: tokenDigest('alice') }
    const clients = async () => (await behind.get(clientsKey))?.value as [string, number][]
    const [[, until]] = (await clients()) as [[string, number]]
    const others = Array.from({ length: 960 }, (_none, index): [string, number] => [`other ${index}`, until])
    await behind.set(clientsKey, [...(await clients()), ...others], hour)
    const keep = async (index: number) => {
      const server = servers[index % 4] ?? servers[0]
      await keepGrant(server, `new ${index}`, { ...kept, client_id: `new client ${index}` }, hour)
      // the oldest of all are in use at the same time
      await keepGrant(server, `again ${index}`, { ...kept, client_id: `client ${index}` }, hour)
    }
    await Promise.all(Array.from({ length: 20 }, (_none, index) => keep(index)))
    const listed = new Set(await idsOf(quick, 'alice'))
    const made = [
      ...known.map(client_id => `of ${client_id}`),
      ...Array.from({ length: 20 }, (_none, index) => [`new ${index}`, `again ${index}`]).flat()
    ]
    for (const id of made) expect([id, (await behind.get(grantKey(id))) !== undefined]).toEqual([id, listed.has(id)])
    expect(await clients()).toHaveLength(1000)
  })

  /** Alice has a thousand clients, `web` the first of them, which holds a grant. */
  async function crowded() {
    const behind = memoryStore()
    const { store, hook } = interruptedStore(behind)
    const [{ server }, { server: other }] = [await tokens({ store }), await tokens({ store: behind })]
    await keepGrant(server, 'first', kept, hour)
    const until = server.clock() + 4 * hour * 1000
    const others = Array.from({ length: 999 }, (_none, index) => `c${index}`)
    const all = ['web', ...others].map(name => [name, until])
    await behind.set({ kind: 'person_clients', id: tokenDigest('alice') }, all, hour)
    return { behind, hook, server, other, pushing: { ...kept, client_id: 'one too many' } }
  }

  it('a client that is pushed out while it gets a grant comes back with it', async () => {
    const { behind, hook, server, other, pushing } = await crowded()
    // all has been read, and nothing is written yet
    hook.before = {
      operation: 'swap',
      kind: 'person_grants',
      run: async () => {
        await keepGrant(other, 'pushing', pushing, hour)
        expect(await idsOf(other, 'alice')).toEqual(['pushing'])
      }
    }
    await keepGrant(server, 'second', kept, hour)
    expect(hook.before).toBeUndefined()
    expect((await idsOf(other, 'alice')).sort()).toEqual(['pushing', 'second'])
    expect(await behind.get(grantKey('first'))).toBeUndefined()
  })

  it('a client that gets a grant just before it is pushed out stays', async () => {
    const { hook, server, other, pushing } = await crowded()
    // what it held has ended, and it is still among the clients
    hook.before = { operation: 'swap', kind: 'person_clients', run: () => keepGrant(other, 'second', kept, hour) }
    await keepGrant(server, 'pushing', pushing, hour)
    expect(hook.before).toBeUndefined()
    expect((await idsOf(other, 'alice')).sort()).toEqual(['pushing', 'second'])
  })

  it('neither waits for the other, in one process either', async () => {
    const { behind, hook, server, other, pushing } = await crowded()
    await behind.delete({ kind: 'person_grants', id: tokenDigest(JSON.stringify(['alice', 'web'])) })
    let second: Promise<void> | undefined
    // its list is being changed, and waits for its turn at the clients
    hook.before = {
      operation: 'get',
      kind: 'person_clients',
      run: () => {
        second = keepGrant(server, 'second', kept, hour)
        return new Promise(setImmediate)
      }
    }
    await keepGrant(server, 'pushing', pushing, hour)
    await second
    expect((await idsOf(other, 'alice')).sort()).toEqual(['pushing', 'second'])
  })

  it('a page that somebody was about to fill takes nothing from the one that another has filled meanwhile', async () => {
    const behind = memoryStore()
    const { store, hook } = interruptedStore(behind)
    const [{ server }, { server: other }] = [await tokens({ store }), await tokens({ store: behind })]
    const ids = Array.from({ length: 50 }, (_none, index) => `g${index}`)
    for (const id of ids) await keepGrant(server, id, kept, hour)
    hook.before = {
      operation: 'set',
      kind: 'person_grants_page',
      run: async () => {
        await personGrants(other).revokeGrant('alice', 'g0')
        for (const id of ['of the other', 'first of a page']) await keepGrant(other, id, kept, hour)
      }
    }
    await keepGrant(server, 'late', kept, hour)
    expect(hook.before).toBeUndefined()
    expect((await idsOf(other, 'alice')).sort()).toEqual([...ids.slice(1), 'of the other', 'first of a page', 'late'].sort())
  })
})

describe('a store that fails', () => {
  it.each(['get', 'add', 'swap'] as const)('at %s: no code is handed out that nobody could take back', async operation => {
    const { store, broken } = breakableStore(memoryStore())
    const { server } = await tokens({ store })
    const record = { ...kept, redirect_uri: 'https://client.example.com/cb', auth_time: 1 }
    if (operation === 'swap') await keepGrant(server, 'g', kept, hour)
    broken.set(operation, 'rejects')
    await expect(mintAuthorizationCode(server, record)).rejects.toThrow(TemporarilyUnavailableError)
    broken.clear()
    expect(await personGrants(server).grants('alice')).toHaveLength(operation === 'swap' ? 1 : 0)
  })

  it('when grants end: says so, and leaves on the list what lives', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const { server } = await tokens({ store })
    await keepGrant(server, 'g', kept, hour)
    for (const operation of ['deleteGrant', 'swap', 'get'] as const) {
      broken.set(operation, 'rejects')
      await expect(personGrants(server).revokeGrants('alice', 'web')).rejects.toThrow(TemporarilyUnavailableError)
      broken.clear()
      if (operation === 'deleteGrant') expect(await idsOf(server, 'alice')).toEqual(['g'])
    }
    await personGrants(server).revokeGrants('alice', 'web')
    expect(await idsOf(server, 'alice')).toEqual([])
  })
})
