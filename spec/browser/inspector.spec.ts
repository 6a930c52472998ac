/**
 * The MCP Inspector as it is published, in front of the example app's MCP server. It is no dependency of the project: it weighs 110 MB and needs
 * Node 22.19. This file runs where `MCP_INSPECTOR` is the folder it was installed to:
 *
 *     npm install --prefix FOLDER @modelcontextprotocol/inspector@2.12.0
 *     MCP_INSPECTOR=FOLDER npm run test:browser -- spec/browser/inspector.spec.ts
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freePort, startProcess, stop, type RunningServer } from '../example-app/running-server.ts'
import { newPage } from './support/browser.ts'
import { allow, signIn } from './support/site.ts'

const launcher = 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js'
const folder = mkdtempSync(join(tmpdir(), 'clientele-inspector-'))
let server: RunningServer
let inspector: ChildProcess
let address: string

beforeAll(async () => {
  const issuer = `http://localhost:${await freePort()}`
  server = await startProcess({
    issuer,
    accounts: [{ sub: 'u-alice', username: 'alice', password: 'wonderland' }],
    mcp: {},
    policy: { registration: 'open', registration_grant_types: ['authorization_code', 'refresh_token'] }
  })
  const ports = { CLIENT_PORT: await freePort(), MCP_SANDBOX_PORT: await freePort(), MCP_APP_ORIGIN_PORT: await freePort() }
  const args = [
    resolve(process.env['MCP_INSPECTOR'] ?? '', launcher),
    '--web',
    '--transport',
    'http',
    '--server-url',
    `${issuer}/mcp`
  ]
  inspector = spawn(process.execPath, args, {
    env: {
      ...process.env,
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
      ...{ HOME: folder, MCP_AUTO_OPEN_ENABLED: 'false', MCP_INSPECTOR_SECRET_STORE: 'memory', NODE_OPTIONS: '' }
    },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  address = await printedAddress(inspector)
}, 60_000)
afterAll(async () => {
  if (inspector.exitCode === null) {
    inspector.kill('SIGTERM')
    await once(inspector, 'close')
  }
  await stop(server)
  rmSync(folder, { recursive: true })
})

/** Where its page is, with the token that lets a browser in. */
async function printedAddress({ stdout, stderr }: ChildProcess): Promise<string> {
  let said = ''
  for (const stream of [stdout, stderr]) stream?.on('data', chunk => (said += String(chunk)))
  for (;;) {
    const found = /http:\/\/127\.0\.0\.1:\d+\S*_API_TOKEN=\w+/.exec(said)
    if (found !== null) return found[0]
    if (inspector.exitCode !== null) throw new Error(`the Inspector ended with ${inspector.exitCode}: ${said}`)
    await Promise.race([once(stdout ?? inspector, 'data'), once(inspector, 'close')])
  }
}

it('signs a person in, lists and calls a tool, and asks for more for the other', async () => {
  // its page loads a font from elsewhere
  const page = await newPage({ viewport: { width: 1280, height: 900 } }, /^asked https:|net::ERR/)
  await page.goto(address)
  await page.getByRole('switch', { name: 'Connect or disconnect' }).click({ force: true })
  await page.getByLabel('Username').waitFor()
  await signIn(page)
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Allow MCP Inspector?')
  expect(await page.getByRole('main').innerText()).toContain(`You go on to ${new URL(address).host}`)
  await allow(page)
  await page.getByText('Connected', { exact: true }).waitFor()
  await page.getByText('Tools', { exact: true }).click()
  await page.getByRole('button', { name: 'list_notes' }).click()
  await page.getByRole('button', { name: 'Execute Tool' }).click()
  await page.getByText('There are no notes yet.').waitFor()
  const add = async () => {
    await page.getByRole('button', { name: 'add_note' }).click()
    await page.getByRole('textbox', { name: 'text', exact: true }).fill('from the Inspector')
    await page.getByRole('button', { name: 'Execute Tool' }).click()
  }
  await add()
  await page.getByRole('dialog', { name: 'Additional permissions required' }).waitFor()
  await page.getByRole('button', { name: 'Authorize' }).click()
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  expect(await page.getByRole('listitem').allInnerTexts()).toContainEqual(expect.stringContaining('notes:write'))
  await allow(page)
  await page.getByText('Step-up authorization succeeded').waitFor()
  await add()
  await page.getByText('Kept: from the Inspector').waitFor()
})
