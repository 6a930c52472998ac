/** `workload_issuers`, `trust_domains` and `policy.workload_grant`: what the contract says of them, from outside. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryStore } from 'clientele'
import { decodeJwt } from 'jose'
import { rfc9440, rfc9440Chain } from '../support/clients/proxy-headers.ts'
import { makeIssuer, signAs, type ForeignIssuer, type JwtParts } from '../support/servers/trusted-issuer.ts'
import {
  actions,
  actionsClaims,
  bearer,
  between,
  bundle,
  clients as workloadClients,
  cluster,
  clusterClaims,
  jwtSpiffe,
  other,
  spire,
  spireKey,
  x509Svid
} from '../support/servers/workloads.ts'
import { serve, type Serving } from './in-process.ts'

const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const api = 'https://api.example.com'
const grants = { grant_types: ['client_credentials', grant], response_types: [], scope: 'api:read' }
const federated = (client_id: string, credential: object, more: object = {}) => ({
  ...{ client_id, token_endpoint_auth_method: 'federated_jwt', federated_credentials: [credential], ...grants, ...more }
})

let platform: Server
let server: Serving
let issuer: string
let found: ForeignIssuer
let lying: ForeignIssuer
/** What the platform's addresses answer with. */
const pages = new Map<string, unknown>()
let bundleEndpoint: string

beforeAll(async () => {
  platform = createServer((req, res) => {
    const page = pages.get(req.url ?? '')
    res.writeHead(page === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(page))
  })
  await new Promise<void>(resolve => platform.listen(0, 'localhost', resolve))
  const at = `http://localhost:${(platform.address() as AddressInfo).port}`
  found = await makeIssuer(`${at}/found`, 'ES384')
  lying = await makeIssuer(`${at}/lying`)
  pages.set('/found/.well-known/openid-configuration', { issuer: found.issuer, jwks_uri: `${at}/found/keys` })
  pages.set('/found/keys', { keys: [found.jwk] })
  pages.set('/lying/.well-known/openid-configuration', { issuer: `${at}/another`, jwks_uri: `${at}/lying/keys` })
  pages.set('/lying/keys', { keys: [lying.jwk] })
  bundleEndpoint = `${at}/bundle`
  server = await serve(() => settings(at), memoryStore())
  issuer = server.issuer
})
afterAll(async () => {
  await server.close()
  platform.closeAllConnections()
  platform.close()
})

function settings(at: string): object {
  const workload_issuers = [
    { issuer: actions.issuer, jwks: { keys: [actions.jwk] }, max_lifetime: 600 },
    { issuer: cluster.issuer, jwks: { keys: [cluster.jwk] } },
    { issuer: other.issuer, jwks: { keys: [other.jwk] }, use: 'once' },
    { issuer: found.issuer },
    { issuer: lying.issuer },
    { issuer: 'https://silent.example', jwks_uri: `${at}/nothing` }
  ]
  const clients = [
    ...workloadClients
      .filter(({ client_id }) => !['dev', 'reports'].includes(client_id))
      .map(client => ({ ...client, ...grants })),
    federated('by-discovery', { issuer: found.issuer, subject: 'job' }),
    federated('of-a-liar', { issuer: lying.issuer, subject: 'job' }),
    federated('of-nobody-there', { issuer: 'https://silent.example', subject: 'job' }),
    federated('for-another', { issuer: cluster.issuer, subject: 'other', audience: 'https://audience.example' }),
    federated('one-of-two', { issuer: cluster.issuer, subject: 'both' }),
    federated('two-of-two', { issuer: cluster.issuer, subject: 'both' }),
    federated('no-grant', { issuer: cluster.issuer, subject: 'no-grant' }, { grant_types: ['client_credentials'] }),
    {
      ...federated('keyed', { issuer: cluster.issuer, subject: 'keyed' }),
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [spire.jwk] }
    },
    { client_id: 'late', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://late.example/*', ...grants }
  ]
  const trust_domains = [
    { trust_domain: 'prod.example', bundle },
    { trust_domain: 'late.example', bundle_endpoint: bundleEndpoint }
  ]
  const mine = { clients: [federated('tenants-own', { issuer: cluster.issuer, subject: 'job' })] }
  return {
    ...{ clients, workload_issuers, trust_domains },
    resources: [{ resource: api, scopes: ['api:read', 'api:write'] }],
    client_certificate_header: { name: 'client-cert', format: 'rfc9440', trusted_proxies: ['127.0.0.1', '::1'] },
    policy: { workload_grant: true },
    tenants: [{ path: '/acme/ci', ...mine, workload_issuers: workload_issuers.slice(1, 2) }]
  }
}

const now = () => Date.now() / 1000
const sign = (by: ForeignIssuer, parts: JwtParts = {}, aud = issuer) => signAs(by, aud, now(), parts)
const actionsToken = (claims = {}) => sign(actions, { claims: { ...actionsClaims, ...claims } })
const clusterToken = (claims = {}, header = {}) =>
  sign(cluster, { header, claims: { ...clusterClaims, aud: [issuer], ...claims } })
const svid = (claims = {}) =>
  sign(
    { ...spire, jwk: spireKey },
    { claims: { iss: undefined, jti: undefined, sub: 'spiffe://prod.example/billing', ...claims } }
  )

async function ask(form: Record<string, string>, headers: Record<string, string> = {}, at = issuer) {
  const response = await fetch(`${at}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(form) })
  const body = (await response.json()) as { access_token?: string; error?: string }
  const outcome = body.error === undefined ? String(response.status) : `${response.status} ${body.error}`
  const client = body.access_token === undefined ? undefined : await whois(body.access_token, at)
  return { outcome, client, body }
}

async function whois(access_token: string, at: string): Promise<unknown> {
  const response = await fetch(`${at}/api/whoami`, { headers: { authorization: `Bearer ${access_token}` } })
  return ((await response.json()) as { client_id?: unknown }).client_id
}

const prove = (client_assertion: string, form: Record<string, string> = {}, at = issuer) =>
  ask({ grant_type: 'client_credentials', client_assertion_type: bearer, client_assertion, ...form }, {}, at)

it('has the methods in its metadata', async () => {
  const metadata: unknown = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()
  expect(metadata).toMatchObject({
    token_endpoint_auth_methods_supported: expect.arrayContaining(['federated_jwt', 'spiffe_jwt', 'spiffe_x509'])
  })
})

describe('a platform’s token', () => {
  it.each<[string, () => Promise<string>]>([
    ['deployer', () => actionsToken()],
    ['deployer', () => clusterToken()],
    ['deployer', () => clusterToken({}, { typ: 'JWT' })],
    ['by-discovery', () => sign(found, { claims: { sub: 'job' } })],
    ['for-another', () => clusterToken({ sub: 'other', aud: 'https://audience.example' })],
    ['elsewhere', () => sign(other, { claims: { sub: 'job' } })]
  ])('proves %s, named or not', async (client_id, token) => {
    expect(await prove(await token())).toMatchObject({ outcome: '200', client: client_id })
    expect(await prove(await token(), { client_id })).toMatchObject({ outcome: '200', client: client_id })
  })

  it.each<[string, () => Promise<string>, Record<string, string>?]>([
    ['of a longer life than its platform may give', () => actionsToken({ exp: Math.floor(now()) + 601 })],
    ['without a beginning', () => clusterToken({ iat: undefined })],
    ['without an end', () => clusterToken({ exp: undefined })],
    ['for several', () => clusterToken({ aud: [issuer, api] })],
    ['for the token endpoint', () => clusterToken({ aud: `${issuer}/oauth2/token` })],
    ['for a tenant', () => clusterToken({ aud: `${issuer}/acme/ci` })],
    ['with a number for a text', () => actionsToken({ repository_id: 456_789 })],
    ['with a list for a text', () => actionsToken({ event_name: ['push'] })],
    ['of another namespace', () => clusterToken({ 'kubernetes.io': { namespace: 'cd', serviceaccount: { name: 'deployer' } } })],
    ['of a repository whose name begins the same', () => actionsToken({ sub: 'repo:acme/app-evil:ref' })],
    ['of over 16 KiB', () => clusterToken({ padding: 'x'.repeat(12_500) })],
    ['of another kind', () => clusterToken({}, { typ: 'at+jwt' })],
    ['that two clients match', () => clusterToken({ sub: 'both' })],
    ['that names another client’s rule', () => actionsToken(), { client_id: 'elsewhere' }],
    ['of a client with another method', () => clusterToken({ sub: 'keyed' }), { client_id: 'keyed' }],
    ['used once, without a jti', () => sign(other, { claims: { sub: 'job', jti: undefined } })],
    ['sent as a JWT-SVID', () => clusterToken(), { client_assertion_type: jwtSpiffe }]
  ])('%s proves nobody', async (_, token, form = {}) => {
    expect(await prove(await token(), form)).toMatchObject({ outcome: '401 invalid_client' })
  })

  it('is taken again, or once, as its platform’s setting says', async () => {
    const [many, once] = [await clusterToken(), await sign(other, { claims: { sub: 'job' } })]
    const outcomes = []
    for (const token of [many, many, once, once]) outcomes.push((await prove(token)).outcome)
    expect(outcomes).toEqual(['200', '200', '200', '401 invalid_client'])
  })

  it('is for later where its platform’s keys cannot be had', async () => {
    for (const [by, client_id] of [
      [lying, 'of-a-liar'],
      [{ ...lying, issuer: 'https://silent.example' }, 'of-nobody-there']
    ] as const)
      expect(await prove(await sign(by, { claims: { sub: 'job' } }), { client_id })).toMatchObject({
        outcome: '503 temporarily_unavailable'
      })
  })

  it('is for one tenant alone', async () => {
    const tenant = `${issuer}/acme/ci`
    const token = await clusterToken({ sub: 'job', aud: tenant })
    expect(await prove(token, {}, tenant)).toMatchObject({ outcome: '200', client: 'tenants-own' })
    expect((await prove(token)).outcome).toBe('401 invalid_client')
    expect((await ask({ grant_type: grant, assertion: token }, {}, tenant)).outcome).toBe('401 invalid_client')
  })
})

describe('a token as the grant itself', () => {
  const buy = (assertion: string, form: Record<string, string> = {}, headers = {}) =>
    ask({ grant_type: grant, assertion, ...form }, headers)

  it('is for the client that matches, in its own name', async () => {
    const answers = [await buy(await clusterToken()), await buy(await clusterToken({ aud: [`${issuer}/oauth2/token`] }))]
    for (const { outcome, client, body } of answers)
      expect([outcome, client, Object.keys(body).sort()]).toEqual([
        '200',
        'deployer',
        ['access_token', 'expires_in', 'scope', 'token_type']
      ])
    const { body } = await buy(await clusterToken(), { resource: api })
    expect(decodeJwt(body.access_token ?? '')).toMatchObject({
      aud: api,
      sub: 'deployer',
      client_id: 'deployer',
      scope: 'api:read'
    })
  })

  it.each<[string, string, () => Promise<string>, Record<string, string>?, Record<string, string>?]>([
    ['400 invalid_grant', 'of nobody', () => clusterToken({ sub: 'nobody' })],
    ['400 invalid_grant', 'that two match', () => clusterToken({ sub: 'both' })],
    ['400 invalid_grant', 'for both addresses', () => clusterToken({ aud: [issuer, `${issuer}/oauth2/token`] })],
    ['400 invalid_grant', 'that is none', () => Promise.resolve('nonsense')],
    ['400 unauthorized_client', 'of a client without the grant', () => clusterToken({ sub: 'no-grant' })],
    ['400 invalid_scope', 'with more scope', () => clusterToken(), { scope: 'api:write' }],
    ['400 invalid_target', 'for another resource', () => clusterToken(), { resource: 'https://other.example' }],
    ['400 invalid_dpop_proof', 'with a bad proof', () => clusterToken(), {}, { dpop: 'nonsense' }],
    ['503 temporarily_unavailable', 'whose keys cannot be had', () => sign(lying, { claims: { sub: 'job' } })]
  ])('is %s: one %s', async (outcome, _, token, form = {}, headers = {}) => {
    expect((await buy(await token(), form, headers)).outcome).toBe(outcome)
  })
})

describe('an SVID', () => {
  const asSvid = (token: string, form = {}) => prove(token, { client_assertion_type: jwtSpiffe, ...form })

  it('as a JWT proves the client of its ID, under its own name', async () => {
    expect(await asSvid(await svid())).toMatchObject({ outcome: '200', client: 'mesh' })
    expect(await asSvid(await svid(), { client_id: 'mesh' })).toMatchObject({ outcome: '200', client: 'mesh' })
    expect(await asSvid(await svid({ sub: 'spiffe://prod.example/client/a/b' }))).toMatchObject({
      outcome: '200',
      client: 'meshes'
    })
    expect((await asSvid(await svid(), { client_id: 'spiffe://prod.example/billing' })).outcome).toBe('401 invalid_client')
    expect((await asSvid(await svid({ sub: 'spiffe://prod.example/client' }))).outcome).toBe('401 invalid_client')
    expect((await asSvid(await svid({ sub: 'spiffe://prod.example/clients/a' }))).outcome).toBe('401 invalid_client')
    expect((await prove(await svid(), { client_id: 'mesh' })).outcome).toBe('401 invalid_client')
  })

  it('as a certificate proves the client that names itself, with the path to the bundle', async () => {
    const [direct, below] = [x509Svid(), x509Svid({ issuer: between })]
    const chain = { 'client-cert-chain': rfc9440Chain(between) }
    const certified = (headers: Record<string, string>, form = {}) =>
      ask({ grant_type: 'client_credentials', client_id: 'mtls', ...form }, headers)
    expect(await certified({ 'client-cert': rfc9440(direct) })).toMatchObject({ outcome: '200', client: 'mtls' })
    expect(await certified({ 'client-cert': rfc9440(below), ...chain })).toMatchObject({ outcome: '200', client: 'mtls' })
    expect((await certified({ 'client-cert': rfc9440(below) })).outcome).toBe('401 invalid_client')
    expect((await certified({ 'client-cert': rfc9440(x509Svid({ id: 'spiffe://prod.example/other' })) })).outcome).toBe(
      '401 invalid_client'
    )
    expect((await certified({})).outcome).toBe('401 invalid_client')
  })

  it('is for later until its bundle can be had: an endpoint that is down stops no start', async () => {
    const token = () => svid({ sub: 'spiffe://late.example/billing' })
    expect((await asSvid(await token())).outcome).toBe('503 temporarily_unavailable')
  })
})
