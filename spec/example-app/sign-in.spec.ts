import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHash, randomUUID } from 'node:crypto'
import { Browser, hiddenFields, type PageSeen } from './browser.ts'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'

const redirect_uri = 'http://127.0.0.1:9/callback?kept=yes'
const verifier = 'v'.repeat(43)
const alice = { username: 'alice', password: 'wonderland' }

let issuer: string
let server: HostedServer

beforeAll(async () => {
  const port = await freePort()
  issuer = `http://localhost:${port}`
  const web = {
    token_endpoint_auth_method: 'none',
    redirect_uris: [redirect_uri],
    grant_types: ['authorization_code', 'refresh_token']
  }
  server = await startServer({
    issuer,
    clients: [
      { ...web, client_id: 'web', client_name: 'Bob & <i>Sons</i>' },
      {
        ...web,
        client_id: 'other',
        client_uri: 'https://other.example/?a=1&b=2',
        policy_uri: 'https://other.example/privacy'
      }
    ],
    accounts: [
      { sub: 'u-alice', ...alice },
      { sub: 'u-bob', username: 'bob', password: 'builder' }
    ],
    resources: [{ resource: 'https://api.example.com', scopes: ['api:read', 'api:write'] }],
    tenants: [
      {
        path: '/acme/banking',
        clients: [{ ...web, client_id: 'web' }],
        accounts: [{ sub: 'u-carol', username: 'carol', password: 'ledger' }]
      }
    ]
  })
})
afterAll(() => stop(server))

function authorizeUrl(parameters: Record<string, string> = {}, base = issuer): string {
  const query = {
    response_type: 'code',
    client_id: 'web',
    redirect_uri,
    scope: 'openid api:read',
    state: 'st',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters
  }
  return `${base}/oauth2/authorize?${new URLSearchParams(query).toString()}`
}

async function open(browser: Browser, parameters?: Record<string, string>, base = issuer): Promise<PageSeen> {
  return browser.follow(await browser.get(authorizeUrl(parameters, base)), issuer)
}

async function signIn(browser: Browser, page: PageSeen, person: Record<string, string> = alice): Promise<PageSeen> {
  return browser.follow(await browser.submit(page, person), issuer)
}

function answerOf(page: PageSeen): URLSearchParams {
  expect(page.location).toMatch(/^http:\/\/127\.0\.0\.1:9\/callback\?kept=yes&/)
  return new URL(page.location ?? '').searchParams
}

describe('the consent page', () => {
  it('links to what the client says of itself, where those are addresses of pages', async () => {
    const browser = new Browser()
    const { text } = await signIn(browser, await open(browser, { client_id: 'other' }))
    expect(text).toContain('href="https://other.example/?a=1&amp;b=2"')
    expect(text).toContain('href="https://other.example/privacy"')
    expect((await open(browser)).text).not.toContain('Its home page')
  })
})

describe('signing in', () => {
  it('goes from login over consent to a code that buys tokens', async () => {
    const browser = new Browser()
    const login = await open(browser)
    expect(login.status).toBe(200)
    expect(login.url).toMatch(new RegExp(`^${issuer}/login\\?interaction=`))
    expect(login.text).toContain('Bob &amp; &lt;i&gt;Sons&lt;/i&gt;')
    expect(login.text).toMatch(/<input[^>]* name="username"/)
    expect(login.text).toMatch(/<input[^>]* name="password"/)
    const consent = await signIn(browser, login)
    expect(consent.url).toMatch(new RegExp(`^${issuer}/consent\\?interaction=`))
    expect(consent.text).toMatch(/<button[^>]* name="decision" value="allow"/)
    expect(consent.text).toMatch(/<button[^>]* name="decision" value="deny"/)
    expect(consent.text).toContain('Read your data in “api”')
    const done = await browser.submit(consent, { decision: 'allow' })
    expect(done.status).toBe(303)
    const answer = answerOf(done)
    expect(answer.get('state')).toBe('st')
    expect(answer.get('iss')).toBe(issuer)
    const code = answer.get('code') ?? ''
    const response = await fetch(`${issuer}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'web',
        redirect_uri,
        code,
        code_verifier: verifier
      })
    })
    const tokens = (await response.json()) as Record<string, string>
    expect(tokens).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) })
    const whoami = await fetch(`${issuer}/api/whoami`, { headers: { authorization: `Bearer ${tokens['access_token'] ?? ''}` } })
    expect(await whoami.json()).toEqual({ sub: 'u-alice', client_id: 'web', scope: 'openid api:read' })
  })

  it('remembers the person and the consent of each client within the session', async () => {
    const browser = new Browser()
    await browser.submit(await signIn(browser, await open(browser)), { decision: 'allow' })
    expect(answerOf(await open(browser)).get('code')).toBeTruthy()
    expect(answerOf(await open(browser, { prompt: 'none', scope: 'openid' })).get('code')).toBeTruthy()
    expect((await open(browser, { scope: 'openid api:write' })).url).toContain('/consent')
    expect((await open(browser, { client_id: 'other' })).url).toContain('/consent')
    expect((await open(browser, { prompt: 'consent' })).url).toContain('/consent')
    expect(answerOf(await open(new Browser(), { prompt: 'none' })).get('error')).toBe('login_required')
  })

  it('takes no for an answer', async () => {
    const browser = new Browser()
    const answer = answerOf(await browser.submit(await signIn(browser, await open(browser)), { decision: 'deny' }))
    expect(answer.get('error')).toBe('access_denied')
    expect(answer.get('code')).toBeNull()
  })

  it('shows the form again after a wrong password, and says why', async () => {
    const browser = new Browser()
    const login = await open(browser)
    const again = await browser.submit(login, { username: 'alice', password: '"><script>' })
    expect(again.status).toBe(401)
    expect(again.text).toContain('do not match')
    expect(again.text).not.toContain('<script>')
    expect((await signIn(browser, again)).url).toContain('/consent')
  })

  it('bounds guessing, for that name alone', async () => {
    const browser = new Browser()
    const login = await open(browser)
    const guess = (username: string) => browser.submit(login, { username, password: randomUUID() })
    for (let attempt = 0; attempt < 10; attempt++) expect((await guess('victim')).status).toBe(401)
    const refused = await guess('victim')
    expect(refused.status).toBe(429)
    expect(refused.text).toContain('Too many attempts')
    expect((await guess('someone-else')).status).toBe(401)
  })

  it('gives the session a new id, so that a planted one is worth nothing', async () => {
    const browser = new Browser()
    const login = await open(browser)
    const before = new Map([...browser.cookies].map(([name, { value }]) => [name, value]))
    await signIn(browser, login)
    const planted = [...browser.cookies].filter(([name]) => name.startsWith('session'))
    expect(planted).toHaveLength(1)
    for (const [name, { value }] of planted) expect(value).not.toBe(before.get(name))
    // what the browser had before it signed in opens nothing
    const old = new Browser()
    for (const [name, value] of before) old.cookies.set(name, { value, path: '/', attributes: '' })
    expect((await old.get(`${issuer}/account`)).text).toContain('name="password"')
  })

  it('leaves another person’s consents behind', async () => {
    const browser = new Browser()
    await browser.submit(await signIn(browser, await open(browser)), { decision: 'allow' })
    const login = await open(browser, { prompt: 'login' })
    expect(login.url).toContain('/login')
    expect((await signIn(browser, login, { username: 'bob', password: 'builder' })).url).toContain('/consent')
  })
})

describe('forms', () => {
  it.each([
    ['without its token', (fields: Record<string, string>) => ({ interaction: fields['interaction'] ?? '' })],
    ['with a made-up token', (fields: Record<string, string>) => ({ ...fields, _csrf: 'x'.repeat(64) })]
  ])('are refused %s', async (_name, change) => {
    const browser = new Browser()
    const login = await open(browser)
    expect((await browser.post(`${issuer}/login`, { ...change(hiddenFields(login)), ...alice })).status).toBe(403)
    const consent = await signIn(browser, login)
    expect((await browser.post(`${issuer}/consent`, { ...change(hiddenFields(consent)), decision: 'allow' })).status).toBe(403)
  })

  it('are refused with another session’s token, and without any session', async () => {
    const [mine, theirs] = [new Browser(), new Browser()]
    const [myLogin, theirLogin] = [await open(mine), await open(theirs)]
    const { _csrf = '' } = hiddenFields(theirLogin)
    expect((await mine.post(`${issuer}/login`, { ...hiddenFields(myLogin), _csrf, ...alice })).status).toBe(403)
    expect((await new Browser().post(`${issuer}/login`, { ...hiddenFields(myLogin), ...alice })).status).toBe(403)
  })

  it('of an interaction another browser began are neither shown nor taken', async () => {
    const [mine, theirs] = [new Browser(), new Browser()]
    const [myLogin, theirLogin] = [await open(mine), await open(theirs)]
    expect((await mine.get(theirLogin.url)).status).toBe(403)
    const { interaction = '' } = hiddenFields(theirLogin)
    expect((await mine.post(`${issuer}/login`, { ...hiddenFields(myLogin), interaction, ...alice })).status).toBe(403)
  })

  it('of no interaction say so', async () => {
    const browser = new Browser()
    expect((await browser.get(`${issuer}/login`)).status).toBe(400)
    const login = await browser.get(`${issuer}/account`)
    expect((await browser.post(`${issuer}/login`, { ...hiddenFields(login), page: 'elsewhere', ...alice })).status).toBe(400)
  })
})

describe('pages and cookies', () => {
  it('cannot be framed, cached or run script', async () => {
    const browser = new Browser()
    const login = await open(browser)
    for (const page of [login, await signIn(browser, login)]) {
      expect(page.headers.get('content-security-policy')).toBe(
        "default-src 'none';style-src 'self';img-src 'self';base-uri 'none';frame-ancestors 'none'"
      )
      expect(page.headers.get('x-frame-options')).toBe('DENY')
      expect(page.headers.get('cache-control')).toBe('no-store')
      expect(page.text).not.toMatch(/<script/)
    }
  })

  it('keep cookies from scripts, other sites and other tenants', async () => {
    const browser = new Browser()
    await open(browser)
    await open(browser, {}, `${issuer}/acme/banking`)
    expect([...browser.cookies.values()].map(({ path }) => path)).toEqual(['/', '/acme/banking'])
    for (const { attributes } of browser.cookies.values()) {
      expect(attributes).toMatch(/HttpOnly/)
      expect(attributes).toMatch(/SameSite=Lax/)
    }
  })

  it('tell tenants’ people apart', async () => {
    const browser = new Browser()
    const tenant = `${issuer}/acme/banking`
    await browser.submit(await signIn(browser, await open(browser)), { decision: 'allow' })
    const login = await open(browser, {}, tenant)
    expect(login.url).toContain('/acme/banking/login')
    expect((await browser.submit(login, alice)).status).toBe(401)
    const consent = await signIn(browser, login, { username: 'carol', password: 'ledger' })
    expect(answerOf(await browser.submit(consent, { decision: 'allow' })).get('iss')).toBe(tenant)
  })

  it('say what is wrong with a request that cannot be answered by a redirect', async () => {
    const page = await new Browser().get(authorizeUrl({ redirect_uri: 'https://evil.example/cb' }))
    expect(page.status).toBe(400)
    expect(page.headers.get('content-type')).toMatch(/^text\/html/)
    expect(page.text.replace(/<[^>]*>/g, ' ')).toContain('invalid_request')
  })
})
