import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { exec } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { memoryStore } from 'clientele'
import { createApp } from '../../example-app/app.ts'
import { cibaCommands, commandsOf, type DemoCommand } from '../../example-app/demo/commands.ts'
import { demoConfig } from '../../example-app/demo/settings.ts'
import { createLog } from '../../example-app/log.ts'
import { listen, type Listeners } from '../../example-app/server.ts'
import { Browser } from './browser.ts'
import { freePort } from './running-server.ts'

const shell = promisify(exec)
const home = mkdtempSync(join(tmpdir(), 'clientele-demo-'))
const folder = join(home, 'demo')

let issuer: string
let tlsPort: number
let listeners: Listeners
let commands: DemoCommand[]
let ciba: string[]

beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}`
  tlsPort = await freePort()
  const options = { issuer, tlsPort, folder }
  await demoConfig(options)
  // the second time it is read back from the files
  const config = await demoConfig(options)
  commands = commandsOf(config)
  ciba = cibaCommands(config)
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
    'attest_jwt_client_auth',
    'attest_jwt_client_auth_dpop',
    'federated_jwt',
    'spiffe_jwt',
    'spiffe_x509',
    'a workload’s token as a grant, without client authentication',
    'private_key_jwt, a client with a document',
    'the tenant /acme/banking'
  ])('prints a command that gets a token, from any folder, and ends in a call of the API: %s', async method => {
    const { command = 'false' } = commands.find(candidate => candidate.method === method) ?? {}
    const { stdout, stderr } = await shell(command, { cwd: tmpdir() })
    const bound = method === 'attest_jwt_client_auth_dpop'
    const token = { access_token: expect.any(String), token_type: bound ? 'DPoP' : 'Bearer', scope: 'api:read' }
    expect(JSON.parse(bound ? stdout : stderr)).toMatchObject(token)
    if (!bound) expect(JSON.parse(stdout)).toMatchObject({ client_id: expect.any(String), scope: 'api:read' })
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

  it('has another for a client that nobody registered, whose document it publishes', async () => {
    const browser = new Browser()
    const login = await browser.follow(await browser.get(`${issuer}/demo/document`))
    const consent = await browser.follow(await browser.submit(login, { username: 'alice', password: 'wonderland' }))
    expect(consent.text).toContain(`localhost:${tlsPort}`)
    const end = await browser.follow(await browser.submit(consent, { decision: 'allow' }))
    expect(end.text).toMatch(/&quot;access_token&quot;/)
  })

  it('shows on its home page the commands that hold no secret, and no other', async () => {
    const { text } = await new Browser().get(issuer)
    const escaped = (value: string) => value.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
    for (const { command, hasSecret } of commands) expect(text.includes(escaped(command))).toBe(!hasSecret)
    const { secrets } = JSON.parse(readFileSync(join(folder, 'material.json'), 'utf8')) as { secrets: Record<string, string> }
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret)
  })

  it('publishes what its platform and its trust domain are known by, and nothing private', async () => {
    for (const path of [
      'platform/.well-known/openid-configuration',
      'platform/jwks',
      'spiffe/bundle',
      'app.json',
      'machine.json'
    ]) {
      const answer = await fetch(`${issuer}/demo/${path}`)
      expect([path, answer.status, answer.headers.get('set-cookie')]).toEqual([path, 200, null])
      expect(await answer.text()).not.toMatch(/"d":/)
    }
  })

  it('has a television that shows a code and a picture, and ends in a token once its person has allowed it', async () => {
    const browser = new Browser()
    const waiting = await browser.get(`${issuer}/demo/device`)
    expect(waiting.text).toContain('http-equiv="refresh"')
    const address = /<a href="([^"]+\?user_code=[^"]+)"/.exec(waiting.text)?.[1] ?? ''
    const picture = /<img class="qr" src="([^"]+)"/.exec(waiting.text)?.[1] ?? ''
    expect((await browser.get(issuer + picture)).headers.get('content-type')).toContain('image/svg+xml')
    expect((await browser.get(`${issuer}/demo/device`)).text).toContain('Waiting for you')
    const login = await browser.get(address)
    const request = await browser.follow(await browser.submit(login, { username: 'alice', password: 'wonderland' }))
    await browser.submit(request, { decision: 'allow' })
    const end = await browser.get(`${issuer}/demo/device`)
    expect(end.text).toMatch(/&quot;access_token&quot;/)
    expect((await browser.get(`${issuer}/demo/device`)).text).toContain('Waiting for you')
  })

  it.each([
    ['no JSON', 'x'],
    ['nothing', Buffer.from('null').toString('base64url')],
    ['something else', Buffer.from('{"device_code":{}}').toString('base64url')],
    ['an address that is none', Buffer.from('{"device_code":"x","verification_uri":"x","interval":5}').toString('base64url')]
  ])('has a television that begins anew where what it kept is %s', async (_, kept) => {
    const browser = new Browser()
    await browser.get(`${issuer}/demo/device`)
    for (const [name, cookie] of browser.cookies)
      if (name.startsWith('television')) browser.cookies.set(name, { ...cookie, value: kept })
    const page = await browser.get(`${issuer}/demo/device`)
    expect([page.status, page.text.includes('Waiting for you')]).toEqual([200, true])
  })

  it('prints two commands that ask for a person, who decides on a page in between', async () => {
    const [ask = '', call = ''] = ciba
    const { stdout: asked } = await shell(`${ask}; echo $ASKED`, { cwd: tmpdir() })
    const early = await shell(`ASKED=${asked.trim()}; ${call}`, { cwd: tmpdir() })
    expect(early.stderr).toContain('authorization_pending')
    const browser = new Browser()
    const login = await browser.get(`${issuer}/ciba`)
    const page = await browser.follow(await browser.submit(login, { username: 'alice', password: 'wonderland' }))
    expect(page.text).toContain('A-42')
    await browser.submit(page, { decision: 'allow' })
    // asked again sooner than in five seconds it would be told to slow down
    await new Promise(resolve => setTimeout(resolve, 5100))
    const { stdout, stderr } = await shell(`ASKED=${asked.trim()}; ${call}`, { cwd: tmpdir() })
    expect(JSON.parse(stderr)).toMatchObject({ access_token: expect.any(String), id_token: expect.any(String) })
    expect(JSON.parse(stdout)).toEqual({ sub: 'u-alice', client_id: 'demo-ciba', scope: expect.stringContaining('api:read') })
  }, 15_000)

  it('names on its login page the people there are, and their passwords', async () => {
    for (const [address, named] of [
      [issuer, ['alice / wonderland', 'bob / builder']],
      [`${issuer}/acme/banking`, ['carol / ledger']]
    ] as const) {
      const { text } = await new Browser().get(`${address}/account`)
      for (const person of named) expect(text).toContain(person)
    }
  })

  it('says of the television’s picture that a phone cannot come to this machine’s own address', async () => {
    expect((await new Browser().get(`${issuer}/demo/device`)).text).toContain('A phone cannot open it')
  })

  it('keeps its secrets from other users of the machine', () => {
    for (const file of ['material.json', 'demo-tls.key', 'server.key']) expect(statSync(join(folder, file)).mode & 0o077).toBe(0)
  })
})

describe('the TLS listener', () => {
  function handshake(options: ConnectionOptions): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const ca = readFileSync(join(folder, 'ca.crt'))
      const socket = connect({ host: '127.0.0.1', servername: 'localhost', port: tlsPort, ca, ...options }, () => resolve(socket))
      socket.once('error', reject).once('secureConnect', () => socket.end())
    })
  }

  it.each(['127.0.0.1', '::1'])('speaks TLS 1.3 on %s, and asks for a certificate without needing one', async host => {
    expect((await handshake({ host })).getProtocol()).toBe('TLSv1.3')
  })

  it.each(['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'])('speaks TLS 1.2 with %s', async ciphers => {
    expect((await handshake({ maxVersion: 'TLSv1.2', ciphers })).getCipher().name).toBe(ciphers)
  })

  it.each([
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-SHA256',
    'ECDHE-ECDSA-AES256-SHA',
    'AES128-GCM-SHA256',
    'DHE-RSA-AES128-GCM-SHA256'
  ])('refuses TLS 1.2 with %s', async ciphers => {
    await expect(handshake({ maxVersion: 'TLSv1.2', ciphers })).rejects.toThrow(/handshake failure/)
  })

  it('refuses TLS 1.1', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
    await expect(handshake(old)).rejects.toThrow(/protocol version/)
  })
})
