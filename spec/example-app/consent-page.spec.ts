/** What the consent page says of the application: where the answer goes, who vouches for it, what it looks like. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryStore } from 'clientele'
import { Browser, type PageSeen } from './browser.ts'
import { serve, type Serving } from './in-process.ts'
import { alice, open, pageName, redirect_uri } from './visit.ts'

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const pictures: Readonly<Record<string, { type?: string; status?: number; body: Buffer; location?: string; late?: boolean }>> = {
  '/logo.png': { type: 'image/png', body: png },
  '/untyped': { body: png },
  '/logo.jpg': { type: 'text/html', body: Buffer.from('ffd8ffe000104a464946', 'hex') },
  '/logo.svg': {
    type: 'image/svg+xml',
    body: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
  },
  '/page.png': { type: 'image/png', body: Buffer.from('<!doctype html><script>alert(1)</script>') },
  '/empty.png': { type: 'image/png', body: Buffer.alloc(0) },
  '/large.png': { type: 'image/png', body: Buffer.concat([png, Buffer.alloc(262_144)]) },
  '/gone.png': { status: 404, body: png },
  '/moved.png': { status: 302, location: '/logo.png', body: png },
  '/late.png': { type: 'image/png', body: png, late: true }
}

let host: Server
let asked: string[] = []
let origin: string
let serving: Serving
let issuer: string

const web = { token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri], grant_types: ['authorization_code'] }

beforeAll(async () => {
  host = createServer((req, res) => {
    asked.push(req.url ?? '')
    const { type, status = 200, body, location, late = false } = pictures[req.url ?? ''] ?? { status: 404, body: png }
    if (late) return
    if (type !== undefined) res.setHeader('content-type', type)
    if (location !== undefined) res.setHeader('location', location)
    res.writeHead(status).end(body)
  }).listen(0, '127.0.0.1')
  await once(host, 'listening')
  origin = `http://127.0.0.1:${(host.address() as AddressInfo).port}`
  const settings = () => ({
    clients: [
      { ...web, client_id: 'plain' },
      ...Object.keys(pictures).map(path => ({ ...web, client_id: path, logo_uri: origin + path })),
      { ...web, client_id: 'nowhere', logo_uri: 'https://10.0.0.1/logo.png' },
      { ...web, client_id: 'app', redirect_uris: ['com.example.app:/callback'], client_name: 'App' }
    ],
    accounts: [{ sub: 'u-alice', ...alice }],
    resources: ['one', 'two'].map(name => ({ resource: `https://${name}.example`, scopes: ['api:read'] })),
    policy: { registration: 'open' },
    tenants: [
      {
        path: '/invited',
        accounts: [{ sub: 'u-alice', ...alice }],
        policy: { registration: 'token', initial_access_token: 'let-me-in' }
      }
    ]
  })
  serving = await serve(settings, memoryStore())
  issuer = serving.issuer
})
afterAll(async () => {
  await serving.close()
  host.closeAllConnections()
  host.close()
})

async function register(base: string, metadata: object, token?: string): Promise<string> {
  const { registration_endpoint } = (await (await fetch(`${base}/.well-known/openid-configuration`)).json()) as Record<
    string,
    string
  >
  const headers = { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) }
  const body = JSON.stringify({ ...web, ...metadata })
  const answer = (await (await fetch(registration_endpoint ?? '', { method: 'POST', headers, body })).json()) as Record<
    string,
    string
  >
  if (answer['client_id'] === undefined) throw new Error(JSON.stringify(answer))
  return answer['client_id']
}

async function consentFor(client_id: string, base = issuer, change = {}): Promise<{ page: PageSeen; browser: Browser }> {
  const browser = new Browser()
  const login = await open(browser, base, { client_id, ...change })
  const page = await browser.follow(await browser.submit(login, alice))
  expect([page.status, pageName(page)]).toEqual([200, 'consent'])
  return { page, browser }
}

const visible = ({ text }: PageSeen) =>
  text
    .replace(/<head>.*<\/head>/s, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
const logoOf = ({ text }: PageSeen) => /<img class="mark" src="([^"]+)"/.exec(text)?.[1] ?? ''

describe('where the answer goes', () => {
  it('is the host of the redirect URI, with its port', async () => {
    expect(visible((await consentFor('plain')).page)).toContain('You go on to 127.0.0.1:9 .')
  })

  it('is the scheme, where that is an app’s own', async () => {
    const { page } = await consentFor('app', issuer, { redirect_uri: 'com.example.app:/callback' })
    expect(visible(page)).toContain('You go on to com.example.app: .')
  })
})

describe('who vouches for an application', () => {
  it('is not said of one that an operator configured', async () => {
    expect(visible((await consentFor('plain')).page)).not.toContain('vouches')
  })

  it('is nobody, where it registered itself: said beside its name, and its logo is neither shown nor fetched', async () => {
    const client_id = await register(issuer, {
      client_name: 'Your Bank',
      logo_uri: `${origin}/logo.png`,
      client_uri: 'https://bank.example/'
    })
    asked = []
    const { page } = await consentFor(client_id)
    expect(visible(page)).toContain('Your Bank registered itself here. Nobody vouches for it')
    expect(visible(page)).toContain('You go on to 127.0.0.1:9 .')
    expect(logoOf(page)).toBe('/assets/icon.svg')
    expect(asked).toEqual([])
  })

  it('is whoever gave it a token to register with', async () => {
    const base = `${issuer}/invited`
    const client_id = await register(base, { client_name: 'Invited', logo_uri: `${origin}/logo.png` }, 'let-me-in')
    const { page, browser } = await consentFor(client_id, base)
    expect(visible(page)).not.toContain('vouches')
    expect((await browser.get(issuer + logoOf(page))).status).toBe(200)
  })

  it('is nobody on the page of an error either, which shows no way to the application', async () => {
    const client_id = await register(issuer, { client_name: 'Your Bank', client_uri: 'https://bank.example/' })
    const page = await new Browser().get(
      `${issuer}/oauth2/authorize?${new URLSearchParams({ client_id, redirect_uri, response_type: 'INVALID' }).toString()}`
    )
    expect([page.status, page.location]).toEqual([400, undefined])
    expect(page.text).not.toContain('bank.example')
    expect(page.text).not.toContain('127.0.0.1:9')
  })
})

describe('a device whose client registered itself', () => {
  it('is shown with a word on that, too', async () => {
    const grant_types = ['urn:ietf:params:oauth:grant-type:device_code']
    const device = { client_name: 'Your Television', grant_types, response_types: [], redirect_uris: undefined }
    const client_id = await register(issuer, device)
    const body = new URLSearchParams({ client_id, scope: 'openid' })
    const asked = await fetch(`${issuer}/oauth2/device_authorization`, { method: 'POST', body })
    const { verification_uri_complete = '' } = (await asked.json()) as Record<string, string>
    const browser = new Browser()
    const page = await browser.follow(await browser.submit(await browser.get(verification_uri_complete), alice))
    expect(visible(page)).toContain('Your Television registered itself here. Nobody vouches for it')
  })
})

describe('consent', () => {
  it('is for the resource it was given for: another is asked about, that one is not, nor what is about the person alone', async () => {
    const { page, browser } = await consentFor('plain', issuer, { scope: 'openid api:read', resource: 'https://one.example' })
    await browser.submit(page, { decision: 'allow' })
    const silently = async (change: object) =>
      new URL(
        (await open(browser, issuer, { client_id: 'plain', scope: 'openid api:read', prompt: 'none', ...change })).location ?? ''
      ).searchParams
    expect((await silently({ resource: 'https://one.example' })).get('code')).toEqual(expect.any(String))
    expect((await silently({ resource: 'https://two.example' })).get('error')).toBe('consent_required')
    expect((await silently({ scope: 'openid' })).get('code')).toEqual(expect.any(String))
  })
})

describe('a logo', () => {
  it.each([
    ['/logo.png', 'image/png'],
    ['/untyped', 'image/png'],
    ['/logo.jpg', 'image/jpeg']
  ])('is served from this origin, by what its bytes are: %s', async (client_id, type) => {
    const { page, browser } = await consentFor(client_id)
    const logo = await browser.get(issuer + logoOf(page))
    expect([logo.status, logo.headers.get('content-type')]).toEqual([200, type])
    expect(logo.headers.get('x-content-type-options')).toBe('nosniff')
    expect(page.headers.get('content-security-policy')).toContain("img-src 'self'")
    expect(page.text).not.toContain(origin)
  })

  it.each([...Object.keys(pictures).slice(3), 'nowhere'])(
    'is not served where it is none, or cannot be had: %s',
    async client_id => {
      const { page, browser } = await consentFor(client_id)
      expect((await browser.get(issuer + logoOf(page))).status).toBe(404)
    }
  )

  it('is fetched once, however many look at it', async () => {
    const { page } = await consentFor('/untyped')
    asked = []
    await Promise.all(Array.from({ length: 5 }, () => new Browser().get(issuer + logoOf(page))))
    expect(asked).toEqual([])
  })

  it('is fetched from no address but one that a page shows', async () => {
    const { page } = await consentFor('/logo.png')
    const [, , , proof = ''] = logoOf(page).split('/')
    const elsewhere = Buffer.from(`${origin}/untyped?other`).toString('base64url')
    asked = []
    for (const path of [`/logos/${elsewhere}/${proof}`, `/logos/${elsewhere}/x`, '/logos/x/y', '/logos/%ff/x', '/logos'])
      expect([path, (await new Browser().get(issuer + path)).status < 500]).toEqual([path, true])
    expect(asked).toEqual([])
  })
})
