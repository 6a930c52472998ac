import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { memoryStore } from 'clientele'
import { createApp } from '../../example-app/app.ts'
import { demoConfig } from '../../example-app/demo/settings.ts'
import { createLog } from '../../example-app/log.ts'
import { listen, type Listeners } from '../../example-app/server.ts'
import { freePort } from '../example-app/running-server.ts'
import { newPage, withAndWithoutScript } from './support/browser.ts'
import { apiStatus } from './support/client-app.ts'
import { faintText, faults } from './support/looks.ts'
import { picture } from './support/pictures.ts'
import { allow, signIn } from './support/site.ts'

const folder = mkdtempSync(join(tmpdir(), 'clientele-demo-'))

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let issuer: string
let listeners: Listeners

// the process `npm start` runs has its ports fixed; this is the same demo at ports that are free
beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}`
  const config = await demoConfig({ issuer, tlsPort: await freePort(), folder })
  const log = createLog('silent')
  listeners = await listen(config, await createApp({ config, store: memoryStore(), log, demo: true }), log)
})
afterAll(async () => {
  await listeners.close(0)
  rmSync(folder, { recursive: true, force: true })
})

describe.each(withAndWithoutScript)('the demo, %s', (_name, javaScriptEnabled) => {
  it('leads from the home page to a token of the public client', async () => {
    const page = await newPage({ javaScriptEnabled })
    await page.goto(issuer)
    await page.getByRole('link', { name: 'Try it', exact: true }).click()
    await signIn(page)
    await page.getByRole('heading', { name: 'Allow Demo Browser App?' }).waitFor()
    await allow(page)
    await page.getByRole('heading', { name: 'Here is your token' }).waitFor()
    const shown = JSON.parse(await page.locator('pre').innerText()) as Record<string, string>
    expect(shown).toMatchObject({ token_type: 'Bearer', refresh_token: expect.any(String), id_token: expect.any(String) })
    expect(await apiStatus(issuer, shown['access_token'])).toBe(200)
    await page.getByRole('link', { name: 'Once more' }).click()
    await page.getByRole('heading', { name: 'Here is your token' }).waitFor()
    await page.goto(`${issuer}/account`)
    await page.locator('li', { hasText: 'Demo Browser App' }).getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('Demo Browser App no longer has access to your account.').waitFor()
    expect(await apiStatus(issuer, shown['access_token'])).toBe(401)
  })

  it('shows commands to paste on its home page, on a phone too', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await newPage({ javaScriptEnabled, colorScheme, viewport: { width: 390, height: 844 }, bypassCSP: true })
      await page.goto(issuer)
      for (const method of ['federated_jwt', 'spiffe_jwt', 'spiffe_x509', 'attest_jwt_client_auth_dpop'])
        await page.locator('summary', { hasText: new RegExp(`^${method}$`) }).click()
      await page.getByLabel('Command: spiffe_x509').filter({ hasText: 'demo-spiffe-x509.crt' }).waitFor()
      if (!javaScriptEnabled) continue
      await page.evaluate(axe)
      const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()')
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0)
    }
  })

  it('signs a person in for a client that nobody registered, and says so', async () => {
    const page = await newPage({ javaScriptEnabled })
    await page.goto(issuer)
    await page.getByRole('link', { name: 'Try it unregistered' }).click()
    await signIn(page)
    await page.getByText('nobody here vouches for it').waitFor()
    await page.getByText('loopback').first().waitFor()
    await allow(page)
    await page.getByRole('heading', { name: 'Here is your token' }).waitFor()
  })

  it('says so when the person denies', async () => {
    const page = await newPage({ javaScriptEnabled })
    await page.goto(`${issuer}/demo`)
    await signIn(page, 'bob', 'builder')
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('access_denied').waitFor()
  })
})

/** The pages that only the demo has, and those of its operators. */
async function visit(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await page.goto(`${issuer}/demo`)
  await look('login of the demo')
  await signIn(page)
  await look('consent of the demo')
  await allow(page)
  await page.getByRole('heading', { name: 'Here is your token' }).waitFor()
  await look('token of the demo')
  await page.goto(`${issuer}/demo/document`)
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  await look('consent to a document of the demo')
  for (const path of ['', '/demo/device', '/account/clients', '/decisions', '/playground/', '/nowhere']) {
    await page.goto(issuer + path)
    await look(`demo ${path}`)
  }
  await page.goto(`${issuer}/decisions`)
  await page.getByRole('row').getByRole('link').first().click()
  await look('a decision')
}

describe.each([
  ['a phone', { width: 390, height: 844 }],
  ['a desktop', { width: 1280, height: 800 }]
])('every page of the demo on %s', (device, viewport) => {
  it.each(['light', 'dark'] as const)('can be read and used, %s', async colorScheme => {
    const page = await newPage({ viewport, colorScheme })
    const found: Record<string, unknown> = {}
    await visit(page, async name => {
      const wrong = [...(await page.evaluate<string[]>(faintText)), ...(await page.evaluate<string[]>(faults))]
      if (wrong.length > 0) found[name] = wrong
      await picture(page, device, colorScheme, name)
    })
    expect(found).toEqual({})
  })
})
