import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { ConfigurationError, OAuthError, type AuthorizationServerOptions } from '../../lib/index.ts'
import { api, breakableStore, files, harness } from '../support/servers/authorization-server.ts'
import {
  account,
  authorizeDevice,
  begun,
  devices,
  deviceServer,
  outcome,
  poll,
  verificationUri
} from '../support/servers/devices.ts'
import { memoryStore } from '../../lib/index.ts'

const path = '/oauth2/device_authorization'
const someCode = 'BCDF-GHJK'

describe('the options', () => {
  it.each([
    [undefined, 'deviceAuthorization must be an object with verificationUri'],
    [null, 'deviceAuthorization must be an object with verificationUri'],
    ['https://as.example.com/device', 'deviceAuthorization must be an object with verificationUri'],
    [{}, 'deviceAuthorization.verificationUri must be an https URL'],
    [{ verificationUri: 'device' }, 'deviceAuthorization.verificationUri must be an https URL'],
    [{ verificationUri: 7 }, 'deviceAuthorization.verificationUri must be an https URL'],
    [{ verificationUri: 'http://as.example.com/device' }, 'deviceAuthorization.verificationUri must be an https URL'],
    [{ verificationUri: 'javascript:alert(1)' }, 'deviceAuthorization.verificationUri must be an https URL'],
    [{ verificationUri: 'https://as.example.com/device?x' }, 'without a query or fragment'],
    [{ verificationUri: 'https://as.example.com/device#x' }, 'without a query or fragment'],
    [{ verificationUri: 'https://me:pw@as.example.com/device' }, 'deviceAuthorization.verificationUri must be'],
    [{ verificationUri, verificationURI: '' }, 'did you mean verificationUri?'],
    [{ verificationUri, codeTtl: 0 }, 'deviceAuthorization.codeTtl must be a whole number from 1 to 86400'],
    [{ verificationUri, interval: 0.5 }, 'deviceAuthorization.interval must be a whole number from 1 to 300']
  ])('%j is refused at construction', async (deviceAuthorization, message) => {
    const made = deviceServer({ deviceAuthorization } as Partial<AuthorizationServerOptions>)
    await expect(made).rejects.toThrow(ConfigurationError)
    await expect(made).rejects.toThrow(message)
  })

  it('are refused where no token issuer takes the codes', async () => {
    await expect(harness({ deviceAuthorization: { verificationUri } })).rejects.toThrow(
      'deviceAuthorization needs deviceCode() among tokenIssuers'
    )
  })

  it('may name a page on this machine, for development', async () => {
    const { app } = await deviceServer({ deviceAuthorization: { verificationUri: 'http://localhost:3000/device' } })
    expect((await begun(app)).verification_uri_complete).toMatch(/^http:\/\/localhost:3000\/device\?user_code=/)
  })

  it('leave the endpoint and its metadata out where devices are not authorized', async () => {
    const { app } = await harness()
    expect((await request(app).post(path)).status).toBe(404)
    const { body } = await request(app).get('/.well-known/oauth-authorization-server')
    expect(Object.keys(body as object)).not.toContain('device_authorization_endpoint')
  })
})

describe('the endpoint', () => {
  it('answers with both codes, where to go, and for how long', async () => {
    const { app } = await deviceServer()
    const response = await authorizeDevice(app, 'web')
    expect(response.status).toBe(200)
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' })
    const { device_code, user_code, ...rest } = response.body as Record<string, string>
    expect(device_code).toMatch(/^[\w-]{22}\.[\w-]{43}$/)
    expect(user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
    expect(rest).toEqual({
      verification_uri: verificationUri,
      verification_uri_complete: `${verificationUri}?user_code=${String(user_code)}`,
      expires_in: 600,
      interval: 5
    })
  })

  it('is in the metadata, with its alias', async () => {
    const { app } = await deviceServer({ mtlsOrigin: 'https://mtls.example.com' })
    const { body } = await request(app).get('/.well-known/oauth-authorization-server')
    expect(body).toMatchObject({
      device_authorization_endpoint: `https://as.example.com${path}`,
      mtls_endpoint_aliases: { device_authorization_endpoint: `https://mtls.example.com${path}` },
      grant_types_supported: expect.arrayContaining(['urn:ietf:params:oauth:grant-type:device_code'])
    })
  })

  it('takes its times from the options', async () => {
    const { app } = await deviceServer({ deviceAuthorization: { verificationUri, codeTtl: 60, interval: 2 } })
    expect(await begun(app)).toMatchObject({ expires_in: 60, interval: 2 })
  })

  it.each(['web', 'posting', 'spa'])('authenticates %s as the token endpoint does', async client_id => {
    const { app } = await deviceServer()
    const secret = client_id === 'posting' ? { client_id, client_secret: 'secret of posting' } : {}
    const response =
      client_id === 'posting' ? await request(app).post(path).type('form').send(secret) : await authorizeDevice(app, client_id)
    expect(outcome(response)).toBe('200')
  })

  it.each([
    ['no client', {}, '401 invalid_client'],
    ['an unknown client', { client_id: 'nobody' }, '401 invalid_client'],
    ['a confidential client that only names itself', { client_id: 'web' }, '401 invalid_client'],
    ['a wrong secret', { client_id: 'posting', client_secret: 'guess' }, '401 invalid_client'],
    ['a public client with a secret', { client_id: 'spa', client_secret: 'x' }, '401 invalid_client']
  ])('refuses %s', async (_name, form, expected) => {
    const { app } = await deviceServer()
    expect(
      outcome(
        await request(app)
          .post(path)
          .type('form')
          .send({ scope: 'openid', ...form })
      )
    ).toBe(expected)
  })

  it.each([
    ['a client without the grant', 'codes-only', {}, '400 unauthorized_client'],
    ['an unknown scope', 'web', { scope: 'openid nonsense' }, '400 invalid_scope'],
    ['a malformed scope', 'web', { scope: 'openid  api:read' }, '400 invalid_scope'],
    ['an unknown resource', 'web', { resource: 'https://elsewhere.example' }, '400 invalid_target'],
    ['details nobody checks', 'web', { authorization_details: '[{"type":"payment"}]' }, '400 invalid_authorization_details'],
    ['a scope sent twice', 'web', 'scope=openid&scope=openid', '400 invalid_request'],
    ['100 kB', 'web', { scope: 'x'.repeat(100_000) }, '413 invalid_request']
  ])('refuses %s', async (_name, client_id, form, expected) => {
    const { app } = await deviceServer()
    expect(outcome(await authorizeDevice(app, client_id, form as Record<string, string>))).toBe(expected)
  })

  it.each(['get', 'put', 'delete'] as const)('refuses %s', async method => {
    const { app } = await deviceServer()
    const response = await request(app)[method](path)
    expect([response.status, response.headers['allow']]).toEqual([405, 'POST'])
  })

  it('answers 503 and gives nothing out while the store does not answer', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const { app } = await deviceServer({ store })
    for (const operation of ['set', 'add'] as const) {
      broken.set(operation, 'rejects')
      expect(outcome(await authorizeDevice(app, 'web'))).toBe('503 temporarily_unavailable')
      broken.clear()
    }
  })

  it('keeps neither code in the store', async () => {
    const written: string[] = []
    const behind = memoryStore()
    const store = new Proxy(behind, {
      get: (target, name: keyof typeof behind) => {
        return (...given: unknown[]): unknown => {
          written.push(JSON.stringify(given))
          return Reflect.apply(Reflect.get(target, name), target, given)
        }
      }
    })
    const { app, server } = await deviceServer({ store })
    const { device_code, user_code } = await begun(app)
    await server.device.approve(user_code, account)
    await poll(app, device_code)
    const everything = written.join('\n')
    expect(written.length).toBeGreaterThan(5)
    for (const code of [device_code, device_code.split('.')[1], user_code, user_code.replace('-', '')])
      expect(everything).not.toContain(code)
  })
})

describe('the person’s page', () => {
  it('finds what the device asks for, however the code is typed', async () => {
    const { app, server } = await deviceServer({ authorizationDetails: { payment: () => true } })
    const form = { scope: 'openid api:read', resource: api, authorization_details: '[{"type":"payment","amount":7}]' }
    const { user_code } = await begun(app, 'web', form)
    for (const typed of [user_code, user_code.toLowerCase().replace('-', ' '), ` ${user_code.replace('-', '')} `]) {
      expect(await server.device.find(typed, account)).toEqual({
        user_code,
        client: expect.objectContaining({ client_id: 'web' }),
        scope: ['openid', 'api:read'],
        resources: [api],
        authorization_details: [{ type: 'payment', amount: 7 }]
      })
    }
  })

  it.each(['', 'BCDF', 'BCDF-GHJKL', 'AEIO-UAEI', '1111-1111', '%00', 'B'.repeat(100_000), someCode])(
    'finds nothing for %.20j',
    async entered => {
      const { server } = await deviceServer()
      expect(await server.device.find(entered, account)).toBeUndefined()
      expect(await server.device.approve(entered, account)).toBe(false)
      expect(await server.device.deny(entered, account)).toBe(false)
    }
  )

  it('finds nothing any more once the code is decided, expired, or its client is gone', async () => {
    const registered = new Map(devices.map(client => [client.client_id, client]))
    const { app, server, clock } = await deviceServer({ clients: id => registered.get(id) })
    const [approved, denied, late, orphan] = [await begun(app), await begun(app), await begun(app), await begun(app, 'other')]
    expect(await server.device.approve(approved.user_code, account)).toBe(true)
    expect(await server.device.deny(denied.user_code, account)).toBe(true)
    registered.delete('other')
    expect(await server.device.find(orphan.user_code, account)).toBeUndefined()
    for (const { user_code } of [approved, denied]) expect(await server.device.find(user_code, account)).toBeUndefined()
    clock.now += 600_000
    expect(await server.device.find(late.user_code, account)).toBeUndefined()
    expect(await server.device.approve(late.user_code, account)).toBe(false)
  })

  it('takes one decision of fifty, whichever they are', async () => {
    const { app, server } = await deviceServer()
    const { user_code, device_code } = await begun(app)
    const decisions = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        index % 2 === 0
          ? server.device.approve(user_code, { ...account, sub: `person ${index}` })
          : server.device.deny(user_code, { sub: `person ${index}` })
      )
    )
    expect(decisions.filter(Boolean)).toHaveLength(1)
    const winner = decisions.indexOf(true)
    expect(outcome(await poll(app, device_code))).toBe(winner % 2 === 0 ? '200' : '400 access_denied')
  })

  it('refuses whoever entered ten wrong codes, for ten minutes, the right code too', async () => {
    const { app, server, clock } = await deviceServer()
    const { user_code } = await begun(app)
    for (let attempt = 0; attempt < 10; attempt++) expect(await server.device.find(someCode, account)).toBeUndefined()
    const refused = { status: 429, error: 'temporarily_unavailable', headers: { 'Retry-After': '600' } }
    for (const again of [
      () => server.device.find(user_code, account),
      () => server.device.approve(user_code, account),
      () => server.device.deny(user_code, account)
    ]) {
      await expect(again()).rejects.toMatchObject(refused)
      await expect(again()).rejects.toBeInstanceOf(OAuthError)
    }
    expect(await server.device.find(user_code, { sub: 'bob' })).toBeDefined()
    clock.now += 599_999
    await expect(server.device.find(user_code, account)).rejects.toMatchObject(refused)
    clock.now += 1
    expect(await server.device.find(someCode, account)).toBeUndefined()
  })

  it('judges ten of fifty guesses made at once', async () => {
    const { server } = await deviceServer()
    const guesses = await Promise.allSettled(Array.from({ length: 50 }, () => server.device.find(someCode, account)))
    expect(guesses.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
  })

  it('does not count codes that are right', async () => {
    const { app, server } = await deviceServer()
    const { user_code } = await begun(app)
    for (let look = 0; look < 30; look++) expect(await server.device.find(user_code, account)).toBeDefined()
  })

  it('shows every resource a device asked for, and each has to be one there is', async () => {
    const { app, server } = await deviceServer()
    const several = `scope=api%3Aread&resource=${api}&resource=${files}&resource=${api}`
    const { user_code } = (await authorizeDevice(app, 'web', several)).body as { user_code: string }
    expect(await server.device.find(user_code, account)).toMatchObject({ resources: [api, files] })
    expect(outcome(await authorizeDevice(app, 'web', `${several}&resource=https://nobody.example`))).toBe('400 invalid_target')
    expect(outcome(await authorizeDevice(app, 'web', `${several}&scope=openid`))).toBe('400 invalid_request')
  })

  it('keeps no request that is larger than 8 kB', async () => {
    const { app } = await deviceServer({ authorizationDetails: { note: () => true } })
    const details = (length: number) => JSON.stringify([{ type: 'note', text: 'x'.repeat(length) }])
    expect(outcome(await authorizeDevice(app, 'web', { authorization_details: details(7_500) }))).toBe('200')
    // in bytes as they are kept
    const wide = JSON.stringify([{ type: 'note', text: 'ü'.repeat(4_100) }])
    expect(outcome(await authorizeDevice(app, 'web', { authorization_details: wide }))).toBe('400 invalid_request')
  })

  it('shows the resource a device asked for', async () => {
    const { app, server } = await deviceServer()
    const { user_code } = await begun(app, 'web', { scope: 'files:read', resource: files })
    expect(await server.device.find(user_code, account)).toMatchObject({ resources: [files] })
  })
})
