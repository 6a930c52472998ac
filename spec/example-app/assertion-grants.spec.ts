import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { serveKeys, type KeyServer } from '../strategies/key-server.ts'
import { makeIssuer, signAs, type ForeignIssuer } from '../support/servers/trusted-issuer.ts'
import { configFile, failedStart, freePort, type HostedServer, startServer, stop } from './running-server.ts'

const bearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const tokenType = (name: string) => `urn:ietf:params:oauth:token-type:${name}`
const api = 'https://api.example.com'
const files = 'https://files.example.com'

const client = (client_id: string, ...grant_types: string[]) => ({
  client_id,
  client_secret: `secret of ${client_id}`,
  grant_types
})
const clients = [
  client('machine', 'client_credentials'),
  client('agent', bearerGrant, exchangeGrant),
  { client_id: 'app', token_endpoint_auth_method: 'none', grant_types: [exchangeGrant, bearerGrant] }
]
const accounts = [{ sub: 'u-alice', username: 'alice', password: 'wonderland' }]
const resources = [
  { resource: api, scopes: ['api:read', 'api:write'], access_token_format: 'jwt' },
  { resource: files, scopes: ['files:read'], access_token_format: 'opaque' }
]

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

async function tokenRequest(issuer: string, client_id: string, form: Readonly<Record<string, string>>): Promise<Answer> {
  const headers = { authorization: `Basic ${btoa(`${client_id}:${encodeURIComponent(`secret of ${client_id}`)}`)}` }
  const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(form) })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

describe('the assertion grants', () => {
  let issuer: string
  let server: HostedServer | undefined
  let keys: KeyServer
  let idp: ForeignIssuer
  let remote: ForeignIssuer

  beforeAll(async () => {
    idp = await makeIssuer()
    remote = await makeIssuer('https://remote.example')
    keys = await serveKeys([remote.jwk])
    issuer = `http://localhost:${await freePort()}`
    const trusted_issuers = [
      { issuer: idp.issuer, jwks: { keys: [idp.jwk] } },
      { issuer: remote.issuer, jwks_uri: keys.url.replace('127.0.0.1', 'localhost') }
    ]
    const tenants = [{ path: '/acme', clients, accounts, resources }]
    server = await startServer({ issuer, clients, accounts, resources, trusted_issuers, tenants }, { LOG_LEVEL: 'debug' })
  })
  afterAll(async () => {
    await stop(server)
    await keys.close()
  })

  const sign = (by: ForeignIssuer, claims = {}, aud = issuer) => signAs(by, aud, Date.now() / 1000, { claims })
  const bear = (assertion: string, form = {}) => tokenRequest(issuer, 'agent', { grant_type: bearerGrant, assertion, ...form })
  const exchange = (subject_token: unknown, form = {}, at = issuer) =>
    tokenRequest(at, 'agent', {
      grant_type: exchangeGrant,
      subject_token: String(subject_token),
      subject_token_type: tokenType('access_token'),
      ...form
    })
  const whoami = async (token: unknown) =>
    await (await fetch(`${issuer}/api/whoami`, { headers: { authorization: `Bearer ${String(token)}` } })).json()
  const ownToken = async (form = {}, at = issuer) =>
    (await tokenRequest(at, 'machine', { grant_type: 'client_credentials', ...form })).body['access_token']

  it('are in the metadata', async () => {
    const metadata: unknown = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()
    expect(metadata).toMatchObject({ grant_types_supported: expect.arrayContaining([bearerGrant, exchangeGrant]) })
  })

  it('JWT bearer: an account’s sub, whatever kind of key source, once, and no refresh token', async () => {
    for (const by of [idp, remote]) {
      const assertion = await sign(by)
      const { status, body } = await bear(assertion, { scope: 'api:read offline_access', resource: api })
      expect([status, Object.keys(body).sort()]).toEqual([200, ['access_token', 'expires_in', 'scope', 'token_type']])
      expect(await whoami(body['access_token'])).toEqual({ sub: 'u-alice', client_id: 'agent', scope: 'api:read' })
      expect(await bear(assertion)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    }
  })

  it.each<[string, object]>([
    ['an unknown sub', { sub: 'u-nobody' }],
    ['a username as sub', { sub: 'alice' }],
    ['an unknown issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'https://as.example' }],
    ['no jti', { jti: undefined }],
    ['an exp that has passed', { iat: 1_700_000_000, exp: 1_700_000_060 }]
  ])('JWT bearer: %s is invalid_grant', async (_, claims) => {
    expect(await bear(await sign(idp, claims))).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  it('JWT bearer: the token endpoint is an audience too, and a tenant is another server', async () => {
    expect((await bear(await sign(idp, {}, `${issuer}/oauth2/token`))).status).toBe(200)
    const assertion = await sign(idp, {}, `${issuer}/acme`)
    const form = { grant_type: bearerGrant, assertion }
    expect(await bear(assertion)).toMatchObject({ body: { error: 'invalid_grant' } })
    // it trusts nobody
    expect(await tokenRequest(`${issuer}/acme`, 'agent', form)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  it.each([
    ['opaque', {}],
    ['JWT', { resource: api }]
  ])('token exchange: an access token of another client, %s, for less of it', async (_, form) => {
    const { status, body } = await exchange(await ownToken({ ...form, scope: 'api:read api:write' }), {
      resource: api,
      scope: 'api:read'
    })
    expect([status, body]).toEqual([
      200,
      {
        access_token: expect.any(String),
        issued_token_type: tokenType('access_token'),
        token_type: 'Bearer',
        expires_in: expect.any(Number),
        scope: 'api:read'
      }
    ])
    expect(decodeJwt(String(body['access_token']))).toMatchObject({ aud: api, sub: 'machine', client_id: 'agent' })
    expect(await whoami(body['access_token'])).toEqual({ sub: 'machine', client_id: 'agent', scope: 'api:read' })
  })

  it('token exchange: a trusted issuer’s JWT, and an actor', async () => {
    const jwt = { subject_token_type: tokenType('jwt') }
    const { body } = await exchange(await sign(remote), { ...jwt, scope: 'api:read' })
    expect(await whoami(body['access_token'])).toEqual({ sub: 'u-alice', client_id: 'agent', scope: 'api:read' })
    const actor = { actor_token: String(await ownToken()), actor_token_type: tokenType('access_token'), resource: api }
    const delegated = await exchange(await sign(idp), { ...jwt, ...actor })
    expect(decodeJwt(String(delegated.body['access_token']))).toMatchObject({ sub: 'u-alice', act: { sub: 'machine' } })
    expect(await exchange(await sign(idp, { sub: 'u-nobody' }), jwt)).toMatchObject({ status: 400 })
  })

  it.each([
    ['an unknown resource', { resource: 'https://evil.example' }, 'invalid_target'],
    ['an unknown audience', { audience: 'evil' }, 'invalid_target'],
    ['a scope the subject token does not have', { scope: 'files:read' }, 'invalid_scope'],
    ['a refresh token', { requested_token_type: tokenType('refresh_token') }, 'invalid_request'],
    ['a token of another type', { subject_token_type: tokenType('saml2') }, 'invalid_request']
  ])('token exchange: %s is refused', async (_, form, error) => {
    expect(await exchange(await ownToken({ scope: 'api:read' }), form)).toMatchObject({ status: 400, body: { error } })
  })

  it('token exchange: what is no token of this issuer’s is invalid_request', async () => {
    const refused = { status: 400, body: { error: 'invalid_request' } }
    for (const token of ['nonsense', randomUUID(), await ownToken({}, `${issuer}/acme`), await sign(idp)])
      expect(await exchange(token)).toMatchObject(refused)
  })

  it('are for confidential clients', async () => {
    const body = new URLSearchParams({ client_id: 'app', grant_type: exchangeGrant, subject_token: 'x', subject_token_type: 'y' })
    const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body })
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ error: 'unauthorized_client' })])
  })

  it('exchange this server’s own tokens where nobody is trusted', async () => {
    const tenant = `${issuer}/acme`
    expect((await exchange(await ownToken({ scope: 'api:read' }, tenant), {}, tenant)).body).toMatchObject({ scope: 'api:read' })
  })

  it('leave the reason, and no assertion, in the logs', async () => {
    const assertion = await sign(idp, { sub: 'u-nobody' })
    await bear(assertion)
    await exchange(assertion, { subject_token_type: tokenType('jwt') })
    expect(server?.stdout()).toMatch(/"reason":"subject: nobody here"/)
    for (const part of assertion.split('.').slice(1)) expect(server?.stdout()).not.toContain(part)
  })
})

describe('trusted_issuers', () => {
  const good = { issuer: 'https://idp.example', jwks: { keys: [] } }

  it.each<[string, object[]]>([
    ['trusted_issuers[1].issuer', [good, good]],
    ['trusted_issuers[0].jwks.keys[0]', [{ ...good, jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }]],
    ['trusted_issuers[0].jwks_uri', [{ issuer: 'https://idp.example', jwks_uri: 'http://keys.example/jwks' }]]
  ])('a wrong one ends the start: %s', async (path, trusted_issuers) => {
    const issuer = `http://localhost:${await freePort()}`
    const { code, stderr } = await failedStart({ CONFIG: configFile({ issuer, trusted_issuers }), LOG_LEVEL: 'silent' })
    expect([code, stderr.trimEnd().split('\n').length]).toEqual([1, 1])
    expect(stderr).toMatch(new RegExp(`^${path.replace(/[[\].]/g, '\\$&')} must `))
  })
})
