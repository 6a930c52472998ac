/** The docs site in Chromium: what it finds, how it looks and what it asks for. Any request elsewhere fails the test it is in. */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { checkNames } from 'clientele'
import { newPage } from './support/browser.ts'
import { serveDocs, type DocsSite } from './support/docs-site.ts'

let site: DocsSite
beforeAll(async () => {
  site = await serveDocs()
}, 300_000)
afterAll(() => site.close())

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Where pictures are kept for whoever wants to look at them. */
const pictures = process.env['SPEC_PICTURES']

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }
const desktop = { viewport: { width: 1280, height: 900 } }
const looks = [
  ['desktop, light', { ...desktop, colorScheme: 'light' }],
  ['desktop, dark', { ...desktop, colorScheme: 'dark' }],
  ['phone, light', { ...phone, colorScheme: 'light' }],
  ['phone, dark', { ...phone, colorScheme: 'dark' }]
] as const

async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name.replace(/\W+/g, '-')}.png`) })
}

async function open(path: string, options = {}): Promise<Page> {
  const page = await newPage(options)
  await page.goto(`${site.origin}${path}`, { waitUntil: 'networkidle' })
  return page
}

/** What the search finds for these words, best first. */
async function search(page: Page, words: string): Promise<readonly string[]> {
  await page.getByRole('button', { name: 'Search' }).click()
  await page.getByRole('searchbox').fill(words)
  const results = page.locator('.VPLocalSearchBox .result')
  await results.first().waitFor()
  const found = await results.all()
  return Promise.all(found.map(async result => (await result.getAttribute('href')) ?? ''))
}

describe('search', () => {
  it.each([
    ['private_key_jwt', '/methods/private_key_jwt'],
    ['assertion audience', '/errors/audience'],
    ['rotateSecret', '/credentials'],
    ['who authenticates what', '/client-authentication']
  ])('finds %s', async (words, address) => {
    const page = await open('/')
    const found = await search(page, words)
    expect(found.map(href => href.split('#')[0])).toContain(address)
    await page.locator(`.VPLocalSearchBox .result[href^="${address}"]`).first().click()
    await page.waitForURL(url => url.pathname === address)
    await page.getByRole('heading', { level: 1 }).waitFor()
  })
})

it('has the page of every check at its address', async () => {
  const answers = await Promise.all(
    checkNames.map(async check => [check, (await fetch(`${site.origin}/errors/${check}`)).status] as const)
  )
  expect(answers.filter(([, status]) => status !== 200)).toEqual([])
})

it('draws its diagrams before anybody looks, and tells them in words', async () => {
  const page = await open('/methods/private_key_jwt', { javaScriptEnabled: false })
  await page.getByRole('img', { name: 'Sequence diagram: What happens' }).waitFor()
  expect(await page.locator('.in-words li').first().textContent()).toMatch(/^billing → as\.example\.com: POST \/oauth2\/token/)
})

it('has the reference of the API, in which the same names are found', async () => {
  const page = await open('/api/index.html')
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('clientele')
})

describe.each(looks)('%s', (look, options) => {
  it.each([
    ['home', '/'],
    ['method', '/methods/private_key_jwt'],
    ['guide', '/client-authentication']
  ])('the page %s is fit to be read', async (name, path) => {
    const page = await open(path, options)
    await picture(page, `docs ${name} ${look}`)
    expect(await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')).toBe(false)
    await page.evaluate(axe)
    const violations = await page.evaluate(
      `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
        violations.flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html }) => id + ': ' + html.slice(0, 160))))`
    )
    expect(violations).toEqual([])
  })

  it('the search is fit to be read', async () => {
    const page = await open('/', options)
    expect(await search(page, 'replay')).toContain('/errors/replay#replay')
    await picture(page, `docs search ${look}`)
  })
})
