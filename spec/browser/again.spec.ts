/** What people do twice, in several tabs, or from another site, in Chromium, with a store that takes 300 ms to keep a session. */
import { describe, expect, it } from '@jest/globals'
import { memoryStore } from 'clientele'
import type { Page } from 'playwright-core'
import { slowSessions } from '../example-app/in-process.ts'
import { anotherTab, newPage, withAndWithoutScript } from './support/browser.ts'
import { authorizeUrl, verifier } from './support/client-app.ts'
import { allow, answered, begin, redeem, signIn, site } from './support/site.ts'

const at = site(slowSessions(memoryStore(), 300))

/** The client's code, good for tokens. */
async function isAnswered(page: Page, client_id = 'shop'): Promise<void> {
  expect((await redeem(at, await answered(at, page), { client_id })).status).toBe('200')
}

describe.each(withAndWithoutScript)('a person, %s', (_name, javaScriptEnabled) => {
  const open = () => newPage({ javaScriptEnabled })

  it('arrives at the login page with every fresh browser, and at the client', async () => {
    for (let visit = 0; visit < 4; visit++) {
      const page = await open()
      await begin(at, page)
      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
      if (visit > 0) continue
      await signIn(page)
      await allow(page)
      await isAnswered(page)
    }
  })

  it('who clicks Allow twice goes on to the client, with a code that works', async () => {
    const page = await open()
    await begin(at, page)
    await signIn(page)
    await page.getByRole('button', { name: 'Allow' }).dblclick()
    await isAnswered(page)
  })

  it('who sends the password twice is asked to allow, once', async () => {
    const page = await open()
    await begin(at, page)
    await page.getByLabel('Username').fill('alice')
    await page.getByLabel('Password').fill('wonderland')
    await page.getByRole('button', { name: 'Sign in' }).dblclick()
    await page.getByRole('heading', { name: 'Allow Corner Shop?' }).waitFor()
    await allow(page)
    await isAnswered(page)
  })

  it('whose three tabs are restored at once, without a cookie, gets an answer in each', async () => {
    const first = await open()
    const tabs = [first, await anotherTab(first), await anotherTab(first)]
    await Promise.all(tabs.map(tab => begin(at, tab)))
    for (const tab of tabs) {
      await signIn(tab)
      if (tab.url().includes('/consent')) await allow(tab)
      await isAnswered(tab)
    }
  })

  it('who signed in in the first tab goes on in the second, whose form is from before', async () => {
    const first = await open()
    const second = await anotherTab(first)
    await begin(at, first)
    await begin(at, second, { client_id: 'maps' })
    await signIn(first)
    await allow(first)
    await isAnswered(first)
    await signIn(second)
    await second.getByRole('heading', { name: /^Allow Bob/ }).waitFor()
    await allow(second)
    await isAnswered(second, 'maps')
  })

  it('who goes back after Allow is led on', async () => {
    const page = await open()
    await begin(at, page)
    await signIn(page)
    await allow(page)
    await isAnswered(page)
    await page.goBack()
    // led to the client at once where nothing is left to decide; otherwise to what is
    if (page.url().startsWith(at.issuer)) await allow(page)
    await isAnswered(page)
  })

  it('who signs out in one tab is signed out in the other, whatever that one is doing', async () => {
    const page = await open()
    await page.goto(`${at.issuer}/account`)
    await signIn(page)
    const other = await anotherTab(page)
    await Promise.all([
      page.getByRole('button', { name: 'Sign out' }).click(),
      begin(at, other).then(() => other.waitForLoadState())
    ])
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
    await other.goto(`${at.issuer}/account`)
    await other.getByLabel('Password').waitFor()
  })
})

describe('another site that posts a form to the authorization endpoint', () => {
  async function posts(page: Page, fields: Record<string, string>): Promise<void> {
    const query = new URL(authorizeUrl(at.issuer, at.client, fields)).searchParams
    const inputs = [...query].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join('')
    await page.goto(
      at.client.page(
        '/trap',
        `<form method="post" action="${at.issuer}/oauth2/authorize">${inputs}<button>Win a prize</button></form>`
      )
    )
    await page.getByRole('button').click()
  }

  it('ends and replaces no session', async () => {
    const page = await newPage()
    await page.goto(`${at.issuer}/account`)
    await signIn(page)
    await page.getByText('You are signed in as').waitFor()
    const before = (await page.context().cookies()).filter(({ name }) => name.startsWith('session'))
    expect(before).toHaveLength(1)
    await posts(page, { prompt: 'login' })
    await page.getByLabel('Password').waitFor()
    await page.goto(`${at.issuer}/account`)
    await page.getByText('You are signed in as').waitFor()
    expect((await page.context().cookies()).filter(({ name }) => name.startsWith('session'))).toEqual(before)
  })

  it('is answered from the session of whoever is signed in, as by GET', async () => {
    const page = await newPage()
    await begin(at, page)
    await signIn(page)
    await allow(page)
    await isAnswered(page)
    await posts(page, { prompt: 'none' })
    await isAnswered(page)
    // and with more than an address holds
    await posts(page, { prompt: 'none', ui_locales: 'x'.repeat(1900), claims_locales: 'y'.repeat(1900), login_hint: verifier })
    await isAnswered(page)
  })
})
