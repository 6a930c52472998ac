/** Signing out in Chromium: here, and of everything that was used with the sign-in. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import type { Page } from 'playwright-core'
import { newPage, withAndWithoutScript } from './support/browser.ts'
import { begin, press, signIn, site, someone, tokensFor } from './support/site.ts'

const at = site()

/** Where pictures are kept for whoever wants to look at them. */
const pictures = process.env['SPEC_PICTURES']

async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
}

/** Signed in at two clients with one sign-in. */
async function atTwoClients(page: Page, person: string) {
  at.client.told.length = 0
  const shop = await tokensFor(at, page, person, { scope: 'openid' })
  await tokensFor(at, page, person, { client_id: 'maps', scope: 'openid' })
  return shop
}

/** Waits until so many clients have been told; who was, and of which person. */
async function told(count: number): Promise<readonly (readonly [client_id: string, sub: unknown])[]> {
  for (let times = 0; times < 200 && at.client.told.length < count; times++) await new Promise(resolve => setTimeout(resolve, 20))
  return at.client.told.map(({ client_id, logout_token }) => [client_id, decodeJwt(logout_token).sub] as const).sort()
}

function endSession(query: Readonly<Record<string, string>>): string {
  return `${at.issuer}/oauth2/end_session?${new URLSearchParams(query).toString()}`
}

async function isSignedIn(page: Page): Promise<boolean> {
  await begin(at, page, { prompt: 'none', scope: 'openid' })
  await page.getByRole('heading', { name: 'Back at the client' }).waitFor()
  return at.client.answers.pop()?.has('code') === true
}

describe.each(withAndWithoutScript)('logout, %s', (_name, javaScriptEnabled) => {
  const open = () => newPage({ javaScriptEnabled })

  it('at one client signs out at both, without a question, and leads back', async () => {
    const [page, person] = [await open(), someone()]
    const { id_token = '' } = await atTwoClients(page, person)
    const post_logout_redirect_uri = `${at.client.origin}/goodbye`
    await page.goto(endSession({ id_token_hint: id_token, post_logout_redirect_uri, state: 'bye' }))
    await page.waitForURL(`${post_logout_redirect_uri}?state=bye`)
    await page.getByRole('heading', { name: 'Signed out at the client' }).waitFor()
    expect(await told(2)).toEqual([
      ['maps', `u-${person}`],
      ['shop', `u-${person}`]
    ])
    expect(await isSignedIn(page)).toBe(false)
  })

  it('without a hint is asked for; a no leaves everything, a yes ends it', async () => {
    const [page, person] = [await open(), someone()]
    await atTwoClients(page, person)
    await page.goto(endSession({ client_id: 'shop' }))
    await page.getByText('Corner Shop asks to sign you out').waitFor()
    await press(page, page.getByRole('button', { name: 'Stay signed in' }))
    await page.getByRole('heading', { name: 'You are still signed in' }).waitFor()
    expect([await told(0), await isSignedIn(page)]).toEqual([[], true])
    await page.goto(endSession({ client_id: 'shop' }))
    await press(page, page.getByRole('button', { name: 'Sign out' }))
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
    expect((await told(2)).map(([client_id]) => client_id)).toEqual(['maps', 'shop'])
    expect(await isSignedIn(page)).toBe(false)
  })

  it('by a form of another site really ends the session', async () => {
    const [page, person] = [await open(), someone()]
    const { id_token = '' } = await atTwoClients(page, person)
    const form = `<form method="post" action="${at.issuer}/oauth2/end_session"><input type="hidden" name="id_token_hint" value="${id_token}"><button>Log out</button></form>`
    await page.goto(at.client.page('/account', form))
    await press(page, page.getByRole('button', { name: 'Log out' }))
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
    expect((await told(2)).map(([client_id]) => client_id)).toEqual(['maps', 'shop'])
    expect(await isSignedIn(page)).toBe(false)
  })

  it('to an address that is not registered is a page, and ends nothing', async () => {
    const [page, person] = [await open(), someone()]
    const { id_token = '' } = await atTwoClients(page, person)
    await page.goto(endSession({ id_token_hint: id_token, post_logout_redirect_uri: 'https://elsewhere.example/' }))
    await page.getByText('invalid_request').waitFor()
    expect([await told(0), await isSignedIn(page)]).toEqual([[], true])
  })
})

describe.each([
  ['a phone', { width: 320, height: 568 }],
  ['a desktop', { width: 1280, height: 800 }]
])('the page that asks, on %s', (screen, viewport) => {
  it('shows who asks and both answers at once, and nothing sticks out', async () => {
    const [page, person] = [await newPage({ viewport }), someone()]
    await atTwoClients(page, person)
    await page.goto(endSession({ client_id: 'maps' }))
    await page.getByText('Bob & <script>Maps</script> asks to sign you out').waitFor()
    await picture(page, `logout-question-${screen.replace('a ', '')}`)
    for (const name of ['Sign out', 'Stay signed in']) {
      const box = await page.getByRole('button', { name }).boundingBox()
      expect([name, box !== null && box.height >= 40 && box.x >= 0 && box.x + box.width <= viewport.width]).toEqual([name, true])
      expect(box !== null && box.y + box.height <= viewport.height).toBe(true)
    }
    expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true)
    await press(page, page.getByRole('button', { name: 'Sign out' }))
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
    await picture(page, `signed-out-${screen.replace('a ', '')}`)
    await page.goto(`${at.issuer}/account`)
    await signIn(page, person)
    await page.getByText(`You are signed in as ${person}.`).waitFor()
  })
})
