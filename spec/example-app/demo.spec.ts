import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { exec } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { memoryStore } from 'clientele'
import { createApp } from '../../example-app/app.ts'
import { commandsOf, type DemoCommand } from '../../example-app/demo/commands.ts'
import { demoConfig } from '../../example-app/demo/settings.ts'
import { createLog } from '../../example-app/log.ts'
import { listen, type Listeners } from '../../example-app/server.ts'
import { Browser } from './browser.ts'
import { freePort } from './running-server.ts'

const shell = promisify(exec)
const home = mkdtempSync(join(tmpdir(), 'clientele-demo-'))
const folder = join(home, 'demo')

let issuer: string
let listeners: Listeners
let commands: DemoCommand[]

beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}`
  const options = { issuer, tlsPort: await freePort(), folder }
  await demoConfig(options)
  // the second time it is read back from the files
  const config = await demoConfig(options)
  commands = commandsOf(config, folder)
  const log = createLog('silent')
  listeners = await listen(config, await createApp({ config, store: memoryStore(), log, demo: true }), log)
})
afterAll(async () => {
  await listeners.close(0)
  rmSync(home, { recursive: true, force: true })
})

describe('the demo', () => {
  it.each([
    'client_secret_basic',
    'client_secret_post',
    'client_secret_jwt',
    'private_key_jwt',
    'tls_client_auth',
    'self_signed_tls_client_auth',
    'the tenant /acme/banking'
  ])('prints a command that gets a token: %s', async method => {
    const { command = 'false' } = commands.find(candidate => candidate.method === method) ?? {}
    const { stdout } = await shell(command)
    expect(JSON.parse(stdout)).toMatchObject({ access_token: expect.any(String), token_type: 'Bearer', scope: 'api:read' })
  })

  it('has an address that ends in a token for the public client', async () => {
    const browser = new Browser()
    const login = await browser.follow(await browser.get(`${issuer}/demo`))
    const consent = await browser.follow(await browser.submit(login, { username: 'alice', password: 'wonderland' }))
    const end = await browser.follow(await browser.submit(consent, { decision: 'allow' }))
    expect(end.url).toMatch(new RegExp(`^${issuer}/demo/callback\\?`))
    expect(end.status).toBe(200)
    expect(end.text).toMatch(/&quot;access_token&quot;/)
    expect((await browser.get(end.url)).status).toBe(400)
  })

  it('keeps its secrets from other users of the machine', () => {
    for (const file of ['material.json', 'demo-tls.key', 'server.key']) expect(statSync(join(folder, file)).mode & 0o077).toBe(0)
  })
})
