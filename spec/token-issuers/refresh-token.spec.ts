import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import { decodeJwt } from 'jose'
import request from 'supertest'
import { api, atApi, files, harness, redeemed, token, userinfo, type Form } from '../support/servers/authorization-server.ts'

const invalidGrant = { status: 400, body: { error: 'invalid_grant', error_description: 'this refresh token is not valid' } }

const refresh = (app: Express, client_id: string, refresh_token: string, more: Form = {}) =>
  token(app, client_id, { grant_type: 'refresh_token', refresh_token, ...more })

const bodyOf = (response: { body: unknown }) =>
  response.body as { access_token: string; refresh_token: string; id_token?: string; scope: string }

describe('the refresh token grant', () => {
  it('gives new tokens for the same person, and an ID Token without the nonce', async () => {
    const { app, clock } = await harness()
    const first = await redeemed(app, 'web', { nonce: 'n-1' })
    clock.now += 60_000
    const response = await refresh(app, 'web', first.refresh_token)
    expect(response.status).toBe(200)
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
    const { access_token, id_token = '', scope } = bodyOf(response)
    expect(access_token).not.toBe(first.access_token)
    expect(scope).toBe(first.scope)
    const [before, after] = [decodeJwt(first.id_token), decodeJwt(id_token)]
    expect(after).toMatchObject({ sub: before.sub, aud: before.aud, auth_time: before['auth_time'], iat: (before.iat ?? 0) + 60 })
    expect(after).not.toHaveProperty('nonce')
    expect((await userinfo(app, access_token)).status).toBe(200)
    expect((await userinfo(app, first.access_token)).status).toBe(200)
  })

  it('narrows the scope of one access token, and no other', async () => {
    const { app, server } = await harness()
    const { refresh_token } = await redeemed(app, 'web', { scope: 'openid offline_access api:read api:write' })
    const narrowed = bodyOf(await refresh(app, 'web', refresh_token, { scope: 'api:write' }))
    expect(narrowed.scope).toBe('api:write')
    expect(narrowed.id_token).toBeUndefined()
    expect(await server.verifyAccessToken(narrowed.access_token)).toMatchObject({ scope: ['api:write'] })
    expect(bodyOf(await refresh(app, 'web', narrowed.refresh_token)).scope).toBe('openid offline_access api:read api:write')
  })

  it.each([
    ['wider', { scope: 'openid api:read api:write' }, 'invalid_scope'],
    ['other', { scope: 'files:read' }, 'invalid_scope'],
    ['unknown', { scope: 'nobody:knows' }, 'invalid_scope'],
    ['malformed', { scope: 'openid  api:read' }, 'invalid_scope'],
    ['an unknown resource', { resource: 'https://evil.example' }, 'invalid_target'],
    ['another resource', { resource: files }, 'invalid_target']
  ])('refuses a request for %s, and the token is still good', async (_, change, error) => {
    const { app } = await harness({ refreshRetryWindow: 0 })
    const { refresh_token } = await redeemed(app, 'web', { resource: api })
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await refresh(app, 'web', refresh_token, change)).toMatchObject({ status: 400, body: { error } })
    expect((await refresh(app, 'web', refresh_token)).status).toBe(200)
  })

  it("refuses another client's token, public or not, and ends nothing", async () => {
    const { app } = await harness({ refreshRetryWindow: 0 })
    const [web, spa] = [await redeemed(app, 'web'), await redeemed(app, 'spa')]
    for (const [client_id, { refresh_token }] of [
      ['other', web],
      ['spa', web],
      ['native', spa],
      ['web', spa]
    ] as const)
      expect(await refresh(app, client_id, refresh_token)).toMatchObject(invalidGrant)
    expect((await refresh(app, 'web', web.refresh_token)).status).toBe(200)
    expect((await refresh(app, 'spa', spa.refresh_token)).status).toBe(200)
    // not even a superseded one of somebody else's ends the family
    expect(await refresh(app, 'other', web.refresh_token)).toMatchObject(invalidGrant)
    expect((await userinfo(app, web.access_token)).status).toBe(200)
  })

  it.each([
    ['unbound', 'web', true],
    ['unbound', 'spa', true],
    ['always', 'web', true],
    ['always', 'spa', true],
    ['never', 'web', false],
    ['never', 'spa', true]
  ] as const)('under %s replaces the token of %s: %s', async (refreshTokenRotation, client_id, rotates) => {
    const { app } = await harness({ refreshTokenRotation, refreshRetryWindow: 0 })
    const { refresh_token } = await redeemed(app, client_id)
    const next = bodyOf(await refresh(app, client_id, refresh_token)).refresh_token
    expect(next === refresh_token).toBe(!rotates)
    expect((await refresh(app, client_id, refresh_token)).status).toBe(rotates ? 400 : 200)
  })

  it.each(['web', 'spa'])('gives %s the same successor again within the retry window', async client_id => {
    const { app, clock } = await harness({ refreshRetryWindow: 10 })
    const { refresh_token } = await redeemed(app, client_id)
    const successor = bodyOf(await refresh(app, client_id, refresh_token)).refresh_token
    for (const passed of [0, 5_000, 5_000]) {
      clock.now += passed
      const again = await refresh(app, client_id, refresh_token)
      expect([again.status, bodyOf(again).refresh_token]).toEqual([200, successor])
    }
    clock.now += 1
    expect(await refresh(app, client_id, refresh_token)).toMatchObject(invalidGrant)
    expect(await refresh(app, client_id, successor)).toMatchObject(invalidGrant)
  })

  it.each([
    ['opaque', undefined],
    ['JWT', api]
  ])('ends the family and its %s access tokens on reuse of anything older than the previous token', async (_, resource) => {
    const { app, server } = await harness()
    const first = await redeemed(app, 'spa', { resource })
    const second = bodyOf(await refresh(app, 'spa', first.refresh_token))
    const third = bodyOf(await refresh(app, 'spa', second.refresh_token))
    expect((await atApi(app, third.access_token)).status).toBe(200)
    expect(await refresh(app, 'spa', first.refresh_token)).toMatchObject(invalidGrant)
    for (const { access_token, refresh_token } of [first, second, third]) {
      expect((await atApi(app, access_token)).status).toBe(401)
      expect(await server.verifyAccessToken(access_token)).toBeUndefined()
      expect(await refresh(app, 'spa', refresh_token)).toMatchObject(invalidGrant)
    }
  })

  it('ends one family and no other of the same person and client', async () => {
    const { app } = await harness({ refreshRetryWindow: 0 })
    const [one, another] = [await redeemed(app, 'spa'), await redeemed(app, 'spa')]
    await refresh(app, 'spa', one.refresh_token)
    expect(await refresh(app, 'spa', one.refresh_token)).toMatchObject(invalidGrant)
    expect((await userinfo(app, another.access_token)).status).toBe(200)
    expect((await refresh(app, 'spa', another.refresh_token)).status).toBe(200)
  })

  it('refuses what is no refresh token of this server', async () => {
    const { app } = await harness()
    const { access_token, refresh_token, id_token } = await redeemed(app)
    for (const wrong of [
      'x',
      'A'.repeat(70),
      access_token,
      id_token,
      `${refresh_token}A`,
      `${refresh_token}==`,
      ` ${refresh_token}`,
      'x'.repeat(60_000)
    ])
      expect(await refresh(app, 'web', wrong)).toMatchObject(invalidGrant)
    expect((await refresh(app, 'web', refresh_token)).status).toBe(200)
  })
})

describe('the life of a refresh token', () => {
  it('lasts refreshTokenTtl, shorter than an access token too', async () => {
    const { app, clock } = await harness({ refreshTokenTtl: 5, accessTokenTtl: 3600 })
    const [one, another] = [await redeemed(app), await redeemed(app)]
    clock.now += 4_999
    expect((await refresh(app, 'web', one.refresh_token)).status).toBe(200)
    clock.now += 1
    expect(await refresh(app, 'web', another.refresh_token)).toMatchObject(invalidGrant)
    expect((await userinfo(app, another.access_token)).status).toBe(200)
  })

  it('starts again with each rotation', async () => {
    const { app, clock } = await harness({ refreshTokenTtl: 100 })
    let { refresh_token } = await redeemed(app)
    for (let use = 0; use < 5; use++) {
      clock.now += 99_000
      ;({ refresh_token } = bodyOf(await refresh(app, 'web', refresh_token)))
    }
    clock.now += 100_000
    expect(await refresh(app, 'web', refresh_token)).toMatchObject(invalidGrant)
  })

  it.each([
    ['opaque', undefined],
    ['JWT', api]
  ])('ends before that of the %s access token it bought at last, rotated or not', async (_, resource) => {
    const { app, clock } = await harness({ refreshTokenTtl: 4_000, accessTokenTtl: 3_600, refreshTokenRotation: 'never' })
    const { refresh_token } = await redeemed(app, 'web', { resource })
    clock.now += 3_999_000
    const { access_token } = bodyOf(await refresh(app, 'web', refresh_token))
    clock.now += 3_599_000
    expect(await refresh(app, 'web', refresh_token)).toMatchObject(invalidGrant)
    expect((await atApi(app, access_token)).status).toBe(200)
    clock.now += 1_000
    expect((await atApi(app, access_token)).status).toBe(401)
  })
})

describe('how long refresh tokens are good for', () => {
  const day = 86_400
  const told = (body: unknown) => {
    const { refresh_token_timeout, authorization_expires_in } = body as Record<string, number | undefined>
    return [refresh_token_timeout, authorization_expires_in]
  }

  it('is told nobody, unless it is asked for', async () => {
    const { app } = await harness()
    const first = await redeemed(app)
    expect(told(first)).toEqual([undefined, undefined])
    expect(told(bodyOf(await refresh(app, 'web', first.refresh_token)))).toEqual([undefined, undefined])
    const { body } = await request(app).get('/.well-known/oauth-authorization-server')
    expect(body).not.toHaveProperty('refresh_token_expiration_types_supported')
  })

  it('is told with each one, anew where it is replaced and from its replacement on where that is asked for again', async () => {
    const { app, clock } = await harness({ refreshTokenExpiration: true, refreshTokenTtl: 7 * day, refreshRetryWindow: 60 })
    const first = await redeemed(app)
    expect(told(first)).toEqual([7 * day, undefined])
    clock.now += 2 * day * 1000
    expect(told(await introspected(app, first.refresh_token))).toEqual([5 * day, undefined])
    const second = await refresh(app, 'web', first.refresh_token)
    expect(told(second.body)).toEqual([7 * day, undefined])
    clock.now += 30_400
    expect(told((await refresh(app, 'web', first.refresh_token)).body)).toEqual([7 * day - 31, undefined])
    // looking at it prolongs nothing
    expect(told(await introspected(app, bodyOf(second).refresh_token))).toEqual([7 * day - 31, undefined])
    const { body } = await request(app).get('/.well-known/oauth-authorization-server')
    expect(body).toMatchObject({ refresh_token_expiration_types_supported: ['token_timeout', 'authorization'] })
  })

  it('is how long the authorization lasts too, where the token stays the same', async () => {
    const options = { refreshTokenExpiration: true, refreshTokenTtl: 10 * day, refreshTokenRotation: 'never' } as const
    const { app, clock } = await harness(options)
    const { refresh_token, ...first } = await redeemed(app)
    expect(told(first)).toEqual([10 * day, 10 * day])
    clock.now += 7 * day * 1000
    expect(told((await refresh(app, 'web', refresh_token)).body)).toEqual([3 * day, 3 * day])
    expect(told(await introspected(app, refresh_token))).toEqual([3 * day, 3 * day])
    clock.now += 3 * day * 1000
    expect(await refresh(app, 'web', refresh_token)).toMatchObject(invalidGrant)
  })

  it('is not told of an answer without one', async () => {
    const { app } = await harness({ refreshTokenExpiration: true })
    expect(told((await token(app, 'web', { grant_type: 'client_credentials' })).body)).toEqual([undefined, undefined])
  })
})

const introspected = async (app: Express, presented: string) =>
  (await token(app, 'web', { token: presented }, '/oauth2/introspect')).body as unknown
