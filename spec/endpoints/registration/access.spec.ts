import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import {
  InvalidClientMetadataError,
  OAuthError,
  type AuthorizationServerOptions,
  type ClientMetadata,
  type RegistrationOptions,
  type RegistrationRequest
} from '../../../lib/index.ts'
import { callback } from '../../support/servers/authorization-server.ts'
import {
  endpoint,
  initialAccessToken,
  machine,
  manage,
  refusalOf,
  register,
  registrationHarness,
  send,
  tokenFor,
  web
} from '../../support/servers/registration.ts'

const withToken = (more: Partial<RegistrationOptions> = {}, options: Partial<AuthorizationServerOptions> = {}) =>
  registrationHarness({ access: 'token', initialAccessTokens: ['another', initialAccessToken], ...more }, options)

describe('with initial access tokens', () => {
  it('whoever has one registers, any number of times, the scheme in any case', async () => {
    const { app } = await withToken()
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect((await request(app).post(endpoint).set('Authorization', `${scheme} ${initialAccessToken}`).send(web)).status).toBe(
        201
      )
    await register(app, web, 'another')
  })

  it.each<[string, Record<string, string>]>([
    ['another token', { Authorization: 'Bearer wrong' }],
    ['part of it', { Authorization: `Bearer ${initialAccessToken.slice(0, -1)}` }],
    ['more than it', { Authorization: `Bearer ${initialAccessToken}x` }],
    ['two of them', { Authorization: `Bearer ${initialAccessToken} another` }],
    ['a megabyte', { Authorization: `Bearer ${'x'.repeat(12_000)}` }]
  ])('%s is 401 invalid_token with a challenge', async (_, headers) => {
    const { app } = await withToken()
    const response = await request(app).post(endpoint).set(headers).send(web)
    expect(refusalOf(response)).toMatchObject({ status: 401, error: 'invalid_token' })
    expect(response.headers['www-authenticate']).toBe(
      'Bearer error="invalid_token", error_description="the access token is not valid"'
    )
    expect(response.headers['cache-control']).toBe('no-store')
  })

  it.each<[string, Record<string, string>]>([
    ['none', {}],
    ['an empty one', { Authorization: 'Bearer ' }],
    ['another scheme', { Authorization: `Basic ${initialAccessToken}` }],
    ['DPoP', { Authorization: `DPoP ${initialAccessToken}` }]
  ])('%s is 401 with a challenge that names no error (RFC 6750 §3.1)', async (_, headers) => {
    const { app } = await withToken()
    const response = await request(app).post(endpoint).set(headers).send(web)
    expect(refusalOf(response)).toMatchObject({ status: 401, error: 'invalid_token' })
    expect(response.headers['www-authenticate']).toBe('Bearer')
  })

  it('the header is the only place for them', async () => {
    const { app } = await withToken()
    const inQuery = await request(app).post(`${endpoint}?access_token=${initialAccessToken}`).send(web)
    const inBody = await send(app, { ...web, access_token: initialAccessToken })
    expect([inQuery.status, inBody.status]).toEqual([401, 401])
  })

  it('they are asked for before the body is read', async () => {
    const { app } = await withToken()
    expect((await send(app, '{broken')).status).toBe(401)
    expect((await send(app, 'x'.repeat(100_000))).status).toBe(401)
  })

  it('cannot be guessed without end: 429 for the network that tries, until the window is over', async () => {
    const { app, clock } = await withToken({}, { guessProtection: { attempts: 3, window: 60 } })
    for (let attempt = 0; attempt < 3; attempt++)
      expect((await send(app, web, `guess ${attempt}`.replace(' ', '-'))).status).toBe(401)
    const response = await send(app, web, initialAccessToken)
    expect(refusalOf(response)).toMatchObject({ status: 429, error: 'temporarily_unavailable' })
    expect(response.headers['retry-after']).toBe('60')
    expect((await send(app, web)).status).toBe(401)
    clock.now += 61_000
    await register(app, web, initialAccessToken)
  })

  it('those of other things are none: an access token, a registration access token', async () => {
    const { app } = await withToken()
    const client = await register(app, machine, initialAccessToken)
    const { access_token } = (await tokenFor(app, client)).body
    for (const token of [access_token, client.registration_access_token, client.client_secret])
      expect((await send(app, web, token)).status).toBe(401)
  })

  it("the application's own check may know them: one that is good once", async () => {
    const left = new Set(['once'])
    const { app } = await withToken({
      initialAccessTokens: undefined,
      checkInitialAccessToken: token => Promise.resolve(left.delete(token))
    })
    await register(app, web, 'once')
    expect((await send(app, web, 'once')).status).toBe(401)
    expect((await send(app, web)).status).toBe(401)
  })

  it('a check that fails lets nobody in, and one that answers with anything but true says no', async () => {
    const failing = await withToken({ checkInitialAccessToken: () => Promise.reject(new Error('database down')) })
    expect(refusalOf(await send(failing.app, web, 'x'))).toMatchObject({ status: 503, error: 'temporarily_unavailable' })
    // those that are configured need no check
    await register(failing.app, web, initialAccessToken)
    const vague = await withToken({ checkInitialAccessToken: (() => ({ found: false })) as never })
    expect((await send(vague.app, web, 'x')).status).toBe(401)
  })
})

describe('a policy', () => {
  const deciding = (policy: RegistrationOptions['policy']) => withToken({ policy })

  it('hears what would be registered, by whom, and with what token', async () => {
    const asked: RegistrationRequest[] = []
    const { app } = await deciding(registration => {
      asked.push(registration)
      return undefined
    })
    const client = await register(app, { ...web, something: 'unknown' }, initialAccessToken)
    await manage(app, 'put', client, { ...machine, client_id: client.client_id })
    const { client_id } = client
    expect(asked).toMatchObject([
      {
        action: 'register',
        client_id,
        initialAccessToken,
        metadata: { client_id, token_endpoint_auth_method: 'client_secret_basic', redirect_uris: [callback] }
      },
      { action: 'update', client_id, initialAccessToken: undefined, metadata: { client_id, grant_types: ['client_credentials'] } }
    ])
    expect(asked[0]?.req.originalUrl).toBe(endpoint)
    expect(JSON.stringify(asked[0]?.metadata)).not.toContain('unknown')
  })

  it('may register something else, members of its own among it', async () => {
    const { app } = await deciding(({ metadata }) => ({
      ...metadata,
      scope: 'api:read',
      team: 'blue',
      client_id: 'chosen',
      client_secret: 'chosen'
    }))
    const client = await register(app, { ...machine, scope: 'api:write' }, initialAccessToken)
    expect(client).toMatchObject({ scope: 'api:read', team: 'blue', client_id: expect.not.stringContaining('chosen') })
    expect((await tokenFor(app, client)).body.scope).toBe('api:read')
    expect((await tokenFor(app, { ...client, client_secret: 'chosen' })).status).toBe(401)
  })

  it('may refuse, and then nothing is registered or changed', async () => {
    let refusing = false
    const { app } = await deciding(() => {
      if (refusing) throw new InvalidClientMetadataError('client_name must be that of an application in the catalogue')
      return undefined
    })
    const client = await register(app, machine, initialAccessToken)
    refusing = true
    const refused = {
      status: 400,
      error: 'invalid_client_metadata',
      error_description: 'client_name must be that of an application in the catalogue'
    }
    expect(refusalOf(await send(app, web, initialAccessToken))).toEqual(refused)
    expect(refusalOf(await manage(app, 'put', client, { ...web, client_id: client.client_id }))).toEqual(refused)
    expect((await manage(app, 'get', client)).body).toMatchObject({ grant_types: ['client_credentials'] })
  })

  it('may refuse in its own words', async () => {
    const { app } = await deciding(() => {
      throw new OAuthError('access_denied', 403, 'not on Sundays')
    })
    expect(refusalOf(await send(app, web, initialAccessToken))).toEqual({
      status: 403,
      error: 'access_denied',
      error_description: 'not on Sundays'
    })
  })

  it.each<[string, () => unknown]>([
    ['throws anything else', () => Promise.reject(new Error('secret detail'))],
    ['returns what is no client', () => ({ grant_types: 'all' })],
    ['returns a client that could never authenticate', () => ({ token_endpoint_auth_method: 'private_key_jwt' })],
    ['returns what is no JSON', () => ({ big: 1n })]
  ])('that %s is a fault of the application, and says nothing', async (_, policy) => {
    const { app, errors } = await deciding(policy as RegistrationOptions['policy'])
    expect(refusalOf(await send(app, web, initialAccessToken))).toEqual({
      status: 500,
      error: 'server_error',
      error_description: 'the server met an error'
    })
    expect(errors).toHaveLength(1)
  })
})

describe('options', () => {
  const refusal = async (registration: unknown, options: Partial<AuthorizationServerOptions> = {}): Promise<string> =>
    registrationHarness(registration as RegistrationOptions, options).then(
      () => 'accepted',
      (error: unknown) => (error as Error).message
    )

  it.each<[string, unknown]>([
    ['registration.access', { access: 'everyone' }],
    ['registration.access', { access: undefined }],
    ['registration.access', { access: null }],
    ['registration.access', { initialAccessTokens: ['x'] }],
    ['registration.access', { checkInitialAccessToken: () => true }],
    ['registration.initialAccessTokens', { access: 'token' }],
    ['registration.initialAccessTokens', { access: 'token', initialAccessTokens: [] }],
    ['registration.initialAccessTokens', { access: 'token', initialAccessTokens: [''] }],
    ['registration.initialAccessTokens', { access: 'token', initialAccessTokens: ['a b'] }],
    ['registration.initialAccessTokens', { access: 'token', initialAccessTokens: 'x' }],
    ['registration.checkInitialAccessToken', { access: 'token', checkInitialAccessToken: 'x' }],
    ['registration.policy', { policy: {} }],
    ['registration.scopes', { scopes: ['admin'] }],
    ['registration.scopes', { scopes: 'openid' }],
    ['registration.clientSecretTtl', { clientSecretTtl: -1 }],
    ['registration.maxAge', { maxAge: 3601 }],
    ['registration.limits.bytes', { limits: { bytes: 10_000_000 } }],
    ['registration.limits.redirectUris', { limits: { redirectUris: 0 } }],
    ['registration.limits.keys', { limits: { keys: '5' } }],
    ['registration.limits.size', { limits: { size: 5 } }],
    ['registration.limits', { limits: 5 }],
    ['registration.acess', { acess: 'open' }],
    ['registration.softwareStatements.trustedIssuers', { softwareStatements: {} }],
    ['registration.softwareStatements.required', { softwareStatements: { trustedIssuers: [], required: 'yes' } }]
  ])('%s is named where it is wrong: %j', async (key, registration) => {
    expect(await refusal(registration)).toMatch(new RegExp(`^${key} `))
  })

  it('registration itself is', async () => {
    await expect(registrationHarness({}, { registration: 'open' as never })).rejects.toThrow('registration must be an object')
  })

  it('open registration is refused under fapi2-security, with a token it is not', async () => {
    const fapi = { profile: 'fapi2-security' as const, clients: [] as ClientMetadata[] }
    expect(await refusal({}, fapi)).toMatch(/^registration\.access must be "token" or "closed"/)
    expect(await refusal({ access: 'token', initialAccessTokens: ['x'] }, fapi)).toBe('accepted')
  })

  it('scope limits what clients may register', async () => {
    const { app } = await registrationHarness({ scopes: ['api:read', 'openid'] })
    expect(await register(app, web)).toMatchObject({ scope: 'api:read openid' })
    expect(await register(app, { ...web, scope: 'openid api:write' })).toMatchObject({ scope: 'openid' })
    expect((await send(app, { ...web, scope: 'api:write' })).status).toBe(400)
  })
})

describe('under fapi2-security', () => {
  it('clients meet the profile when they register, and a request says which rule they break', async () => {
    const { app } = await withToken({}, { profile: 'fapi2-security', clients: [] })
    const good = {
      ...web,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: 'https://client.example/jwks',
      dpop_bound_access_tokens: true
    }
    expect(await register(app, good, initialAccessToken)).toMatchObject({ id_token_signed_response_alg: 'PS256' })
    const refused = async (change: object) =>
      String((await send(app, { ...good, ...change }, initialAccessToken)).body.error_description)
    expect(await refused({ dpop_bound_access_tokens: false })).toMatch(/^dpop_bound_access_tokens or .* \(FAPI 2\.0 /)
    expect(await refused({ token_endpoint_auth_method: 'client_secret_basic' })).toBe(
      'token_endpoint_auth_method must be one of private_key_jwt'
    )
    expect(await refused({ token_endpoint_auth_method: undefined })).toMatch(/^token_endpoint_auth_method must be given/)
    expect(await refused({ token_endpoint_auth_signing_alg: 'RS256' })).toMatch(/^token_endpoint_auth_signing_alg must be one of/)
  })
})
