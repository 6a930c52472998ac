import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import request from 'supertest'
import { memoryStore } from '../../../lib/index.ts'
import { breakableStore, callback, codeForm, issuer, type Harness } from '../../support/servers/authorization-server.ts'
import {
  endpoint,
  machine,
  manage,
  refusalOf,
  register,
  registrationHarness,
  send,
  storeWith,
  tokenFor,
  web,
  without,
  type ClientInformation
} from '../../support/servers/registration.ts'

let server: Harness
let app: Express
let client: ClientInformation
beforeAll(async () => {
  server = await registrationHarness()
  ;({ app } = server)
  client = await register(app, machine)
})

const update = (of: ClientInformation, change: object = {}) => ({ ...machine, client_id: of.client_id, ...change })

describe('whoever asks', () => {
  const methods = ['get', 'put', 'delete'] as const

  it.each<[string, () => { path: string; token: string | undefined }]>([
    ['no token', () => ({ path: client.client_id, token: undefined })],
    ['a wrong token', () => ({ path: client.client_id, token: 'wrong' })],
    ['the secret', () => ({ path: client.client_id, token: client.client_secret })],
    ['a client that is not there', () => ({ path: '0'.repeat(32), token: client.registration_access_token })],
    ['a client that was configured', () => ({ path: 'web', token: client.registration_access_token })],
    ['no client', () => ({ path: '', token: client.registration_access_token })],
    ['a strange client', () => ({ path: '%00', token: client.registration_access_token })],
    ['a client_id in capitals', () => ({ path: client.client_id.toUpperCase(), token: client.registration_access_token })]
  ])('with %s gets 401 invalid_token, the same for reading, replacing and ending', async (_, asked) => {
    const { path, token } = asked()
    for (const method of methods) {
      const sent = request(app)[method](`${endpoint}/${path}`)
      const response = await (token === undefined ? sent : sent.set('Authorization', `Bearer ${token}`)).send(update(client))
      expect(refusalOf(response)).toEqual({
        status: 401,
        error: 'invalid_token',
        error_description: 'the access token is not valid'
      })
      expect(response.headers['www-authenticate']).toMatch(token === undefined ? /^Bearer$/ : /^Bearer error="invalid_token"/)
    }
    expect((await manage(app, 'get', client)).status).toBe(200)
  })

  it("with another client's token gets 401", async () => {
    const { registration_access_token } = await register(app, machine)
    for (const method of methods)
      expect((await manage(app, method, { ...client, registration_access_token }, update(client))).status).toBe(401)
  })

  it.each(['post', 'patch'] as const)('by %s gets 405', async method => {
    const response = await request(app)[method](`${endpoint}/${client.client_id}`)
    expect(response.status).toBe(405)
    expect(response.headers['allow']).toBe('GET, PUT, DELETE')
  })

  it('further down finds nothing', async () => {
    expect((await request(app).get(`${endpoint}/${client.client_id}/x`)).status).toBe(404)
  })

  it('while the store is away gets 503', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const { app } = await registrationHarness({}, { store })
    const there = await register(app, machine)
    for (const operation of ['get', 'set', 'swap'] as const) broken.set(operation, 'rejects')
    for (const method of methods) expect((await manage(app, method, there, update(there))).status).toBe(503)
    broken.clear()
    expect((await manage(app, 'get', there)).status).toBe(200)
  })
})

describe('GET', () => {
  it('answers with what is registered, the secret left out: nobody can read it again', async () => {
    const response = await manage(app, 'get', client)
    expect(response.status).toBe(200)
    expect(response.body).toEqual(without(client, 'client_secret'))
    expect(response.headers['cache-control']).toBe('no-store')
  })
})

describe('PUT', () => {
  it('replaces everything: what is not sent is not registered any more', async () => {
    const there = await register(app, { ...machine, client_name: 'Old', contacts: ['a@example.com'] })
    const response = await manage(app, 'put', there, update(there, { client_name: 'New', scope: 'api:write' }))
    expect(response.status).toBe(200)
    const rest = without(there, 'client_secret', 'contacts')
    expect(response.body).toEqual({ ...rest, client_name: 'New', scope: 'api:write' })
    expect((await manage(app, 'get', there)).body).toEqual(response.body)
  })

  it('applies at once: the client may do what it registers now, and no longer what it registered before', async () => {
    const there = await register(app, machine)
    expect((await tokenFor(app, there)).body.scope).toBe('api:read')
    await manage(app, 'put', there, update(there, { scope: 'api:write' }))
    expect((await tokenFor(app, there)).body.scope).toBe('api:write')
    await manage(app, 'put', there, { ...web, client_id: there.client_id })
    expect((await tokenFor(app, there)).body.error).toBe('unauthorized_client')
  })

  it('keeps secret and token, so that a lost answer loses nothing', async () => {
    const there = await register(app, machine)
    const { body } = await manage(app, 'put', there, update(there))
    expect(body).not.toHaveProperty('client_secret')
    expect(body.registration_access_token).toBe(there.registration_access_token)
    expect((await tokenFor(app, there)).status).toBe(200)
  })

  it('takes null for a member that is left out', async () => {
    const there = await register(app, { ...machine, client_name: 'Old' })
    const response = await manage(app, 'put', there, update(there, { client_name: null, contacts: null }))
    expect(response.body).not.toHaveProperty('client_name')
  })

  it('takes the secret the client has, and no other', async () => {
    const there = await register(app, machine)
    const { client_secret } = there
    expect((await manage(app, 'put', there, update(there, { client_secret }))).status).toBe(200)
    for (const wrong of ['chosen', '', 7, [client_secret], `${client_secret}x`, client.client_secret]) {
      expect(refusalOf(await manage(app, 'put', there, update(there, { client_secret: wrong })))).toEqual({
        status: 400,
        error: 'invalid_client_metadata',
        error_description: 'client_secret must be the one the client has, or be left out'
      })
    }
    expect((await tokenFor(app, there)).status).toBe(200)
  })

  it.each<[string, object]>([
    ['client_id', { client_id: undefined }],
    ['client_id', { client_id: '0'.repeat(32) }],
    ['client_id', { client_id: null }],
    ['registration_access_token', { registration_access_token: 'x' }],
    ['registration_client_uri', { registration_client_uri: 'https://as.example.com/x' }],
    ['client_secret_expires_at', { client_secret_expires_at: 0 }],
    ['client_id_issued_at', { client_id_issued_at: 1 }],
    ['grant_types', { grant_types: ['password'] }],
    ['scope', { scope: 'admin' }]
  ])('is refused by name and changes nothing where %s is not as it must be', async (member, change) => {
    const before = (await manage(app, 'get', client)).body
    const response = await manage(app, 'put', client, update(client, change))
    expect(refusalOf(response)).toMatchObject({ status: 400, error: 'invalid_client_metadata' })
    expect(response.body.error_description).toMatch(new RegExp(`^${member}`))
    expect((await manage(app, 'get', client)).body).toEqual(before)
  })

  it('is refused where it is no JSON, or too much', async () => {
    const put = (body: string, type = 'application/json') => manage(app, 'put', client).set('Content-Type', type).send(body)
    expect((await put('[]')).status).toBe(400)
    expect((await put('{}', 'text/plain')).status).toBe(415)
    expect((await put(JSON.stringify({ x: 'x'.repeat(1_048_576) }))).status).toBe(400)
  })

  it('to another method gives a secret where one is needed, and takes it where none is', async () => {
    const there = await register(app, machine)
    const change = async (method: object) => (await manage(app, 'put', there, update(there, method))).body as ClientInformation
    expect(await change({ token_endpoint_auth_method: 'client_secret_post' })).not.toHaveProperty('client_secret')
    expect((await tokenFor(app, { ...there, token_endpoint_auth_method: 'client_secret_post' })).status).toBe(200)
    const readable = await change({ token_endpoint_auth_method: 'client_secret_jwt' })
    expect(readable.client_secret).toHaveLength(64)
    const keyed = await change({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://client.example/jwks' })
    expect(keyed).not.toHaveProperty('client_secret')
    expect(keyed).not.toHaveProperty('client_secret_expires_at')
    const back = await change({ token_endpoint_auth_method: 'client_secret_basic' })
    expect((await tokenFor(app, back)).status).toBe(200)
    for (const { client_secret } of [there, readable]) expect((await tokenFor(app, { ...back, client_secret })).status).toBe(401)
  })

  it('fifty times at once ends in one of them, whole', async () => {
    const there = await register(app, machine)
    const names = Array.from({ length: 50 }, (_, index) => `name ${index}`)
    const responses = await Promise.all(names.map(client_name => manage(app, 'put', there, update(there, { client_name }))))
    const statuses = responses.map(({ status }) => status)
    // each change that was answered with 200 happened; the others were told to come back
    expect(statuses.filter(status => status !== 200 && status !== 503)).toEqual([])
    expect(statuses).toContain(200)
    const { client_name } = (await manage(app, 'get', there)).body
    expect(responses.filter(({ status }) => status === 200).map(({ body }) => String(body.client_name))).toContain(client_name)
    expect((await tokenFor(app, there)).status).toBe(200)
  })
})

describe('DELETE', () => {
  it('answers 204, and the registration access token is worth nothing from then on', async () => {
    const there = await register(app, machine)
    const response = await manage(app, 'delete', there)
    expect([response.status, response.text]).toEqual([204, ''])
    for (const method of ['get', 'put', 'delete'] as const)
      expect((await manage(app, method, there, update(there))).status).toBe(401)
  })

  it('ends the client at once: it cannot authenticate, and what it was given is refused', async () => {
    const grant_types = ['authorization_code', 'refresh_token', 'client_credentials']
    const there = await register(app, { ...web, grant_types, scope: 'openid offline_access api:read' })
    const { client_id } = there
    const own = (await tokenFor(app, there)).body
    const resource = 'https://api.example.com'
    const tokens = (await tokenFor(app, there, { ...(await codeForm(app, { client_id })) })).body
    const jwt = (await tokenFor(app, there, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, resource })).body
    const waiting = await codeForm(app, { client_id })
    const given = [own.access_token, tokens.access_token, jwt.access_token]
    for (const token of given) expect(await server.server.verifyAccessToken(token)).toMatchObject({ client_id })
    await manage(app, 'delete', there)
    for (const token of given) expect(await server.server.verifyAccessToken(token)).toBeUndefined()
    expect((await request(app).get('/oauth2/userinfo').set('Authorization', `Bearer ${tokens.access_token}`)).status).toBe(401)
    const refresh = { grant_type: 'refresh_token', refresh_token: jwt.refresh_token as string }
    for (const form of [{ grant_type: 'client_credentials' }, refresh, waiting])
      expect(refusalOf(await tokenFor(app, there, form))).toMatchObject({ status: 401, error: 'invalid_client' })
    const page = await request(app).get('/oauth2/authorize').query({ client_id, redirect_uri: callback, response_type: 'code' })
    expect(page.status).toBe(400)
  })

  it('leaves other clients and their tokens alone', async () => {
    const [a, b] = await Promise.all([register(app, machine), register(app, machine)])
    const { access_token } = (await tokenFor(app, b)).body
    await manage(app, 'delete', a)
    expect(await server.server.verifyAccessToken(access_token)).toMatchObject({ client_id: b.client_id })
    expect((await tokenFor(app, b)).status).toBe(200)
  })

  it('is remembered for as long as a token of the client could live', async () => {
    const timed = await registrationHarness({}, { accessTokenTtl: 31_536_000 })
    const there = await register(timed.app, machine)
    const { access_token } = (await tokenFor(timed.app, there)).body
    await manage(timed.app, 'delete', there)
    timed.clock.now += 31_535_999_000
    expect(await timed.server.verifyAccessToken(access_token)).toBeUndefined()
  })

  it('while a change is under way wins', async () => {
    const inner = memoryStore()
    let ended: Promise<unknown> | undefined
    const store = storeWith(inner, {
      swap: async (...given) => {
        // the registration ends between the change's reading and its writing
        await (ended ??= Promise.resolve(manage(racing.app, 'delete', there)))
        return inner.swap(...given)
      }
    })
    const racing = await registrationHarness({}, { store })
    const there = await register(racing.app, machine)
    expect((await manage(racing.app, 'put', there, update(there))).status).toBe(401)
    expect((await tokenFor(racing.app, there)).status).toBe(401)
  })
})

describe('an issuer with a path', () => {
  it('has registrations below it', async () => {
    const { app } = await registrationHarness({}, { issuer: `${issuer}/acme` })
    const response = await request(app).post(`/acme${endpoint}`).send(machine)
    expect(response.body.registration_client_uri).toBe(`${issuer}/acme${endpoint}/${response.body.client_id}`)
    expect((await manage(app, 'get', response.body)).status).toBe(200)
    expect((await send(app, machine)).status).toBe(404)
  })

  it('shares none with another issuer on the same store', async () => {
    const store = memoryStore()
    const at = (path: string) => registrationHarness({}, { store, issuer: `${issuer}/${path}` })
    const [acme, other] = [await at('acme'), await at('other')]
    const { body } = await request(acme.app).post(`/acme${endpoint}`).send(machine)
    const elsewhere = { ...body, registration_client_uri: body.registration_client_uri.replace('/acme/', '/other/') }
    expect((await manage(other.app, 'get', elsewhere)).status).toBe(401)
  })
})
