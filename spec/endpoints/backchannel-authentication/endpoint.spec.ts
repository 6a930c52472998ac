import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { memoryStore, OAuthError, type BackchannelAuthentication } from '../../../lib/index.ts'
import { breakableStore, harness, token } from '../../support/servers/authorization-server.ts'
import {
  ask,
  asked,
  askers,
  backchannelServer,
  client_notification_token,
  good,
  grant_type,
  pinged
} from '../../support/servers/backchannel.ts'
import { outcome } from '../../support/servers/devices.ts'

const path = '/oauth2/bc-authorize'

describe('the endpoint', () => {
  it('answers with an auth_req_id, and says for how long and how often to ask', async () => {
    const { app, hints } = await backchannelServer()
    const response = await ask(app)
    expect(response.status).toBe(200)
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' })
    expect(response.body).toEqual({ auth_req_id: expect.stringMatching(/^[\w-]{22}\.[\w-]{43}$/), expires_in: 120, interval: 5 })
    expect(hints).toEqual([{ login_hint: 'alice@example.com' }])
  })

  it('is in the metadata, with its alias and what it can do', async () => {
    const { app } = await backchannelServer({ checkUserCode: () => true }, { mtlsOrigin: 'https://mtls.example.com' })
    const { body } = await request(app).get('/.well-known/openid-configuration')
    expect(body).toMatchObject({
      backchannel_authentication_endpoint: `https://as.example.com${path}`,
      mtls_endpoint_aliases: { backchannel_authentication_endpoint: `https://mtls.example.com${path}` },
      grant_types_supported: expect.arrayContaining([grant_type]),
      backchannel_token_delivery_modes_supported: ['poll', 'ping', 'push'],
      backchannel_authentication_request_signing_alg_values_supported: expect.arrayContaining(['PS256', 'ES256']),
      backchannel_user_code_parameter_supported: true
    })
    const plain = await request((await backchannelServer()).app).get('/.well-known/openid-configuration')
    expect(plain.body).toMatchObject({ backchannel_user_code_parameter_supported: false })
  })

  it('is not there where nobody is asked', async () => {
    const { app } = await harness()
    expect((await request(app).post(path)).status).toBe(404)
    const { body } = await request(app).get('/.well-known/openid-configuration')
    expect(Object.keys(body as object).filter(name => name.startsWith('backchannel'))).toEqual([])
  })

  it.each([
    ['no client', {}, '401 invalid_client'],
    ['a confidential client that only names itself', { client_id: 'web' }, '401 invalid_client'],
    ['a wrong secret', { client_id: 'posting', client_secret: 'guess' }, '401 invalid_client'],
    ['a public client', { client_id: 'spa' }, '401 invalid_client']
  ])('refuses %s', async (_name, form, expected) => {
    const { app } = await backchannelServer()
    expect(
      outcome(
        await request(app)
          .post(path)
          .type('form')
          .send({ ...good, ...form })
      )
    ).toBe(expected)
  })

  it.each(['get', 'put', 'delete'] as const)('refuses %s', async method => {
    const { app } = await backchannelServer()
    const response = await request(app)[method](path)
    expect([response.status, response.headers['allow']]).toEqual([405, 'POST'])
  })

  it('answers 503 and asks nobody while the store does not answer', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const told: unknown[] = []
    const { app, server } = await backchannelServer({ notify: request => told.push(request) }, { store })
    for (const operation of ['set', 'add', 'get'] as const) {
      broken.set(operation, 'rejects')
      expect(outcome(await ask(app))).toBe('503 temporarily_unavailable')
      broken.clear()
    }
    expect(told).toEqual([])
    expect(await server.backchannel.pending({ sub: 'alice' })).toEqual([])
  })

  it('keeps neither the id nor the client’s token in the store', async () => {
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
    const { app } = await backchannelServer({}, { store, clients: askers(pinged()) })
    const { auth_req_id } = await asked(app, { ...good, client_notification_token }, 'pinged')
    expect(written.length).toBeGreaterThan(2)
    for (const secret of [auth_req_id, auth_req_id.split('.')[1], client_notification_token])
      expect(written.join('\n')).not.toContain(secret)
  })
})

describe('the application', () => {
  it('tells the person, after the client has its answer', async () => {
    const told: [BackchannelAuthentication, string][] = []
    const { app, server } = await backchannelServer({ notify: (request, sub) => told.push([request, sub]) })
    await asked(app)
    const [waiting] = await server.backchannel.pending({ sub: 'alice' })
    expect(told).toEqual([[waiting, 'alice']])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no push today')
      }
    ],
    ['rejects', () => Promise.reject(new Error('no push today'))]
  ])('whose message to the person %s has its error reported, and the client its answer', async (_name, notify) => {
    const { app, errors } = await backchannelServer({ notify })
    expect(outcome(await ask(app))).toBe('200')
    expect(errors).toEqual([expect.objectContaining({ message: 'no push today' })])
  })

  it('may say that a hint has expired', async () => {
    const { app } = await backchannelServer({
      identify: () => {
        throw new OAuthError('expired_login_hint_token', 400, 'this login_hint_token has expired')
      }
    })
    expect(outcome(await ask(app, { scope: 'openid', login_hint_token: 'old' }))).toBe('400 expired_login_hint_token')
  })

  it.each([
    ['null', () => null, '400 unknown_user_id'],
    ['an empty sub', () => '', '500 server_error'],
    ['no sub', () => ({ sub: 'alice' }), '500 server_error'],
    ['an error', () => Promise.reject(new Error('no database')), '500 server_error']
  ])('that answers %s asks nobody', async (_name, identify, expected) => {
    const { app } = await backchannelServer({ identify: identify as never })
    expect(outcome(await ask(app))).toBe(expected)
  })
})

describe('the other grants', () => {
  it('do not take an auth_req_id for one of theirs', async () => {
    const { app } = await backchannelServer()
    const { auth_req_id } = await asked(app)
    for (const form of [
      { grant_type: 'authorization_code', code: auth_req_id, redirect_uri: 'https://client.example.com/cb' },
      { grant_type: 'refresh_token', refresh_token: auth_req_id }
    ]) {
      expect(outcome(await token(app, 'web', form))).toBe('400 invalid_grant')
    }
  })
})
