import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { ClientSecretBasicStrategy, credentialSets, memoryStore, registeredClients } from '../../lib/index.ts'
import { basic, clients, harness, issuer, specKeys, token } from '../support/servers/authorization-server.ts'

const form = { grant_type: 'client_credentials' }
const register = async (app: Parameters<typeof token>[0]) => {
  const { body } = await request(app)
    .post('/oauth2/register')
    .send({ grant_types: ['client_credentials'], response_types: [] })
  return body as { client_id: string; client_secret: string }
}
const asks = async (app: Parameters<typeof token>[0], client_id: string, secret: string) =>
  (await request(app).post('/oauth2/token').type('form').set('Authorization', basic(client_id, secret)).send(form)).status

/** The clients of the one method that is mounted. */
const byBasic = clients.filter(
  ({ token_endpoint_auth_method: method = 'client_secret_basic' }) => method === 'client_secret_basic'
)

describe('a client that registered itself', () => {
  it('gets a second secret beside its own, and loses the first', async () => {
    const { app, server } = await harness({
      registration: { access: 'open', grantTypes: ['authorization_code', 'client_credentials'] }
    })
    const { client_id, client_secret } = await register(app)
    const rotated = await server.credentials.rotateSecret(client_id)
    expect([await asks(app, client_id, client_secret), await asks(app, client_id, rotated.client_secret)]).toEqual([200, 200])
    const [own] = await server.credentials.listCredentials(client_id)
    await server.credentials.revokeCredential(client_id, own?.id ?? '')
    expect([await asks(app, client_id, client_secret), await asks(app, client_id, rotated.client_secret)]).toEqual([401, 200])
  })

  it('is found through the application’s own sets too', async () => {
    const store = memoryStore()
    const sets = credentialSets({
      issuer,
      store,
      clients: registeredClients(byBasic),
      keys: await specKeys(),
      clock: () => 1_800_000_000_000
    })
    const strategies = [new ClientSecretBasicStrategy({ clients: sets.clients })]
    const { app } = await harness({
      clients: sets.clients,
      strategies,
      store,
      registration: { access: 'open', grantTypes: ['authorization_code', 'client_credentials'] }
    })
    const { client_id, client_secret } = await register(app)
    const rotated = await sets.rotateSecret(client_id)
    expect([await asks(app, client_id, client_secret), await asks(app, client_id, rotated.client_secret)]).toEqual([200, 200])
  })
})

it('a program on the same store and keys changes what the server knows', async () => {
  const store = memoryStore()
  const { app } = await harness({ store, credentials: { maxAge: 0 } })
  expect((await token(app, 'web', form)).status).toBe(200)
  const outside = credentialSets({ issuer, store, clients, keys: await specKeys() })
  const { client_secret } = await outside.rotateSecret('web')
  expect(await asks(app, 'web', client_secret)).toBe(200)
})

describe('what is refused', () => {
  it('strategies that would find nothing that is added', async () => {
    const strategies = [new ClientSecretBasicStrategy({ clients: byBasic })]
    const { server } = await harness({ clients: byBasic, strategies })
    await expect(server.credentials.rotateSecret('web')).rejects.toMatchObject({ name: 'ConfigurationError', key: 'clients' })
    await expect(harness({ strategies, credentials: { endpoint: true } })).rejects.toThrow(
      'clients must be the clients of credentialSets()'
    )
  })

  it('another issuer’s sets', async () => {
    const sets = credentialSets({ issuer: 'https://other.example', store: memoryStore(), clients, keys: await specKeys() })
    await expect(harness({ clients: sets.clients })).rejects.toThrow(
      'clients must not be those of credentialSets() of https://other.example'
    )
  })

  it.each<[string, object]>([
    ['credentials.maxAge', { maxAge: 3601 }],
    ['credentials.endpoint', { endpoint: 'yes' }],
    ['credentials.endpiont', { endpiont: true }]
  ])('a wrong %s', async (key, credentials) => {
    await expect(harness({ credentials })).rejects.toMatchObject({ key })
  })
})
