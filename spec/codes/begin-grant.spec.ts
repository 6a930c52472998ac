import { describe, expect, it } from '@jest/globals'
import { toClient } from '../../lib/clients/client.ts'
import { beginGrant } from '../../lib/codes/begin-grant.ts'
import { inOneStep } from '../../lib/stores/batch.ts'
import { findGrant, grantKey } from '../../lib/tokens/grant.ts'
import { readRefreshToken } from '../../lib/tokens/refresh-token.ts'
import { spa, tokens, web } from '../tokens/server.ts'

const id = 'AAAAAAAAAAAAAAAAAAAAAA'
const allowed = { client_id: 'web', sub: 'alice', scope: ['openid', 'offline_access'], resources: [], auth_time: 1 }
const refreshing = toClient({ client_id: 'web', client_secret: 's', grant_types: ['refresh_token'] })

async function begin(...given: Parameters<typeof beginGrant>): Promise<string | undefined> {
  const { refresh_token, record } = await beginGrant(...given)
  expect(await findGrant(given[0].store, given[1])).toBeUndefined()
  await inOneStep(given[0].store, [record])
  return refresh_token
}

describe('a grant that begins', () => {
  it('is kept with how its client authenticated, and has a refresh token', async () => {
    const { server, clock } = await tokens({ scopes: ['openid', 'offline_access'] })
    const refresh_token = await begin(server, id, allowed, {
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

  it('is kept with all that was allowed', async () => {
    const { server } = await tokens()
    const whole = {
      ...allowed,
      resources: ['https://api.example'],
      claims: { userinfo: ['email'] },
      authorization_details: [{ type: 'payment', amount: '1.00' }],
      acr: 'silver',
      amr: ['pwd'],
      sid: 'session',
      since: 7,
      listed_until: Number.MAX_SAFE_INTEGER
    }
    await begin(server, id, whole, { client: web, authentication: { method: 'attest_jwt_client_auth', instance: 'thumbprint' } })
    const kept = { ...whole, auth_method: 'attest_jwt_client_auth', instance_jkt: 'thumbprint' }
    expect((await findGrant(server.store, id))?.grant).toEqual(kept)
  })

  it.each([
    ['without offline_access', { ...allowed, scope: ['openid'] }, refreshing],
    ['for a client without the refresh token grant', allowed, web]
  ])('has no refresh token %s', async (_name, what, client) => {
    const { server } = await tokens()
    expect(await begin(server, id, what, { client, authentication: { method: 'none' } })).toBeUndefined()
    expect((await findGrant(server.store, id))?.grant.refresh).toBeUndefined()
  })

  it('binds a public client’s refresh token to its key, a confidential one’s to its certificate alone', async () => {
    const { server } = await tokens()
    const confirmation = { jkt: 'key', 'x5t#S256': 'certificate' }
    const bound = async (client: typeof web) => {
      await begin(server, id, allowed, { client, confirmation, authentication: { method: 'none' } })
      const found = await findGrant(server.store, id)
      await server.store.delete(grantKey(id))
      return found?.grant.cnf
    }
    expect(await bound(spa)).toEqual(confirmation)
    expect(await bound(web)).toEqual({ 'x5t#S256': 'certificate' })
  })

  it('lives as long as the tokens it may buy', async () => {
    const { server, clock } = await tokens({ accessTokenTtl: 120, refreshTokenTtl: 600, scopes: ['offline_access'] })
    await begin(server, id, allowed, { client: refreshing, authentication: { method: 'none' } })
    clock.now += 719_000
    expect(await findGrant(server.store, id)).toBeDefined()
    clock.now += 1000
    expect(await findGrant(server.store, id)).toBeUndefined()
  })
})
