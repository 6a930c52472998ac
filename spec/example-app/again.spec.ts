/** What people do twice, or in several tabs at once: nothing of it loses an authorization. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { memoryStore } from 'clientele'
import { Browser, hiddenFields, type PageSeen } from './browser.ts'
import { serve, slowSessions, type Serving } from './in-process.ts'
import { alice, authorizeUrl, open, pageName, redeem, redirect_uri } from './visit.ts'

const web = { token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri], grant_types: ['authorization_code'] }
let serving: Serving

beforeAll(async () => {
  const settings = () => ({
    clients: [
      { ...web, client_id: 'web', client_name: 'Web', client_uri: 'https://web.example/' },
      { ...web, client_id: 'other', client_name: 'Other' }
    ],
    accounts: [
      { sub: 'u-alice', ...alice },
      { sub: 'u-bob', username: 'bob', password: 'builder' }
    ]
  })
  serving = await serve(settings, slowSessions(memoryStore(), 30))
})
afterAll(() => serving.close())

/** The code a page's answer takes to the client. */
function codeOf({ location, status, text }: PageSeen): string {
  if (location?.startsWith('http://127.0.0.1:9/callback') !== true) throw new Error(`${status}: ${location ?? text}`)
  return new URL(location).searchParams.get('code') ?? ''
}

async function consentOf(browser: Browser, change = {}): Promise<PageSeen> {
  const page = await open(browser, serving.issuer, change)
  const consent = pageName(page) === 'login' ? await browser.follow(await browser.submit(page, alice), serving.issuer) : page
  expect(pageName(consent)).toBe('consent')
  return consent
}

async function worksOnce(code: string): Promise<void> {
  expect(await redeem(serving.issuer, new URLSearchParams({ code }))).toMatchObject({ access_token: expect.any(String) })
}

describe('Allow, clicked twice', () => {
  it('gives the same answer twice, one after the other', async () => {
    const browser = new Browser()
    const consent = await consentOf(browser)
    const [first, second] = [
      await browser.submit(consent, { decision: 'allow' }),
      await browser.submit(consent, { decision: 'allow' })
    ]
    expect(second.location).toBe(first.location)
    await worksOnce(codeOf(second))
  })

  it('gives the same answer twice, at once', async () => {
    for (let round = 0; round < 5; round++) {
      const browser = new Browser()
      const consent = await consentOf(browser)
      const click = () => browser.submit(consent, { decision: 'allow' })
      const [first, second] = await Promise.all([click(), click()])
      expect(second.location).toBe(first.location)
      await worksOnce(codeOf(second))
    }
  })
})

describe('signing in, posted twice', () => {
  it.each([
    ['at once', true],
    ['one after the other', false]
  ])('leads on both times, %s', async (_name, atOnce) => {
    for (const change of [{}, { prompt: 'login' }, { max_age: '0' }]) {
      const browser = new Browser()
      const login = await open(browser, serving.issuer, change)
      const post = () => browser.submit(login, alice)
      const [first, second] = atOnce ? await Promise.all([post(), post()]) : [await post(), await post()]
      for (const answer of [first, second]) expect(answer).toMatchObject({ status: 303 })
      const consent = await browser.follow(second, serving.issuer)
      expect(pageName(consent)).toBe('consent')
      await worksOnce(codeOf(await browser.submit(consent, { decision: 'allow' })))
    }
  })
})

describe('signing out, clicked twice', () => {
  it('says both times that the person is signed out, and lets a page that was open lead on', async () => {
    const browser = new Browser()
    const account = await browser.submit(await browser.get(`${serving.issuer}/account`), alice).then(page => browser.follow(page))
    for (const answer of await Promise.all([1, 2].map(() => browser.submit(account, {}))))
      expect((await browser.follow(answer)).text).toContain('You are signed out')
    expect((await browser.follow(await browser.submit(account, {}))).text).toContain('You are signed out')
  })
})

describe('several tabs', () => {
  it('restored at once, without a cookie, all lead to a code', async () => {
    const browser = new Browser()
    const tabs = await Promise.all([1, 2, 3].map(() => browser.get(authorizeUrl(serving.issuer))))
    // each shows its form before any is filled in
    const logins = await Promise.all(tabs.map(tab => browser.follow(tab, serving.issuer)))
    for (const login of logins) {
      expect(login.status).toBe(200)
      let page = await browser.follow(await browser.submit(login, alice), serving.issuer)
      if (pageName(page) === 'consent') page = await browser.submit(page, { decision: 'allow' })
      await worksOnce(codeOf(page))
    }
  })

  it('of this server’s own pages, restored at once, lead on', async () => {
    const browser = new Browser()
    const logins = await Promise.all(['/account', '/ciba', '/device'].map(page => browser.get(serving.issuer + page)))
    for (const login of logins) {
      let page = await browser.follow(await browser.submit(login, alice))
      // another tab's cookie came later than this form: the form comes again, and works
      if (page.status === 403) {
        const link = /<p class="ways"><a href="([^"]+)"/.exec(page.text)?.[1] ?? ''
        page = await browser.get(new URL(link, page.url).href)
        if (pageName(page) === 'login' || page.text.includes('name="password"'))
          page = await browser.follow(await browser.submit(page, alice))
      }
      expect(page).toMatchObject({ status: 200 })
      expect(page.text).not.toContain('name="password"')
    }
  })

  it('go on after the sign-in in the first, from where the person is', async () => {
    const browser = new Browser()
    const [first, second] = [await open(browser, serving.issuer), await open(browser, serving.issuer, { client_id: 'other' })]
    const consent = await browser.follow(await browser.submit(first, alice), serving.issuer)
    await worksOnce(codeOf(await browser.submit(consent, { decision: 'allow' })))
    // the form of before, with somebody's password or nobody's
    const next = await browser.follow(await browser.submit(second, { username: '', password: '' }), serving.issuer)
    expect(pageName(next)).toBe('consent')
    const code = codeOf(await browser.submit(next, { decision: 'allow' }))
    expect(await redeem(serving.issuer, new URLSearchParams({ code }), 'other')).toMatchObject({
      access_token: expect.any(String)
    })
  })

  it('go straight to the client where nothing is left to ask', async () => {
    const browser = new Browser()
    const [first, second, third] = [await consentLater(browser), await consentLater(browser), await consentLater(browser)]
    const consent = await browser.follow(await browser.submit(first, alice), serving.issuer)
    await worksOnce(codeOf(await browser.submit(consent, { decision: 'allow' })))
    await worksOnce(codeOf(await browser.follow(await browser.submit(second, alice), serving.issuer)))
    await worksOnce(codeOf(await browser.follow(await browser.get(third.url), serving.issuer)))
  })

  const consentLater = (browser: Browser) => open(browser, serving.issuer)

  it('do not let one person agree on a page that was shown to another', async () => {
    const browser = new Browser()
    const consent = await consentOf(browser)
    const login = await open(browser, serving.issuer, { prompt: 'login' })
    await browser.submit(login, { username: 'bob', password: 'builder' })
    const answer = await browser.submit(consent, { decision: 'allow' })
    expect(answer.location ?? '').not.toContain('/callback')
    const again = answer.status === 403 ? await browser.get(leadsOn(answer)) : await browser.follow(answer, serving.issuer)
    expect(again.text).toContain('<strong>bob</strong>')
    await worksOnce(codeOf(await browser.submit(again, { decision: 'allow' })))
  })
})

/** Where a page that is an end leads on to. */
function leadsOn(page: PageSeen): string {
  const link = /<p class="ways">\s*<a href="([^"]+)"/.exec(page.text)?.[1]
  if (link === undefined) throw new Error(`a dead end: ${page.status} ${page.text}`)
  return new URL(link, page.url).href
}

describe('what is over leads on', () => {
  it('the consent page after Allow: to the client', async () => {
    const browser = new Browser()
    const consent = await consentOf(browser)
    const done = await browser.submit(consent, { decision: 'allow' })
    const back = await browser.get(consent.url)
    if (back.location === undefined) expect(leadsOn(back)).toBe('https://web.example/')
    else expect(back.location).toBe(done.location)
  })

  it.each([
    ['a page that is not there', '/nothing-here', 404],
    ['a sign-in nobody began', '/login?interaction=made-up', 403],
    ['a sign-in without its request', '/login', 400],
    ['a consent nobody began', '/consent?interaction=made-up', 403],
    ['a request that cannot be answered', '/oauth2/authorize?client_id=nobody', 400]
  ])('%s', async (_name, path, status) => {
    const page = await new Browser().get(serving.issuer + path)
    expect(page.status).toBe(status)
    expect((await new Browser().get(leadsOn(page))).status).toBe(200)
  })

  it.each(['/login', '/consent', '/logout', '/account/revoke', '/device', '/ciba'])(
    'a form without its token: %s',
    async path => {
      const page = await new Browser().post(serving.issuer + path, { decision: 'allow' })
      expect(page.status).toBe(403)
      expect(page.headers.getSetCookie()).toEqual([])
      expect((await new Browser().get(leadsOn(page))).status).toBe(200)
    }
  )

  it('a form of an interaction whose token is wrong: to that interaction’s page', async () => {
    const browser = new Browser()
    const login = await open(browser, serving.issuer)
    const page = await browser.post(`${serving.issuer}/login`, { ...hiddenFields(login), _csrf: 'x'.repeat(64), ...alice })
    expect(page.status).toBe(403)
    expect(leadsOn(page)).toBe(login.url)
  })
})
