/** Clients without secrets, as their libraries make them: openid-client with clientele/client-auth, over TLS and behind proxies. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { certificateHeaders, proxyCertificate } from 'clientele'
import * as client from 'openid-client'
import { envoy, nginx } from '../support/clients/proxy-headers.ts'
import { api } from '../support/journeys/clients.ts'
import { plainFetch, tlsFetch, type Fetch } from '../support/journeys/fetch.ts'
import { serverAuthority, startServer, type RunningServer } from '../support/journeys/server.ts'
import { makeWorkloads, workloadParties } from '../support/journeys/workloads.ts'

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
