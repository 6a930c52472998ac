/** What the example app issues, to whom, and for what, after its configuration file has changed: on the same store. */
import { afterAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { checkConfig } from '../../example-app/config/config.ts'
import { Browser } from './browser.ts'
import { configFile, failedStart, freePort, type HostedServer, startServer, stop } from './running-server.ts'
import { alice, redeem, redirect_uri, through, told } from './visit.ts'

const folder = mkdtempSync(join(tmpdir(), 'clientele-grants-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const api = 'https://api.example.com'
const files = 'https://files.example.com'
const scopes = ['openid', 'offline_access', 'api:read']
const account = { sub: 'u-alice', ...alice, claims: { name: 'Alice', nickname: '', email: null, address: {} } }
const web = {
  client_id: 'web',
  token_endpoint_auth_method: 'none',
  redirect_uris: [redirect_uri],
  grant_types: ['authorization_code', 'refresh_token']
}
const backend = { client_id: 'backend', client_secret: 'secret of backend', grant_types: ['client_credentials'] }
const settingsOf = (issuer: string, change: object = {}) => ({
  issuer,
  clients: [web, backend],
  accounts: [account],
  resources: [
    { resource: api, scopes: ['api:read'], access_token_signing_alg: 'RS256', introspection_clients: ['backend'] },
    { resource: files, scopes: ['files:read'] }
  ],
  ...change
})

async function post(issuer: string, path: string, form: Record<string, string>, headers = {}) {
  const response = await fetch(`${issuer}/oauth2/${path}`, { method: 'POST', body: new URLSearchParams(form), headers })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** Buys tokens at one configuration, and looks at them at the next. */
async function between(name: string, change: object, look: (issuer: string, tokens: Bought) => Promise<void>): Promise<void> {
  const issuer = `http://localhost:${await freePort()}`
  const env = { STORE_URL: `sqlite:${join(folder, `${name}.db`)}` }
  let server: HostedServer | undefined
  try {
    server = await startServer(settingsOf(issuer), env)
    const { answer } = await through(new Browser(), issuer, { scope: 'openid offline_access api:read' })
    const bought = (await redeem(issuer, answer)) as Bought
    await stop(server)
    server = await startServer(settingsOf(issuer, change), env)
    await look(issuer, bought)
  } finally {
    await stop(server)
  }
}

interface Bought {
  readonly access_token: string
  readonly refresh_token: string
}

const lookAt = async (issuer: string, { access_token }: Bought) => ({
  userinfo: (await told(`${issuer}/oauth2/userinfo`, access_token)).status,
  whoami: (await told(`${issuer}/api/whoami`, access_token)).status,
  introspection: (
    await post(
      issuer,
      'introspect',
      { token: access_token },
      {
        authorization: `Basic ${Buffer.from('backend:secret of backend').toString('base64')}`
      }
    )
  ).body['active']
})
const refresh = (issuer: string, { refresh_token }: Bought, more = {}) =>
  post(issuer, 'token', { grant_type: 'refresh_token', refresh_token, client_id: 'web', ...more })

describe('a restart', () => {
  it('changes nothing for whoever is still there; claims without a value are left out', () =>
    between('same', {}, async (issuer, bought) => {
      expect(await lookAt(issuer, bought)).toEqual({ userinfo: 200, whoami: 200, introspection: true })
      expect((await told(`${issuer}/oauth2/userinfo`, bought.access_token)).body).toEqual({ sub: 'u-alice' })
      expect(await refresh(issuer, bought)).toMatchObject({ status: 200, body: { scope: 'openid offline_access api:read' } })
    }))

  it('without the account ends what clients hold of it', () =>
    between('account', { accounts: [] }, async (issuer, bought) => {
      expect(await lookAt(issuer, bought)).toEqual({ userinfo: 401, whoami: 401, introspection: false })
      expect(await refresh(issuer, bought)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    }))

  it('without the client ends what it holds', () =>
    between('client', { clients: [backend] }, async (issuer, bought) => {
      expect(await lookAt(issuer, bought)).toEqual({ userinfo: 401, whoami: 401, introspection: false })
      expect(await refresh(issuer, bought)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    }))

  it('with less scope for the client issues less', () =>
    between('scope', { clients: [{ ...web, scope: 'openid offline_access' }, backend] }, async (issuer, bought) => {
      const asking = await refresh(issuer, bought, { scope: 'api:read' })
      expect(asking).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
      expect(await refresh(issuer, bought)).toMatchObject({ status: 200, body: { scope: 'openid offline_access' } })
    }))

  it('without the resource ends what its tokens open, and keeps what they open beside it', () =>
    between('resource', { resources: [{ resource: files, scopes: ['files:read'] }], scopes }, async (issuer, bought) => {
      expect(await lookAt(issuer, bought)).toMatchObject({ userinfo: 200, whoami: 401 })
      expect(await refresh(issuer, bought)).toMatchObject({ status: 200, body: { scope: 'openid offline_access api:read' } })
    }))

  it('without offline_access stops refresh tokens', () =>
    between('offline', { scopes: ['openid', 'api:read'] }, async (issuer, bought) => {
      expect(await refresh(issuer, bought)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    }))
})

describe('a request that names no resource', () => {
  it('is for the one its scope belongs to, signed as that reads it, unless the policy says none', async () => {
    const issuer = `http://localhost:${await freePort()}`
    const server = await startServer(settingsOf(issuer))
    const browser = new Browser()
    const buy = async (change: Record<string, string>) =>
      (await redeem(issuer, (await through(browser, issuer, change)).answer)).access_token
    const inferred = await buy({ scope: 'openid api:read' })
    expect(decodeJwt(inferred).aud).toEqual([api, `${issuer}/oauth2/userinfo`])
    expect(decodeProtectedHeader(inferred).alg).toBe('RS256')
    const named = await buy({ scope: 'openid files:read', resource: files })
    expect([decodeJwt(named).aud, decodeProtectedHeader(named).alg]).toEqual([files, 'ES256'])
    expect((await told(`${issuer}/oauth2/userinfo`, named)).status).toBe(401)
    expect((await told(`${issuer}/api/whoami`, named)).status).toBe(200)
    expect(await buy({ scope: 'openid api:read files:read' })).not.toMatch(/^eyJ/)
    expect((await stop(server))?.stdout).toContain('its scope belongs to several')
    const settings = settingsOf(issuer, { policy: { default_resource: 'none' } })
    const without = await startServer(settings)
    const { answer } = await through(new Browser(), issuer, { scope: 'openid api:read' })
    expect((await redeem(issuer, answer)).access_token).not.toMatch(/^eyJ/)
    await stop(without)
  })

  it.each([
    ['policy.default_resource', { policy: { default_resource: 'guess' } }, 'must be "inferred" or "none"'],
    [
      'resources[0].access_token_signing_alg',
      { resources: [{ resource: api, scopes: [], access_token_signing_alg: 'HS256' }] },
      ''
    ]
  ])('is configured by name: %s', (key, change, mustBe) => {
    expect(() => checkConfig(settingsOf('http://localhost:1', change), '.')).toThrow(`${key} ${mustBe}`)
  })

  it('cannot be for a resource whose algorithm the profile forbids', async () => {
    const issuer = `http://localhost:${await freePort()}`
    const fapi = {
      clients: [],
      resources: [{ resource: api, scopes: [], access_token_signing_alg: 'RS256' }],
      policy: { profile: 'fapi2-security' }
    }
    const outcome = await failedStart({ CONFIG: configFile(settingsOf(issuer, fapi)) })
    expect([outcome.code, outcome.stderr + outcome.stdout]).toEqual([
      1,
      expect.stringContaining('resources[0].access_token_signing_alg must be one of PS256, ES256')
    ])
  })
})
