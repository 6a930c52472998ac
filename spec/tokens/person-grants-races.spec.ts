import { describe, expect, it } from '@jest/globals'
import { memoryStore, TemporarilyUnavailableError, type Store } from '../../lib/index.ts'
import { mintAuthorizationCode } from '../../lib/codes/authorization-code.ts'
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
