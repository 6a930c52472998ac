/** Grants that began with a token exchange: they end with what was exchanged, and end nothing but themselves. */
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { api, files, redeemed, token } from '../support/servers/authorization-server.ts'
import { exchange, lastReason, tokensOf, tokenType } from '../support/servers/assertion-grants.ts'
import { dead, good, life, lively, verdicts, type Life } from '../support/servers/grant-life.ts'

const formats = [
  ['JWT', api, 'api:read'],
  ['opaque', files, 'files:read']
] as const
const revoke = (made: Life, presented: string, client_id = 'web') =>
  token(made.app, client_id, { token: presented }, '/oauth2/revoke')
const exchanged = async (made: Life, presented: string, more = {}, client_id = 'gateway') =>
  tokensOf(await exchange(made, presented, more, client_id)).access_token
const alive = { ...good, userinfo: '401 invalid_token' }

describe.each(formats)('what was exchanged for a token (%s)', (_, resource, value) => {
  const request = { scope: `openid offline_access ${value}`, resource }

  it('ends with the refresh token of its parent, at any distance', async () => {
    const made = await life()
    const { access_token, refresh_token } = await redeemed(made.app, 'web', request)
    const child = await exchanged(made, access_token)
    const grandchild = await exchanged(made, child, {}, 'other')
    for (const [presented, own] of [
      [child, 'gateway'],
      [grandchild, 'other']
    ] as const)
      expect(await verdicts(made, presented, own)).toEqual(alive)
    await revoke(made, refresh_token)
    for (const [presented, own] of [
      [child, 'gateway'],
      [grandchild, 'other']
    ] as const)
      expect(await verdicts(made, presented, own)).toEqual(dead)
  })

  it('ends with the very token that was presented, which ends alone otherwise', async () => {
    const made = await life()
    const first = await redeemed(made.app, 'web', request)
    const form = { grant_type: 'refresh_token', refresh_token: first.refresh_token }
    const second = tokensOf(await token(made.app, 'web', form)).access_token
    const [ofFirst, ofSecond] = [await exchanged(made, first.access_token), await exchanged(made, second)]
    const grandchild = await exchanged(made, ofFirst, {}, 'other')
    await revoke(made, first.access_token)
    expect(await verdicts(made, ofFirst, 'gateway')).toEqual(dead)
    expect(await verdicts(made, grandchild, 'other')).toEqual(dead)
    expect(await verdicts(made, ofSecond, 'gateway')).toEqual(alive)
    expect(await verdicts(made, second)).toEqual(alive)
  })

  it('leaves its parent, and its sisters, where it is revoked or its person ends it', async () => {
    const made = await life()
    const { access_token } = await redeemed(made.app, 'web', request)
    const children = [
      await exchanged(made, access_token),
      await exchanged(made, access_token),
      await exchanged(made, access_token)
    ]
    const [revoked = '', ended = '', kept = ''] = children
    await revoke(made, revoked, 'gateway')
    const { grant = '' } = (await made.server.verifyAccessToken(ended)) ?? {}
    expect(await made.server.revokeGrant('bob', grant)).toBe(false)
    expect(await made.server.revokeGrant('alice', grant)).toBe(true)
    for (const gone of [revoked, ended]) expect(await verdicts(made, gone, 'gateway')).toEqual(dead)
    for (const [presented, own] of [
      [kept, 'gateway'],
      [access_token, 'web']
    ] as const)
      expect(await verdicts(made, presented, own)).toEqual(alive)
  })

  it('is a line of its own among what clients hold of the person, and ends with its client’s', async () => {
    const made = await life()
    const { access_token } = await redeemed(made.app, 'web', request)
    const child = await exchanged(made, access_token)
    const grandchild = await exchanged(made, child, {}, 'other')
    expect((await made.server.grants('alice')).map(({ client_id }) => client_id).sort()).toEqual(['gateway', 'other', 'web'])
    await made.server.revokeGrants('alice', 'gateway')
    expect((await made.server.grants('alice')).map(({ client_id }) => client_id)).toEqual(['web'])
    expect(await verdicts(made, child, 'gateway')).toEqual(dead)
    expect(await verdicts(made, grandchild, 'other')).toEqual(dead)
    expect(await verdicts(made, access_token)).toEqual(alive)
    await made.server.revokeGrants('alice', 'web')
    expect(await made.server.grants('alice')).toEqual([])
  })

  it('ends with a token a client has for itself, and with nothing else of it', async () => {
    const made = await life()
    const own = () => token(made.app, 'web', { grant_type: 'client_credentials', scope: value, resource })
    const [first, second] = [tokensOf(await own()).access_token, tokensOf(await own()).access_token]
    const [ofFirst, ofSecond] = [await exchanged(made, first), await exchanged(made, second)]
    const grandchild = await exchanged(made, ofFirst, {}, 'other')
    await revoke(made, first)
    for (const gone of [ofFirst, grandchild]) expect(await made.server.verifyAccessToken(gone)).toBeUndefined()
    expect(await made.server.verifyAccessToken(ofSecond)).toMatchObject({ sub: 'web', client_id: 'gateway' })
    expect(await made.server.grants('web')).toEqual([])
    expect(made.asked).toEqual([])
  })

  it('calls a client by its id, whoever exchanges its token', async () => {
    const made = await life({ pairwiseSecret: 'p'.repeat(32) })
    made.clients.set('gateway', lively('gateway', { subject_type: 'pairwise' }))
    const { body } = await token(made.app, 'web', { grant_type: 'client_credentials', scope: value, resource })
    const child = await exchanged(made, tokensOf({ body }).access_token)
    const grandchild = await exchanged(made, child)
    for (const presented of [child, grandchild]) {
      const read = await made.server.verifyAccessToken(presented)
      expect([read?.sub, read?.pairwise_sub]).toEqual(['web', undefined])
      if (resource === api) expect(decodeJwt(presented).sub).toBe('web')
      const { body: said } = await token(made.app, 'gateway', { token: presented }, '/oauth2/introspect')
      expect(said).toMatchObject({ active: true, sub: 'web' })
    }
  })

  it('is exchanged eight times in a row at most', async () => {
    const made = await life()
    let { access_token } = await redeemed(made.app, 'web', request)
    for (let times = 0; times < 8; times++) access_token = await exchanged(made, access_token)
    expect(await made.server.verifyAccessToken(access_token)).toMatchObject({ sub: 'alice' })
    expect(await exchange(made, access_token)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    expect(lastReason(made)).toMatch(/exchanged 8 times already/)
  })

  it('ends with the grant of an exchanged refresh token', async () => {
    const made = await life()
    const { refresh_token } = await redeemed(made.app, 'web', request)
    const child = await exchanged(made, refresh_token, { subject_token_type: tokenType('refresh_token') }, 'web')
    expect(await made.server.verifyAccessToken(child)).toMatchObject({ sub: 'alice' })
    await revoke(made, refresh_token)
    expect(await made.server.verifyAccessToken(child)).toBeUndefined()
  })
})
