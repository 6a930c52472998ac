/** A key that a client took off its `jwks_uri`, at the endpoints of a server. */
import { expect, it } from '@jest/globals'
import { GuardedFetchError } from '../../lib/outbound/guarded-fetch.ts'
import type { ClientMetadata } from '../../lib/index.ts'
import { assertionClaims, askWith, makeParties } from '../support/clients/assertion-requests.ts'
import { harness } from '../support/servers/authorization-server.ts'

const jwks_uri = 'https://signs.example/jwks'

async function start() {
  const parties = await makeParties()
  const source = { keys: parties.clients[0]?.jwks?.keys ?? [], down: false, fetches: 0 }
  const clients: readonly ClientMetadata[] = [
    ...parties.clients.map(client => (client.client_id === 'signs' ? { ...client, jwks: undefined, jwks_uri } : client)),
    { client_id: 'same', token_endpoint_auth_method: 'private_key_jwt', jwks_uri, grant_types: ['client_credentials'] }
  ]
  const { app, server, clock } = await harness({
    clients,
    fetchJson: async () => {
      source.fetches += 1
      await Promise.resolve()
      if (source.down) throw new GuardedFetchError('network', 'the connection failed')
      return { json: { keys: source.keys }, maxAge: 900 }
    }
  })
  const statusOf = async () => (await askWith(app, parties, 'signs', assertionClaims('signs', clock.now / 1000))).status
  return { server, clock, source, statusOf }
}

it('is accepted for as long as its answer said and ten minutes more while the source is down, and no longer', async () => {
  const { clock, source, statusOf } = await start()
  expect(await statusOf()).toBe(200)
  source.down = true
  clock.now += 1_499_000
  expect(await statusOf()).toBe(200)
  clock.now += 1000
  expect(await statusOf()).toBe(401)
})

it('is gone at once where an operator has the client’s keys forgotten', async () => {
  const { server, source, statusOf } = await start()
  expect(await statusOf()).toBe(200)
  source.keys = []
  expect(await statusOf()).toBe(200)
  expect(await server.clientKeys.forget('signs')).toBe(true)
  expect(await server.clientKeys.forget('signs')).toBe(false)
  expect(await statusOf()).toBe(401)
  expect(source.fetches).toBe(2)
})

it('is no longer accepted while the source is down, once it is forgotten', async () => {
  const { server, source, statusOf } = await start()
  expect(await statusOf()).toBe(200)
  source.down = true
  await server.clientKeys.forget('signs')
  expect(await statusOf()).toBe(401)
})

it('is kept by address: a client that has the same one finds them fetched anew', async () => {
  const { server, source, statusOf } = await start()
  await statusOf()
  expect(await server.clientKeys.forget('same')).toBe(true)
  expect(await statusOf()).toBe(200)
  expect(source.fetches).toBe(2)
})

it.each(['nobody', '', 'macs', 'constructor'])('forgets nothing of %j, which has no address', async client_id => {
  const { server, source, statusOf } = await start()
  await statusOf()
  expect(await server.clientKeys.forget(client_id)).toBe(false)
  await statusOf()
  expect(source.fetches).toBe(1)
})
