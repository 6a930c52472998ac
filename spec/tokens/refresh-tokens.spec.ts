/** Which grants have refresh tokens: those with offline_access, or all of clients that registered for them. */
import { describe, expect, it } from '@jest/globals'
import { api, clients, harness, redeemed, token } from '../support/servers/authorization-server.ts'
import { tokensOf } from '../support/servers/assertion-grants.ts'
import { life, lively, tickets } from '../support/servers/grant-life.ts'

const scope = 'openid api:read'
const refreshTokenOf = async (options: Parameters<typeof harness>[0], client_id = 'web', asked = scope) =>
  (await redeemed((await harness(options)).app, client_id, { scope: asked })).refresh_token as string | undefined

describe('refreshTokens', () => {
  it.each([
    [undefined, scope, false],
    [undefined, `${scope} offline_access`, true],
    ['offline_access', scope, false],
    ['offline_access', `${scope} offline_access`, true],
    ['registered', scope, true],
    ['registered', `${scope} offline_access`, true],
    ['registered', '', true]
  ] as const)('%s: a code for %j buys one: %s', async (refreshTokens, asked, expected) => {
    for (const client_id of ['web', 'spa']) {
      const bought = await refreshTokenOf({ refreshTokens }, client_id, asked === '' ? undefined : asked)
      expect(bought !== undefined).toBe(expected)
    }
  })

  it('registered: none for a client that did not register the grant type', async () => {
    expect(await refreshTokenOf({ refreshTokens: 'registered' }, 'codes-only')).toBeUndefined()
  })

  it.each(Object.entries(tickets).filter(([name]) => !['a refresh token', 'an assertion'].includes(name)))(
    'registered: there is one for %s, where offline_access was taken too',
    async (_, ticket) => {
      const made = await life({ refreshTokens: 'registered' })
      const use = await ticket(made)
      made.clients.set('web', lively('web', { scope }))
      expect((await use()).body).toMatchObject({ scope, refresh_token: expect.any(String) })
    }
  )

  it('registered: it works, rotates, is shown to its client and its person, and never begins with an assertion', async () => {
    const made = await life({ refreshTokens: 'registered' })
    const { refresh_token } = await redeemed(made.app, 'web', { scope, resource: api })
    const refreshed = await token(made.app, 'web', { grant_type: 'refresh_token', refresh_token })
    expect(refreshed).toMatchObject({ status: 200, body: { scope, refresh_token: expect.any(String) } })
    const { refresh_token: next } = refreshed.body as { refresh_token: string }
    expect(next).not.toBe(refresh_token)
    expect(await token(made.app, 'web', { token: next }, '/oauth2/introspect')).toMatchObject({ body: { active: true, scope } })
    expect(await made.server.grants('alice')).toHaveLength(1)
    made.clock.now += 1_209_600_000 - 1000
    expect(await made.server.grants('alice')).toHaveLength(1)
    const bear = await (tickets['an assertion'] ?? missing)(made)
    expect(tokensOf(await bear())).not.toHaveProperty('refresh_token')
  })

  it('offline_access again: what was given without it is stopped', async () => {
    const lenient = await harness({ refreshTokens: 'registered' })
    const { refresh_token } = await redeemed(lenient.app, 'web', { scope })
    const strict = await harness({ store: lenient.store, clients })
    const form = { grant_type: 'refresh_token', refresh_token }
    expect(await token(strict.app, 'web', form)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect(await token(lenient.app, 'web', form)).toMatchObject({ status: 200 })
  })

  it.each(['always', 'Registered', true, null])('must not be %j', async wrong => {
    await expect(harness({ refreshTokens: wrong as never })).rejects.toThrow(/^refreshTokens must be one of/)
  })
})

const missing = (): never => {
  throw new Error('no such ticket')
}
