import { describe, expect, it } from '@jest/globals'
import { memoryStore, type Key, type Store } from '../../lib/index.ts'
import { verifyAccessToken } from '../../lib/tokens/access-token.ts'
import { revokeToken } from '../../lib/tokens/revocation.ts'
import { api, files } from '../support/servers/authorization-server.ts'
import { tokens, web } from './server.ts'

const own = { client_id: 'web', scope: [], resources: [] }

describe('revokeToken', () => {
  it.each([
    ['a JWT', api],
    ['opaque', files],
    ['for no resource', undefined]
  ])('ends an access token that belongs to no grant: %s', async (_, resource) => {
    const { server } = await tokens()
    const { access_token } = await server.respond({ client: web }, own, { resource })
    await revokeToken(server, access_token, 'other')
    expect(await verifyAccessToken(server, access_token)).toBeDefined()
    await revokeToken(server, access_token, 'web')
    expect(await verifyAccessToken(server, access_token)).toBeUndefined()
  })

  it.each([0, 30_000, 60_000])('ends a JWT for as long as it would have lived, the store %i ms ahead', async ahead => {
    const storeClock = { now: 0 }
    const { server, clock } = await tokens({ store: memoryStore({ clock: () => storeClock.now }) })
    const { access_token } = await server.respond({ client: web }, own, { resource: api })
    clock.now += 1_234_567
    storeClock.now = clock.now
    await revokeToken(server, access_token, 'web')
    // the last moment it would have been good for
    clock.now = 1_800_003_600_000 - 1
    storeClock.now = clock.now + ahead
    expect(await verifyAccessToken(server, access_token)).toBeUndefined()
  })

  it('forgets an opaque token, and remembers that it was revoked no longer than it has to', async () => {
    const calls: string[] = []
    const store = new Proxy(memoryStore({ clock: () => 1_800_000_000_500 }), {
      get:
        (target, name: keyof Store) =>
        (key: Key, ...given: never[]) => {
          calls.push([name, key.kind, ...given.slice(1)].join(' '))
          return Reflect.apply(Reflect.get(target, name) as (...all: unknown[]) => unknown, target, [key, ...given])
        }
    })
    const { server } = await tokens({ store })
    const changesOf = async (resource: string) => {
      const { access_token } = await server.respond({ client: web }, own, { resource })
      calls.length = 0
      await revokeToken(server, access_token, 'web')
      return calls.filter(call => !call.startsWith('get '))
    }
    expect(await changesOf(files)).toEqual(['set revoked_access_token 180', 'delete access_token'])
    expect(await changesOf(api)).toEqual(['set revoked_access_token 3660'])
  })
})
