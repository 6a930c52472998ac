/** Logout as clients and people meet it: RP-initiated, and told over the back channel. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { logoutReceiver, type LogoutReceiver } from '../support/servers/logout-receiver.ts'
import { Browser, type PageSeen } from './browser.ts'
import { signedByAnother, signedBySecret, unsigned } from './hints.ts'
import { configFile, failedStart, freePort, type HostedServer, startServer, stop } from './running-server.ts'
import { alice, open, pageName, redeem, redirect_uri, through } from './visit.ts'

const bob = { username: 'bob', password: 'builder of things' }
const after = 'http://127.0.0.1:9/bye?kept=yes'
const publicly = { token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri] }
const grant_types = ['authorization_code', 'refresh_token']

let receiver: LogoutReceiver
let issuer = ''
let server: HostedServer | undefined

const settingsOf = (at: string, change: object = {}) => ({
  issuer: at,
  clients: [
    {
      ...publicly,
      client_id: 'web',
      grant_types,
      post_logout_redirect_uris: [after],
      backchannel_logout_uri: `${receiver.origin}/web`
    },
    {
      ...publicly,
      client_id: 'other',
      id_token_signed_response_alg: 'ES256',
      backchannel_logout_uri: `${receiver.origin}/other`
    },
    { ...publicly, client_id: 'silent', post_logout_redirect_uris: ['http://127.0.0.1:9/silent'] }
  ],
  accounts: [
    { sub: 'u-alice', ...alice },
    { sub: 'u-bob', ...bob }
  ],
  ...change
})

beforeAll(async () => {
  receiver = await logoutReceiver()
  issuer = `http://localhost:${await freePort()}`
  server = await startServer(settingsOf(issuer))
})
afterAll(async () => {
  await stop(server)
  await receiver.close()
})

type Parameters = Readonly<Record<string, string>>
const query = (given: Parameters) => `${issuer}/oauth2/end_session?${new URLSearchParams(given).toString()}`

/** Signed in at a client; answers with its ID Token. */
async function signedIn(browser: Browser, client_id = 'web', person: Parameters = alice, scope = 'openid') {
  const { answer } = await through(browser, issuer, { client_id, scope }, person)
  return redeem(issuer, answer, client_id)
}

/** Whether the browser is signed in still. */
async function isSignedIn(browser: Browser): Promise<boolean> {
  const page = await open(browser, issuer, { prompt: 'none', client_id: 'web' })
  return !(page.location ?? '').includes('login_required')
}

const ask = async (browser: Browser, given: Parameters): Promise<PageSeen> => browser.follow(await browser.get(query(given)))

describe('a client that names who is signed in', () => {
  it('signs them out without a question, and goes where it registered', async () => {
    const browser = new Browser()
    const { id_token } = await signedIn(browser)
    const left = await ask(browser, { id_token_hint: id_token, post_logout_redirect_uri: after, state: 'a&b=ä' })
    const to = new URL(left.location ?? '')
    expect([to.origin + to.pathname, Object.fromEntries(to.searchParams)]).toEqual([
      'http://127.0.0.1:9/bye',
      { kept: 'yes', state: 'a&b=ä' }
    ])
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('tells every client that had a part, each with a token it can verify', async () => {
    const browser = new Browser()
    const { id_token } = await signedIn(browser)
    await signedIn(browser, 'other')
    await signedIn(browser, 'silent')
    receiver.told.length = 0
    expect(await ask(browser, { id_token_hint: id_token })).toMatchObject({ status: 200, location: undefined })
    await receiver.reached(2)
    const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`))
    expect(receiver.told.map(({ path }) => path).sort()).toEqual(['/other', '/web'])
    for (const { path, method, type, form, header, claims } of receiver.told) {
      expect([method, type]).toEqual(['POST', 'application/x-www-form-urlencoded'])
      expect(header).toMatchObject({ typ: 'logout+jwt', alg: path === '/other' ? 'ES256' : 'RS256' })
      await jwtVerify(form.get('logout_token') ?? '', keys, { issuer, audience: path.slice(1), typ: 'logout+jwt' })
      const sid = JSON.parse(Buffer.from(id_token.split('.')[1] ?? '', 'base64url').toString()).sid as string
      expect(claims).toEqual({
        ...{ iss: issuer, sub: 'u-alice', aud: path.slice(1), sid, iat: expect.any(Number), jti: expect.any(String) },
        exp: Number(claims.iat) + 120,
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} }
      })
    }
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(receiver.told).toHaveLength(2)
  })

  it('ends what was granted in the session, and leaves what is for when the person is away', async () => {
    const browser = new Browser()
    const { id_token, access_token } = await signedIn(browser)
    const away = await signedIn(browser, 'web', alice, 'openid offline_access')
    await ask(browser, { id_token_hint: id_token })
    const userinfo = (token: string) => fetch(`${issuer}/oauth2/userinfo`, { headers: { authorization: `Bearer ${token}` } })
    expect([(await userinfo(access_token)).status, (await userinfo(away.access_token)).status]).toEqual([401, 200])
    const form = { grant_type: 'refresh_token', client_id: 'web', refresh_token: away.refresh_token ?? '' }
    expect((await fetch(`${issuer}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) })).status).toBe(200)
  })

  it('goes on where the session is over already', async () => {
    const browser = new Browser()
    const { id_token } = await signedIn(browser)
    const request = { id_token_hint: id_token, post_logout_redirect_uri: after }
    for (let times = 0; times < 2; times++) expect((await ask(browser, request)).location).toBe(after)
  })

  it('may post from another site: the session ends all the same', async () => {
    const browser = new Browser()
    const { id_token } = await signedIn(browser)
    // browsers leave SameSite=Lax cookies out of it
    const body = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: after, state: 's' })
    const posted = await fetch(`${issuer}/oauth2/end_session`, { method: 'POST', body, redirect: 'manual' })
    const to = posted.headers.get('location') ?? ''
    expect([posted.status, new URL(to).origin]).toEqual([303, issuer])
    expect((await browser.get(to)).location).toBe(`${after}&state=s`)
    expect(await isSignedIn(browser)).toBe(false)
  })
})

describe('anybody else', () => {
  it.each<[string, (browser: Browser) => Promise<Parameters>]>([
    ['sends nothing', () => Promise.resolve({})],
    ['sends a client_id', () => Promise.resolve({ client_id: 'web', post_logout_redirect_uri: after })],
    [
      'sends the hint of another person',
      async () => ({ id_token_hint: (await signedIn(new Browser(), 'web', bob)).id_token, post_logout_redirect_uri: after })
    ],
    ['sends the hint of another session', async () => ({ id_token_hint: (await signedIn(new Browser())).id_token })]
  ])('%s: the person is asked, and may say no', async (_name, request) => {
    const browser = new Browser()
    await signedIn(browser)
    const given = await request(browser)
    const page = await ask(browser, given)
    expect([page.status, page.text]).toEqual([
      200,
      expect.stringMatching(/name="decision" value="deny"[^]*name="decision" value="allow"/)
    ])
    const kept = await browser.follow(await browser.submit(page, { decision: 'deny' }))
    expect([kept.status, kept.location, await isSignedIn(browser)]).toEqual([200, undefined, true])
    const gone = await browser.follow(await browser.submit(page, { decision: 'allow' }))
    const again = await browser.follow(await browser.submit(page, { decision: 'allow' }))
    expect([gone.status, gone.location]).toEqual(
      given['post_logout_redirect_uri'] === undefined ? [200, undefined] : [303, after]
    )
    expect([again.status, again.location]).toEqual([gone.status, gone.location])
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('cannot send the form from elsewhere', async () => {
    const browser = new Browser()
    await signedIn(browser)
    const page = await ask(browser, {})
    const request = /name="request" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    for (const _csrf of [{}, { _csrf: 'x' }] as Parameters[]) {
      expect((await browser.post(`${issuer}/logout`, { request, decision: 'allow', ..._csrf })).status).toBe(403)
    }
    const other = new Browser()
    await signedIn(other)
    expect((await other.submit(page, { decision: 'allow' })).status).toBe(403)
    expect([await isSignedIn(browser), await isSignedIn(other)]).toEqual([true, true])
  })

  it('who signs out here tells the clients too', async () => {
    const browser = new Browser()
    await signedIn(browser)
    receiver.told.length = 0
    await browser.submit(await browser.get(`${issuer}/logout`), {})
    await receiver.reached(1)
    expect(receiver.told[0]?.path).toBe('/web')
  })

  it('who signs in in place of somebody ends their session', async () => {
    const browser = new Browser()
    await signedIn(browser)
    receiver.told.length = 0
    const page = await open(browser, issuer, { prompt: 'login' })
    expect(pageName(page)).toBe('login')
    await browser.submit(page, bob)
    await receiver.reached(1)
    expect(receiver.told[0]?.claims.sub).toBe('u-alice')
  })
})

describe('a wrong request', () => {
  const asked = { post_logout_redirect_uri: after, state: 's' }
  const rows: readonly (readonly [string, (id_token: string) => Parameters])[] = [
    ['an address that is not registered', hint => ({ id_token_hint: hint, post_logout_redirect_uri: 'https://evil.example' })],
    ['an address with more in it', hint => ({ id_token_hint: hint, post_logout_redirect_uri: `${after}&x=1` })],
    ['another port', hint => ({ id_token_hint: hint, post_logout_redirect_uri: after.replace(':9', ':10') })],
    ['another client’s address', hint => ({ id_token_hint: hint, post_logout_redirect_uri: 'http://127.0.0.1:9/silent' })],
    ['a redirect URI', hint => ({ id_token_hint: hint, post_logout_redirect_uri: redirect_uri })],
    ['an address alone', () => ({ post_logout_redirect_uri: after })],
    ['an unknown client', () => ({ client_id: 'nobody', post_logout_redirect_uri: after })],
    ['a client that contradicts the hint', hint => ({ id_token_hint: hint, client_id: 'other' })],
    ['an unsigned hint', hint => ({ id_token_hint: unsigned(hint) })],
    [
      'a hint that was changed',
      hint => ({ id_token_hint: hint.replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"u-bob"}').toString('base64url')}.`) })
    ],
    // as the OpenID suite sends them: with an address that is registered, and a state
    ['an unsigned hint, all else right', hint => ({ ...asked, id_token_hint: unsigned(hint) })],
    ['a hint that another key signed', hint => ({ ...asked, id_token_hint: signedByAnother(hint) })],
    ['a hint that a secret signed', hint => ({ ...asked, id_token_hint: signedBySecret(hint) })],
    ['half a hint', hint => ({ id_token_hint: hint.slice(0, -8) })],
    ['no hint', () => ({ id_token_hint: 'x' })],
    ['a hint beyond all bounds', hint => ({ id_token_hint: hint + 'x'.repeat(9000) })],
    ['a state beyond all bounds', hint => ({ id_token_hint: hint, post_logout_redirect_uri: after, state: 'x'.repeat(2001) })],
    ['a logout that nobody asked for', () => ({ logout: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })]
  ]

  it.each(rows)('%s: a page, 400, and nothing ends', async (_name, request) => {
    const browser = new Browser()
    const { id_token } = await signedIn(browser)
    const given = request(id_token)
    const page = await browser.get(query(given))
    expect([page.status, page.location, page.headers.get('content-type')]).toEqual([400, undefined, 'text/html; charset=utf-8'])
    expect(page.text).toContain('invalid_request')
    expect((await browser.follow(await browser.post(`${issuer}/oauth2/end_session`, given))).status).toBe(400)
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('a parameter twice, and other methods', async () => {
    const browser = new Browser()
    await signedIn(browser)
    expect((await browser.get(`${query({ client_id: 'web' })}&client_id=web`)).status).toBe(400)
    expect((await fetch(query({}), { method: 'DELETE' })).status).toBe(405)
    expect((await fetch(query({}), { method: 'HEAD' })).status).toBe(200)
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('an access token of ours is no hint', async () => {
    const browser = new Browser()
    const { access_token } = await signedIn(browser)
    expect((await browser.get(query({ id_token_hint: access_token }))).status).toBe(400)
  })
})

describe('the metadata and the configuration', () => {
  const metadataOf = async (at: string) =>
    (await (await fetch(`${at}/.well-known/openid-configuration`)).json()) as Record<string, unknown>

  it('names the endpoint and what is supported', async () => {
    expect(await metadataOf(issuer)).toMatchObject({
      end_session_endpoint: `${issuer}/oauth2/end_session`,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true
    })
  })

  it('has none of it without openid', async () => {
    const at = `http://localhost:${await freePort()}`
    const plain = await startServer({ issuer: at, scopes: ['api:read'] })
    const metadata = await metadataOf(at)
    expect(Object.keys(metadata).filter(name => /logout|end_session/.test(name))).toEqual([])
    expect((await fetch(`${at}/oauth2/end_session`)).status).toBe(404)
    await stop(plain)
  })

  it.each([
    ['backchannel_logout_uri', 'http://client.example/logout'],
    ['backchannel_logout_uri', 'https://client.example/logout#x'],
    ['backchannel_logout_uri', 'http://127.0.0.1:9/logout'],
    ['backchannel_logout_uri', 'ftp://client.example'],
    ['backchannel_logout_uri', 7],
    ['backchannel_logout_session_required', 'yes'],
    ['post_logout_redirect_uris', 'https://client.example'],
    ['post_logout_redirect_uris[0]', ['javascript:alert(1)']],
    ['post_logout_redirect_uris[0]', ['http://client.example']]
  ])('%s: %j does not start', async (key, value) => {
    const client = { ...publicly, client_id: 'web', [key.replace(/\[.*/, '')]: value }
    const settings = { issuer: `http://localhost:${await freePort()}`, clients: [client] }
    const { code, stderr } = await failedStart({ CONFIG: configFile(settings) })
    expect([code, stderr.trim()]).toEqual([1, expect.stringMatching(`^clients\\[0\\]\\.${key.replace(/[[\]]/g, '\\$&')} must `)])
  })
})
