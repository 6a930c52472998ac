import { describe, expect, it } from '@jest/globals'
import { toClient } from '../../lib/clients/client.ts'
import { beginGrant } from '../../lib/codes/begin-grant.ts'
import { findGrant } from '../../lib/tokens/grant.ts'
import { readRefreshToken } from '../../lib/tokens/refresh-token.ts'
import { spa, tokens, web } from '../tokens/server.ts'

const id = 'AAAAAAAAAAAAAAAAAAAAAA'
const allowed = { client_id: 'web', sub: 'alice', scope: ['openid', 'offline_access'], resources: [], auth_time: 1 }
const refreshing = toClient({ client_id: 'web', client_secret: 's', grant_types: ['refresh_token'] })

describe('a grant that begins', () => {
  it('is kept with how its client authenticated, and has a refresh token', async () => {
    const { server, clock } = await tokens({ scopes: ['openid', 'offline_access'] })
    const refresh_token = await beginGrant(server, id, allowed, {
      client: refreshing,
      authentication: { method: 'client_secret_basic' }
    })
    expect(readRefreshToken(server, refresh_token ?? '')).toEqual({ grant: id, generation: 0 })
    expect((await findGrant(server.store, id))?.grant).toEqual({
      ...allowed,
      auth_method: 'client_secret_basic',
      refresh: { generation: 0, rotated_at: clock.now },
      since: Math.floor(clock.now / 1000),
      listed_until: expect.any(Number)
    })
  })

  it.each([
    ['without offline_access', { ...allowed, scope: ['openid'] }, refreshing],
    ['for a client without the refresh token grant', allowed, web]
  ])('has no refresh token %s', async (_name, what, client) => {
    const { server } = await tokens()
    expect(await beginGrant(server, id, what, { client, authentication: { method: 'none' } })).toBeUndefined()
    expect((await findGrant(server.store, id))?.grant.refresh).toBeUndefined()
  })

  it('binds a public client’s refresh token to its key, a confidential one’s to its certificate alone', async () => {
    const { server } = await tokens()
    const confirmation = { jkt: 'key', 'x5t#S256': 'certificate' }
    const bound = async (client: typeof web) => {
      await beginGrant(server, id, allowed, { client, confirmation, authentication: { method: 'none' } })
      return (await findGrant(server.store, id))?.grant.cnf
    }
    expect(await bound(spa)).toEqual(confirmation)
    expect(await bound(web)).toEqual({ 'x5t#S256': 'certificate' })
  })

  it('lives as long as the tokens it may buy', async () => {
    const { server, clock } = await tokens({ accessTokenTtl: 120, refreshTokenTtl: 600, scopes: ['offline_access'] })
    await beginGrant(server, id, allowed, { client: refreshing, authentication: { method: 'none' } })
    clock.now += 719_000
    expect(await findGrant(server.store, id)).toBeDefined()
    clock.now += 1000
    expect(await findGrant(server.store, id)).toBeUndefined()
  })
})
