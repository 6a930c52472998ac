/** The playground in Chromium: every method goes well, and everything that can be broken ends in the check that its button promises. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
// the tables of the page itself: no button is forgotten here
import { breaks, breaksFor } from '../../example-app/playground/page/breaks.js'
import { methods } from '../../example-app/playground/page/methods.js'
import { newPage } from './support/browser.ts'
import { startDemo, type Demo } from './support/demo.ts'
import { allow, signIn } from './support/site.ts'

let demo: Demo
beforeAll(async () => {
  demo = await startDemo()
})
afterAll(() => demo.close())

const device = 'urn:ietf:params:oauth:grant-type:device_code'
const ciba = 'urn:openid:params:grant-type:ciba'
const names = Object.keys(methods)

async function open(state: Record<string, string>, options = {}): Promise<Page> {
  const page = await newPage(options)
  await page.goto(`${demo.issuer}/playground#${new URLSearchParams(state).toString()}`)
  await page.locator('body[data-ready]').waitFor()
  return page
}

/** Sends, and lets a person do what has to be done in the other window. */
async function send(page: Page, decide?: (other: Page) => Promise<void>): Promise<void> {
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  if (decide !== undefined) {
    const opening = page.context().waitForEvent('page')
    await page.getByRole('link', { name: 'Open the window' }).click()
    await decide(await opening)
  }
  await page.locator('body[data-done]').waitFor({ timeout: 30_000 })
}

const signInAndAllow = async (other: Page): Promise<void> => {
  await signIn(other)
  await allow(other)
}

const outcome = (page: Page): Promise<string> => page.locator('#decision .outcome').innerText()
const status = (page: Page): Promise<string> => page.locator('#status').innerText()

describe('the methods the server offers', () => {
  it('are all there', async () => {
    const answer = await fetch(`${demo.issuer}/.well-known/openid-configuration`)
    const { token_endpoint_auth_methods_supported: offered } = (await answer.json()) as Record<string, string[]>
    const page = await open({})
    const listed = await page.locator('#method option').allInnerTexts()
    expect(listed.sort()).toEqual(offered?.sort())
    expect(names.sort()).toEqual(listed)
  })

  it.each(names.filter(name => name !== 'none'))('%s gets a token, and the API takes it', async method => {
    const page = await open({ method, grant: 'client_credentials', dpop: 'on' })
    await send(page)
    expect([await outcome(page), await status(page)]).toEqual(['Authenticated', 'The client has its tokens.'])
    await page.locator('#tokens .verdict').filter({ hasText: 'Its signature is good' }).first().waitFor()
    await page.getByRole('button', { name: 'Call the API' }).click()
    await page
      .locator('#after pre')
      .filter({ hasText: /^200\n/ })
      .waitFor()
    await page.getByRole('button', { name: 'Introspect' }).click()
    await page.locator('#after pre').filter({ hasText: '"active": true' }).waitFor()
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('Revoked.').waitFor()
    await page.getByRole('button', { name: 'Call the API' }).click()
    await page.locator('#after pre').filter({ hasText: /^401 / }).waitFor()
  })
})

describe('what can be broken', () => {
  const broken = names.flatMap(method =>
    breaksFor(method, ['client_credentials', 'dpop'])
      .filter(() => method !== 'none')
      .map(({ id, check }) => ({ method, id, check }))
  )

  it.each(broken)('$method, $id ends in $check', async ({ method, id, check }) => {
    const page = await open({ method, grant: 'client_credentials', dpop: 'on' })
    await page.locator(`[data-break="${id}"]`).click()
    await page.locator(`[data-break="${id}"][aria-pressed="true"]`).waitFor()
    await send(page)
    const failed = await page.locator('#decision li.fail strong').allInnerTexts()
    // what is no matter of client authentication is told by its error
    if (check.startsWith('invalid_')) expect([failed, await status(page)]).toEqual([[], expect.stringContaining(check)])
    else expect([failed, await outcome(page)]).toEqual([[check], 'Refused'])
    expect(await page.locator('#diagram .bad').count()).toBeGreaterThan(0)
  })

  it('is everything there is', () => {
    const tried = new Set([...broken.map(({ id }) => id), ...breaksFor('none', ['authorization_code']).map(({ id }) => id)])
    expect([...tried].sort()).toEqual(breaks.map(({ id }) => id).sort())
  })

  it.each(breaksFor('none', ['authorization_code', 'dpop']))('none, $id ends in $check', async ({ id, check }) => {
    const page = await open({ method: 'none', grant: 'authorization_code', dpop: 'on', break: id })
    await send(page, signInAndAllow)
    expect(await status(page)).toContain(check)
  })
})

describe('the grants', () => {
  it.each(['none', 'private_key_jwt', 'tls_client_auth'])(
    'authorization_code with %s leads through the other window, and refreshes',
    async method => {
      const page = await open({ method, grant: 'authorization_code' })
      await send(page, signInAndAllow)
      expect(await status(page)).toBe('The client has its tokens.')
      expect(await page.locator('#tokens summary').allInnerTexts()).toEqual(['access_token', 'id_token'])
      await page.getByRole('button', { name: 'Refresh' }).click()
      await page.locator('#after pre').filter({ hasText: '"access_token"' }).waitFor()
    }
  )

  it('device_code is allowed in the other window', async () => {
    const page = await open({ method: 'client_secret_basic', grant: device })
    await send(page, async other => {
      await signIn(other)
      await other.getByRole('button', { name: 'Allow' }).click()
    })
    expect(await status(page)).toBe('The client has its tokens.')
  })

  it('CIBA is decided in the other window', async () => {
    const page = await open({ method: 'client_secret_post', grant: ciba })
    await send(page, async other => {
      await signIn(other)
      await other.getByRole('button', { name: 'Allow' }).click()
    })
    expect(await status(page)).toBe('The client has its tokens.')
  })

  it.each(['token-exchange', 'jwt-bearer'])('%s needs nobody', async grant => {
    const page = await open({ method: 'private_key_jwt', grant: `urn:ietf:params:oauth:grant-type:${grant}` })
    await send(page)
    expect(await status(page)).toBe('The client has its tokens.')
  })
})

describe('the page', () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  const looks = [
    { name: 'desktop, light', viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
    { name: 'desktop, dark', viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
    { name: 'phone, light', viewport: { width: 390, height: 844 }, colorScheme: 'light' },
    { name: 'phone, dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark' }
  ] as const

  it.each(looks)('has nothing that axe objects to: $name', async ({ viewport, colorScheme }) => {
    const states = [
      {},
      { method: 'private_key_jwt', grant: 'client_credentials', break: 'wrong_audience' },
      { method: 'federated_jwt', grant: 'client_credentials', break: 'other_namespace' },
      { method: 'spiffe_x509', grant: 'client_credentials' }
    ]
    for (const state of states) {
      const page = await open(state, { viewport, colorScheme, bypassCSP: true })
      await send(page)
      await page.evaluate(axe)
      const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()')
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
      const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      expect(wider).toBe(0)
    }
  })

  it('takes what is typed into an assertion, and says what came of it', async () => {
    const page = await open({ method: 'private_key_jwt', grant: 'client_credentials' })
    const claims = page.getByLabel('Client assertion, claims')
    await claims.fill('{ not JSON')
    expect(await claims.getAttribute('aria-invalid')).toBe('true')
    await claims.fill(
      JSON.stringify({ iss: '<script>alert(1)</script>', sub: '<img src=x onerror=alert(1)>', aud: 1, jti: '\u0000', exp: 'x' })
    )
    await send(page)
    expect(await outcome(page)).toBe('Refused')
    expect(await page.locator('#decision script, #decision img').count()).toBe(0)
  })

  it('sends again what was edited, with identifiers of its own', async () => {
    const page = await open({ method: 'private_key_jwt', grant: 'client_credentials' })
    const claims = page.getByLabel('Client assertion, claims')
    await claims.fill((await claims.inputValue()).replace('{', '{ "more": 1,'))
    await send(page)
    expect(await outcome(page)).toBe('Authenticated')
    await send(page)
    expect(await outcome(page)).toBe('Authenticated')
  })

  it('is used by keyboard alone', async () => {
    const page = await open({ method: 'client_secret_post', grant: 'client_credentials' })
    await page.locator('[data-break="wrong_secret"]').focus()
    await page.keyboard.press('Space')
    await page.locator('[data-break="wrong_secret"][aria-pressed="true"]:focus').waitFor()
    await page.getByRole('button', { name: 'Send', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.locator('#decision li.fail[data-check="secret"]').waitFor()
  })

  it('is found first on the home page, by a link that keeps its state', async () => {
    const page = await newPage()
    await page.goto(demo.issuer)
    await page.locator('.links a').first().click()
    await page.locator('body[data-ready]').waitFor()
    await page.getByLabel('Client authentication method').selectOption('client_secret_basic')
    await page.waitForFunction("location.hash.includes('client_secret_basic')")
    await page.reload()
    await page.locator('body[data-ready]').waitFor()
    expect(await page.getByLabel('Client authentication method').inputValue()).toBe('client_secret_basic')
  })
})
