/** What anyone may register where nobody is asked, how long it stays, and who ends it. */
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import {
  authorizationCode,
  ciba,
  clientCredentials,
  deviceCode,
  memoryStore,
  refreshToken,
  type AuthorizationServerOptions,
  type RegistrationOptions,
  type ServerEvent
} from '../../../lib/index.ts'
import { callback, codeForm, harness, userinfo } from '../../support/servers/authorization-server.ts'
import { machine, manage, refusalOf, register, send, tokenFor, web } from '../../support/servers/registration.ts'

const day = 86_400_000

/** A server as an operator has it who says nothing more. */
const plain = (registration: Partial<RegistrationOptions> = {}, options: Partial<AuthorizationServerOptions> = {}) =>
  harness({ registration: { access: 'open', ...registration }, ...options })

describe('open registration', () => {
  const everyGrant: Partial<AuthorizationServerOptions> = {
    tokenIssuers: [authorizationCode(), refreshToken(), clientCredentials(), deviceCode(), ciba()],
    deviceAuthorization: { verificationUri: 'https://as.example.com/device' },
    backchannelAuthentication: { identify: () => undefined }
  }

  it('is for the grants in which a person decides', async () => {
    const { app } = await plain({}, everyGrant)
    const device = 'urn:ietf:params:oauth:grant-type:device_code'
    expect((await send(app, { ...web, grant_types: ['authorization_code', 'refresh_token', device] })).status).toBe(201)
    for (const grant_type of ['client_credentials', 'urn:openid:params:grant-type:ciba'])
      expect(refusalOf(await send(app, { ...web, grant_types: ['authorization_code', grant_type] }))).toEqual({
        status: 400,
        error: 'invalid_client_metadata',
        error_description: `grant_types[1] must be one of authorization_code, refresh_token, ${device}`
      })
  })

  it('is for more where the operator says so, and for all with an initial access token', async () => {
    const open = await plain({ grantTypes: ['client_credentials'] })
    await register(open.app, machine)
    const token = await plain({ access: 'token', initialAccessTokens: ['t'] })
    await register(token.app, machine, 't')
  })

  it.each<[string, RegistrationOptions['grantTypes']]>([
    ['registration.grantTypes', []],
    ['registration.grantTypes', 'client_credentials' as never],
    ['registration.grantTypes[1]', ['client_credentials', 'password']]
  ])('%s is named where it is wrong: %j', async (key, grantTypes) => {
    await expect(plain({ grantTypes })).rejects.toThrow(expect.objectContaining({ key }))
  })

  it('has a limit for each network, and says how long to wait', async () => {
    const { app, clock } = await plain({ limits: { perNetwork: 2 } })
    for (let client = 0; client < 2; client++) await register(app)
    const refused = await send(app, web)
    expect(refusalOf(refused)).toMatchObject({ status: 429, error: 'temporarily_unavailable' })
    expect(refused.headers['retry-after']).toBe('3600')
    clock.now += 3_600_000
    await register(app)
  })

  it('counts no refused registration, and none that had to be let in by a token', async () => {
    const { app } = await plain({ limits: { perNetwork: 1 } })
    for (let attempt = 0; attempt < 3; attempt++) expect((await send(app, { redirect_uris: 'x' })).status).toBe(400)
    await register(app)
    const token = await plain({ access: 'token', initialAccessTokens: ['t'], limits: { perNetwork: 1 } })
    for (let client = 0; client < 3; client++) await register(token.app, web, 't')
  })

  it('takes documents of 8 kB, parsed by the application or not', async () => {
    const { app } = await plain()
    const contacts = Array.from({ length: 100 }, (_, index) => `${index}`.padStart(100, 'x'))
    expect(refusalOf(await send(app, { ...web, contacts }))).toEqual({
      status: 400,
      error: 'invalid_client_metadata',
      error_description: 'the request body must not be larger than 8192 bytes'
    })
  })
})

describe('a client that is never used', () => {
  it('is gone after thirty days, and one that authenticated stays', async () => {
    const { app, clock } = await plain({ grantTypes: ['client_credentials'], maxAge: 0 })
    const [unused, used] = [await register(app, machine), await register(app, machine)]
    expect((await tokenFor(app, used)).status).toBe(200)
    clock.now += 31 * day
    expect((await tokenFor(app, unused)).body).toMatchObject({ error: 'invalid_client' })
    expect((await manage(app, 'get', unused)).status).toBe(401)
    expect((await tokenFor(app, used)).status).toBe(200)
    clock.now += 3650 * day
    expect((await tokenFor(app, used)).status).toBe(200)
  })

  it('that is public stays once it has redeemed a code', async () => {
    const { app, clock, person } = await plain()
    const client = await register(app, { ...web, token_endpoint_auth_method: 'none' })
    const { client_id } = client
    const form = await codeForm(app, { client_id, scope: 'openid' })
    const { body } = await request(app)
      .post('/oauth2/token')
      .type('form')
      .send({ ...form, client_id })
    expect((await userinfo(app, String(body.access_token))).status).toBe(200)
    clock.now += 31 * day
    person.account = { sub: 'alice', auth_time: clock.now / 1000 }
    expect((await manage(app, 'get', client)).status).toBe(200)
  })

  it('is given thirty days more by what it changes, and its own time by the operator', async () => {
    const { app, clock } = await plain({ unusedTtl: 100 })
    const client = await register(app)
    clock.now += 90_000
    expect((await manage(app, 'put', client, { ...web, client_id: client.client_id })).status).toBe(200)
    clock.now += 90_000
    expect((await manage(app, 'get', client)).status).toBe(200)
    clock.now += 20_000
    expect((await manage(app, 'get', client)).status).toBe(401)
  })

  it('stays where the operator says 0', async () => {
    const { app, clock } = await plain({ unusedTtl: 0 })
    const client = await register(app)
    clock.now += 3650 * day
    expect((await manage(app, 'get', client)).status).toBe(200)
  })

  it('that is used on two nodes at once stays', async () => {
    const store = memoryStore()
    const node = () => plain({ grantTypes: ['client_credentials'] }, { store })
    const [one, other] = [await node(), await node()]
    const client = await register(one.app, machine)
    const answers = await Promise.all([one, other, one, other].map(({ app }) => tokenFor(app, client)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect((await manage(other.app, 'get', client)).status).toBe(200)
  })
})

describe('registrations.delete()', () => {
  it('ends a client that registered itself, with its tokens, and says whether there was one', async () => {
    const events: ServerEvent[] = []
    const { app, server } = await plain({ grantTypes: ['client_credentials'] }, { onEvent: event => events.push(event) })
    const client = await register(app, machine)
    const { body } = await tokenFor(app, client)
    expect(await server.registrations.delete(client.client_id)).toBe(true)
    expect((await tokenFor(app, client)).body).toMatchObject({ error: 'invalid_client' })
    expect(await server.verifyAccessToken(String(body.access_token))).toBeUndefined()
    expect(events.filter(({ type }) => type === 'client.ended')).toMatchObject([{ client_id: client.client_id }])
    expect(await server.registrations.delete(client.client_id)).toBe(false)
  })

  it('ends no configured client, and nothing where nobody registers', async () => {
    const { server } = await plain()
    for (const client_id of ['web', '', 'constructor', '0'.repeat(32)])
      expect(await server.registrations.delete(client_id)).toBe(false)
    expect(await (await harness()).server.registrations.delete('web')).toBe(false)
  })
})

describe('private-use schemes', () => {
  const cursor = [
    'cursor://anysphere.cursor-retrieval/oauth/user-client/callback',
    'https://www.cursor.com/agents/oauth/callback',
    'http://localhost:8787/callback'
  ]

  it('are let in one by one', async () => {
    const { app } = await plain({ schemes: ['cursor'] })
    expect(await register(app, { redirect_uris: cursor })).toMatchObject({ redirect_uris: cursor, application_type: 'native' })
    expect((await send(app, { redirect_uris: ['vscode://x/cb'] })).body).toMatchObject({ error: 'invalid_redirect_uri' })
    expect((await send((await plain()).app, { redirect_uris: cursor })).body).toMatchObject({ error: 'invalid_redirect_uri' })
  })

  it.each(['javascript', 'data', 'file', 'vbscript', 'blob', 'about', 'https', 'http', 'cursor:', 'Cursor', '', 7])(
    'never are %j',
    async scheme => {
      await expect(plain({ schemes: ['fine', scheme as string] })).rejects.toThrow(
        expect.objectContaining({ key: 'registration.schemes[1]' })
      )
    }
  )
})

describe('initiate_login_uri', () => {
  it('is https', async () => {
    const { app } = await plain()
    const initiate_login_uri = 'https://client.example.com/login'
    expect(await register(app, { ...web, initiate_login_uri })).toMatchObject({ initiate_login_uri, redirect_uris: [callback] })
    for (const wrong of ['http://localhost/login', 'http://client.example.com/', 'javascript:alert(1)', '/login'])
      expect((await send(app, { ...web, initiate_login_uri: wrong })).body.error_description).toMatch(
        /^initiate_login_uri must be/
      )
  })
})

describe("a sign-in's defaults", () => {
  const defaults = { default_max_age: 60, require_auth_time: true, default_acr_values: ['urn:mfa', 'urn:pwd'] }

  it('come back as they were registered', async () => {
    const { app } = await plain()
    expect(await register(app, { ...web, ...defaults })).toMatchObject(defaults)
    expect(await register(app, { ...web, default_max_age: 0 })).toMatchObject({ default_max_age: 0 })
  })
})
