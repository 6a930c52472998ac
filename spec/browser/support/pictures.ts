/** Pictures of pages, for people to look at: made where SCREENSHOTS names a folder for them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

/** @param words name the page, and what it is looked at on. */
export async function picture(page: Page, ...words: readonly string[]): Promise<void> {
  const folder = process.env['SCREENSHOTS']
  if (folder === undefined || folder === '') return
  mkdirSync(folder, { recursive: true })
  const name = words
    .join(' ')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 100)
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
