/** Registered clients where several processes, restarts, other keys and strategies of the application are about. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import {
  authenticateClient,
  ClientSecretBasicStrategy,
  ConfigurationError,
  memoryStore,
  oauthErrorHandler,
  registeredClients
} from '../../lib/index.ts'
import { basic, harness, issuer, specKeys } from '../support/servers/authorization-server.ts'
import { machine, manage, register, registrationHarness, tokenFor } from '../support/servers/registration.ts'

describe('servers on one store', () => {
  const two = async () => {
    const store = memoryStore()
    const [a, b] = [await registrationHarness({}, { store }), await registrationHarness({}, { store })]
    return { a, b, tick: (ms: number) => [a, b].forEach(({ clock }) => (clock.now += ms)) }
  }

  it('know a client at once that registered at the other, and its end within five seconds', async () => {
    const { a, b, tick } = await two()
    const client = await register(a.app, machine)
    const { access_token } = (await tokenFor(b.app, client)).body
    expect(await b.server.verifyAccessToken(access_token)).toBeDefined()
    expect((await manage(b.app, 'get', client)).status).toBe(200)
    await manage(a.app, 'delete', client)
    expect((await manage(b.app, 'get', client)).status).toBe(401)
    tick(5000)
    expect((await tokenFor(b.app, client)).status).toBe(401)
    expect(await b.server.verifyAccessToken(access_token)).toBeUndefined()
  })

  it('go on with the clients of before after a restart, and with closed registration', async () => {
    const { a, b } = await two()
    const client = await register(a.app, machine)
    const readable = await register(a.app, { ...machine, token_endpoint_auth_method: 'client_secret_post' })
    const closed = await registrationHarness({ access: 'closed' }, { store: b.store })
    for (const known of [client, readable]) expect((await tokenFor(closed.app, known)).status).toBe(200)
    expect((await manage(closed.app, 'get', client)).status).toBe(404)
    const off = await harness({ store: b.store })
    expect((await tokenFor(off.app, client)).status).toBe(401)
  })

  it('with other keys know the clients and none of their secrets', async () => {
    const { a } = await two()
    const client = await register(a.app, machine)
    const { keys } = await specKeys()
    const otherMac = {
      keys: keys.map(key => (key.kty === 'oct' ? { ...key, k: Buffer.alloc(32, 9).toString('base64url') } : key))
    }
    const other = await registrationHarness({}, { store: a.store, keys: otherMac })
    expect((await tokenFor(other.app, client)).status).toBe(401)
    expect((await manage(other.app, 'get', client)).status).toBe(200)
  })
})

describe('strategies of the application', () => {
  it('are refused where they would know no registered client', async () => {
    const strategies = [new ClientSecretBasicStrategy({ clients: [] })]
    await expect(registrationHarness({}, { clients: [], strategies })).rejects.toThrow(
      /^clients must be what registeredClients\(\) returns/
    )
  })

  it('know them through a registry that all share, on routes of the application too', async () => {
    const clients = registeredClients([
      { client_id: 'billing', client_secret: 'secret of billing', grant_types: ['client_credentials'] }
    ])
    const strategies = [new ClientSecretBasicStrategy({ clients })]
    const app = express()
    const { app: mounted } = await registrationHarness({}, { clients, strategies }, app)
    app.post(
      '/jobs',
      authenticateClient({ clients, strategies }),
      (req, res) => void res.json(req.authenticatedClient?.client_id)
    )
    app.use(oauthErrorHandler())
    const client = await register(mounted, machine)
    expect((await tokenFor(mounted, client)).status).toBe(200)
    for (const [client_id, secret] of [
      ['billing', 'secret of billing'],
      [client.client_id, client.client_secret]
    ] as const) {
      const response = await request(app).post('/jobs').set('Authorization', basic(client_id, secret))
      expect(response.body).toBe(client_id)
    }
  })

  it('share it with one issuer only', async () => {
    const clients = registeredClients([])
    await registrationHarness({}, { clients })
    await registrationHarness({}, { clients })
    await expect(registrationHarness({}, { clients, issuer: `${issuer}/other` })).rejects.toThrow(ConfigurationError)
  })
})
