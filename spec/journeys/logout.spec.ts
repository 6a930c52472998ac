/**
 * One client, as openid-client makes it, signed out at two servers: this one, and oidc-provider, which nobody here wrote. Both have to do the same:
 * end the session, tell the client over the back channel in words that it can verify, and send the person back to it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { Browser, type PageSeen } from '../example-app/browser.ts'
import { freePort, startServer, stop } from '../example-app/running-server.ts'
import { alice } from '../example-app/visit.ts'
import { logoutReceiver, type LogoutReceiver } from '../support/servers/logout-receiver.ts'
import { startOpenidProvider } from '../support/servers/openid-provider.ts'

const redirect_uri = 'http://127.0.0.1:9/callback'
const after = 'http://127.0.0.1:9/bye'
const names = ['web', 'other']

interface Server {
  readonly issuer: string
  /** Fills in one page on the way in. */
  fill(browser: Browser, page: PageSeen): Promise<PageSeen>
  /** Says yes on the way out, where it asks. */
  leave(browser: Browser, page: PageSeen): Promise<PageSeen>
  stop(): Promise<unknown>
}

let receiver: LogoutReceiver
beforeAll(async () => {
  receiver = await logoutReceiver()
})
afterAll(() => receiver.close())

const clientsOf = () =>
  names.map(client_id => ({
    ...{ client_id, token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri], grant_types: ['authorization_code'] },
    ...{ response_types: ['code'], post_logout_redirect_uris: [after], backchannel_logout_session_required: true },
    backchannel_logout_uri: `${receiver.origin}/${client_id}`
  }))

const servers: Readonly<Record<string, () => Promise<Server>>> = {
  async clientele() {
    const issuer = `http://localhost:${await freePort()}`
    const server = await startServer({ issuer, clients: clientsOf(), accounts: [{ sub: 'u-alice', ...alice }] })
    return {
      issuer,
      fill: (browser, page) => browser.submit(page, page.url.includes('/login') ? alice : { decision: 'allow' }),
      leave: (browser, page) => browser.submit(page, { decision: 'allow' }),
      stop: () => stop(server)
    }
  },
  async 'oidc-provider'() {
    const provider = await startOpenidProvider(clientsOf())
    return {
      ...provider,
      leave(browser, page) {
        const [, action = '', xsrf = ''] = /action="([^"]+)".*?name="xsrf" value="([^"]+)"/s.exec(page.text) ?? []
        return browser.post(new URL(action, page.url).href, { xsrf, logout: 'yes' })
      }
    }
  }
}

/** The person signs in at a client, on the server's pages. */
async function signIn(
  config: client.Configuration,
  browser: Browser,
  fill: (browser: Browser, page: PageSeen) => Promise<PageSeen>
) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const url = client.buildAuthorizationUrl(config, {
    ...{ redirect_uri, scope: 'openid', code_challenge_method: 'S256' },
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier)
  })
  let page = await browser.follow(await browser.get(url.href))
  for (let pages = 0; page.location === undefined && pages < 4; pages++) page = await browser.follow(await fill(browser, page))
  return client.authorizationCodeGrant(config, new URL(page.location ?? ''), { pkceCodeVerifier })
}

describe.each(Object.keys(servers))('%s', name => {
  let server: Server
  let configs: readonly client.Configuration[]
  const browser = new Browser()

  beforeAll(async () => {
    const started = await servers[name]?.()
    if (started === undefined) throw new Error(`${name} is no server`)
    server = started
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the server is on this machine
    const execute = [client.allowInsecureRequests]
    configs = await Promise.all(
      names.map(id => client.discovery(new URL(server.issuer), id, undefined, client.None(), { execute }))
    )
  })
  afterAll(() => server.stop())

  it('signs the person out at both clients, tells both, and sends the browser back to the one that asked', async () => {
    const tokens = []
    for (const config of configs) tokens.push(await signIn(config, browser, (at, page) => server.fill(at, page)))
    const [config] = configs as readonly [client.Configuration]
    const { id_token = '' } = tokens[0] ?? {}
    const url = client.buildEndSessionUrl(config, { id_token_hint: id_token, post_logout_redirect_uri: after, state: 'st' })
    receiver.told.length = 0
    let page = await browser.follow(await browser.get(url.href))
    if (page.location === undefined) page = await browser.follow(await server.leave(browser, page))
    expect(page.location).toBe(`${after}?state=st`)
    await receiver.reached(2)
    const keySet = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri ?? ''))
    for (const [index, audience] of names.entries()) {
      const { form, type } = receiver.told.find(({ path }) => path === `/${audience}`) ?? {}
      expect(type).toMatch(/^application\/x-www-form-urlencoded\b/)
      // what Back-Channel Logout §2.6 asks of a client
      const options = { issuer: server.issuer, audience, typ: 'logout+jwt', requiredClaims: ['iat', 'exp', 'jti', 'sid'] }
      const { payload } = await jwtVerify(form?.get('logout_token') ?? '', keySet, options)
      const { sub, sid } = (tokens[index]?.claims() ?? {}) as Partial<client.IDToken>
      expect(payload).toMatchObject({ sub, sid, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })
      expect(payload).not.toHaveProperty('nonce')
    }
  })

  it('knows nobody any more', async () => {
    const [config] = configs as readonly [client.Configuration]
    const code_challenge = await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier())
    const silent = { redirect_uri, scope: 'openid', prompt: 'none', code_challenge, code_challenge_method: 'S256' }
    const { location } = await browser.follow(await browser.get(client.buildAuthorizationUrl(config, silent).href))
    expect(new URL(location ?? '').searchParams.get('error')).toBe('login_required')
  })
})

describe('a client that registered itself', () => {
  it('is told, and gets the person back, by the addresses it registered', async () => {
    const issuer = `http://localhost:${await freePort()}`
    const server = await startServer({ issuer, policy: { registration: 'open' }, accounts: [{ sub: 'u-alice', ...alice }] })
    try {
      const [{ client_id: _configured, ...metadata }] = clientsOf() as [ReturnType<typeof clientsOf>[number]]
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- the server is on this machine
      const execute = [client.allowInsecureRequests]
      const config = await client.dynamicClientRegistration(new URL(issuer), metadata, client.None(), { execute })
      expect(config.clientMetadata()).toMatchObject(metadata)
      const browser = new Browser()
      const fill = (at: Browser, page: PageSeen) => at.submit(page, page.url.includes('/login') ? alice : { decision: 'allow' })
      const { id_token = '' } = await signIn(config, browser, fill)
      receiver.told.length = 0
      const url = client.buildEndSessionUrl(config, { id_token_hint: id_token, post_logout_redirect_uri: after })
      expect((await browser.follow(await browser.get(url.href))).location).toBe(after)
      await receiver.reached(1)
      expect(receiver.told[0]).toMatchObject({
        path: '/web',
        claims: { aud: config.clientMetadata().client_id, sid: expect.any(String) }
      })
    } finally {
      await stop(server)
    }
  })
})
