/** Clients in the store: added, disabled and enabled in one process, found in another. */
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import {
  authorizationServer,
  clientOrigin,
  credentialSets,
  generateKeys,
  memoryStore,
  storedClients,
  tokenRouter,
  type ClientMetadata,
  type EventListener as Emit,
  type ServerEvent,
  type Store
} from '../../lib/index.ts'
import express from 'express'
import { watched } from '../support/servers/credential-sets.ts'
import { breakableStore } from '../support/servers/authorization-server.ts'

const issuer = 'https://as.example.com'
const keys = await generateKeys(['ES256'])
const own: readonly ClientMetadata[] = [
  { client_id: 'own', client_secret: 'a-secret-of-its-own', grant_types: ['client_credentials'] }
]
const machine = { grant_types: ['client_credentials'] }

function made(store: Store = memoryStore(), clients = own) {
  const time = { now: 1_800_000_000_000 }
  const events: ServerEvent[] = []
  const options = {
    issuer,
    store,
    keys,
    clients,
    clock: () => time.now,
    onEvent: (event: ServerEvent) => void events.push(event)
  }
  return { store, time, events, here: storedClients(options), elsewhere: storedClients(options) }
}

function serving(store: Store, clients: ReturnType<typeof storedClients>['clients'], onEvent?: Emit) {
  const server = authorizationServer({ issuer, store, keys, clients, scopes: ['api:read'], onEvent })
  const app = express().use(server)
  const token = (client_id: string, secret: string) =>
    request(app).post('/oauth2/token').auth(client_id, secret).type('form').send({ grant_type: 'client_credentials' })
  return { app, server, token }
}

describe('a client that is added', () => {
  it('is found elsewhere within five seconds, with a secret that only its holder knows', async () => {
    const { store, time, events, here, elsewhere } = made()
    const { token } = serving(store, elsewhere.clients)
    expect((await token('reports', 'x')).status).toBe(401)
    const { client_id, client_secret = '' } = await here.add({ client_id: 'reports', ...machine })
    expect(client_id).toBe('reports')
    expect(client_secret).toMatch(/^[\w-]{43}$/)
    time.now += 5001
    expect((await token('reports', client_secret)).status).toBe(200)
    expect((await token('reports', `${client_secret}x`)).status).toBe(401)
    expect((await token('own', 'a-secret-of-its-own')).status).toBe(200)
    expect(events).toEqual([
      {
        type: 'client.added',
        at: 1_800_000_000_000,
        issuer,
        client_id: 'reports',
        token_endpoint_auth_method: 'client_secret_basic'
      }
    ])
    const found = await elsewhere.clients.find('reports')
    expect(found === undefined ? undefined : clientOrigin(found)).toBe('configured')
    expect(await elsewhere.clients.find('reports')).toBe(found)
    expect(JSON.stringify(await here.list())).not.toContain(client_secret)
    expect(await here.list()).toEqual([
      { client_id: 'reports', metadata: { client_id: 'reports', ...machine }, created_at: 1_800_000_000, disabled: false }
    ])
  })

  it('can have its secret rotated by credentialSets(), and works with client_secret_jwt', async () => {
    const { store, here } = made()
    const { client_secret } = await here.add({ client_id: 'jwt', token_endpoint_auth_method: 'client_secret_jwt', ...machine })
    expect(client_secret).toMatch(/^[\w-]{64}$/)
    await here.add({ client_id: 'reports', ...machine })
    const sets = credentialSets({ issuer, store, keys, clients: here.clients })
    const { client_secret: next } = await sets.rotateSecret('reports')
    const { token } = serving(store, here.clients)
    expect((await token('reports', next)).status).toBe(200)
  })

  it('is one, whoever else adds it at the same time', async () => {
    const { here, elsewhere } = made()
    const adding = [here, elsewhere, here, elsewhere].map(sets => sets.add({ client_id: 'reports', ...machine }))
    const settled = await Promise.allSettled(adding)
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const one of settled) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'duplicate' })
    const many = await Promise.allSettled([1, 2, 3, 4, 5].map(number => here.add({ client_id: `c${number}`, ...machine })))
    expect(many.every(({ status }) => status === 'fulfilled')).toBe(true)
    expect((await here.list()).map(({ client_id }) => client_id).sort()).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'reports'])
  })

  it.each<[string, unknown]>([
    ['client.client_id', {}],
    ['client.client_secret', { client_id: 'a', client_secret: 'one-of-its-own' }],
    ['client.credentials[0]', { client_id: 'a', credentials: [{ type: 'secret', id: 's', value: 'one-of-its-own' }] }],
    ['client.jwks', { client_id: 'a', token_endpoint_auth_method: 'private_key_jwt' }],
    ['client.grant_types', { client_id: 'a', grant_types: 'client_credentials' }],
    ['client.redirect_uri', { client_id: 'a', redirect_uri: 'https://a.example/' }]
  ])('is refused where it is wrong: %s', async (key, metadata) => {
    const { here } = made()
    await expect(here.add(metadata as ClientMetadata)).rejects.toMatchObject({ name: 'ConfigurationError', key })
    expect(await here.list()).toEqual([])
  })

  it('is none of the application’s own', async () => {
    const { here } = made()
    await expect(here.add({ client_id: 'own', ...machine })).rejects.toMatchObject({ code: 'duplicate' })
  })

  it('is refused like one that is not there where the server has not what it registered', async () => {
    const { store, here } = made()
    const { client_secret = '' } = await here.add({ client_id: 'device', grant_types: ['urn:example:other'] })
    const told: ServerEvent[] = []
    const { token } = serving(store, here.clients, event => void told.push(event))
    expect((await token('device', client_secret)).status).toBe(401)
    expect(told).toContainEqual(
      expect.objectContaining({ type: 'client.misconfigured', client_id: 'device', member: 'grant_types[0]' })
    )
  })
})

describe('a client that is disabled', () => {
  it('is refused elsewhere with its tokens, the application’s own too, until it is enabled', async () => {
    const { store, time, events, here, elsewhere } = made()
    const { token, server } = serving(store, elsewhere.clients)
    const { access_token } = (await token('own', 'a-secret-of-its-own')).body as { access_token: string }
    const api = express()
    api.get('/', server.requireAccessToken(), (_req, res) => void res.send('ok'))
    const call = () => request(api).get('/').set('Authorization', `Bearer ${access_token}`)
    expect((await call()).status).toBe(200)
    await here.setDisabled('own', true)
    await here.setDisabled('own', true)
    time.now += 5001
    expect((await token('own', 'a-secret-of-its-own')).status).toBe(401)
    expect((await call()).status).toBe(401)
    expect(await here.list()).toEqual([{ client_id: 'own', disabled: true }])
    await here.setDisabled('own', false)
    time.now += 5001
    expect((await token('own', 'a-secret-of-its-own')).status).toBe(200)
    expect(await here.list()).toEqual([])
    expect(events.map(({ type }) => type)).toEqual(['client.disabled', 'client.enabled'])
  })

  it('must be there', async () => {
    const { here } = made()
    await expect(here.setDisabled('nobody', true)).rejects.toMatchObject({ code: 'unknown_client' })
    expect(await here.list()).toEqual([])
  })
})

describe('the store', () => {
  it('is asked once every few seconds for a client', async () => {
    let reads = 0
    const { here } = made(watched(memoryStore(), 'get', () => (reads += 1)))
    for (let round = 0; round < 100; round += 1) await Promise.all([here.clients.find('own'), here.clients.find('nobody')])
    expect(reads).toBe(2)
  })

  it('that does not answer lets nobody in', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const { here } = made(store)
    const { token } = serving(store, here.clients)
    broken.set('get', 'rejects')
    expect((await token('own', 'a-secret-of-its-own')).status).toBe(503)
    await expect(here.list()).rejects.toMatchObject({ status: 503 })
    await expect(here.add({ client_id: 'a', ...machine })).rejects.toMatchObject({ status: 503 })
  })

  it('is that of one issuer', async () => {
    const store = memoryStore()
    await storedClients({ issuer, store, keys }).add({ client_id: 'reports', ...machine })
    const other = storedClients({ issuer: `${issuer}/tenant`, store, keys })
    expect(await other.clients.find('reports')).toBeUndefined()
    expect(await other.list()).toEqual([])
  })
})

describe('a server with stored clients', () => {
  it('still refuses what is wrong in the application’s own list at start', () => {
    const store = memoryStore()
    const wrong = (metadata: object) => {
      const { clients } = storedClients({ issuer, store, keys, clients: [{ client_id: 'a', client_secret: 's', ...metadata }] })
      return { issuer, store, keys, clients }
    }
    expect(() => storedClients({ issuer, store, keys, clients: [{ client_id: 'a' }] })).toThrow(/^clients\[0\]\.client_secret/)
    expect(() => authorizationServer(wrong({ grant_types: ['urn:example:other'] }))).toThrow(/^clients\[0\]\.grant_types\[0\]/)
    expect(() => tokenRouter(wrong({ grant_types: ['urn:example:other'] }))).toThrow(/^clients\[0\]\.grant_types\[0\]/)
    expect(() => authorizationServer({ ...wrong({}), profile: 'fapi2-security' })).toThrow(
      /^clients\[0\]\.token_endpoint_auth_method/
    )
  })
})
