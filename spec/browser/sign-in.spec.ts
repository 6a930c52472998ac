import { describe, expect, it } from '@jest/globals'
import { anotherTab, newPage, withAndWithoutScript } from './support/browser.ts'
import { apiStatus } from './support/client-app.ts'
import { allow, answered, begin, redeem, signIn, site } from './support/site.ts'

const at = site()

describe.each(withAndWithoutScript)('signing in, %s', (_name, javaScriptEnabled) => {
  const open = () => newPage({ javaScriptEnabled })

  it('goes from login over consent to a code that buys a token', async () => {
    const page = await open()
    await begin(at, page)
    expect(await page.getByText('to continue to').textContent()).toBe('to continue to Corner Shop')
    await signIn(page)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Allow Corner Shop?')
    expect(await page.getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringContaining('Know that it is you'),
      expect.stringContaining('Read your data in “api”')
    ])
    await allow(page)
    const tokens = await redeem(at, await answered(at, page))
    expect(tokens).toMatchObject({ status: '200', token_type: 'Bearer', id_token: expect.any(String) })
    expect(await apiStatus(at.issuer, tokens['access_token'])).toBe(200)
  })

  it('says so when the password is wrong, keeps the name, and lets the person try again', async () => {
    const page = await open()
    await begin(at, page)
    await signIn(page, 'alice', 'guess')
    expect(await page.getByRole('alert').textContent()).toBe('That username and password do not match.')
    expect(await page.getByLabel('Username').inputValue()).toBe('alice')
    expect(await page.getByLabel('Password').inputValue()).toBe('')
    await page.locator('#password:focus').waitFor()
    await page.keyboard.type('wonderland')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Allow' }).waitFor()
  })

  it('takes no for an answer, and tells the client', async () => {
    const page = await open()
    await begin(at, page)
    await signIn(page)
    await page.getByRole('button', { name: 'Deny' }).click()
    const answer = await answered(at, page)
    expect(answer.get('error')).toBe('access_denied')
    expect(answer.get('code')).toBeNull()
  })

  it('remembers the person and the consent, and asks for every other client and for more', async () => {
    const page = await open()
    await begin(at, page)
    await signIn(page)
    await allow(page)
    await answered(at, page)
    await begin(at, page)
    expect((await answered(at, page)).get('code')).toBeTruthy()
    await begin(at, page, { client_id: 'maps' })
    await page.getByRole('heading', { name: 'Allow Bob & <script>Maps</script>?' }).waitFor()
    await begin(at, page, { scope: 'openid api:read api:write' })
    await page.getByText('Change your data in “api”').waitFor()
    await begin(at, page, { prompt: 'consent' })
    await page.getByRole('button', { name: 'Allow' }).waitFor()
  })

  it('shows the login page again for prompt=login, and no page at all for prompt=none', async () => {
    const page = await open()
    await begin(at, page, { prompt: 'none' })
    expect((await answered(at, page)).get('error')).toBe('login_required')
    await begin(at, page)
    await signIn(page)
    await begin(at, page, { prompt: 'none' })
    expect((await answered(at, page)).get('error')).toBe('consent_required')
    await begin(at, page)
    await allow(page)
    await answered(at, page)
    await begin(at, page, { prompt: 'none' })
    expect((await answered(at, page)).get('code')).toBeTruthy()
    await begin(at, page, { prompt: 'login' })
    await signIn(page)
    expect((await answered(at, page)).get('code')).toBeTruthy()
  })

  it('fills in who the client thinks it is', async () => {
    const page = await open()
    await begin(at, page, { login_hint: 'bob' })
    expect(await page.getByLabel('Username').inputValue()).toBe('bob')
  })

  it('keeps two tabs apart', async () => {
    const page = await open()
    const tab = await anotherTab(page)
    await begin(at, page)
    await begin(at, tab, { client_id: 'maps' })
    await signIn(tab)
    await allow(tab)
    expect((await redeem(at, await answered(at, tab), { client_id: 'maps' })).status).toBe('200')
    // the form of the first tab is from before the sign-in: opening the page again shows what is next
    await page.reload()
    await page.getByRole('heading', { name: 'Allow Corner Shop?' }).waitFor()
    await allow(page)
    expect((await redeem(at, await answered(at, page))).status).toBe('200')
  })

  it('answers by form where the client asks for that', async () => {
    const page = await open()
    await begin(at, page, { response_mode: 'form_post' })
    await signIn(page)
    await allow(page)
    if (!javaScriptEnabled) await page.getByRole('button', { name: 'Continue' }).click()
    expect((await redeem(at, await answered(at, page))).status).toBe('200')
  })

  it('shows what is wrong with a request that cannot be answered', async () => {
    const page = await open()
    await begin(at, page, { redirect_uri: 'https://elsewhere.example/' })
    expect(page.url()).toContain(at.issuer)
    expect(await page.getByRole('main').innerText()).toContain('invalid_request')
  })
})

describe('signing in by keyboard alone', () => {
  it('starts in the first field and reaches every control in order', async () => {
    const page = await newPage()
    await begin(at, page)
    await page.locator('#username:focus').waitFor()
    await page.keyboard.type('alice')
    await page.keyboard.press('Tab')
    await page.keyboard.type('wonderland')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Allow' }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').getAttribute('value')).toBe('allow')
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
    await page.keyboard.press('Enter')
    expect((await answered(at, page)).get('code')).toBeTruthy()
  })
})
