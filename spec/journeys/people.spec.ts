/** A person signs in and agrees on a host application's own pages, in a browser with cookies; openid-client checks what comes of it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Configuration } from 'openid-client'
import { Browser, type Page } from '../support/journeys/browser.ts'
import { publicParty, secretParty } from '../support/journeys/clients.ts'
import { discover, signIn } from '../support/journeys/openid-client.ts'
import { mountPages, pages } from '../support/journeys/pages.ts'
import { alwaysAlice, startServer, type RunningServer } from '../support/journeys/server.ts'

const web = secretParty('client_secret_basic', 'web-application')
const spa = publicParty('single-page-app')

let server: RunningServer
let config: Configuration

beforeAll(async () => {
  server = await startServer({ clients: [web, spa], listeners: 'https', interaction: pages })
  mountPages(server)
  config = await discover(server, web)
})
afterAll(() => server.close())

const newBrowser = (): Browser => new Browser(server.fetchFor())
const credentials = { username: 'alice', password: 'wonderland' }
const titleOf = (page: Page): string | undefined => /<h1>(\w+)</.exec(page.html)?.[1]

/** Signs in where asked, agrees where asked, and says which pages came. */
async function through(browser: Browser, url: URL, seen: (string | undefined)[] = []): Promise<URL> {
  let page = await browser.open(url)
  while (page.leftFor === undefined) {
    seen.push(titleOf(page))
    page = await browser.submit(page, titleOf(page) === 'login' ? credentials : { decision: 'allow' })
  }
  return page.leftFor
}

describe('a person', () => {
  it('signs in, agrees, and next time need do neither', async () => {
    const browser = newBrowser()
    const pagesSeen: (string | undefined)[] = []
    const browse = (url: URL): Promise<URL> => through(browser, url, pagesSeen)
    const tokens = await signIn(server, config, { browse, maxAge: 60 })
    expect(pagesSeen).toEqual(['login', 'consent'])
    expect(tokens.claims()?.auth_time).toBeGreaterThan(Date.now() / 1000 - 20)
    await signIn(server, config, { browse, parameters: { prompt: 'none' } })
    await signIn(server, config, { browse })
    expect(pagesSeen).toEqual(['login', 'consent'])
  })

  it('is asked again where the client says so', async () => {
    const browser = newBrowser()
    await signIn(server, config, { browse: url => through(browser, url) })
    for (const [parameters, expected] of [
      [{ prompt: 'login' }, ['login']],
      [{ prompt: 'consent' }, ['consent']],
      [{ prompt: 'login consent' }, ['login', 'consent']],
      [{ max_age: '0' }, ['login']]
    ] as const) {
      const pagesSeen: (string | undefined)[] = []
      await signIn(server, config, { browse: url => through(browser, url, pagesSeen), parameters })
      expect(pagesSeen).toEqual(expected)
    }
  })

  it('agrees with each client for itself', async () => {
    const browser = newBrowser()
    await signIn(server, config, { browse: url => through(browser, url) })
    const pagesSeen: (string | undefined)[] = []
    await signIn(server, await discover(server, spa), { browse: url => through(browser, url, pagesSeen) })
    expect(pagesSeen).toEqual(['consent'])
  })

  it('who says no sends the client away with access_denied', async () => {
    const browser = newBrowser()
    const browse = async (url: URL): Promise<URL> => {
      const consent = await browser.submit(await browser.open(url), credentials)
      return browser.finish(await browser.submit(consent, { decision: 'deny' }))
    }
    await expect(signIn(server, config, { browse })).rejects.toMatchObject({ error: 'access_denied' })
  })

  it('who is not there cannot be signed in silently', async () => {
    const browse = async (url: URL): Promise<URL> => newBrowser().finish(await newBrowser().open(url))
    const answer = signIn(server, config, { browse, parameters: { prompt: 'none' } })
    await expect(answer).rejects.toMatchObject({ error: 'login_required' })
  })

  it('who mistypes the password may try again, with the name the client knows filled in', async () => {
    const browser = newBrowser()
    const browse = async (url: URL): Promise<URL> => {
      const login = await browser.open(url)
      expect(login.html).toContain('value="alice"')
      const again = await browser.submit(login, { ...credentials, password: 'wrong' })
      expect([again.status, titleOf(again)]).toEqual([401, 'login'])
      const consent = await browser.submit(again, credentials)
      return browser.finish(await browser.submit(consent, { decision: 'allow' }))
    }
    await signIn(server, config, { browse, parameters: { login_hint: 'alice' } })
  })

  it('who sends the last form twice gets one code', async () => {
    const browser = newBrowser()
    const browse = async (url: URL): Promise<URL> => {
      const consent = await browser.submit(await browser.open(url), credentials)
      const answers = [1, 2, 3].map(() => browser.submit(consent, { decision: 'allow' }))
      const arrived = (await Promise.all(answers)).flatMap(({ leftFor }) => leftFor ?? [])
      const withCode = arrived.filter(({ searchParams }) => searchParams.has('code'))
      // whichever of them the browser follows
      expect([withCode.length, new Set(withCode.map(String)).size]).toEqual([3, 1])
      return withCode[0] ?? url
    }
    await signIn(server, config, { browse })
  })

  it('in another browser cannot finish what this one began', async () => {
    const browser = newBrowser()
    const browse = async (url: URL): Promise<URL> => {
      const login = await browser.open(url)
      expect((await newBrowser().submit(login, credentials)).status).toBe(403)
      const consent = await browser.submit(login, credentials)
      return browser.finish(await browser.submit(consent, { decision: 'allow' }))
    }
    await signIn(server, config, { browse })
  })
})

describe('the host application', () => {
  const broken = (): Promise<never> => Promise.reject(new Error('broken'))

  it.each([
    ['a login that fails', { account: broken }],
    ['a consent that fails', { consented: broken }],
    ['a page that fails', { account: () => undefined, prompt: broken }]
  ])('with %s answers the client with server_error, and is told why', async (_name, hooks) => {
    const failing = await startServer({ clients: [web], listeners: 'https', interaction: { ...alwaysAlice, ...hooks } })
    await expect(signIn(failing, await discover(failing, web))).rejects.toMatchObject({ error: 'server_error' })
    expect(failing.errors).toEqual([new Error('broken')])
    await failing.close()
  })

  it('whose own error page and error log fail still shows the person an error page', async () => {
    const interaction = { ...alwaysAlice, error: broken }
    const failing = await startServer({ clients: [web], listeners: 'https', interaction, options: { onError: broken } })
    const page = await new Browser(failing.fetchFor()).open(new URL(`${failing.issuer}/oauth2/authorize`))
    expect(page.status).toBe(400)
    expect(page.html).toContain('invalid_request')
    await failing.close()
  })
})
