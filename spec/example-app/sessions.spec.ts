/** What the example app keeps of a browser, when it is kept, and that what has ended stays ended. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore, type Store } from 'clientele'
import { sqliteStore } from 'clientele/stores/sqlite'
import { Browser } from './browser.ts'
import { before, serve, slowSessions, type Serving } from './in-process.ts'
import { alice, open, pageName, redirect_uri, through } from './visit.ts'

const web = { token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri], grant_types: ['authorization_code'] }
const settings = () => ({
  clients: [
    { ...web, client_id: 'web' },
    { ...web, client_id: 'other' }
  ],
  accounts: [{ sub: 'u-alice', ...alice }]
})

/** Notes which kinds of record are written. */
function noting(store: Store, written: string[]): Store {
  return before(store, ({ kind }, writes) => {
    if (writes) written.push(kind)
    return Promise.resolve()
  })
}

describe('with a store that takes 300 ms for a session', () => {
  let serving: Serving
  beforeAll(async () => (serving = await serve(settings, slowSessions(memoryStore(), 300))))
  afterAll(() => serving.close())

  it('every redirect finds what was kept before it left: a browser that follows at once arrives', async () => {
    const browser = new Browser({ hasty: true })
    expect((await through(browser, serving.issuer)).answer.get('code')).toEqual(expect.any(String))
    expect((await through(browser, serving.issuer, { prompt: 'none' })).answer.get('code')).toEqual(expect.any(String))
  })

  it('signing in to a page of its own, and out, holds for the very next request', async () => {
    const browser = new Browser({ hasty: true })
    const login = await browser.get(`${serving.issuer}/account`)
    const account = await browser.follow(await browser.submit(login, alice))
    expect(account.text).toContain('You are signed in as')
    const out = await browser.follow(await browser.submit(account, {}))
    expect(out.text).toContain('You are signed out')
  })
})

describe('a visit of somebody who has not signed in', () => {
  it('leaves nothing of the session in the store, whatever is opened', async () => {
    const written: string[] = []
    const serving = await serve(settings, noting(memoryStore(), written))
    try {
      const browser = new Browser()
      await open(browser, serving.issuer)
      for (const page of ['', '/account', '/account/clients', '/logout', '/device', '/device?user_code=ABCD-EFGH', '/ciba'])
        await browser.get(serving.issuer + page)
      const login = await browser.get(`${serving.issuer}/account`)
      expect((await browser.submit(login, { username: 'alice', password: 'wrong' })).status).toBe(401)
      expect(written.filter(kind => kind.endsWith('session'))).toEqual([])
      await browser.submit(login, alice)
      expect(written.filter(kind => kind.endsWith('session'))).toHaveLength(1)
    } finally {
      await serving.close()
    }
  })
})

describe('signing out, with SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-sessions-'))
  let serving: Serving
  let store: Store
  beforeAll(async () => {
    store = await sqliteStore({ path: join(folder, 'sessions.db') })
    serving = await serve(settings, store)
  })
  afterAll(async () => {
    await serving.close()
    await store.close()
    rmSync(folder, { recursive: true })
  })

  async function signedIn(): Promise<Browser> {
    const browser = new Browser()
    await browser.submit(await browser.get(`${serving.issuer}/account`), alice)
    return browser
  }

  /** Every request a signed-in browser may have under way, beside its signing out. */
  const others: readonly [string, (browser: Browser) => Promise<() => Promise<unknown>>][] = [
    ['a page that is looked at', browser => Promise.resolve(() => browser.get(`${serving.issuer}/account`))],
    ['an application that asks', browser => Promise.resolve(() => browser.get(`${serving.issuer}/account/clients`))],
    ['a request that begins', browser => Promise.resolve(() => open(browser, serving.issuer))],
    [
      'a consent that is given',
      async browser => {
        const consent = await open(browser, serving.issuer)
        expect(pageName(consent)).toBe('consent')
        return () => browser.submit(consent, { decision: 'allow' })
      }
    ]
  ]

  it.each(others)('holds against %s, 10 times of 10, before it and after', async (_name, prepare) => {
    let held = 0
    for (let round = 0; round < 10; round++) {
      const browser = await signedIn()
      const account = await browser.get(`${serving.issuer}/account`)
      const other = await prepare(browser)
      const session = new Map(browser.cookies)
      const signOut = () => browser.submit(account, {})
      await Promise.all(round % 2 === 0 ? [signOut(), other(), other()] : [other(), other(), signOut()])
      // with the cookie it had, and with whatever it has now
      const old = new Browser()
      for (const [name, cookie] of session) old.cookies.set(name, cookie)
      const texts = await Promise.all([browser, old].map(async each => (await each.get(`${serving.issuer}/account`)).text))
      if (texts.every(text => !text.includes('You are signed in as'))) held += 1
    }
    expect(held).toBe(10)
  })

  it('ends that session alone', async () => {
    const [leaves, stays] = [await signedIn(), await signedIn()]
    await leaves.submit(await leaves.get(`${serving.issuer}/account`), {})
    expect((await leaves.get(`${serving.issuer}/account`)).text).not.toContain('You are signed in as')
    expect((await stays.get(`${serving.issuer}/account`)).text).toContain('You are signed in as')
  })
})
