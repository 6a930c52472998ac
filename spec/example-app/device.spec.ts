import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser, hiddenFields, type PageSeen } from './browser.ts'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'

const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
const alice = { username: 'alice', password: 'wonderland' }
const bob = { username: 'bob', password: 'builder' }

let issuer: string
let server: HostedServer

beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}/as`
  const tv = { token_endpoint_auth_method: 'none', grant_types: [grant_type, 'refresh_token'], response_types: [] }
  server = await startServer({
    issuer,
    clients: [
      { ...tv, client_id: 'tv', client_name: 'Bob & <i>Sons</i> TV' },
      { ...tv, client_id: 'other' }
    ],
    accounts: [
      { sub: 'u-alice', ...alice },
      { sub: 'u-bob', ...bob }
    ],
    policy: { device_code_ttl: 300 },
    tenants: [
      {
        path: '/acme',
        clients: [{ ...tv, client_id: 'tv' }],
        accounts: [{ sub: 'u-carol', username: 'carol', password: 'ledger' }]
      },
      { path: '/without', policy: { grant_types: ['client_credentials'] } }
    ]
  })
})
afterAll(() => stop(server))

interface Codes {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
}

async function post(url: string, form: Record<string, string>): Promise<{ status: number; body: Record<string, string> }> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

async function begin(base = issuer, scope = 'openid offline_access api:read'): Promise<Codes> {
  const { status, body } = await post(`${base}/oauth2/device_authorization`, { client_id: 'tv', scope })
  expect(status).toBe(200)
  return body as unknown as Codes
}

const poll = ({ device_code }: Codes, base = issuer) => post(`${base}/oauth2/token`, { grant_type, client_id: 'tv', device_code })

async function signIn(browser: Browser, page: PageSeen, person: Record<string, string> = alice): Promise<PageSeen> {
  return browser.follow(await browser.submit(page, person))
}

describe('a device', () => {
  it('finds its endpoint in the metadata, and its page at the issuer', async () => {
    const metadata = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>
    expect(metadata).toMatchObject({
      device_authorization_endpoint: `${issuer}/oauth2/device_authorization`,
      grant_types_supported: expect.arrayContaining([grant_type])
    })
    const codes = await begin()
    expect(codes).toMatchObject({
      verification_uri: `${issuer}/device`,
      verification_uri_complete: `${issuer}/device?user_code=${codes.user_code}`,
      expires_in: 300,
      interval: 5
    })
  })

  it('is connected by a person who signs in, types its code and allows it', async () => {
    const codes = await begin()
    expect((await poll(codes)).body).toMatchObject({ error: 'authorization_pending' })
    const browser = new Browser()
    const login = await browser.get(codes.verification_uri)
    expect(login.text).toContain('to connect a device')
    const form = await signIn(browser, login)
    expect(form.url).toBe(codes.verification_uri)
    expect(form.text).toMatch(/<input[^>]* name="user_code"/)
    const request = await browser.submit(form, { user_code: codes.user_code.toLowerCase().replace('-', ' ') })
    expect(request.status).toBe(200)
    for (const shown of [
      'Bob &amp; &lt;i&gt;Sons&lt;/i&gt; TV',
      codes.user_code,
      'Read your data in “api”',
      'signed in as',
      'alice'
    ])
      expect(request.text).toContain(shown)
    expect(request.text).toMatch(/<button[^>]* name="decision" value="allow"/)
    expect(request.text).toMatch(/<button[^>]* name="decision" value="deny"/)
    const done = await browser.submit(request, { decision: 'allow' })
    expect([done.status, done.text.includes('Your device is connected')]).toEqual([200, true])
    const { status, body } = await poll(codes)
    expect(status).toBe(200)
    const api = await fetch(`${issuer}/api/whoami`, { headers: { authorization: `Bearer ${body['access_token'] ?? ''}` } })
    expect(await api.json()).toEqual({ sub: 'u-alice', client_id: 'tv', scope: 'openid offline_access api:read' })
    expect((await browser.get(`${issuer}/account`)).text).toContain('Bob &amp; &lt;i&gt;Sons&lt;/i&gt; TV')
    // the same form again is told what the first came to
    const again = await browser.submit(request, { decision: 'deny' })
    expect([again.status, again.text.includes('Your device is connected')]).toEqual([200, true])
  })

  it('is connected by a button that is clicked twice at once', async () => {
    const codes = await begin()
    const browser = new Browser()
    const request = await signIn(browser, await browser.get(codes.verification_uri_complete))
    const clicks = await Promise.all([1, 2, 3].map(() => browser.submit(request, { decision: 'allow' })))
    for (const { status, text } of clicks) expect([status, text.includes('Your device is connected')]).toEqual([200, true])
    expect((await poll(codes)).status).toBe(200)
  })

  it('is connected by the address with its code in it, after a look at the code', async () => {
    const codes = await begin()
    const browser = new Browser()
    const request = await signIn(browser, await browser.get(codes.verification_uri_complete))
    expect(request.url).toBe(codes.verification_uri_complete)
    expect(request.text).toContain(codes.user_code)
    expect((await poll(codes)).body).toMatchObject({ error: 'authorization_pending' })
    await browser.submit(request, { decision: 'allow' })
    expect((await poll(codes)).status).toBe(200)
  })

  it('is told when its person denies', async () => {
    const codes = await begin()
    const browser = new Browser()
    const request = await signIn(browser, await browser.get(codes.verification_uri_complete))
    expect((await browser.submit(request, { decision: 'deny' })).text).toContain('Nothing was connected')
    expect((await poll(codes)).body).toMatchObject({ error: 'access_denied' })
  })

  it('of a tenant is the tenant’s business', async () => {
    const codes = await begin(`${issuer}/acme`)
    const browser = new Browser()
    expect(codes.verification_uri).toBe(`${issuer}/acme/device`)
    const form = await signIn(browser, await browser.get(`${issuer}/device`))
    expect((await browser.submit(form, { user_code: codes.user_code })).status).toBe(400)
    const login = await browser.get(codes.verification_uri_complete)
    const request = await signIn(browser, login, { username: 'carol', password: 'ledger' })
    await browser.submit(request, { decision: 'allow' })
    expect((await poll(codes, `${issuer}/acme`)).status).toBe(200)
  })

  it('has no endpoint and no page where the policy leaves the grant out', async () => {
    const without = `${issuer}/without`
    expect((await fetch(`${without}/oauth2/device_authorization`, { method: 'POST' })).status).toBe(404)
    for (const page of ['/device', '/device?user_code=BCDF-GHJK', '/device/qr.svg?user_code=BCDF-GHJK'])
      expect((await fetch(without + page)).status).toBe(404)
    const metadata = (await (await fetch(`${without}/.well-known/openid-configuration`)).json()) as Record<string, unknown>
    expect(Object.keys(metadata)).not.toContain('device_authorization_endpoint')
  })
})

describe('the device page', () => {
  const signedIn = async (person?: Record<string, string>) => {
    const browser = new Browser()
    return { browser, form: await signIn(browser, await browser.get(`${issuer}/device`), person) }
  }

  it.each([
    ['nothing', ''],
    ['a code there is not', 'BCDF-GHJK'],
    ['digits', '12345678'],
    ['markup', '"><script>alert(1)</script>'],
    ['5000 letters', 'x'.repeat(5000)]
  ])('says that %s is not right', async (_name, user_code) => {
    const { browser, form } = await signedIn(bob)
    const again = await browser.submit(form, { user_code })
    expect(again.status).toBe(400)
    expect(again.text).toMatch(/role="alert"/)
    expect(again.text).not.toContain('<script')
    expect(again.text).not.toContain('value="allow"')
  })

  it.each([
    ['without its token', (fields: Record<string, string>) => ({ user_code: fields['user_code'] ?? '' })],
    ['with a made-up token', (fields: Record<string, string>) => ({ ...fields, _csrf: 'x'.repeat(64) })]
  ])('takes no form %s', async (_name, change) => {
    const codes = await begin()
    const { browser } = await signedIn()
    const request = await browser.get(codes.verification_uri_complete)
    const forged = { ...change(hiddenFields(request)), decision: 'allow' }
    expect((await browser.post(`${issuer}/device`, forged)).status).toBe(403)
    expect((await poll(codes)).body).toMatchObject({ error: 'authorization_pending' })
  })

  it('decides nothing for whoever is not signed in, or presses neither button', async () => {
    const codes = await begin()
    const { browser, form } = await signedIn()
    const stranger = new Browser()
    const login = await stranger.get(codes.verification_uri_complete)
    const shown = await stranger.post(`${issuer}/device`, { ...hiddenFields(login), decision: 'allow' })
    expect([shown.status, shown.text.includes('name="password"')]).toEqual([401, true])
    const neither = { ...hiddenFields(form), user_code: codes.user_code, decision: 'maybe' }
    expect((await browser.post(`${issuer}/device`, neither)).status).toBe(400)
    expect((await poll(codes)).body).toMatchObject({ error: 'authorization_pending' })
  })

  it('leads nowhere else after signing in', async () => {
    for (const page of ['https://elsewhere.example/', '//elsewhere.example', '../account', '__proto__', 'device?x', '']) {
      const browser = new Browser()
      const login = await browser.get(`${issuer}/device`)
      const answer = await browser.post(`${issuer}/login`, { ...hiddenFields(login), ...alice, page })
      expect([page, answer.status, answer.location]).toEqual([page, 400, undefined])
    }
    const browser = new Browser()
    const login = await browser.get(`${issuer}/device?user_code=${encodeURIComponent('//elsewhere.example/?a=b&c#d')}`)
    const answer = await browser.submit(login, alice)
    expect(answer.location).toBe(`${issuer}/device?user_code=${encodeURIComponent('//elsewhere.example/?a=b&amp;c#d')}`)
  })

  it('bounds how many codes a person may try, the right one too', async () => {
    const codes = await begin(`${issuer}/acme`)
    const carol = new Browser()
    const login = await carol.get(`${issuer}/acme/device`)
    let form = await signIn(carol, login, { username: 'carol', password: 'ledger' })
    for (let attempt = 0; attempt < 10; attempt++) {
      form = await carol.submit(form, { user_code: 'BCDF-GHJK' })
      expect(form.status).toBe(400)
    }
    const refused = await carol.submit(form, { user_code: codes.user_code })
    expect([refused.status, refused.text.includes('Too many wrong codes')]).toEqual([429, true])
    expect((await carol.get(codes.verification_uri_complete)).status).toBe(429)
  })

  it('has a picture of the address, of any code that looks like one', async () => {
    const response = await fetch(`${issuer}/device/qr.svg?user_code=BCDF-GHJK`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain('image/svg+xml')
    const picture = await response.text()
    expect(picture).toMatch(/^<svg/)
    expect(picture).not.toMatch(/style=|<script/)
    for (const user_code of ['', 'BCDF', '%3Csvg%3E', 'bcdf-ghjk', 'B'.repeat(2000)])
      expect((await fetch(`${issuer}/device/qr.svg?user_code=${user_code}`)).status).toBe(404)
  })
})
