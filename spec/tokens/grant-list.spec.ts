/** Lists of a person's grants: what they hold, cost and forget. Races over them are in person-grants-races.spec.ts. */
import { describe, expect, it } from '@jest/globals'
import { memoryStore, type Batch, type Json, type Key, type Store } from '../../lib/index.ts'
import { mintAuthorizationCode } from '../../lib/codes/authorization-code.ts'
import { inOneStep } from '../../lib/stores/batch.ts'
import { grantKey, tokenDigest } from '../../lib/tokens/grant.ts'
import { endGrantsBut, keepGrant, personGrants, type NewGrant } from '../../lib/tokens/person-grants.ts'
import type { TokenServer } from '../../lib/tokens/token-server.ts'
import { tokens } from './server.ts'

const kept: NewGrant = { client_id: 'web', sub: 'alice', scope: ['openid'], resources: [], auth_method: 'none' }
const hour = 3600

/** A store that takes batches, and says what it was asked, and what was written, each step of its own. */
function measuredStore(behind: Store): { whole: Store; asked: string[]; written: string[] } {
  const asked: string[] = []
  const written: string[] = []
  const told = (operation: string, { kind }: Key): void => void asked.push(`${operation} ${kind}`)
  const batch = async (steps: Batch) => {
    asked.push(steps.map(({ operation, key }) => `${operation} ${key.kind}`).join(', '))
    for (const step of steps) if ('value' in step) written.push(JSON.stringify(step.value))
    return (await inOneStep(behind, steps)) ? ('done' as const) : ('refused' as const)
  }
  const whole = {
    get: (key: Key) => (told('get', key), behind.get(key)),
    set: (key: Key, value: Json, ttl: number) => (
      told('set', key),
      written.push(JSON.stringify(value)),
      behind.set(key, value, ttl)
    ),
    add: (key: Key, value: Json, ttl: number) => (
      told('add', key),
      written.push(JSON.stringify(value)),
      behind.add(key, value, ttl)
    ),
    take: (key: Key) => (told('take', key), behind.take(key)),
    swap: (key: Key, version: string | number, value: Json, ttl: number) => (
      told('swap', key),
      written.push(JSON.stringify(value)),
      behind.swap(key, version, value, ttl)
    ),
    delete: (key: Key) => (told('delete', key), behind.delete(key)),
    deleteGrant: (grant: string) => (asked.push('deleteGrant'), behind.deleteGrant(grant)),
    close: () => behind.close(),
    batch
  }
  return { whole, asked, written }
}

/** Knows the records without a grant that were written and not deleted. */
function inventoriedStore(behind: Store): { store: Store; present: Set<string> } {
  const present = new Set<string>()
  const store = new Proxy(behind, {
    get:
      (target, name: keyof Store) =>
      (...given: unknown[]): unknown => {
        const { kind = '', id = '' } = (given[0] as Partial<Key> | undefined) ?? {}
        if (name === 'set' || name === 'add') present.add(`${kind} ${id}`)
        if (name === 'delete') present.delete(`${kind} ${id}`)
        return Reflect.apply(Reflect.get(target, name), target, given)
      }
  })
  return { store, present }
}

const listKey = (client_id: string): Key => ({
  kind: 'person_grants',
  id: tokenDigest(JSON.stringify(['alice', client_id]))
})
const clientsKey: Key = { kind: 'person_clients', id: tokenDigest('alice') }

const clientsOf = async (server: TokenServer, sub: string) =>
  (await personGrants(server).grants(sub)).map(({ client_id }) => client_id).sort()
const idsOf = async (server: TokenServer, sub: string) => (await personGrants(server).grants(sub)).map(({ id }) => id).sort()

describe('the list', () => {
  it('forgets what is over, so that it stays short', async () => {
    let now = 0
    const store = memoryStore({ clock: () => now })
    const { server, clock } = await tokens({ store })
    for (let index = 0; index < 50; index += 1) {
      now = clock.now += 3_600_000
      await keepGrant(server, `g${index}`, kept, 60)
    }
    expect((await store.get(listKey('web')))?.value).toMatchObject({ newest: [['g49', expect.any(Number)]], pages: [] })
    expect(await idsOf(server, 'alice')).toEqual(['g49'])
    now = clock.now += 4 * 60_000
    expect(await idsOf(server, 'alice')).toEqual([])
  })

  it('is written in one step with the code, and costs the same however many grants there are', async () => {
    const { asked, written, whole } = measuredStore(memoryStore())
    const { server } = await tokens({ store: whole })
    const record = { ...kept, redirect_uri: 'https://client.example.com/cb', auth_time: 1 }
    const steps: string[] = []
    const sizes: number[] = []
    for (let grants = 0; grants < 1000; grants += 1) {
      asked.length = written.length = 0
      await mintAuthorizationCode(server, record)
      steps.push(asked.join('; '))
      sizes.push(written.join('').length)
    }
    expect(steps[0]).toBe('get person_grants; get person_clients; add person_clients; add person_grants, set authorization_code')
    expect(new Set(steps.slice(1))).toEqual(
      new Set([
        'get person_grants; swap person_grants, set authorization_code',
        // once in fifty times
        'get person_grants; set person_grants_page; swap person_grants, set authorization_code'
      ])
    )
    expect(steps.filter(step => step.includes('page'))).toHaveLength(19)
    expect(Math.max(...sizes)).toBeLessThan(6_000)
  })

  it('as it was before it had pages is read, ended and gone on with', async () => {
    const { server, clock } = await tokens()
    const grants = Array.from({ length: 60 }, (_none, index) => `g${index}`)
    for (const id of grants) await server.store.set(grantKey(id), { ...kept, since: 1 } as object as Json, hour)
    const until = clock.now + hour * 1000
    await server.store.set(
      listKey('web'),
      grants.map(id => [id, until]),
      hour
    )
    await server.store.set(clientsKey, [['web', until]], hour)
    expect(await idsOf(server, 'alice')).toEqual([...grants].sort())
    await keepGrant(server, 'new', kept, 60)
    expect(await idsOf(server, 'alice')).toEqual([...grants, 'new'].sort())
    expect((await server.store.get(clientsKey))?.value).toEqual([['web', until]])
    await personGrants(server).revokeGrants('alice', 'web')
    for (const id of [...grants, 'new']) expect(await server.store.get(grantKey(id))).toBeUndefined()
  })

  it('holds a thousand grants of a client; then the oldest end, and no other client’s', async () => {
    const { store, present } = inventoriedStore(memoryStore())
    const ended: string[] = []
    const { server } = await tokens({ store, onEvent: event => event.type === 'grant.revoked' && ended.push(event.grant) })
    await keepGrant(server, 'mine', { ...kept, client_id: 'other' }, hour)
    const grants = Array.from({ length: 1099 }, (_none, index) => `g${index}`)
    const keep = async (from: number, to: number) => {
      for (const id of grants.slice(from, to)) await keepGrant(server, id, kept, hour)
    }
    const pagesKept = () => [...present].filter(kind => kind.startsWith('person_grants_page')).length
    await keep(0, 1000)
    expect(ended).toEqual([])
    await keep(1000, 1001)
    expect(ended.sort()).toEqual(grants.slice(0, 50).sort())
    expect(pagesKept()).toBe(19)
    // what is used again is not of the oldest
    await keepGrant(server, 'g57', kept, 2 * hour)
    await keep(1001, 1099)
    expect(ended).toHaveLength(99)
    await keepGrant(server, 'g105', kept, 2 * hour)
    expect(ended).toHaveLength(148)
    expect(await idsOf(server, 'alice')).toEqual([...grants.slice(150), 'g57', 'g105', 'mine'].sort())
    await personGrants(server).revokeGrants('alice', 'web')
    expect(await idsOf(server, 'alice')).toEqual(['mine'])
    // those that had something of what stayed are left to expire
    expect(pagesKept()).toBe(2)
    await personGrants(server).revokeGrants('alice', 'web')
    expect(ended.sort()).toEqual([...grants].sort())
  })

  it('forgets the pages whose grants have all ended', async () => {
    const { server } = await tokens()
    const grants = Array.from({ length: 120 }, (_none, index) => `g${index}`)
    for (const id of grants) await keepGrant(server, id, { ...kept, scope: Number(id.slice(1)) < 60 ? [] : ['kept'] }, hour)
    const pages = async () => ((await server.store.get(listKey('web')))?.value as { pages: unknown[] }).pages.length
    expect(await pages()).toBe(2)
    await endGrantsBut(server, 'alice', 'web', scope => scope.includes('kept'))
    expect(await pages()).toBe(1)
    expect(await idsOf(server, 'alice')).toEqual(grants.slice(60).sort())
    expect(await personGrants(server).revokeGrant('alice', 'g119')).toBe(true)
    expect(await personGrants(server).revokeGrant('alice', 'g60')).toBe(true)
    expect(await idsOf(server, 'alice')).toEqual(grants.slice(61, 119).sort())
  })

  it('holds a thousand clients of a person; then the oldest holds nothing more', async () => {
    const { server } = await tokens()
    for (let index = 0; index <= 1000; index += 1)
      await keepGrant(server, `g${index}`, { ...kept, client_id: `client ${index}` }, hour)
    expect(await server.store.get(grantKey('g0'))).toBeUndefined()
    expect(await clientsOf(server, 'alice')).toHaveLength(1000)
    expect(await clientsOf(server, 'alice')).not.toContain('client 0')
    await keepGrant(server, 'again', { ...kept, client_id: 'client 0' }, hour)
    expect(await clientsOf(server, 'alice')).toContain('client 0')
    expect(await clientsOf(server, 'alice')).not.toContain('client 1')
  })
})
