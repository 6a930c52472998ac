/** Nothing is issued beyond what the client and the server allow now, whatever was granted before. */
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import request from 'supertest'
import {
  authorizationQuery,
  callback,
  code_verifier,
  redeemed,
  redirected,
  token,
  userinfo
} from '../support/servers/authorization-server.ts'
import { exchange, tokenType, tokensOf } from '../support/servers/assertion-grants.ts'
import { life, lively, scope, tickets, type Life } from '../support/servers/grant-life.ts'

const narrow = (made: Life, allowed: string) => made.clients.set('web', lively('web', { scope: allowed }))
const lost = Object.entries(tickets)

describe('a scope value that was taken from the client since', () => {
  it.each(lost)('is left out of what %s buys', async (name, ticket) => {
    const made = await life()
    const use = await ticket(made)
    narrow(made, 'openid offline_access email')
    const response = await use(name === 'an assertion' ? { scope: 'openid email' } : {})
    expect(response.status).toBe(200)
    const { scope: granted, access_token } = tokensOf(response)
    expect(granted?.split(' ')).not.toContain('api:read')
    expect((await made.server.verifyAccessToken(access_token))?.scope).not.toContain('api:read')
  })

  it.each(['a refresh token', 'an assertion'])('is invalid_scope where %s asks for it', async name => {
    const made = await life()
    const use = await (tickets[name] ?? missing)(made)
    narrow(made, 'openid offline_access email')
    expect(await use({ scope: 'openid api:read' })).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
    // and costs nothing
    expect(await use({ scope: 'openid' })).toMatchObject({ status: 200 })
  })

  it('is invalid_scope where a token of before is exchanged for it, and left out where it is not asked for', async () => {
    const made = await life()
    const { access_token, refresh_token } = await redeemed(made.app, 'web', { scope: 'openid offline_access api:read' })
    narrow(made, 'openid offline_access')
    for (const [type, presented] of [
      ['access_token', access_token],
      ['refresh_token', refresh_token]
    ] as const) {
      const form = { subject_token_type: tokenType(type) }
      expect(await exchange(made, presented, { ...form, scope: 'api:read' }, 'web')).toMatchObject({
        status: 400,
        body: { error: 'invalid_scope' }
      })
      expect(tokensOf(await exchange(made, presented, form, 'web')).scope).toBe('openid')
    }
  })

  it('is no longer issued to whoever agreed while it was taken', async () => {
    const made = await life()
    const form = await agreedForm(made, { scope }, () => narrow(made, 'openid offline_access'))
    expect(tokensOf(await token(made.app, 'web', form)).scope).toBe('openid offline_access')
  })

  it('comes back with its permission: the grant itself is as it was', async () => {
    const made = await life()
    const { refresh_token } = await redeemed(made.app, 'web', { scope })
    narrow(made, 'openid offline_access')
    const first = tokensOf(await token(made.app, 'web', { grant_type: 'refresh_token', refresh_token }))
    expect(first.scope).toBe('openid offline_access')
    made.clients.set('web', lively('web'))
    const next = (first as unknown as { refresh_token: string }).refresh_token
    expect(tokensOf(await token(made.app, 'web', { grant_type: 'refresh_token', refresh_token: next })).scope).toBe(scope)
  })

  it('takes along the claims that were asked for one by one', async () => {
    const made = await life()
    const claims = JSON.stringify({ id_token: { email: null }, userinfo: { email: null } })
    const buy = async (change: (life: Life) => unknown) => {
      const form = await agreedForm(made, { scope: 'openid api:read', claims })
      change(made)
      const { access_token, id_token } = tokensOf(await token(made.app, 'web', form))
      return [decodeJwt(id_token ?? '')['email'], (await userinfo(made.app, access_token)).body as object]
    }
    const email = 'alice@example.com'
    expect(await buy(() => undefined)).toEqual([email, { sub: 'alice', email }])
    expect(await buy(life => narrow(life, 'openid api:read'))).toEqual([undefined, { sub: 'alice' }])
  })

  it('takes the ID Token along where it is openid', async () => {
    const made = await life()
    const use = await (tickets['a code'] ?? missing)(made)
    narrow(made, 'api:read')
    const { body } = await use()
    expect(body).toMatchObject({ scope: 'api:read' })
    expect(body).not.toHaveProperty('id_token')
  })
})

describe('offline_access that was taken since', () => {
  it.each(lost.filter(([name]) => !['a refresh token', 'an assertion'].includes(name)))(
    'gives no refresh token for %s',
    async (_, ticket) => {
      const staying = await life()
      expect((await (await ticket(staying))()).body).toHaveProperty('refresh_token')
      const made = await life()
      const use = await ticket(made)
      narrow(made, 'openid api:read')
      const { status, body } = await use()
      expect([status, body]).toEqual([200, expect.not.objectContaining({ refresh_token: expect.anything() })])
    }
  )

  it('stops the refresh tokens that are out, without ending what else there is', async () => {
    const made = await life()
    const { access_token, refresh_token } = await redeemed(made.app, 'web', { scope })
    const refresh = () => token(made.app, 'web', { grant_type: 'refresh_token', refresh_token })
    narrow(made, 'openid email api:read')
    expect(await refresh()).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect(await token(made.app, 'web', { token: refresh_token }, '/oauth2/introspect')).toMatchObject({
      body: { active: false }
    })
    expect(await exchange(made, refresh_token, { subject_token_type: tokenType('refresh_token') }, 'web')).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' }
    })
    expect((await userinfo(made.app, access_token)).status).toBe(200)
    made.clients.set('web', lively('web'))
    expect(await refresh()).toMatchObject({ status: 200 })
  })
})

describe('a scope value that was taken from the server since', () => {
  const without = (gone: string) => ({
    scopes: ['openid', 'profile', 'email', 'offline_access', 'other'].filter(value => value !== gone)
  })

  it('is left out, or invalid_scope where asked for', async () => {
    const made = await life({ scopes: ['openid', 'profile', 'email', 'offline_access', 'other'] })
    const { refresh_token } = await redeemed(made.app, 'web', { scope: 'openid offline_access other' })
    const later = await life({ store: made.store, ...without('other') })
    const form = { grant_type: 'refresh_token', refresh_token }
    expect(await token(later.app, 'web', { ...form, scope: 'other' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' }
    })
    expect(tokensOf(await token(later.app, 'web', form)).scope).toBe('openid offline_access')
  })

  it('stops refresh tokens where it is offline_access', async () => {
    const made = await life({ scopes: ['openid', 'offline_access'] })
    const { refresh_token } = await redeemed(made.app, 'web', { scope: 'openid offline_access' })
    const later = await life({ store: made.store, scopes: ['openid'] })
    expect(await token(later.app, 'web', { grant_type: 'refresh_token', refresh_token })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' }
    })
  })
})

const missing = (): never => {
  throw new Error('no such ticket')
}

/** The form that redeems what a person agreed to on a page, however much happened while they read it. */
async function agreedForm({ app, person }: Life, change: Readonly<Record<string, string>>, meanwhile?: () => unknown) {
  person.consented = false
  const { body } = await request(app).get(`/oauth2/authorize?${authorizationQuery(change)}`)
  meanwhile?.()
  const { id } = body as { id: string }
  const { code = '' } = redirected(await request(app).post(`/resume/${id}`).send({ consent: true }))
  return { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
}
