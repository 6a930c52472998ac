/** Requests whose redirect cannot be trusted, and what every answer of the example app keeps to itself. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser, type PageSeen } from './browser.ts'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'
import { authorizationQuery, redirect_uri, through } from './visit.ts'

const evil = 'https://evil.example/cb'
const pushedUri = `urn:ietf:params:oauth:request_uri:${'A'.repeat(32)}`

let issuer: string
let server: HostedServer

beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}`
  const web = { token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri], grant_types: ['authorization_code'] }
  server = await startServer({
    issuer,
    clients: [
      { ...web, client_id: 'web' },
      { ...web, client_id: 'other' }
    ],
    accounts: [{ sub: 'u-alice', username: 'alice', password: 'wonderland' }]
  })
})
afterAll(() => stop(server))

/** What a person reads: neither markup nor attributes. */
const visible = ({ text }: PageSeen): string =>
  text
    .replace(/<head>.*<\/head>/s, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')

function expectPage(page: PageSeen, code: string): void {
  expect([page.status, page.location, page.headers.get('content-type')]).toEqual([
    400,
    undefined,
    expect.stringMatching(/^text\/html/)
  ])
  expect(visible(page)).toContain(`Error code: ${code} `)
  expect(page.headers.get('cache-control')).toBe('no-store')
  expect(page.headers.get('x-frame-options')).toBe('DENY')
}

async function ask(query: string): Promise<PageSeen[]> {
  const get = await new Browser().get(`${issuer}/oauth2/authorize?${query}`)
  // a posted request is asked again by GET
  const browser = new Browser()
  const post = await browser.follow(
    await browser.post(`${issuer}/oauth2/authorize`, Object.fromEntries(new URLSearchParams(query)))
  )
  return [get, post]
}

describe('an authorization request whose redirect cannot be trusted', () => {
  it.each([
    ['no redirect_uri', { redirect_uri: undefined }],
    ['an empty redirect_uri', { redirect_uri: '' }],
    ['another redirect_uri', { redirect_uri: evil }],
    ['the redirect_uri and more', { redirect_uri: `${redirect_uri}/random` }],
    ['the redirect_uri without its query', { redirect_uri: redirect_uri.replace(/\?.*/, '') }],
    ['a redirect_uri with a fragment', { redirect_uri: `${redirect_uri}#x` }],
    ['a redirect_uri with user info', { redirect_uri: redirect_uri.replace('127', 'evil.example@127') }],
    ['a redirect_uri on another port and host', { redirect_uri: redirect_uri.replace('127.0.0.1:9/', 'localhost:10/') }],
    ['a redirect_uri with dots in its path', { redirect_uri: redirect_uri.replace('/callback', '/x/../callback') }],
    ['a redirect_uri with backslashes', { redirect_uri: redirect_uri.replace('//127', '\\\\127') }],
    ['a redirect_uri that looks alike', { redirect_uri: redirect_uri.replace('127.0.0.1', '127。0。0。1') }],
    ['no client_id', { client_id: undefined }],
    ['an unknown client_id', { client_id: 'nobody' }],
    ['a client_id of markup', { client_id: '<script>alert(1)</script>' }],
    ['no parameters of its own at all', { client_id: undefined, redirect_uri: undefined, response_type: undefined }]
  ])('gets a page with invalid_request: %s', async (_name, change) => {
    for (const page of await ask(authorizationQuery(change))) {
      expectPage(page, 'invalid_request')
      expect(page.text).not.toContain('alert(1)')
    }
  })

  it.each(['client_id', 'redirect_uri'])('gets a page with invalid_request: %s twice', async name => {
    const again = { client_id: 'other', redirect_uri: evil }[name] ?? ''
    for (const query of [
      `${authorizationQuery()}&${name}=${encodeURIComponent(again)}`,
      `${name}=${encodeURIComponent(again)}&${authorizationQuery()}`
    ])
      expectPage(await new Browser().get(`${issuer}/oauth2/authorize?${query}`), 'invalid_request')
  })

  it.each([
    ['unknown', pushedUri],
    ['somebody else’s address', 'https://client.example/request.jwt'],
    ['this server’s own', 'http://localhost/oauth2/authorize'],
    ['no address', 'x'],
    ['of another form', 'urn:ietf:params:oauth:request_uri:'],
    ['endless', `${pushedUri}${'A'.repeat(5000)}`]
  ])('gets a page with invalid_request_uri: a request_uri that is %s', async (_name, request_uri) => {
    for (const change of [{}, { redirect_uri: evil }, { redirect_uri: undefined, response_type: undefined }])
      for (const page of await ask(authorizationQuery({ request_uri, ...change }))) expectPage(page, 'invalid_request_uri')
  })

  it('gets a page with invalid_request_uri: one that was pushed by another client, or used', async () => {
    const body = new URLSearchParams(authorizationQuery())
    const pushed = await fetch(`${issuer}/oauth2/par`, { method: 'POST', body })
    const { request_uri } = (await pushed.json()) as { request_uri: string }
    for (const page of await ask(new URLSearchParams({ client_id: 'other', request_uri }).toString()))
      expectPage(page, 'invalid_request_uri')
    const { answer } = await through(new Browser(), issuer, { request_uri })
    expect(answer.get('code')).toEqual(expect.any(String))
    for (const page of await ask(new URLSearchParams({ client_id: 'web', request_uri }).toString()))
      expectPage(page, 'invalid_request_uri')
  })
})

describe('every answer', () => {
  it.each([
    '/',
    '/account',
    '/logout',
    '/login',
    '/consent',
    '/nothing-here',
    '/healthz',
    '/readyz',
    '/assets/style.css',
    '/assets/icon.svg',
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server',
    '/oauth2/jwks',
    '/oauth2/authorize',
    '/oauth2/token',
    '/oauth2/par',
    '/oauth2/userinfo',
    '/api/whoami'
  ])('says nothing of what made it, and cannot be framed: %s', async path => {
    for (const method of ['GET', 'POST']) {
      const response = await fetch(`${issuer}${path}`, { method, redirect: 'manual' })
      expect(response.status).toBeLessThan(500)
      expect(response.headers.get('x-powered-by')).toBeNull()
      expect(response.headers.get('server')).toBeNull()
      expect(response.headers.get('x-frame-options')).toBe('DENY')
      expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    }
  })

  it('sets cookies that scripts and other sites never see', async () => {
    const browser = new Browser()
    await through(browser, issuer)
    await browser.get(`${issuer}/account`)
    expect(browser.cookies.size).toBeGreaterThan(0)
    for (const { attributes } of browser.cookies.values()) {
      expect(attributes).toMatch(/; HttpOnly/i)
      expect(attributes).toMatch(/; SameSite=(Lax|Strict)/i)
    }
  })
})
