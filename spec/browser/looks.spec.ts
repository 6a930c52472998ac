import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { newPage } from './support/browser.ts'
import { askFromCallCentre, connectTelevision } from './support/elsewhere.ts'
import { faintText, faults } from './support/looks.ts'
import { picture } from './support/pictures.ts'
import { begin, press, signIn, site, someone, tokensFor } from './support/site.ts'

const at = site()

/** Clients with documents: as they should be, and as one that means to be taken for another, or to break the page, would be. */
const documents = () => ({
  'a-document-on-loopback': { client_name: 'Notes', redirect_uris: [at.client.redirect_uri] },
  'a-document': {
    client_name: 'Your bank, verified. This application is bank.example and may be allowed',
    redirect_uris: [at.client.redirect_uri, 'https://client.example/callback']
  },
  [`a-document-of-${'x'.repeat(60)}`]: {
    client_name: '<b>W</b>'.repeat(12),
    redirect_uris: [at.client.redirect_uri],
    client_uri: at.documents.at('home'),
    policy_uri: at.documents.at('policy')
  }
})

/** Every page there is, in the order a person meets them. */
async function visit(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  const person = someone()
  const everything = 'openid profile email offline_access api:read api:write files:read'
  await page.goto(at.issuer)
  await look('home')
  await begin(at, page)
  await look('login')
  await signIn(page, person, 'guess')
  await look('wrong password')
  await signIn(page, person)
  await begin(at, page, { client_id: 'maps', scope: everything })
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  await look('consent')
  for (const [name, members] of Object.entries(documents())) {
    await begin(at, page, { client_id: at.documents.put(name, members), scope: everything })
    await page.getByRole('button', { name: 'Allow' }).waitFor()
    // what it calls itself is nowhere as large as where it is
    const { host } = new URL(at.documents.at(name))
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(`Allow ${host}?`)
    await look(`consent, ${name}`)
  }
  await begin(at, page, { redirect_uri: 'https://elsewhere.example/' })
  await look('error')
  await tokensFor(at, page, person, { scope: everything })
  await tokensFor(at, page, person, { client_id: 'maps' })
  await page.goto(`${at.issuer}/account`)
  await look('account')
  await press(page, page.getByRole('button', { name: 'Revoke' }).first())
  await look('revoked')
  await press(page, page.getByRole('button', { name: 'Revoke' }).first())
  await look('nothing allowed')
  await visitElsewhere(page, person, look)
  await page.goto(`${at.issuer}/logout`)
  await look('sign out')
  await press(page, page.getByRole('button', { name: 'Sign out' }))
  await look('signed out')
}

/** What people decide on that began somewhere else. */
async function visitElsewhere(page: Page, person: string, look: (name: string) => Promise<void>): Promise<void> {
  const codes = await connectTelevision(at, 'openid profile email offline_access api:read api:write files:read')
  await page.goto(`${at.issuer}/device`)
  await look('device code')
  await page.getByLabel('Code').fill('BCDF-GHJK')
  await press(page, page.getByRole('button', { name: 'Continue' }))
  await look('wrong device code')
  await page.goto(codes.verification_uri_complete)
  await look('device request')
  await press(page, page.getByRole('button', { name: 'Allow' }))
  await look('device connected')
  await page.goto(`${at.issuer}/ciba`)
  await look('nothing asked')
  await askFromCallCentre(at, person, 'x'.repeat(128))
  await askFromCallCentre(at, person, 'Order 42')
  await page.goto(`${at.issuer}/ciba`)
  await look('asked twice')
  await press(page, page.getByRole('button', { name: 'Deny' }))
  await look('asked once more')
  await press(page, page.getByRole('button', { name: 'Deny' }))
}

describe.each([
  ['a phone', { width: 390, height: 844 }],
  ['a small phone, or a desktop zoomed in to 400 %', { width: 320, height: 568 }],
  ['a desktop', { width: 1280, height: 800 }]
])('on %s', (device, viewport) => {
  it.each(['light', 'dark'] as const)('every page can be read and used, %s', async colorScheme => {
    const page = await newPage({ viewport, colorScheme })
    const found: Record<string, unknown> = {}
    const clean: Record<string, unknown> = {}
    await visit(page, async name => {
      found[name] = [await page.evaluate(faintText), await page.evaluate(faults)]
      clean[name] = [[], []]
      await picture(page, device, colorScheme, name)
    })
    expect(found).toEqual(clean)
  })
})

describe('the login form', () => {
  it('tells password managers what its fields are', async () => {
    const page = await newPage()
    await begin(at, page)
    expect(await page.getByLabel('Username').getAttribute('autocomplete')).toBe('username')
    expect(await page.getByLabel('Password').getAttribute('autocomplete')).toBe('current-password')
  })

  it('shows where the focus is, in forced colours too', async () => {
    for (const forcedColors of ['none', 'active'] as const) {
      const page = await newPage({ forcedColors })
      await begin(at, page)
      await page.locator('#username:focus').waitFor()
      for (const name of ['username', 'password', '']) {
        expect(await page.evaluate("document.activeElement.getAttribute('name') ?? ''")).toBe(name)
        expect(await page.evaluate('getComputedStyle(document.activeElement).outline')).toMatch(/solid 3px|3px solid/)
        await page.keyboard.press('Tab')
      }
    }
  })
})
