import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import {
  assertionHarness,
  exchange,
  exchangeGrant,
  invalidSubject,
  lastReason,
  tokensOf,
  tokenType
} from '../support/servers/assertion-grants.ts'
import { alice, api, files, redeemed, token, userinfo } from '../support/servers/authorization-server.ts'

describe('a subject token of this server', () => {
  it.each<[string, (given: string) => string]>([
    ['unknown', () => 'A'.repeat(43)],
    ['empty in its parts', () => '..'],
    ['20000 characters', () => 'A'.repeat(20_000)],
    ['damaged', given => `${given.slice(0, -4)}AAAA`],
    ['in another case', given => given.toUpperCase()],
    ['with a space behind it', given => `${given} `]
  ])('is refused where it is %s', async (_, change) => {
    for (const resource of [api, files]) {
      const made = await assertionHarness()
      const { access_token } = await redeemed(made.app, 'web', { resource, scope: 'openid api:read files:read' })
      for (const type of ['access_token', 'jwt', 'id_token', 'refresh_token'])
        expect(await exchange(made, change(access_token), { subject_token_type: tokenType(type) })).toMatchObject(invalidSubject)
      expect(made.asked).toEqual([])
    }
  })

  it.each([
    ['JWT', api],
    ['opaque', files]
  ])('is refused once expired, to the second (%s)', async (_, resource) => {
    const made = await assertionHarness()
    const { access_token, expires_in } = await redeemed(made.app, 'web', { resource, scope: 'api:read files:read' })
    made.clock.now += expires_in * 1000 - 1
    expect(tokensOf(await exchange(made, access_token)).expires_in).toBe(1)
    made.clock.now += 1
    expect(await exchange(made, access_token)).toMatchObject(invalidSubject)
    expect(lastReason(made)).toMatch(/unknown, expired or revoked/)
  })

  it.each([
    ['JWT', api],
    ['opaque', files]
  ])('takes what was exchanged for it along when its grant ends (%s)', async (_, resource) => {
    const made = await assertionHarness({ server: { refreshRetryWindow: 0 } })
    const { access_token, refresh_token } = await redeemed(made.app, 'web', { scope: 'offline_access api:read files:read' })
    const exchanged = tokensOf(await exchange(made, access_token, { resource }))
    const again = tokensOf(await exchange(made, exchanged.access_token))
    expect(await made.server.verifyAccessToken(again.access_token)).toBeDefined()
    // reuse of a refresh token ends the grant
    for (let use = 0; use < 2; use++) await token(made.app, 'web', { grant_type: 'refresh_token', refresh_token })
    for (const dead of [access_token, exchanged.access_token, again.access_token]) {
      expect(await made.server.verifyAccessToken(dead)).toBeUndefined()
      expect(await exchange(made, dead)).toMatchObject(invalidSubject)
    }
  })

  it('outlives nothing: the new token expires when it does, whatever the resource says', async () => {
    const made = await assertionHarness()
    const { access_token } = await redeemed(made.app, 'web', { scope: 'api:read files:read' })
    made.clock.now += 3_550_000
    expect(tokensOf(await exchange(made, access_token, { resource: api })).expires_in).toBe(50)
    expect(tokensOf(await exchange(made, access_token, { resource: files })).expires_in).toBe(50)
    const short = await redeemed(made.app, 'web', { resource: files, scope: 'api:read files:read' })
    expect(tokensOf(await exchange(made, short.access_token, { resource: api })).expires_in).toBe(120)
  })

  describe('that is a refresh token', () => {
    const type = { subject_token_type: tokenType('refresh_token') }

    it('is good in the hands of its client, and stays as it is', async () => {
      const made = await assertionHarness()
      const { refresh_token } = await redeemed(made.app, 'gateway')
      for (let use = 0; use < 3; use++) {
        const response = await exchange(made, refresh_token, { ...type, scope: 'api:read' })
        expect(await made.server.verifyAccessToken(tokensOf(response).access_token)).toMatchObject({ sub: alice.sub })
      }
      expect(made.asked[0]?.subject).toMatchObject({ type: 'refresh_token', client_id: 'gateway' })
      expect((await token(made.app, 'gateway', { grant_type: 'refresh_token', refresh_token })).status).toBe(200)
    })

    it('is refused from another client, and goes on', async () => {
      const made = await assertionHarness()
      const { refresh_token } = await redeemed(made.app, 'gateway')
      expect(await exchange(made, refresh_token, type, 'agent')).toMatchObject(invalidSubject)
      expect(lastReason(made)).toMatch(/issued to another client/)
      expect((await exchange(made, refresh_token, type)).status).toBe(200)
    })

    it('ends its grant where it was superseded', async () => {
      const made = await assertionHarness({ server: { refreshRetryWindow: 0 } })
      const { refresh_token, access_token } = await redeemed(made.app, 'gateway')
      const next = tokensOf(await token(made.app, 'gateway', { grant_type: 'refresh_token', refresh_token }))
      expect(await exchange(made, refresh_token, type)).toMatchObject(invalidSubject)
      expect(lastReason(made)).toMatch(/superseded/)
      for (const dead of [access_token, next.access_token]) expect(await made.server.verifyAccessToken(dead)).toBeUndefined()
      expect(await exchange(made, refresh_token, type)).toMatchObject(invalidSubject)
    })

    it('is refused once expired, and buys nothing that lives longer', async () => {
      const made = await assertionHarness({ server: { refreshTokenTtl: 1000 } })
      const { refresh_token } = await redeemed(made.app, 'gateway')
      made.clock.now += 990_000
      expect(tokensOf(await exchange(made, refresh_token, type)).expires_in).toBe(10)
      made.clock.now += 10_000
      expect(await exchange(made, refresh_token, type)).toMatchObject(invalidSubject)
      expect(lastReason(made)).toMatch(/expired/)
    })

    it('is good for the resources that were agreed to, and no others', async () => {
      const made = await assertionHarness()
      const { refresh_token } = await redeemed(made.app, 'gateway', {
        resource: api,
        scope: 'offline_access api:read files:read'
      })
      expect(await exchange(made, refresh_token, { ...type, resource: files })).toMatchObject({
        body: { error: 'invalid_target' }
      })
      const response = await exchange(made, refresh_token, type)
      expect(decodeJwt(tokensOf(response).access_token)).toMatchObject({ aud: api })
    })
  })

  describe('that is an ID Token', () => {
    const type = { subject_token_type: tokenType('id_token') }

    it('is good in the hands of its client, and begins a grant', async () => {
      const made = await assertionHarness()
      const { id_token } = await redeemed(made.app, 'gateway')
      const response = await exchange(made, id_token, { ...type, scope: 'api:read', resource: api })
      expect(await made.server.verifyAccessToken(tokensOf(response).access_token)).toMatchObject({
        sub: alice.sub,
        scope: ['api:read'],
        grant: expect.any(String)
      })
      expect(made.asked[0]?.subject).toMatchObject({ type: 'id_token', client_id: 'gateway' })
      expect(made.asked[0]?.subject.scope).toBeUndefined()
    })

    it('is refused from another client, once expired, and where it is another kind of JWT', async () => {
      const made = await assertionHarness()
      const { id_token, access_token } = await redeemed(made.app, 'gateway', { resource: api, scope: 'openid api:read' })
      expect(await exchange(made, id_token, type, 'agent')).toMatchObject(invalidSubject)
      expect(await exchange(made, access_token, type)).toMatchObject(invalidSubject)
      expect(await exchange(made, id_token)).toMatchObject(invalidSubject)
      expect(await exchange(made, id_token, { subject_token_type: tokenType('jwt') })).toMatchObject(invalidSubject)
      made.clock.now += 3_600_000
      expect(await exchange(made, id_token, type)).toMatchObject(invalidSubject)
      expect(lastReason(made)).toBe('an ID Token that expired')
    })

    it('is not what a signed userinfo response is', async () => {
      const signed = {
        client_id: 'gateway',
        client_secret: 'secret of gateway',
        grant_types: ['authorization_code', exchangeGrant]
      }
      const redirect_uris = ['https://client.example.com/cb']
      const clients = [{ ...signed, redirect_uris, userinfo_signed_response_alg: 'RS256' }]
      const made = await assertionHarness({ server: { clients } })
      const { access_token } = await redeemed(made.app, 'gateway', { scope: 'openid' })
      const { text } = await userinfo(made.app, access_token)
      expect(decodeJwt(text)).toMatchObject({ sub: alice.sub })
      expect(await exchange(made, text, type)).toMatchObject(invalidSubject)
    })
  })
})
