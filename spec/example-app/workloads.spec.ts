/** Clients without secrets, as the configuration file says who they are: platforms, trust domains, and the grant without a client. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import { memoryStore } from 'clientele'
import { authMethods } from '../../example-app/config/clients.ts'
import { checkConfig } from '../../example-app/config/config.ts'
import { createApp } from '../../example-app/app.ts'
import { createLog } from '../../example-app/log.ts'
import { methodFacts } from '../../lib/clients/methods.ts'
import { makeIssuer, signAs, type ForeignIssuer, type JwtParts } from '../support/servers/trusted-issuer.ts'
import { makeTrustDomain } from '../support/workloads/trust-domain.ts'
import { Browser } from './browser.ts'
import { serve, type Serving } from './in-process.ts'
import { freePort } from './running-server.ts'
import { alice } from './visit.ts'

const bearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const spiffe = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'
const machine = { grant_types: ['client_credentials'], response_types: [], scope: 'api:read' }
const federated = { ...machine, token_endpoint_auth_method: 'federated_jwt' }

let published: Server
let origin: string
let answers: Record<string, unknown>
let cluster: ForeignIssuer
let onceOnly: ForeignIssuer
let discovered: ForeignIssuer
let serving: Serving
const domain = await makeTrustDomain()

/** Every kind of key source, and a client for each way in which a token is held against a credential. */
const settingsOf = () => ({
  accounts: [{ sub: 'u-alice', ...alice }],
  workload_issuers: [
    { issuer: cluster.issuer, jwks: { keys: [cluster.jwk] }, max_lifetime: 600 },
    { issuer: onceOnly.issuer, jwks_uri: `${origin}/once-keys`, use: 'once' },
    { issuer: discovered.issuer },
    { issuer: `${origin}/down` }
  ],
  trust_domains: [
    { trust_domain: domain.name, bundle_endpoint: `${origin}/bundle` },
    { trust_domain: 'down.example', bundle_endpoint: `${origin}/no-bundle` }
  ],
  policy: { workload_grant: true },
  clients: [
    {
      ...federated,
      client_id: 'deployer',
      grant_types: ['client_credentials', jwtBearer],
      federated_credentials: [
        {
          id: 'pod',
          issuer: cluster.issuer,
          subject: 'system:serviceaccount:ci:*',
          claims: { 'kubernetes.io': { namespace: 'ci' }, attempt: [1, 2], protected: true }
        }
      ]
    },
    {
      ...federated,
      client_id: 'nightly',
      federated_credentials: [{ issuer: onceOnly.issuer, subject: 'nightly', audience: 'us' }]
    },
    { ...federated, client_id: 'found', federated_credentials: [{ issuer: discovered.issuer, claims: { job: 'deploy' } }] },
    ...['twin-1', 'twin-2'].map(client_id => ({
      ...federated,
      client_id,
      federated_credentials: [{ issuer: cluster.issuer, subject: 'twins' }]
    })),
    { ...federated, client_id: 'waits', federated_credentials: [{ issuer: `${origin}/down`, subject: 'waits' }] },
    { ...machine, client_id: 'svid', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: `spiffe://${domain.name}/api/*` },
    { ...machine, client_id: 'svid-down', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://down.example/a' }
  ]
})

beforeAll(async () => {
  published = createServer((req, res) => {
    const body = answers[req.url ?? '']
    res.writeHead(body === undefined ? 500 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}))
  })
  const port = await freePort()
  await new Promise<void>(resolve => published.listen(port, 'localhost', resolve))
  origin = `http://localhost:${port}`
  cluster = await makeIssuer('https://oidc.cluster.example')
  onceOnly = await makeIssuer('https://ci.example', 'RS256')
  discovered = await makeIssuer(`${origin}/found`)
  answers = {
    '/once-keys': { keys: [onceOnly.jwk] },
    '/found/.well-known/openid-configuration': { issuer: discovered.issuer, jwks_uri: `${origin}/found/keys` },
    '/found/keys': { keys: [discovered.jwk] },
    '/bundle': { ...domain.bundle, spiffe_sequence: 1 }
  }
  serving = await serve(settingsOf, memoryStore(), { operators: ['alice'] })
})
afterAll(async () => {
  await serving.close()
  published.close()
})

const ask = async (form: Record<string, string>): Promise<Record<string, unknown>> => {
  const answer = await fetch(`${serving.issuer}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) })
  return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) }
}
const prove = (client_assertion: string, more: Record<string, string> = {}) =>
  ask({ grant_type: 'client_credentials', client_assertion_type: bearer, client_assertion, ...more })

/** The claims of the pod that is the client deployer. */
const pod = { sub: 'system:serviceaccount:ci:deployer', 'kubernetes.io': { namespace: 'ci' }, attempt: 2, protected: true }
const signed = (by: ForeignIssuer, { claims, ...parts }: JwtParts = {}, aud = serving.issuer) =>
  signAs(by, aud, Date.now() / 1000, { ...parts, claims: { ...(by === cluster && pod), ...claims } })
const whoIs = async (token: unknown): Promise<unknown> =>
  (await fetch(`${serving.issuer}/api/whoami`, { headers: { authorization: `Bearer ${String(token)}` } })).json()

describe('federated_jwt', () => {
  it('is offered, with spiffe_jwt, and spiffe_x509 only where there are certificates', async () => {
    const answer = await fetch(`${serving.issuer}/.well-known/oauth-authorization-server`)
    const { token_endpoint_auth_methods_supported: offered } = (await answer.json()) as Record<string, string[]>
    expect(offered).toEqual(expect.arrayContaining(['federated_jwt', 'spiffe_jwt']))
    expect(offered).not.toContain('spiffe_x509')
  })

  it('finds the one client whose credential a token matches, and takes its name too, as often as it is sent', async () => {
    const token = await signed(cluster)
    const { access_token } = await prove(token)
    expect(await whoIs(access_token)).toEqual({ sub: 'deployer', client_id: 'deployer', scope: 'api:read' })
    expect(await prove(token, { client_id: 'deployer' })).toMatchObject({ status: 200 })
    expect(await prove(await signed(cluster, { claims: { aud: [serving.issuer] } }))).toMatchObject({ status: 200 })
  })

  it('has keys by discovery, and an audience of the credential’s own with keys at an address, once for each token', async () => {
    expect(await prove(await signed(discovered, { claims: { job: 'deploy' } }))).toMatchObject({ status: 200 })
    const token = await signed(onceOnly, { claims: { sub: 'nightly' } }, 'us')
    expect(await prove(token)).toMatchObject({ status: 200 })
    expect(await prove(token)).toMatchObject({ status: 401, error: 'invalid_client' })
    expect(await prove(await signed(onceOnly, { claims: { sub: 'nightly' } }))).toMatchObject({ status: 401 })
  })

  const now = Math.floor(Date.now() / 1000)
  it.each<[string, JwtParts & { readonly form?: Record<string, string> }]>([
    ['two audiences', { claims: { aud: ['x', 'y'] } }],
    ['another audience', { claims: { aud: 'https://api.example' } }],
    ['another issuer', { claims: { iss: 'https://oidc.other.example' } }],
    ['a slash after the issuer', { claims: { iss: 'https://oidc.cluster.example/' } }],
    ['the issuer of legacy tokens', { claims: { iss: 'kubernetes/serviceaccount' } }],
    ['no end', { claims: { exp: undefined } }],
    ['an end that has passed', { claims: { iat: now - 400, exp: now - 100 } }],
    ['no beginning', { claims: { iat: undefined } }],
    ['a life beyond max_lifetime', { claims: { iat: now, exp: now + 900 } }],
    ['a start in five minutes', { claims: { nbf: now + 300 } }],
    ['the subject of another namespace', { claims: { sub: 'system:serviceaccount:ci-evil:deployer' } }],
    ['no segment for the wildcard', { claims: { sub: 'system:serviceaccount:ci:' } }],
    ['another namespace in its claims', { claims: { 'kubernetes.io': { namespace: 'prod' } } }],
    ['a claim as text that is a number', { claims: { attempt: '2' } }],
    ['a claim as text that is a flag', { claims: { protected: 'true' } }],
    ['a list in the place of a claim', { claims: { attempt: [1] } }],
    ['the type of an access token', { header: { typ: 'at+jwt' } }],
    ['more than 16 KiB', { claims: { padding: 'x'.repeat(17_000) } }],
    ['two clients', { claims: { sub: 'twins' } }],
    ['the name of another client', { form: { client_id: 'found' } }],
    ['the name of a client of another method', { form: { client_id: 'svid' } }]
  ])('refuses a token with %s, in the words it has for everything', async (_, { form, ...parts }) => {
    expect(await prove(await signed(cluster, parts), form)).toMatchObject({ status: 401, error: 'invalid_client' })
  })

  it('says 503 where the keys cannot be had, and harms nobody else', async () => {
    const down = await makeIssuer(`${origin}/down`)
    expect(await prove(await signed(down, { claims: { sub: 'waits' } }))).toMatchObject({
      status: 503,
      error: 'temporarily_unavailable'
    })
    expect(await prove(await signed(cluster))).toMatchObject({ status: 200 })
  })

  it('is what /account/clients shows: whose tokens, which of them, and when one was used last', async () => {
    const browser = new Browser()
    await prove(await signed(cluster))
    await browser.submit(await browser.get(`${serving.issuer}/account/clients`), alice)
    const { text } = await browser.get(`${serving.issuer}/account/clients`)
    const part = text.slice(text.indexOf('<code>deployer</code>'), text.indexOf('<code>nightly</code>'))
    const shown = [
      ...['federated:pod', cluster.issuer, 'system:serviceaccount:ci:*', 'Claim kubernetes.io › namespace', '&quot;ci&quot;'],
      ...['1 or 2', 'Claim protected', `${new Date().toISOString().slice(0, 13).replace('T', ' ')}:`]
    ]
    for (const words of shown) expect(part).toContain(words)
    expect(text).toContain(`spiffe://${domain.name}/api/*`)
  })
})

describe('spiffe_jwt', () => {
  it('takes the SVID of a workload below the client’s id, with or without client_id, and no other', async () => {
    const asserted = (client_assertion: string, more = {}) => prove(client_assertion, { client_assertion_type: spiffe, ...more })
    const svid = await domain.jwtSvid('/api/1', serving.issuer)
    expect(await asserted(svid)).toMatchObject({ status: 200 })
    expect(await asserted(svid, { client_id: 'svid' })).toMatchObject({ status: 200 })
    for (const [token, more] of [
      [await domain.jwtSvid('/api', serving.issuer), {}],
      [await domain.jwtSvid('/api-evil/1', serving.issuer), {}],
      [await domain.jwtSvid('/api/1', `${serving.issuer}/oauth2/token`), {}],
      [svid, { client_assertion_type: bearer }]
    ] as const)
      expect(await asserted(token, more)).toMatchObject({ status: 401, error: 'invalid_client' })
  })

  it('says 503 where the bundle cannot be had', async () => {
    const other = await makeTrustDomain('down.example')
    const svid = await other.jwtSvid('/a', serving.issuer)
    expect(await prove(svid, { client_assertion_type: spiffe })).toMatchObject({ status: 503 })
  })
})

describe('the grant without a client', () => {
  const grant = (assertion: string, more = {}) => ask({ grant_type: jwtBearer, assertion, ...more })

  it('makes the client that a token matches client and subject, with nothing to refresh', async () => {
    for (const aud of [serving.issuer, `${serving.issuer}/oauth2/token`]) {
      const answer = await grant(await signed(cluster, {}, aud))
      expect(await whoIs(answer['access_token'])).toEqual({ sub: 'deployer', client_id: 'deployer', scope: 'api:read' })
      expect(answer).not.toHaveProperty('refresh_token')
    }
  })

  it.each<[string, JwtParts]>([
    ['another audience', { claims: { aud: 'https://api.example' } }],
    ['another namespace', { claims: { 'kubernetes.io': { namespace: 'prod' } } }],
    ['two clients', { claims: { sub: 'twins' } }],
    ['an end that has passed', { claims: { iat: 1, exp: 2 } }]
  ])('is invalid_grant for a token with %s', async (_, parts) => {
    expect(await grant(await signed(cluster, parts))).toMatchObject({ status: 400, error: 'invalid_grant' })
  })

  it('has its own errors for scope and resource, and for a client that may not use it', async () => {
    expect(await grant(await signed(cluster), { scope: 'api:write' })).toMatchObject({ error: 'invalid_scope' })
    expect(await grant(await signed(cluster), { resource: 'https://nowhere.example' })).toMatchObject({ error: 'invalid_target' })
    expect(await grant(await signed(discovered, { claims: { job: 'deploy' } }))).toMatchObject({ error: 'unauthorized_client' })
  })
})

describe('settings', () => {
  it('know every method that the library has', () => {
    expect([...authMethods].sort()).toEqual([...methodFacts.keys()].sort())
  })

  const client = (credential: object) => ({ clients: [{ ...federated, client_id: 'c', federated_credentials: [credential] }] })
  const issuer = 'https://ci.example'
  it.each<[string, object]>([
    ['workload_issuers[0].jwks_uri', { workload_issuers: [{ issuer, jwks_uri: 'http://ci.example/keys' }] }],
    ['workload_issuers[0].jwks_uri', { workload_issuers: [{ issuer, jwks: { keys: [] }, jwks_uri: `${issuer}/keys` }] }],
    ['workload_issuers[0].issuer', { workload_issuers: [{ issuer: 'http://ci.example' }] }],
    ['workload_issuers[0].issuer', { workload_issuers: [{ issuer: 'kubernetes/serviceaccount', jwks: { keys: [] } }] }],
    ['workload_issuers[1].issuer', { workload_issuers: [{ issuer }, { issuer }] }],
    ['workload_issuers[0].use', { workload_issuers: [{ issuer, use: 'often' }] }],
    ['workload_issuers[0].max_lifetime', { workload_issuers: [{ issuer, max_lifetime: 0 }] }],
    ['workload_issuers[0].audience', { workload_issuers: [{ issuer, audience: 'x' }] }],
    ['trust_domains[0].trust_domain', { trust_domains: [{ trust_domain: 'spiffe://x', bundle: { keys: [] } }] }],
    ['trust_domains[0].bundle', { trust_domains: [{ trust_domain: 'x' }] }],
    ['trust_domains[0].bundle_endpoint', { trust_domains: [{ trust_domain: 'x', bundle_endpoint: 'http://x.example/b' }] }],
    ['policy.workload_grant', { policy: { workload_grant: 'yes' } }],
    ['clients[0].federated_credentials[0].subject', { workload_issuers: [{ issuer }], ...client({ issuer }) }],
    [
      'clients[0].federated_credentials[0].subject',
      { workload_issuers: [{ issuer }], ...client({ issuer, subject: 'repo:a*' }) }
    ],
    ['clients[0].federated_credentials[0].claims', { workload_issuers: [{ issuer }], ...client({ issuer, claims: {} }) }],
    [
      'clients[0].spiffe_id',
      {
        trust_domains: [{ trust_domain: 'x', bundle: { keys: [] } }],
        clients: [{ ...machine, client_id: 'c', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://X/y' }]
      }
    ],
    [
      'tenants[0].clients[0].federated_credentials[0].subject',
      { tenants: [{ path: '/acme', workload_issuers: [{ issuer }], ...client({ issuer }) }] }
    ]
  ])('%s is named before anything listens: %j', async (path, settings) => {
    const start = async () => {
      const config = checkConfig({ issuer: 'http://localhost:4010', ...settings }, '.')
      await createApp({ config, store: memoryStore(), log: createLog('silent') })
    }
    await expect(start()).rejects.toMatchObject({ path })
  })
  it('warns of what a credential has beside its rule, and refuses what was meant as part of it', () => {
    const settings = (credential: object) => ({
      issuer: 'http://localhost:4010',
      workload_issuers: [{ issuer }],
      ...client({ issuer, subject: 's', ...credential })
    })
    const { warnings } = checkConfig(settings({ description: 'the job' }), '.')
    expect(warnings).toEqual(['clients[0].federated_credentials[0].description is not known and has no effect'])
    expect(() => checkConfig(settings({ claim: { ref: 'main' } }), '.')).toThrow(
      expect.objectContaining({ path: 'clients[0].federated_credentials[0].claim' })
    )
  })
})
