import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { anotherTab, newPage, withAndWithoutScript } from './support/browser.ts'
import { apiStatus } from './support/client-app.ts'
import { allow, answered, begin, redeem, signIn, site, someone, tokensFor } from './support/site.ts'

const at = site()

/** The site another origin would like a person to act on, in a frame of theirs. */
async function framed(page: Page, address: string): Promise<string> {
  const tab = await anotherTab(page)
  await tab.goto(at.client.page('/frame', `<iframe name="stolen" src="${address}"></iframe>`))
  await tab.waitForLoadState('networkidle')
  const text = await tab.frameLocator('iframe').locator('body').innerText()
  await tab.close()
  return text
}

/** Chromium says in the console that it refused to show a frame; the page it shows instead fails at times where scripts are off. */
const refusal = /frame-ancestors|X-Frame-Options|Framing|'TrustedTypePolicy'/

describe.each(withAndWithoutScript)('the pages, %s', (_name, javaScriptEnabled) => {
  const open = (expected?: RegExp) => newPage({ javaScriptEnabled }, expected)

  it('let a form’s answer leave for the client, and from there for another origin', async () => {
    // any complaint of Chromium's about a policy would fail this test
    const page = await open()
    const followed: string[] = []
    page.on('response', response => {
      if (response.status() === 303) followed.push(`${response.request().method()} ${new URL(response.url()).pathname}`)
    })
    await begin(at, page)
    await signIn(page)
    const policy = (await page.request.get(page.url())).headers()['content-security-policy']
    expect(policy).toContain("default-src 'none'")
    await allow(page)
    expect((await redeem(at, await answered(at, page))).status).toBe('200')
    expect(followed).toEqual(['GET /oauth2/authorize', 'POST /login', 'POST /consent', 'GET /callback'])
    expect(new URL(page.url()).origin).not.toBe(at.client.origin)
    expect(new URL(page.url()).origin).not.toBe(at.issuer)
  })

  it('are not shown in anyone’s frame', async () => {
    const page = await open(refusal)
    // a frame that may be shown shows up here
    expect(await framed(page, at.client.page('/harmless', 'harmless'))).toBe('harmless')
    await begin(at, page)
    const login = page.url()
    expect(await framed(page, login)).not.toContain('Password')
    await signIn(page)
    const consent = page.url()
    await page.goto(`${at.issuer}/account`)
    for (const address of [consent, `${at.issuer}/account`, `${at.issuer}/logout`, at.issuer, `${at.issuer}/nothing-here`]) {
      const text = await framed(page, address)
      expect(text).not.toMatch(/Allow|account|Sign|Authorization server|nothing at this address/i)
    }
  })

  it('show a name that looks like markup as text', async () => {
    const page = await open()
    await begin(at, page, { client_id: 'maps', login_hint: '"><b>bold</b>' })
    expect(await page.getByRole('strong').first().textContent()).toBe('Bob & <script>Maps</script>')
    expect(await page.getByLabel('Username').inputValue()).toBe('"><b>bold</b>')
    expect(await page.locator('main script, main b').count()).toBe(0)
  })
})

describe('another site', () => {
  const form = (path: string, fields: Record<string, string>) =>
    at.client.page(
      '/trap',
      `<form method="post" action="${at.issuer}${path}">${Object.entries(fields)
        .map(([name, value]) => `<input name="${name}" value="${value}">`)
        .join('')}<button>Win a prize</button></form>`
    )

  /** The form is filled in with whatever could be known of it, but for the token. */
  async function springTrap(page: Page, path: string, fields: Record<string, string>): Promise<number | undefined> {
    const tab = await anotherTab(page)
    await tab.goto(form(path, fields))
    const answer = tab.waitForResponse(response => response.url() === at.issuer + path)
    await tab.getByRole('button').click()
    return (await answer).status()
  }

  it('cannot sign a person in', async () => {
    const page = await newPage()
    await begin(at, page)
    const interaction = new URL(page.url()).searchParams.get('interaction') ?? ''
    expect(await springTrap(page, '/login', { interaction, username: 'bob', password: 'builder' })).toBe(403)
    expect(await springTrap(page, '/login', { page: 'account', username: 'bob', password: 'builder' })).toBe(403)
  })

  it('cannot agree, revoke or sign out in a person’s name', async () => {
    const page = await newPage()
    const held = await tokensFor(at, page, someone())
    await begin(at, page, { client_id: 'maps' })
    const interaction = new URL(page.url()).searchParams.get('interaction') ?? ''
    expect(await springTrap(page, '/consent', { interaction, decision: 'allow' })).toBe(403)
    expect(await springTrap(page, '/account/revoke', { client_id: 'shop' })).toBe(403)
    expect(await springTrap(page, '/logout', {})).toBe(403)
    expect(await apiStatus(at.issuer, held['access_token'])).toBe(200)
    await page.goto(`${at.issuer}/account`)
    await page.getByRole('heading', { name: 'Corner Shop' }).waitFor()
  })

  it('finds no script in the pages, and gets none to run there', async () => {
    const blocked = /violates the following Content Security Policy directive/
    const page = await newPage({}, blocked)
    await begin(at, page)
    expect(await page.locator('script').count()).toBe(0)
    await expect(page.addScriptTag({ content: 'window.ran = true' })).rejects.toThrow(/Content Security Policy|Refused/)
    expect(await page.evaluate('window.ran')).toBeUndefined()
  })
})
