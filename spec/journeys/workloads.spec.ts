/** Clients without secrets, as their libraries make them: openid-client with clientele/client-auth, over TLS and behind proxies. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { authorizationServer, certificateHeaders, memoryStore, proxyCertificate } from 'clientele'
import express from 'express'
import { setTimeout as pause } from 'node:timers/promises'
import * as client from 'openid-client'
import request, { type Response } from 'supertest'
import { envoy, nginx } from '../support/clients/proxy-headers.ts'
import { api } from '../support/journeys/clients.ts'
import { plainFetch, tlsFetch, type Fetch } from '../support/journeys/fetch.ts'
import { serverAuthority, startServer, type RunningServer } from '../support/journeys/server.ts'
import { makeWorkloads, workloadParties } from '../support/journeys/workloads.ts'
import { serverKeys } from '../support/keys/made-keys.ts'
import { actions, actionsClaims, bearer, signers } from '../support/servers/workloads.ts'

const made = await makeWorkloads()
const methods = ['federated_jwt', 'spiffe_jwt', 'spiffe_x509'] as const
let server: RunningServer

beforeAll(async () => {
  server = await startServer({ clients: made.clients, listeners: 'aliases', options: { workloads: made.workloads } })
})
afterAll(async () => {
  await server.close()
  made.end()
})

/** The client of a method, configured by discovery. */
async function discover(
  method: (typeof methods)[number],
  change: { readonly certificate?: object; readonly fetch?: Fetch } = {}
) {
  const party = (await workloadParties(made, server.issuer)).find(one => one.method === method)
  if (party === undefined) throw new Error(method)
  const certificate = { ...party, ...change }.certificate as { pem: string; keyPem: string } | undefined
  const fetch = change.fetch ?? tlsFetch({ ca: serverAuthority.pem, certificate })
  const metadata = { use_mtls_endpoint_aliases: method === 'spiffe_x509' }
  // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
  return client.discovery(new URL(server.issuer), party.client_id, metadata, party.auth, { [client.customFetch]: fetch })
}

const last = () => server.decisions.at(-1)

describe('openid-client', () => {
  it.each(methods)('%s: gets a token, in its own name', async method => {
    const tokens = await client.clientCredentialsGrant(await discover(method), { scope: 'api:read', resource: api })
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'api:read' })
    expect(last()).toMatchObject({ outcome: 'authenticated', method })
    expect(await server.server.verifyAccessToken(tokens.access_token)).toMatchObject({ client_id: last()?.client_id })
  })

  it.each(methods)('%s: is among the methods that discovery finds', async method => {
    const config = await discover(method)
    expect(config.serverMetadata().token_endpoint_auth_methods_supported).toContain(method)
  })

  it('federated_jwt: sends the token that is in the file by then', async () => {
    const file = made.put('renewed', await made.token(server.issuer, { claims: { exp: Math.floor(Date.now() / 1000) - 60 } }))
    const { federatedJwt } = await import('clientele/client-auth')
    const options = { [client.customFetch]: server.fetchFor() }
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
    const config = await client.discovery(new URL(server.issuer), 'in-a-pod', {}, federatedJwt({ file }), options)
    await expect(client.clientCredentialsGrant(config)).rejects.toMatchObject({ status: 401, error: 'invalid_client' })
    expect(last()?.checks).toContainEqual(expect.objectContaining({ check: 'expiry', outcome: 'fail' }))
    made.put('renewed', await made.token(server.issuer))
    await client.clientCredentialsGrant(config)
  })

  it('spiffe_x509: an SVID without its intermediate is refused, and so is one of another workload', async () => {
    for (const [certificate, check] of [
      [made.leaf, 'certificate_chain'],
      [made.domain.x509Svid('/x509'), 'spiffe_id'],
      [made.domain.x509Svid('/x5090/7'), 'spiffe_id']
    ] as const) {
      const config = await discover('spiffe_x509', { certificate })
      await expect(client.clientCredentialsGrant(config)).rejects.toMatchObject({ status: 401, error: 'invalid_client' })
      expect(last()?.checks).toContainEqual(expect.objectContaining({ check, outcome: 'fail' }))
    }
  })
})

describe.each([
  ['nginx', certificateHeaders.nginx, nginx(made.domain.x509Svid('/x509/7'))],
  ['Envoy', certificateHeaders.envoy, envoy([made.leaf, made.intermediate], { names: false })]
] as const)('spiffe_x509 behind %s', (_, preset, header) => {
  let behind: RunningServer
  beforeAll(async () => {
    const certificateSource = proxyCertificate({ ...preset, trustedProxies: ['127.0.0.1', '::1'] })
    const options = { workloads: made.workloads, certificateMethods: true, certificateSource }
    behind = await startServer({ clients: made.clients, options })
  })
  afterAll(() => behind.close())

  const grant = async (value: string | undefined) => {
    const fetch: Fetch = (url, init = {}) => {
      const headers = new Headers(init.headers)
      if (value !== undefined) headers.set(preset.header, value)
      return plainFetch(url, { ...init, headers })
    }
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- plain HTTP is what is between a proxy and its server
    const options = { [client.customFetch]: fetch, execute: [client.allowInsecureRequests] }
    const config = await client.discovery(new URL(behind.issuer), 'with-x509-svid', {}, client.TlsClientAuth(), options)
    return client.clientCredentialsGrant(config)
  }

  it('gets a token with what the proxy passes on, and none without', async () => {
    await grant(header)
    expect(behind.decisions.at(-1)).toMatchObject({ outcome: 'authenticated', method: 'spiffe_x509' })
    await expect(grant(undefined)).rejects.toMatchObject({ status: 401, error: 'invalid_client' })
  })
})

it('a client moves from a secret to its platform’s tokens under load: seen in use, told of by the review, without one failure', async () => {
  let now = 1_800_000_000_000
  const day = 86_400_000
  const keys = await serverKeys(['ES256'])
  const { actionsToken } = signers(() => now / 1000)
  const mover = {
    client_id: 'mover',
    client_secret: 'aZ3kT9wQm4vR7yN2pL6sX8cF',
    grant_types: ['client_credentials'],
    response_types: []
  }
  const moving = authorizationServer({
    ...{ issuer: 'https://as.example.com', keys, clients: [mover], credentials: {}, clock: () => now },
    store: memoryStore({ clock: () => now }),
    workloads: { issuers: [{ issuer: actions.issuer, jwks: { keys: [actions.jwk] } }] },
    onError: () => undefined,
    interaction: { account: () => undefined, consented: () => false, prompt: (_req, res) => void res.sendStatus(403) }
  })
  const app = express().use(moving)
  const ask = (form: object) =>
    request(app)
      .post('/oauth2/token')
      .type('form')
      .send({ grant_type: 'client_credentials', ...form })
  const bySecret = () => ask({}).auth('mover', mover.client_secret)
  const byPlatform = async () =>
    ask({ client_id: 'mover', client_assertion_type: bearer, client_assertion: await actionsToken() })
  const state = { ways: [bySecret] as (() => PromiseLike<Response>)[], running: true, asked: 0, onTheirWay: 0, held: false }
  const failures: unknown[] = []
  const worker = async (): Promise<void> => {
    while (state.running) {
      while (state.held) await pause(5)
      state.onTheirWay++
      const { status } = await (state.ways[state.asked++ % state.ways.length] ?? bySecret)()
      state.onTheirWay--
      if (status !== 200) failures.push(status)
    }
  }
  const workers = [worker(), worker(), worker()]
  const more = async (count: number) => {
    const until = state.asked + count
    while (state.asked < until && failures.length === 0) await pause(5)
  }
  /** No token is on its way meanwhile: none lives so long. */
  const leap = async (milliseconds: number) => {
    state.held = true
    while (state.onTheirWay > 0) await pause(5)
    now += milliseconds
    state.held = false
  }
  const { credentials } = moving
  const find = async (name: string) => (await credentials.listCredentials('mover')).find(({ credential }) => credential === name)
  await more(10)
  const rule = { issuer: actions.issuer, claims: { repository_id: actionsClaims.repository_id } }
  const { credential } = await credentials.addFederated('mover', rule, { label: 'the job' })
  await credentials.allowMethod('mover', 'federated_jwt')
  expect(await find(credential)).not.toHaveProperty('last_used_at')
  // both ways for a while, and then the new one alone
  state.ways.push(byPlatform)
  await more(20)
  expect(await find(credential)).toMatchObject({ label: 'the job', state: 'live', last_used_at: expect.any(Number), rule })
  state.ways.shift()
  await more(10)
  expect(await credentials.review('mover')).toEqual([])
  await leap(31 * day)
  await more(10)
  const told = await credentials.review('mover')
  expect(told).toContainEqual(expect.objectContaining({ type: 'credential.unused', credential: 'secret:1' }))
  expect(told).not.toContainEqual(expect.objectContaining({ credential }))
  await credentials.revokeCredential('mover', (await find('secret:1'))?.id ?? '')
  await more(10)
  state.running = false
  await Promise.all(workers)
  expect(failures).toEqual([])
  expect((await bySecret()).status).toBe(401)
  expect((await byPlatform()).status).toBe(200)
})
