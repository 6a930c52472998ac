/** Chromium, one process for a spec file; a context is one person's browser. */
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals'
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core'

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

export const withAndWithoutScript = [
  ['with JavaScript', true],
  ['without JavaScript', false]
] as const

let browser: Browser | undefined
let contexts: BrowserContext[] = []
let complaints: string[] = []

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: quiet })
})
afterEach(async () => {
  await Promise.all(contexts.map(context => context.close()))
  contexts = []
  const heard = complaints
  complaints = []
  expect(heard).toEqual([])
})
afterAll(async () => {
  await browser?.close()
})

/**
 * A page in a browser nobody has used. A test in which Chromium complains (a policy violated, an error in a script) or asks any
 * address but this machine's fails; `expected` complaints are the test's own business.
 */
export async function newPage(options: BrowserContextOptions = {}, expected?: RegExp): Promise<Page> {
  if (browser === undefined) throw new Error('Chromium has not been started')
  const context = await browser.newContext(options)
  context.setDefaultTimeout(10_000)
  contexts.push(context)
  const hear = (text: string) => {
    if (expected?.test(text) !== true) complaints.push(text)
  }
  context.on('console', message => {
    // a page with an error status is said to have failed to load
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource: the server responded'))
      hear(message.text())
  })
  context.on('weberror', error => hear(error.error().message))
  context.on('request', request => {
    if (!['localhost', '127.0.0.1', ''].includes(new URL(request.url()).hostname)) hear(`asked ${request.url()}`)
  })
  return context.newPage()
}

/** Another tab or a fresh look of the same person's browser. */
export function anotherTab(page: Page): Promise<Page> {
  return page.context().newPage()
}
