/** `response_mode=form_post` in a browser: the page sends itself where scripts run, and has a button where they do not. */
import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { newPage, withAndWithoutScript } from './support/browser.ts'
import { allow, answered, begin, press, redeem, signIn, site, someone } from './support/site.ts'

const at = site()
const form_post = { response_mode: 'form_post' }

/** Where the page does not send itself on, the person does. */
async function goOn(page: Page, javaScriptEnabled: boolean): Promise<void> {
  if (javaScriptEnabled) return
  await page.getByText('If nothing happens, press the button.').waitFor()
  await press(page, page.getByRole('button', { name: 'Continue' }))
}

/** What was sent to the client: by which method, with which query, from which origin. */
function heard(page: Page): { method: string; search: string; origin: string | undefined }[] {
  const sent: { method: string; search: string; origin: string | undefined }[] = []
  page.on('request', asked => {
    const { pathname, search } = new URL(asked.url())
    if (pathname === '/callback') sent.push({ method: asked.method(), search, origin: asked.headers()['origin'] })
  })
  return sent
}

describe.each(withAndWithoutScript)('an answer by form_post, %s', (_name, javaScriptEnabled) => {
  it('brings a code that buys tokens, and shows none of it in an address', async () => {
    const page = await newPage({ javaScriptEnabled })
    const sent = heard(page)
    await begin(at, page, form_post)
    await signIn(page, someone())
    await allow(page)
    await goOn(page, javaScriptEnabled)
    const answer = await answered(at, page)
    expect([...answer.keys()].sort()).toEqual(['code', 'iss', 'state'])
    expect(sent).toEqual([{ method: 'POST', search: '', origin: at.issuer }])
    expect((await redeem(at, answer)).status).toBe('200')
  })

  it('brings a refusal', async () => {
    const page = await newPage({ javaScriptEnabled })
    await begin(at, page, form_post)
    await signIn(page, someone())
    await press(page, page.getByRole('button', { name: 'Deny' }))
    await goOn(page, javaScriptEnabled)
    const answer = await answered(at, page)
    expect([answer.get('error'), answer.get('code')]).toEqual(['access_denied', null])
  })

  it.each([
    ['login_required', { prompt: 'none' }],
    ['invalid_scope', { scope: 'openid nobody:knows' }],
    ['unsupported_response_type', { response_type: 'token' }]
  ])('brings the error %s before anybody is asked', async (error, parameters) => {
    const page = await newPage({ javaScriptEnabled })
    await begin(at, page, { ...form_post, ...parameters })
    await goOn(page, javaScriptEnabled)
    const answer = await answered(at, page)
    expect([answer.get('error'), answer.get('error_description')]).toEqual([error, expect.any(String)])
  })

  it('brings a signed answer as one field', async () => {
    const page = await newPage({ javaScriptEnabled })
    await begin(at, page, { response_mode: 'form_post.jwt', prompt: 'none' })
    await goOn(page, javaScriptEnabled)
    await page.getByRole('heading', { name: 'Back at the client' }).waitFor()
    const answer = at.client.answers.pop()
    expect([...(answer?.keys() ?? [])]).toEqual(['response'])
  })
})

describe('the page of form_post', () => {
  it('can be read on a phone, light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await newPage({ javaScriptEnabled: false, colorScheme, viewport: { width: 320, height: 568 } })
      await begin(at, page, { ...form_post, prompt: 'none' })
      const button = await page.getByRole('button', { name: 'Continue' }).boundingBox()
      expect(button?.height).toBeGreaterThanOrEqual(40)
      expect(await page.locator('html').getAttribute('lang')).toBe('en')
    }
  })
})
