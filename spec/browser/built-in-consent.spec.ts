/** The consent page that `signIn: upstream()` brings: for a client with a document, one that registered and one that is known, however each calls itself. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { sendConsentPage } from '../../lib/sign-in/pages.ts'
import { newPage } from './support/browser.ts'
import { faintText, faults } from './support/looks.ts'
import { picture } from './support/pictures.ts'

const name = '<img src=x onerror=alert(1)>'.repeat(3)
const host = 'a-name-as-long-as-names-of-hosts-may-be-0123456789abcdefghijklmno.documents.example:8443'
const document = {
  host,
  redirect_host: '127.0.0.1:7777',
  first_seen: 0,
  loopback: true,
  changed: ['client_name', 'jwks'] as const
}
const prompts: Readonly<Record<string, object>> = {
  document: { client_origin: 'document', document },
  elsewhere: {
    client_origin: 'document',
    document: { ...document, loopback: false, changed: [] },
    redirect_uri: 'https://app.documents.example/callback'
  },
  registered: { client_origin: 'registered' },
  configured: { client_origin: 'configured', scope: [] }
}
let server: Server
let origin: string

beforeAll(async () => {
  const app = express()
  app.get('/:kind', (req, res) => {
    const prompt = {
      ...{ client: { client_id: 'client', client_name: name }, redirect_uri: 'http://127.0.0.1:7777/callback' },
      ...{ scope: ['notes:read', 'notes:write'], claims: ['email'], resources: ['https://mcp.example.com/mcp'] },
      ...{ authorization_details: [{ type: 'payment', amount: '1"<b>' }], ...prompts[req.params.kind] }
    }
    const meanings = new Map([['notes:read', 'Read your <notes>']])
    const page = { prompt, meanings, person: 'Alice & <b>Bob</b>', action: '/consent', fields: { interaction: 'i"' } }
    sendConsentPage(res, page as never)
  })
  server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const screens = [
  { width: 390, height: 844 },
  { width: 320, height: 568 },
  { width: 1280, height: 800 }
]

it.each(screens.flatMap(viewport => (['light', 'dark'] as const).map(colorScheme => ({ viewport, colorScheme }))))(
  'can be read and used, $colorScheme, $viewport.width wide',
  async look => {
    const page = await newPage(look)
    for (const kind of Object.keys(prompts)) {
      await page.goto(`${origin}/${kind}`)
      await picture(page, 'built-in consent', String(look.viewport.width), look.colorScheme, kind)
      expect([kind, await page.evaluate(faintText), await page.evaluate(faults)]).toEqual([kind, [], []])
    }
  }
)

it('says who asks, and where the answer goes', async () => {
  const page = await newPage()
  const textOf = async (kind: string) => {
    await page.goto(`${origin}/${kind}`)
    return page.getByRole('main').innerText()
  }
  const documented = await textOf('document')
  for (const words of [host, 'loopback', '127.0.0.1:7777', name, 'its name, its keys']) expect(documented).toContain(words)
  const elsewhere = await textOf('elsewhere')
  expect(elsewhere).toContain('app.documents.example')
  expect(elsewhere).not.toMatch(/loopback|has changed/)
  expect(await textOf('registered')).toMatch(/registered itself.*loopback/s)
  expect(await textOf('configured')).not.toMatch(/vouches|loopback/)
  expect(await page.locator('img, script').count()).toBe(0)
})
