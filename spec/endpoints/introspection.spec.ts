import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import { decodeJwt } from 'jose'
import request from 'supertest'
import { generateKeys, NoneStrategy, type AuthorizationServerOptions } from '../../lib/index.ts'
import {
  api,
  authorize,
  callback,
  clients,
  code_verifier,
  codeForm,
  files,
  harness,
  issuer,
  redeemed,
  redirected,
  token
} from '../support/servers/authorization-server.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'
import { now } from '../support/servers/signed-requests.ts'
import { ask, bodyOf, expectInactive, jwtAnswer, path, start } from './introspecting.ts'
import { describeTokenRequests } from './token-requests.ts'

const credentials = (app: Express, form = {}, client_id = 'web') =>
  token(app, client_id, { grant_type: 'client_credentials', scope: 'api:read files:read', ...form }).then(
    ({ body }) => (body as { access_token: string }).access_token
  )

describe('a client is told about its own', () => {
  it('JWT access token what that says itself', async () => {
    const { app } = await start()
    const { access_token } = await redeemed(app, 'web', { resource: api, scope: 'openid api:read files:read' })
    const claims = decodeJwt(access_token)
    expect(claims).not.toHaveProperty('amr')
    expect(claims).toMatchObject({ sub: 'alice', aud: api, scope: 'openid api:read', auth_time: now - 100 })
    expect(await bodyOf(app, 'web', access_token)).toEqual({ active: true, token_type: 'Bearer', ...claims })
  })

  it('opaque access token, without a word of the token itself', async () => {
    const { app } = await start()
    const { access_token } = await redeemed(app, 'web', { resource: files })
    const body = await bodyOf(app, 'web', access_token)
    expect(body).toEqual({
      active: true,
      iss: issuer,
      client_id: 'web',
      token_type: 'Bearer',
      scope: 'openid offline_access',
      sub: 'alice',
      aud: files,
      iat: now,
      exp: now + 120,
      jti: expect.stringMatching(/^[\w-]{43}$/),
      auth_time: now - 100
    })
    for (const part of access_token.split('.')) expect(JSON.stringify(body)).not.toContain(part)
    const second = await bodyOf(app, 'web', (await redeemed(app, 'web', { resource: files })).access_token)
    expect(second['jti']).not.toBe(body['jti'])
  })

  it('access tokens that name no resource, and those it got on its own behalf', async () => {
    const { app } = await start()
    const { access_token } = await redeemed(app)
    const personal = await bodyOf(app, 'web', access_token)
    expect(personal).toMatchObject({ active: true, sub: 'alice', scope: 'openid offline_access api:read' })
    expect(personal).not.toHaveProperty('aud')
    for (const form of [{}, { resource: api }, { resource: files }])
      expect(await bodyOf(app, 'web', await credentials(app, form))).toMatchObject({ active: true, sub: 'web', client_id: 'web' })
  })

  it('refresh token, which is of no type a resource takes', async () => {
    const { app, clock } = await start()
    const { refresh_token } = await redeemed(app, 'web', { resource: api })
    const said = {
      active: true,
      iss: issuer,
      client_id: 'web',
      sub: 'alice',
      scope: 'openid offline_access api:read',
      auth_time: now - 100
    }
    expect(await bodyOf(app, 'web', refresh_token)).toEqual({ ...said, iat: now, exp: now + 1_209_600 })
    clock.now += 60_000
    const rotated = await token(app, 'web', { grant_type: 'refresh_token', refresh_token })
    const { refresh_token: successor } = rotated.body as { refresh_token: string }
    expect(await bodyOf(app, 'web', successor)).toEqual({ ...said, iat: now + 60, exp: now + 60 + 1_209_600 })
  })

  it('tokens with what they are bound to, how the person signed in, and what exactly was allowed', async () => {
    const authorization_details = [{ type: 'payment', amount: 7 }]
    const { app, clock, person } = await start({ authorizationDetails: { payment: () => true } })
    person.account = { sub: 'alice', auth_time: now - 5, acr: 'urn:example:gold', amr: ['pwd', 'otp'] }
    const key = await makeDpopKey()
    for (const resource of [api, files]) {
      const details = { resource, authorization_details: JSON.stringify(authorization_details) }
      const { id } = (await authorize(app, details)).body as { id: string }
      const { code = '' } = redirected(await request(app).post(`/resume/${id}`).send({ consent: true }))
      const form = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
      const proof = await prove(key, 'POST', `${issuer}/oauth2/token`, clock.now)
      const { body } = await token(app, 'web', form).set('DPoP', proof)
      const { access_token, refresh_token } = body as { access_token: string; refresh_token: string }
      const common = { active: true, auth_time: now - 5, acr: 'urn:example:gold', authorization_details }
      const access = await bodyOf(app, 'web', access_token)
      expect(access).toMatchObject({ ...common, token_type: 'DPoP', cnf: { jkt: key.jkt } })
      // not registered for introspection
      expect(access).not.toHaveProperty('amr')
      const refresh = await bodyOf(app, 'web', refresh_token)
      expect(refresh).toMatchObject(common)
      // a confidential client's is bound to the client
      expect(refresh).not.toHaveProperty('cnf')
    }
  })
})

describe('a resource', () => {
  it.each([
    ['api-backend', api, 'api:read'],
    ['files-backend', files, 'files:read']
  ])('%s is told about tokens for it, of every client', async (backend, resource, scope) => {
    const { app } = await start()
    for (const client_id of ['web', 'spa']) {
      const { access_token } = await redeemed(app, client_id, { resource, scope: 'api:read files:read' })
      expect(await bodyOf(app, backend, access_token)).toMatchObject({
        active: true,
        aud: resource,
        client_id,
        scope,
        sub: 'alice'
      })
    }
    expect(await bodyOf(app, backend, await credentials(app, { resource }))).toMatchObject({ active: true, sub: 'web' })
  })

  it('is told nothing of other tokens, not even that there are any', async () => {
    const { app } = await start()
    const forFiles = await redeemed(app, 'web', { resource: files })
    const forApi = await redeemed(app, 'web', { resource: api })
    const forNone = await redeemed(app)
    for (const about of [
      forFiles.access_token,
      forFiles.refresh_token,
      forApi.refresh_token,
      forApi.id_token,
      forNone.access_token,
      forNone.refresh_token,
      await credentials(app)
    ])
      expectInactive(await ask(app, 'api-backend', about))
    expectInactive(await ask(app, 'files-backend', forApi.access_token))
  })

  it('does not come in as a public client, whoever lists it', async () => {
    const { app } = await start()
    const { access_token } = await redeemed(app, 'spa', { resource: api })
    for (const client_id of ['spa', 'native']) {
      const { status, body } = await ask(app, client_id, access_token)
      expect([status, body]).toMatchObject([401, { error: 'invalid_client' }])
    }
    expect(await bodyOf(app, 'api-backend', access_token)).toMatchObject({ active: true })
  })
})

describe('{"active":false} is all there is about', () => {
  it('tokens of other clients', async () => {
    const { app } = await start()
    for (const resource of [{}, { resource: api }, { resource: files }]) {
      const { access_token, refresh_token } = await redeemed(app, 'web', resource)
      for (const about of [access_token, refresh_token, await credentials(app, resource)])
        expectInactive(await ask(app, 'other', about))
      expect(await bodyOf(app, 'web', access_token)).toMatchObject({ active: true })
    }
  })

  it('tokens that expired, to the second', async () => {
    const { app, clock } = await start()
    const opaque = (await redeemed(app, 'web', { resource: files })).access_token
    const { access_token, refresh_token } = await redeemed(app, 'web', { resource: api })
    const lives = async (about: string) => (await bodyOf(app, 'web', about))['active']
    for (const [about, ttl] of [
      [opaque, 120],
      [access_token, 3600],
      [refresh_token, 1_209_600]
    ] as const) {
      clock.now = (now + ttl) * 1000 - 1
      expect(await lives(about)).toBe(true)
      clock.now += 1
      expectInactive(await ask(app, 'web', about))
    }
  })

  it('tokens of a grant that ended: a code used twice, a refresh token reused', async () => {
    const { app, clock } = await start()
    for (const resource of [{}, { resource: api }]) {
      const form = await codeForm(app, resource)
      const { body } = await token(app, 'web', form)
      await token(app, 'web', form)
      const { access_token, refresh_token } = body as { access_token: string; refresh_token: string }
      for (const about of [access_token, refresh_token]) expectInactive(await ask(app, 'web', about))
      const family = await redeemed(app, 'web', resource)
      const reuse = { grant_type: 'refresh_token', refresh_token: family.refresh_token }
      await token(app, 'web', reuse)
      clock.now += 11_000
      expect((await token(app, 'web', reuse)).status).toBe(400)
      expectInactive(await ask(app, 'web', family.access_token))
    }
  })

  it('a refresh token that was replaced, even while it may be retried; asking is not using it', async () => {
    const { app, clock } = await start()
    const { refresh_token, access_token } = await redeemed(app)
    const rotated = await token(app, 'web', { grant_type: 'refresh_token', refresh_token })
    const { refresh_token: successor } = rotated.body as { refresh_token: string }
    expectInactive(await ask(app, 'web', refresh_token))
    clock.now += 60_000
    expectInactive(await ask(app, 'web', refresh_token))
    expect(await bodyOf(app, 'web', access_token)).toMatchObject({ active: true })
    expect((await token(app, 'web', { grant_type: 'refresh_token', refresh_token: successor })).status).toBe(200)
  })

  it('codes, ID Tokens, signed answers, and tokens of other servers', async () => {
    const { app } = await start()
    const { id_token, access_token } = await redeemed(app, 'web', { resource: api })
    const { code } = await codeForm(app)
    const answer = await ask(app, 'web', access_token).set('Accept', jwtAnswer)
    const stranger = await start({ keys: await generateKeys(['ES256']) })
    const tenant = await start({ issuer: `${issuer}/tenant` })
    const foreign = await redeemed(stranger.app, 'web', { resource: api })
    const { body } = await token(tenant.app, 'web', { grant_type: 'client_credentials', resource: api }, '/tenant/oauth2/token')
    for (const about of [
      code,
      id_token,
      answer.text,
      foreign.access_token,
      foreign.refresh_token,
      (body as typeof foreign).access_token
    ]) {
      expect(about).toEqual(expect.any(String))
      expectInactive(await ask(app, 'web', about))
    }
  })

  it('anything that is no token', async () => {
    const { app } = await start()
    const { access_token, refresh_token } = await redeemed(app, 'web', { resource: api })
    const [header = '', payload = '', signature = ''] = access_token.split('.')
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
    for (const about of [
      'x',
      '.',
      '..',
      'eyJ..',
      ' ',
      'null',
      '__proto__',
      'ü',
      'x'.repeat(70),
      'x'.repeat(60_000),
      `${header}.${payload}.`,
      `${none}.${payload}.`,
      `${header}.${payload}.${signature}=`,
      `${header}.${payload}.${signature}.`,
      `${header}.${payload.slice(0, -1)}.${signature}`,
      ` ${access_token}`,
      `${refresh_token} `,
      `Bearer ${access_token}`,
      `${refresh_token}A`,
      refresh_token.slice(0, -1)
    ])
      expectInactive(await ask(app, 'web', about))
    expect(await bodyOf(app, 'web', access_token)).toMatchObject({ active: true })
  })
})

describe('metadata', () => {
  it('names every method but none, and no endpoint where there are only public clients', async () => {
    const documentOf = async (options: Partial<AuthorizationServerOptions>) =>
      (await request((await harness(options)).app).get('/.well-known/oauth-authorization-server')).body as Record<string, unknown>
    const { introspection_endpoint_auth_methods_supported } = await documentOf({})
    expect(introspection_endpoint_auth_methods_supported).toEqual([
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt'
    ])
    const apps = clients.filter(client => client.token_endpoint_auth_method === 'none')
    const open = { clients: apps, strategies: [new NoneStrategy({ clients: apps })] }
    expect(Object.keys(await documentOf(open)).filter(name => name.startsWith('introspection'))).toEqual([])
    expect((await ask((await harness(open)).app, 'spa', 'unknown')).status).toBe(404)
  })
})

describeTokenRequests(path, 'introspection', expectInactive)
