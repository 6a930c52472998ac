import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import {
  api,
  authorize,
  callback,
  code_challenge,
  code_verifier,
  codeForm,
  files,
  harness,
  redeemed,
  redirected,
  token,
  atApi,
  userinfo
} from '../support/servers/authorization-server.ts'

const invalidGrant = { status: 400, body: { error: 'invalid_grant', error_description: expect.any(String) } }
const jwt = { resource: api }

describe('the authorization code grant', () => {
  it('answers with what was granted', async () => {
    const { app } = await harness()
    const response = await token(app, 'web', await codeForm(app, { nonce: 'n-1', scope: 'openid offline_access api:read' }))
    expect(response.status).toBe(200)
    expect(response.body).toEqual({
      access_token: expect.stringMatching(/^[\w.-]+$/),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.stringMatching(/^[\w-]{70}$/),
      id_token: expect.any(String),
      scope: 'openid offline_access api:read'
    })
    const { at_hash, ...claims } = decodeJwt(response.body.id_token as string)
    expect(claims).toMatchObject({ sub: 'alice', aud: 'web', nonce: 'n-1', auth_time: 1_799_999_900 })
    expect(at_hash).toBe(
      createHash('sha256')
        .update(response.body.access_token as string)
        .digest()
        .subarray(0, 16)
        .toString('base64url')
    )
    expect(response.headers).toMatchObject({
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'content-type': 'application/json'
    })
  })

  it.each([
    ['no ID Token without openid', 'web', 'offline_access api:read', ['refresh_token']],
    ['no refresh token without offline_access', 'web', 'openid', ['id_token']],
    ['no refresh token where the client may not use one', 'codes-only', 'openid offline_access', ['id_token']],
    ['neither', 'web', 'api:read', []]
  ])('has %s', async (_, client_id, scope, members) => {
    const { app } = await harness()
    const response = await token(app, client_id, await codeForm(app, { client_id, scope }))
    expect(response.status).toBe(200)
    expect(Object.keys(response.body as object).filter(name => ['id_token', 'refresh_token'].includes(name))).toEqual(members)
  })

  it.each([
    ['absent', { redirect_uri: '' }],
    ['another', { redirect_uri: 'https://client.example.com/other' }],
    ['with a slash more', { redirect_uri: `${callback}/` }],
    ['in another case', { redirect_uri: callback.toUpperCase() }],
    ['with its port', { redirect_uri: 'https://client.example.com:443/cb' }],
    ['with an empty query', { redirect_uri: `${callback}?` }]
  ])('refuses a redirect_uri that is %s', async (_, change) => {
    const { app } = await harness()
    expect(await token(app, 'web', { ...(await codeForm(app)), ...change })).toMatchObject(invalidGrant)
  })

  it.each([
    ['web', 'absent', ''],
    ['web', 'another', 'a'.repeat(43)],
    ['web', 'the challenge itself', code_challenge],
    ['web', 'too short', code_verifier.slice(0, 42)],
    ['web', 'too long', 'a'.repeat(129)],
    ['web', 'huge', 'a'.repeat(50_000)],
    ['web', 'in another case', code_verifier.toLowerCase()],
    ['spa', 'absent', ''],
    ['spa', 'another', 'a'.repeat(43)]
  ])('refuses %s with a code_verifier that is %s', async (client_id, _, verifier) => {
    const { app } = await harness()
    expect(await token(app, client_id, { ...(await codeForm(app, { client_id })), code_verifier: verifier })).toMatchObject(
      invalidGrant
    )
  })

  it('refuses a code_verifier where there was no challenge, and does without where nothing asked for one', async () => {
    const { app } = await harness()
    const none = { code_challenge: undefined, code_challenge_method: undefined }
    expect(await token(app, 'web', await codeForm(app, none))).toMatchObject(invalidGrant)
    const { grant_type, code, redirect_uri } = await codeForm(app, none)
    expect((await token(app, 'web', { grant_type, code, redirect_uri })).status).toBe(200)
  })

  it('refuses an expired code, to the second', async () => {
    const { app, clock } = await harness({ authorizationCodeTtl: 10 })
    const [late, early] = [await codeForm(app), await codeForm(app)]
    clock.now += 9_999
    expect((await token(app, 'web', early)).status).toBe(200)
    clock.now += 1
    expect(await token(app, 'web', late)).toMatchObject(invalidGrant)
  })

  it.each([
    ['opaque', {}],
    ['JWT', jwt]
  ])('revokes everything the code bought when it is used again (%s)', async (_, resource) => {
    const { app, server } = await harness()
    const form = { ...(await codeForm(app)), ...resource }
    const first = await token(app, 'web', form)
    const { access_token, refresh_token } = first.body as { access_token: string; refresh_token: string }
    const refreshed = await token(app, 'web', { grant_type: 'refresh_token', refresh_token, ...resource })
    const later = (refreshed.body as { access_token: string }).access_token
    for (const good of [access_token, later]) {
      expect((await atApi(app, good)).status).toBe(200)
      expect(await server.verifyAccessToken(good)).toMatchObject({ sub: 'alice' })
    }
    expect(await token(app, 'web', form)).toMatchObject(invalidGrant)
    for (const dead of [access_token, later]) {
      expect((await atApi(app, dead)).status).toBe(401)
      expect(await server.verifyAccessToken(dead)).toBeUndefined()
    }
    for (const dead of [refresh_token, (refreshed.body as { refresh_token: string }).refresh_token])
      expect(await token(app, 'web', { grant_type: 'refresh_token', refresh_token: dead })).toMatchObject(invalidGrant)
    expect(await token(app, 'web', form)).toMatchObject(invalidGrant)
  })

  it("leaves another client's code alone, used or not", async () => {
    const { app } = await harness()
    const form = await codeForm(app)
    expect(await token(app, 'other', form)).toMatchObject(invalidGrant)
    expect(await token(app, 'spa', form)).toMatchObject(invalidGrant)
    const { body, status } = await token(app, 'web', form)
    expect(status).toBe(200)
    expect(await token(app, 'other', form)).toMatchObject(invalidGrant)
    expect((await userinfo(app, (body as { access_token: string }).access_token)).status).toBe(200)
  })

  it('spends the code of whoever does not hold what belongs to it', async () => {
    const { app } = await harness()
    const form = await codeForm(app)
    expect(await token(app, 'web', { ...form, code_verifier: 'a'.repeat(43) })).toMatchObject(invalidGrant)
    expect(await token(app, 'web', form)).toMatchObject(invalidGrant)
  })
})

describe('resources of a code', () => {
  const asking = async (resources: readonly string[], chosen?: string) => {
    const { app } = await harness()
    const query = resources.map(resource => `&resource=${encodeURIComponent(resource)}`).join('')
    const scope = 'openid api:read files:read'
    const { code = '' } = redirected(await authorize(app, { scope }).query(query.slice(1)))
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: callback,
      code_verifier,
      ...(chosen !== undefined && { resource: chosen })
    }
    return { app, response: await token(app, 'web', form) }
  }

  it('are one: the token is for that', async () => {
    const { response } = await asking([api])
    expect(decodeJwt((response.body as { access_token: string }).access_token)).toMatchObject({
      aud: api,
      scope: 'openid api:read'
    })
    expect(response.body).toMatchObject({ scope: 'openid api:read', id_token: expect.any(String) })
  })

  it('are two: the token is for the one chosen', async () => {
    const { app, response } = await asking([api, files], files)
    expect(response.body).toMatchObject({ scope: 'openid files:read', expires_in: 120 })
    expect((await atApi(app, (response.body as { access_token: string }).access_token)).status).toBe(200)
  })

  it.each([
    ['not granted', [api], files],
    ['unknown', [api], 'https://evil.example'],
    ['malformed', [], 'not a URI'],
    ['with a slash more', [api], `${api}/`],
    ['with a fragment', [api], `${api}#x`]
  ])('are refused where the one chosen is %s', async (_, resources, chosen) => {
    const { response } = await asking(resources, chosen)
    expect([response.status, (response.body as { error: string }).error]).toEqual([400, 'invalid_target'])
  })
})

describe('what a code bought', () => {
  it('is good at userinfo, and as a JWT at the API it is for alone', async () => {
    const { app } = await harness()
    expect((await userinfo(app, (await redeemed(app)).access_token)).body).toEqual({ sub: 'alice' })
    const { access_token } = await redeemed(app, 'web', jwt)
    expect(access_token).toMatch(/^eyJ/)
    expect((await atApi(app, access_token)).body).toMatchObject({ sub: 'alice' })
    expect((await userinfo(app, access_token)).status).toBe(401)
  })
})
