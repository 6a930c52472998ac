import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { newPage, withAndWithoutScript } from './support/browser.ts'
import { apiStatus, token } from './support/client-app.ts'
import { allow, answered, begin, press, redeem, signIn, site, someone, tokensFor } from './support/site.ts'

const at = site()

async function openAccount(page: Page, username: string): Promise<void> {
  await page.goto(`${at.issuer}/account`)
  if (await page.getByLabel('Username').isVisible()) await signIn(page, username)
  await page.getByText(`You are signed in as ${username}.`).waitFor()
}

function entry(page: Page, client: string) {
  return page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: client }) })
}

async function revoke(page: Page, client: string): Promise<void> {
  await press(page, entry(page, client).getByRole('button', { name: 'Revoke' }))
  await page.getByRole('status').getByText(`${client} no longer has access to your account.`).waitFor()
}

function refresh(refresh_token = '', client_id = 'shop'): ReturnType<typeof token> {
  return token(at.issuer, { grant_type: 'refresh_token', client_id, refresh_token })
}

const scope = 'openid offline_access api:read files:read'

describe.each(withAndWithoutScript)('the account page, %s', (_name, javaScriptEnabled) => {
  const open = () => newPage({ javaScriptEnabled })

  it('asks who is there, and has nothing to show to who allowed nothing', async () => {
    const [page, person] = [await open(), someone()]
    await page.goto(`${at.issuer}/account`)
    await signIn(page, person, 'guess')
    await page.getByRole('alert').getByText('do not match').waitFor()
    await signIn(page, person)
    await page.waitForURL(`${at.issuer}/account`)
    await page.getByText(`You are signed in as ${person}.`).waitFor()
    await page.getByText('No application has access to your account.').waitFor()
  })

  it('shows what was allowed, to whom and when', async () => {
    const [page, person] = [await open(), someone()]
    await tokensFor(at, page, person, { scope })
    await openAccount(page, person)
    const shop = entry(page, 'Corner Shop')
    expect(await shop.getByRole('listitem').allInnerTexts()).toEqual([
      'Know that it is you who signs in',
      'Stay connected while you are away',
      'Read your data in “api”',
      'Read your data in “files”'
    ])
    const since = new Date((await shop.locator('time').getAttribute('datetime')) ?? '').getTime()
    expect(Date.now() - since).toBeLessThan(60_000)
  })

  it.each([
    ['JWT', 'https://api.example.com'],
    ['opaque', 'https://files.example.com']
  ])('ends every token of the client it revokes, in every session, and of no other: %s', async (_format, resource) => {
    const [page, elsewhere, person] = [await open(), await open(), someone()]
    const held = await tokensFor(at, page, person, { scope, resource })
    const other = await tokensFor(at, page, person, { scope, resource, client_id: 'maps' })
    const heldElsewhere = await tokensFor(at, elsewhere, person, { scope, resource })
    const refreshed = await refresh(held['refresh_token'])
    const all = [held, refreshed, heldElsewhere]
    for (const { access_token } of [...all, other]) expect(await apiStatus(at.issuer, access_token)).toBe(200)
    await openAccount(page, person)
    await revoke(page, 'Corner Shop')
    expect(await entry(page, 'Corner Shop').count()).toBe(0)
    for (const { access_token } of all) expect(await apiStatus(at.issuer, access_token)).toBe(401)
    for (const { refresh_token } of [refreshed, heldElsewhere])
      expect(await refresh(refresh_token)).toMatchObject({ status: '400', error: 'invalid_grant' })
    expect(await apiStatus(at.issuer, other['access_token'])).toBe(200)
    expect((await refresh(other['refresh_token'], 'maps')).status).toBe('200')
    await revoke(page, 'Bob & <script>Maps</script>')
    await page.getByText('No application has access to your account.').waitFor()
  })

  it('ends a code that is still on its way', async () => {
    const [page, person] = [await open(), someone()]
    await begin(at, page)
    await signIn(page, person)
    await allow(page)
    const answer = await answered(at, page)
    await openAccount(page, person)
    await revoke(page, 'Corner Shop')
    expect(await redeem(at, answer)).toMatchObject({ status: '400', error: 'invalid_grant' })
  })

  it('makes the client ask again, in every session', async () => {
    const [page, elsewhere, person] = [await open(), await open(), someone()]
    await tokensFor(at, page, person)
    await tokensFor(at, elsewhere, person)
    await openAccount(page, person)
    await revoke(page, 'Corner Shop')
    for (const tab of [page, elsewhere]) {
      await begin(at, tab, { prompt: 'none' })
      expect((await answered(at, tab)).get('error')).toBe('consent_required')
      await begin(at, tab)
      await allow(tab)
      expect((await redeem(at, await answered(at, tab))).status).toBe('200')
      await begin(at, tab, { prompt: 'none' })
      expect((await answered(at, tab)).get('code')).toBeTruthy()
    }
  })

  it('forgets a client whose tokens ended by themselves, but for what this session remembers', async () => {
    const [page, elsewhere, person] = [await open(), await open(), someone()]
    await begin(at, page)
    await signIn(page, person)
    await allow(page)
    const answer = await answered(at, page)
    await redeem(at, answer)
    await redeem(at, answer) // a replay ends what the code bought
    await openAccount(elsewhere, person)
    await elsewhere.getByText('No application has access to your account.').waitFor()
    await openAccount(page, person)
    await revoke(page, 'Corner Shop')
  })

  it('is each person’s own', async () => {
    const [page, theirs, person] = [await open(), await open(), someone()]
    const held = await tokensFor(at, page, person)
    await openAccount(theirs, someone())
    expect(await entry(theirs, 'Corner Shop').count()).toBe(0)
    const form = theirs.locator('input[name=_csrf]').first()
    const outcome = await theirs.request.post(`${at.issuer}/account/revoke`, {
      form: { _csrf: (await form.getAttribute('value')) ?? '', client_id: 'shop' }
    })
    expect(outcome.status()).toBe(200)
    expect(await apiStatus(at.issuer, held['access_token'])).toBe(200)
  })

  it('signs out', async () => {
    const [page, person] = [await open(), someone()]
    await openAccount(page, person)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
    await begin(at, page, { prompt: 'none' })
    expect((await answered(at, page)).get('error')).toBe('login_required')
    await page.goto(`${at.issuer}/logout`)
    await page.getByRole('link', { name: 'Sign in again' }).click()
    await signIn(page, person)
    await page.goto(`${at.issuer}/logout`)
    await page.getByRole('heading', { name: 'Sign out?' }).waitFor()
    await page.goto(at.issuer)
    await page.getByText('You are signed in as').waitFor()
    await page.getByRole('link', { name: 'Your account' }).click()
    await page.getByRole('heading', { name: 'Your account' }).waitFor()
  })
})
