/** What the example app promises of people: when they are asked, what they can take back, and what their forms are worth. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { Browser, hiddenFields } from './browser.ts'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'
import { alice, identity, open, pageName, redeem, redirect_uri, through, told } from './visit.ts'

let issuer: string
let server: HostedServer

beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}`
  const web = {
    token_endpoint_auth_method: 'none',
    redirect_uris: [redirect_uri],
    grant_types: ['authorization_code', 'refresh_token']
  }
  server = await startServer({
    issuer,
    clients: [
      { ...web, client_id: 'web', client_name: 'Web' },
      { ...web, client_id: 'other' },
      { ...web, client_id: 'apart', subject_type: 'pairwise' },
      { ...web, client_id: 'apart too', subject_type: 'pairwise' },
      {
        ...web,
        client_id: 'elsewhere',
        subject_type: 'pairwise',
        redirect_uris: [redirect_uri, 'https://elsewhere.example/cb'],
        sector_identifier_uri: 'https://elsewhere.example/uris.json'
      }
    ],
    accounts: [
      {
        sub: 'u-alice',
        ...alice,
        claims: { name: 'Alice', nickname: 'Al', updated_at: 1_700_000_000, email: 'alice@example.com', email_verified: true }
      },
      { sub: 'u-bob', username: 'bob', password: 'builder' }
    ],
    resources: [{ resource: 'https://api.example.com', scopes: ['api:read'] }]
  })
})
afterAll(() => stop(server))

describe('a person who signed in and agreed', () => {
  it('is not asked again: prompt=none succeeds within the session, for what was agreed to', async () => {
    const browser = new Browser()
    expect((await through(browser, issuer, { scope: 'openid api:read' })).pages).toEqual(['login', 'consent'])
    for (const scope of ['openid api:read', 'openid', 'api:read']) {
      const { answer, pages } = await through(browser, issuer, { scope, prompt: 'none' })
      expect([pages, answer.get('code'), answer.get('state'), answer.get('iss')]).toEqual([[], expect.any(String), 'st', issuer])
    }
    const beyond = await through(browser, issuer, { scope: 'openid email', prompt: 'none' })
    expect(beyond.answer.get('error')).toBe('consent_required')
    const another = await through(browser, issuer, { client_id: 'other', prompt: 'none' })
    expect(another.answer.get('error')).toBe('consent_required')
  })

  it.each([
    ['login', ['login']],
    ['consent', ['consent']],
    ['login consent', ['login', 'consent']],
    ['select_account', ['login']]
  ])('is asked again by prompt=%s', async (prompt, pages) => {
    const browser = new Browser()
    await through(browser, issuer)
    const again = await through(browser, issuer, { prompt })
    expect([again.pages, again.answer.get('code')]).toEqual([pages, expect.any(String)])
  })

  it('is asked again when max_age has passed, and auth_time says so', async () => {
    const browser = new Browser()
    const first = await identity(browser, issuer, { max_age: '15000' })
    expect((await identity(browser, issuer, { max_age: '10000', prompt: 'none' }))['auth_time']).toBe(first['auth_time'])
    await pause(2000)
    const late = await through(browser, issuer, { max_age: '1', prompt: 'none' })
    expect(late.answer.get('error')).toBe('login_required')
    const { answer, pages } = await through(browser, issuer, { max_age: '1' })
    expect(pages).toEqual(['login'])
    const again = decodeJwt((await redeem(issuer, answer)).id_token)
    expect(again['auth_time']).toBeGreaterThan(Number(first['auth_time']))
    expect((await through(browser, issuer, { max_age: '0' })).pages).toEqual(['login'])
  })

  it('is known by the ID Token, hinted at, and nobody else is', async () => {
    const browser = new Browser()
    const { answer } = await through(browser, issuer)
    const { id_token: id_token_hint } = await redeem(issuer, answer)
    expect((await through(browser, issuer, { prompt: 'none', id_token_hint })).answer.get('code')).toEqual(expect.any(String))
    const bob = new Browser()
    await through(bob, issuer, {}, { username: 'bob', password: 'builder' })
    expect((await through(bob, issuer, { prompt: 'none', id_token_hint })).answer.get('error')).toBe('login_required')
  })

  it('is asked by POST as by GET', async () => {
    const browser = new Browser()
    await through(browser, issuer)
    const fields = { response_type: 'code', client_id: 'web', redirect_uri, scope: 'openid', state: 'st' }
    const challenge = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' }
    const posted = await browser.post(`${issuer}/oauth2/authorize`, { ...fields, ...challenge })
    const answer = await browser.follow(posted)
    expect([answer.status, answer.location]).toEqual([303, expect.stringMatching(/[?&]code=/)])
  })
})

describe('claims asked for one by one', () => {
  it('are at userinfo and not in the ID Token: name, essential, with the scope openid alone', async () => {
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } })
    const { answer } = await through(new Browser(), issuer, { claims })
    const { access_token, id_token } = await redeem(issuer, answer)
    expect((await told(`${issuer}/oauth2/userinfo`, access_token)).body).toEqual({ sub: 'u-alice', name: 'Alice' })
    expect(decodeJwt(id_token)).not.toHaveProperty('name')
  })
})

describe('taking access back', () => {
  /** The account page's form for the client. */
  async function revoke(browser: Browser, client_id: string, change: Record<string, string> = {}) {
    const page = await browser.get(`${issuer}/account`)
    expect(page.text).toContain('name="client_id"')
    return browser.post(`${issuer}/account/revoke`, { ...hiddenFields(page), client_id, ...change })
  }

  it('ends the client’s tokens, and asks again in every session', async () => {
    const [here, there] = [new Browser(), new Browser()]
    const scope = 'openid offline_access api:read'
    const held = []
    for (const browser of [here, there]) held.push(await redeem(issuer, (await through(browser, issuer, { scope })).answer))
    const kept = await redeem(issuer, (await through(here, issuer, { client_id: 'other', scope })).answer, 'other')
    expect((await revoke(here, 'web')).location).toBe(`${issuer}/account`)
    const after = await here.get(`${issuer}/account`)
    expect(after.text).toContain('Web no longer has access to your account.')
    expect(after.text).not.toContain('value="web"')
    for (const { access_token, refresh_token = '' } of held) {
      expect((await told(`${issuer}/api/whoami`, access_token)).status).toBe(401)
      const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'web', refresh_token })
      const refreshed = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body })
      expect(await refreshed.json()).toMatchObject({ error: 'invalid_grant' })
    }
    expect((await told(`${issuer}/api/whoami`, kept.access_token)).status).toBe(200)
    for (const browser of [here, there]) {
      expect((await through(browser, issuer, { prompt: 'none', scope })).answer.get('error')).toBe('consent_required')
      expect((await through(browser, issuer, { scope })).pages).toEqual(['consent'])
      expect((await through(browser, issuer, { prompt: 'none', scope })).answer.get('code')).toEqual(expect.any(String))
    }
  })

  it('and signing out are refused without the form’s hidden field, and with another session’s', async () => {
    const [mine, theirs] = [new Browser(), new Browser()]
    for (const browser of [mine, theirs]) await through(browser, issuer)
    const { _csrf = '' } = hiddenFields(await theirs.get(`${issuer}/account`))
    for (const address of ['/account/revoke', '/logout']) {
      for (const fields of [{}, { _csrf: '' }, { _csrf: 'x'.repeat(64) }, { _csrf }]) {
        const refused = await mine.post(`${issuer}${address}`, { client_id: 'web', ...fields })
        expect([refused.status, refused.location]).toEqual([403, undefined])
      }
      expect((await new Browser().post(`${issuer}${address}`, { client_id: 'web', _csrf })).status).toBe(403)
    }
    expect((await through(mine, issuer, { prompt: 'none' })).answer.get('code')).toEqual(expect.any(String))
  })

  it('of what the person never gave does nothing', async () => {
    const browser = new Browser()
    await through(browser, issuer)
    for (const client_id of ['other', 'nobody', '__proto__', 'x'.repeat(9000)])
      expect((await revoke(browser, client_id)).status).toBe(303)
    expect((await revoke(browser, '')).status).toBe(400)
    expect((await through(browser, issuer, { prompt: 'none' })).answer.get('code')).toEqual(expect.any(String))
  })
})

describe('a pairwise client', () => {
  it('knows the person by one identifier everywhere, which is its sector’s alone', async () => {
    const browser = new Browser()
    const names = []
    for (const client_id of ['apart', 'apart too', 'elsewhere', 'web']) {
      const tokens = await redeem(
        issuer,
        (await through(browser, issuer, { client_id, scope: 'openid api:read' })).answer,
        client_id
      )
      const { sub } = decodeJwt(tokens.id_token)
      names.push(sub)
      expect((await told(`${issuer}/oauth2/userinfo`, tokens.access_token)).body['sub']).toBe(sub)
      expect((await told(`${issuer}/api/whoami`, tokens.access_token)).body['sub']).toBe(sub)
      const hinted = { client_id, prompt: 'none', id_token_hint: tokens.id_token }
      expect((await through(browser, issuer, hinted)).answer.get('code')).toEqual(expect.any(String))
    }
    expect(names).toEqual([expect.stringMatching(/^[\w-]{43}$/), names[0], expect.stringMatching(/^[\w-]{43}$/), 'u-alice'])
    expect(names[2]).not.toBe(names[0])
    const metadata: unknown = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
    expect(metadata).toMatchObject({ subject_types_supported: ['public', 'pairwise'] })
  })
})

describe('the login page', () => {
  it('comes although the client knows a name, and fills it in', async () => {
    const page = await open(new Browser(), issuer, { login_hint: 'alice' })
    expect([pageName(page), page.text.includes('value="alice"')]).toEqual(['login', true])
  })

  it('is not troubled by parameters nobody knows', async () => {
    const strange = { display: 'popup', ui_locales: 'se', claims_locales: 'se', acr_values: '1 2', extra: 'foobar' }
    expect((await through(new Browser(), issuer, strange)).pages).toEqual(['login', 'consent'])
  })
})
