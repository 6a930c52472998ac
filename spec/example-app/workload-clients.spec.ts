/** Workload clients at the edges of what they may do: tenants, liars, proxies, and what else a grant without a client is asked for. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryStore } from 'clientele'
import { decodeJwt } from 'jose'
import { rfc9440, rfc9440Chain } from '../support/clients/proxy-headers.ts'
import { makeIssuer, signAs, type ForeignIssuer, type JwtParts } from '../support/servers/trusted-issuer.ts'
import { bearer, between, bundle, cluster, jwtSpiffe, spire, x509Svid } from '../support/servers/workloads.ts'
import { serve, type Serving } from './in-process.ts'

const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const api = 'https://api.example.com'
const machine = { grant_types: ['client_credentials', grant], response_types: [], scope: 'api:read' }
const federated = (client_id: string, issuer: string, more: object = {}) => ({
  ...{ client_id, token_endpoint_auth_method: 'federated_jwt', federated_credentials: [{ issuer, subject: client_id }] },
  ...machine,
  ...more
})

let platform: Server
let server: Serving
let issuer: string
let liar: ForeignIssuer

beforeAll(async () => {
  // its discovery document says that it is somebody else
  platform = createServer((req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    if (req.url === '/keys') res.end(JSON.stringify({ keys: [liar.jwk] }))
    else res.end(JSON.stringify({ issuer: `${liar.issuer}/another`, jwks_uri: `${liar.issuer}/keys` }))
  })
  await new Promise<void>(resolve => platform.listen(0, 'localhost', resolve))
  liar = await makeIssuer(`http://localhost:${(platform.address() as AddressInfo).port}`)
  const own = { issuer: cluster.issuer, jwks: { keys: [cluster.jwk] } }
  server = await serve(
    () => ({
      workload_issuers: [own, { issuer: liar.issuer }],
      trust_domains: [{ trust_domain: 'prod.example', bundle }],
      clients: [
        federated('job', cluster.issuer),
        federated('deceived', liar.issuer),
        federated('without-the-grant', cluster.issuer, { grant_types: ['client_credentials'] }),
        federated('keyed', cluster.issuer, { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [spire.jwk] } }),
        { client_id: 'mtls', token_endpoint_auth_method: 'spiffe_x509', spiffe_id: 'spiffe://prod.example/billing', ...machine }
      ],
      resources: [{ resource: api, scopes: ['api:read', 'api:write'] }],
      client_certificate_header: { name: 'client-cert', format: 'rfc9440', trusted_proxies: ['127.0.0.1', '::1'] },
      policy: { workload_grant: true },
      tenants: [{ path: '/acme/ci', clients: [federated('tenants-own', cluster.issuer)], workload_issuers: [own] }]
    }),
    memoryStore()
  )
  issuer = server.issuer
})
afterAll(async () => {
  await server.close()
  platform.closeAllConnections()
  platform.close()
})

async function ask(form: Record<string, string>, headers: Record<string, string> = {}, at = issuer) {
  const response = await fetch(`${at}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(form) })
  const body = (await response.json()) as { access_token?: string; error?: string }
  return { outcome: body.error === undefined ? String(response.status) : `${response.status} ${body.error}`, body }
}

const sign = (sub: string, claims: JwtParts['claims'] = {}, by = cluster) =>
  signAs(by, issuer, Date.now() / 1000, { claims: { sub, ...claims } })
const prove = async (token: Promise<string>, form: Record<string, string> = {}, at = issuer) => {
  const proof = { client_assertion_type: bearer, client_assertion: await token }
  return (await ask({ grant_type: 'client_credentials', ...proof, ...form }, {}, at)).outcome
}

describe('a platform’s token', () => {
  it('proves a client of that method alone, as that kind of assertion alone', async () => {
    expect(await prove(sign('job'))).toBe('200')
    expect(await prove(sign('keyed'), { client_id: 'keyed' })).toBe('401 invalid_client')
    expect(await prove(sign('job'), { client_assertion_type: jwtSpiffe })).toBe('401 invalid_client')
    expect(await prove(sign('job', { aud: `${issuer}/oauth2/token` }))).toBe('401 invalid_client')
  })

  it('is for one tenant alone, which may not take it as a grant', async () => {
    const tenant = `${issuer}/acme/ci`
    const token = await sign('tenants-own', { aud: tenant })
    expect(await prove(Promise.resolve(token), {}, tenant)).toBe('200')
    expect(await prove(sign('job'), {}, tenant)).toBe('401 invalid_client')
    expect(await prove(sign('job', { aud: tenant }))).toBe('401 invalid_client')
    expect((await ask({ grant_type: grant, assertion: token }, {}, tenant)).outcome).toBe('401 invalid_client')
  })

  it('proves nobody where its platform’s discovery document is another’s', async () => {
    expect(await prove(sign('deceived', {}, liar))).toBe('503 temporarily_unavailable')
  })
})

describe('a token as the grant itself', () => {
  it('buys a token for the resource, in the name of the client', async () => {
    const { body } = await ask({ grant_type: grant, assertion: await sign('job'), resource: api })
    expect(decodeJwt(body.access_token ?? '')).toMatchObject({ aud: api, sub: 'job', client_id: 'job', scope: 'api:read' })
  })

  it.each<[string, string, () => Promise<string>, Record<string, string>?]>([
    ['400 invalid_grant', 'for both addresses', () => sign('job', { aud: [issuer, `${issuer}/oauth2/token`] })],
    ['400 invalid_grant', 'that is none', () => Promise.resolve('nonsense')],
    ['400 invalid_grant', 'of a client with another method', () => sign('keyed')],
    ['400 unauthorized_client', 'of a client without the grant', () => sign('without-the-grant')],
    ['400 invalid_dpop_proof', 'with a bad proof', () => sign('job'), { dpop: 'nonsense' }],
    ['503 temporarily_unavailable', 'whose keys cannot be had', () => sign('deceived', {}, liar)]
  ])('is %s: one %s', async (outcome, _, token, headers = {}) => {
    expect((await ask({ grant_type: grant, assertion: await token() }, headers)).outcome).toBe(outcome)
  })
})

it('an X.509-SVID that a proxy hands on proves the client that names itself, with the path to the bundle', async () => {
  const [direct, below] = [x509Svid(), x509Svid({ issuer: between })].map(rfc9440)
  const certified = async (headers: Record<string, string>) =>
    (await ask({ grant_type: 'client_credentials', client_id: 'mtls' }, headers)).outcome
  expect(await certified({ 'client-cert': direct ?? '' })).toBe('200')
  expect(await certified({ 'client-cert': below ?? '', 'client-cert-chain': rfc9440Chain(between) })).toBe('200')
  const others = [below ?? '', rfc9440(x509Svid({ id: 'spiffe://prod.example/other' })), '']
  for (const certificate of others) expect(await certified({ 'client-cert': certificate })).toBe('401 invalid_client')
})
