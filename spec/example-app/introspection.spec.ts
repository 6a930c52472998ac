/** The example app's introspection and revocation, as a process: who may ask about what, in the configuration file's words. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { checkConfig } from '../../example-app/config/config.ts'
import { Browser } from './browser.ts'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'

const redirect_uri = 'http://127.0.0.1:9/callback'
const code_verifier = 'v'.repeat(43)
const api = 'https://api.example.com'
const files = 'https://files.example.com'
const secretClient = (client_id: string, more: object = {}) => ({
  client_id,
  client_secret: `secret of ${client_id}`,
  grant_types: ['client_credentials'],
  ...more
})

let issuer: string
let server: HostedServer

beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}`
  const clients = [
    secretClient('web'),
    secretClient('other'),
    secretClient('api-backend'),
    {
      client_id: 'app',
      token_endpoint_auth_method: 'none',
      redirect_uris: [redirect_uri],
      grant_types: ['authorization_code', 'refresh_token']
    }
  ]
  server = await startServer({
    issuer,
    clients,
    accounts: [{ sub: 'u-alice', username: 'alice', password: 'wonderland' }],
    resources: [
      { resource: api, scopes: ['api:read'], introspection_clients: ['api-backend'] },
      { resource: files, scopes: ['files:read'], access_token_format: 'opaque' }
    ],
    tenants: [{ path: '/acme', clients, resources: [{ resource: api, scopes: [], introspection_clients: ['api-backend'] }] }]
  })
})
afterAll(() => stop(server))

async function endpoint(name: string, base = issuer): Promise<string> {
  const metadata = (await (await fetch(`${base}/.well-known/openid-configuration`)).json()) as Record<string, string>
  return metadata[name] ?? ''
}

async function post(name: string, form: Record<string, string>, client_id?: string, base?: string) {
  const secret = Buffer.from(`${client_id}:secret of ${client_id}`).toString('base64')
  const response = await fetch(await endpoint(name, base), {
    method: 'POST',
    body: new URLSearchParams(form),
    ...(client_id !== undefined && { headers: { Authorization: `Basic ${secret}` } })
  })
  const text = await response.text()
  return { status: response.status, text, body: (text === '' ? {} : JSON.parse(text)) as Record<string, string> }
}

async function tokenOf(client_id: string, resource?: string, base?: string): Promise<string> {
  const form = { grant_type: 'client_credentials', ...(resource !== undefined && { resource }) }
  return (await post('token_endpoint', form, client_id, base)).body['access_token'] ?? ''
}

const introspect = (token: string, client_id: string, base?: string) => post('introspection_endpoint', { token }, client_id, base)
const whoami = (token: string) => fetch(`${issuer}/api/whoami`, { headers: { Authorization: `Bearer ${token}` } })
const inactive = { status: 200, text: '{"active":false}' }

/** Alice's tokens, in the public client's hands. */
async function signedIn(): Promise<{ access_token: string; refresh_token: string }> {
  const browser = new Browser()
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'app',
    redirect_uri,
    scope: 'offline_access api:read',
    resource: api,
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
    code_challenge_method: 'S256'
  })
  const login = await browser.follow(await browser.get(`${issuer}/oauth2/authorize?${query.toString()}`), issuer)
  const consent = await browser.follow(await browser.submit(login, { username: 'alice', password: 'wonderland' }), issuer)
  const answer = await browser.follow(await browser.submit(consent, { decision: 'allow' }), issuer)
  const code = new URL(answer.location ?? '').searchParams.get('code') ?? ''
  const form = { grant_type: 'authorization_code', code, redirect_uri, code_verifier, client_id: 'app' }
  const { access_token = '', refresh_token = '' } = (await post('token_endpoint', form)).body
  return { access_token, refresh_token }
}

describe('introspection', () => {
  it('tells a confidential client about its own tokens, and a resource’s clients about those for it', async () => {
    for (const resource of [undefined, api, files]) {
      const token = await tokenOf('web', resource)
      expect((await introspect(token, 'web')).body).toMatchObject({ active: true, client_id: 'web', sub: 'web' })
      expect(await introspect(token, 'other')).toMatchObject(inactive)
      const asked = await introspect(token, 'api-backend')
      if (resource === api) expect(asked.body).toMatchObject({ active: true, client_id: 'web', aud: api, iss: issuer })
      else expect(asked).toMatchObject(inactive)
    }
  })

  it('refuses a public client', async () => {
    const { status, body } = await post('introspection_endpoint', { token: 'x', client_id: 'app' })
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
  })

  it('is each tenant’s own', async () => {
    const tenant = `${issuer}/acme`
    const token = await tokenOf('web', api, tenant)
    expect((await introspect(token, 'api-backend', tenant)).body).toMatchObject({ active: true, iss: tenant })
    for (const client_id of ['web', 'api-backend']) expect(await introspect(token, client_id)).toMatchObject(inactive)
    expect(await introspect(await tokenOf('web', api), 'web', tenant)).toMatchObject(inactive)
  })
})

describe('revocation', () => {
  it('ends an access token at introspection and at the demo API, a JWT too', async () => {
    for (const resource of [undefined, api, files]) {
      const token = await tokenOf('web', resource)
      expect((await whoami(token)).status).toBe(200)
      expect(await post('revocation_endpoint', { token }, 'other')).toMatchObject({ status: 200, text: '' })
      expect((await whoami(token)).status).toBe(200)
      expect(await post('revocation_endpoint', { token }, 'web')).toMatchObject({ status: 200, text: '' })
      expect((await whoami(token)).status).toBe(401)
      expect(await introspect(token, 'web')).toMatchObject(inactive)
    }
  })

  it('of a public client’s refresh token ends everything that came of it', async () => {
    const { access_token, refresh_token } = await signedIn()
    expect((await introspect(access_token, 'api-backend')).body).toMatchObject({ active: true, sub: 'u-alice', client_id: 'app' })
    expect(await post('revocation_endpoint', { token: refresh_token, client_id: 'app' })).toMatchObject({ status: 200, text: '' })
    expect((await whoami(access_token)).status).toBe(401)
    expect(await introspect(access_token, 'api-backend')).toMatchObject(inactive)
    const form = { grant_type: 'refresh_token', refresh_token, client_id: 'app' }
    expect((await post('token_endpoint', form)).body['error']).toBe('invalid_grant')
  })
})

describe('introspection_clients', () => {
  it('that can never ask are warned of', () => {
    const resources = [
      { resource: files, scopes: [] },
      { resource: api, scopes: [], introspection_clients: ['web', 'misspelt', 'app'] }
    ]
    const clients = [secretClient('web'), { client_id: 'app', token_endpoint_auth_method: 'none' }]
    const tenants = [{ path: '/acme', resources: [{ resource: api, scopes: [], introspection_clients: ['web'] }] }]
    expect(checkConfig({ issuer: 'http://localhost:4010', clients, resources, tenants }, '.').warnings).toEqual([
      'resources[1].introspection_clients[1] names no client of this file',
      'resources[1].introspection_clients[2] names a public client, which cannot introspect',
      'tenants[0].resources[0].introspection_clients[0] names no client of this file'
    ])
  })
})
