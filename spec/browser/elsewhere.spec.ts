/** The pages `/device` and `/ciba`: what began on a television or on the telephone is decided in a browser. */
import { describe, expect, it } from '@jest/globals'
import { anotherTab, newPage, withAndWithoutScript } from './support/browser.ts'
import { apiStatus } from './support/client-app.ts'
import { askFromCallCentre, connectTelevision, pollAsCallCentre, pollAsTelevision } from './support/elsewhere.ts'
import { press, signIn, site, someone } from './support/site.ts'

const at = site()

describe.each(withAndWithoutScript)('a device, %s', (_name, javaScriptEnabled) => {
  it('is connected by typing its code, with the keyboard alone', async () => {
    const codes = await connectTelevision(at)
    const page = await newPage({ javaScriptEnabled })
    await page.goto(codes.verification_uri)
    await signIn(page, someone())
    await page.locator('#user_code:focus').waitFor()
    await page.keyboard.type(codes.user_code.toLowerCase())
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Connect Corner Cinema?' }).waitFor()
    await page.getByText(codes.user_code, { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Allow' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Your device is connected' }).waitFor()
    const tokens = await pollAsTelevision(at, codes)
    expect(tokens.status).toBe('200')
    expect(await apiStatus(at.issuer, tokens['access_token'])).toBe(200)
    await page.getByRole('link', { name: 'See what has access' }).click()
    await page.getByRole('heading', { name: 'Corner Cinema' }).waitFor()
    await press(page, page.getByRole('button', { name: 'Revoke' }))
    expect(await apiStatus(at.issuer, tokens['access_token'])).toBe(401)
  })

  it('is connected by the address in its picture; somebody who is signed in sees the request at once', async () => {
    const [first, second] = [await connectTelevision(at), await connectTelevision(at)]
    const page = await newPage({ javaScriptEnabled })
    await page.goto(first.verification_uri_complete)
    await signIn(page, someone())
    await press(page, page.getByRole('button', { name: 'Allow' }))
    await page.goto(second.verification_uri_complete)
    await press(page, page.getByRole('button', { name: 'Deny' }))
    await page.getByRole('heading', { name: 'Nothing was connected' }).waitFor()
    expect((await pollAsTelevision(at, first)).status).toBe('200')
    expect((await pollAsTelevision(at, second))['error']).toBe('access_denied')
  })

  it('is not connected by a wrong code, which can be corrected', async () => {
    const codes = await connectTelevision(at)
    const page = await newPage({ javaScriptEnabled })
    await page.goto(`${at.issuer}/device?user_code=BCDF-GHJK`)
    await signIn(page, someone())
    await page.getByRole('alert').waitFor()
    expect(await page.getByLabel('Code').inputValue()).toBe('BCDF-GHJK')
    await page.getByLabel('Code').fill(codes.user_code)
    await press(page, page.getByRole('button', { name: 'Continue' }))
    await page.getByRole('heading', { name: 'Connect Corner Cinema?' }).waitFor()
  })
})

describe.each(withAndWithoutScript)('somebody who asks from elsewhere, %s', (_name, javaScriptEnabled) => {
  it('is answered, one request at a time', async () => {
    const person = someone()
    const older = await askFromCallCentre(at, person, 'Order 41')
    const newer = await askFromCallCentre(at, person, 'Order 42 <b>')
    const page = await newPage({ javaScriptEnabled })
    await page.goto(`${at.issuer}/ciba`)
    await signIn(page, person)
    await page.getByRole('heading', { name: 'Allow Call Centre?' }).waitFor()
    await page.getByText('Order 42 <b>', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Call Centre' }).click()
    await page.locator('.shown', { hasText: 'Order 41' }).waitFor()
    await press(page, page.getByRole('button', { name: 'Deny' }))
    await page.getByText('Call Centre was told that you said no.').waitFor()
    await press(page, page.getByRole('button', { name: 'Allow' }))
    await page.getByRole('heading', { name: 'Nothing is asked of you' }).waitFor()
    expect((await pollAsCallCentre(at, older))['error']).toBe('access_denied')
    expect((await pollAsCallCentre(at, newer)).status).toBe('200')
  })

  it('is answered once, whichever tab is first', async () => {
    const person = someone()
    const auth_req_id = await askFromCallCentre(at, person, 'Order 43')
    const page = await newPage({ javaScriptEnabled })
    await page.goto(`${at.issuer}/ciba`)
    await signIn(page, person)
    const other = await anotherTab(page)
    await other.goto(`${at.issuer}/ciba`)
    await press(other, other.getByRole('button', { name: 'Deny' }))
    await other.getByText('Call Centre was told that you said no.').waitFor()
    await press(page, page.getByRole('button', { name: 'Allow' }))
    // the second tab hears what the first decided
    await page.getByText('Call Centre was told that you said no.').waitFor()
    expect((await pollAsCallCentre(at, auth_req_id))['error']).toBe('access_denied')
  })
})
