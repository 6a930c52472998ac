import { afterAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readStoreUrl } from '../../example-app/store.ts'
import { Browser } from './browser.ts'
import { configFile, failedStart, freePort, node, startProcess, stop } from './running-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'clientele-store-'))
const secret = 'a-secret-nobody-may-read-in-logs'
const password = 'pa55word-of-the-store'

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function settings(issuer: string): object {
  return {
    issuer,
    clients: [
      {
        client_id: 'web',
        client_secret: secret,
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        redirect_uris: ['http://localhost:1/callback']
      }
    ],
    accounts: [{ sub: 'u-alice', username: 'alice', password: 'wonderland' }],
    policy: { refresh_token_rotation: 'always' }
  }
}

async function token(issuer: string, form: Record<string, string>) {
  const headers = { authorization: `Basic ${Buffer.from(`web:${secret}`).toString('base64')}` }
  const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(form) })
  const body = (await response.json()) as Record<string, string>
  return { status: response.status, ...body } as { status: number; access_token: string; refresh_token: string; error?: string }
}

const authorization = (issuer: string) =>
  `${issuer}/oauth2/authorize?${new URLSearchParams({
    client_id: 'web',
    response_type: 'code',
    redirect_uri: 'http://localhost:1/callback',
    scope: 'openid offline_access api:read',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256'
  }).toString()}`

const redemption = (code: string) => ({
  grant_type: 'authorization_code',
  redirect_uri: 'http://localhost:1/callback',
  code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  code
})

/** Lets Alice sign in and allow; answers with the code. */
async function signIn(browser: Browser, issuer: string): Promise<string> {
  const login = await browser.follow(await browser.get(authorization(issuer)))
  const consent = await browser.follow(await browser.submit(login, { username: 'alice', password: 'wonderland' }))
  return codeOf(await browser.follow(await browser.submit(consent, { decision: 'allow' })))
}

const codeOf = (page: { readonly location: string | undefined }) =>
  new URL(page.location ?? 'none:').searchParams.get('code') ?? 'no code'

describe('STORE_URL', () => {
  it.each([
    [undefined, { engine: 'sqlite', address: 'data/clientele.db' }],
    ['', { engine: 'sqlite', address: 'data/clientele.db' }],
    ['memory:', { engine: 'memory', address: '' }],
    ['sqlite:store.db', { engine: 'sqlite', address: 'store.db' }],
    ['sqlite:/var/lib/store.db', { engine: 'sqlite', address: '/var/lib/store.db' }],
    ['sqlite:///var/lib/store.db', { engine: 'sqlite', address: '/var/lib/store.db' }],
    ['redis://localhost', { engine: 'redis', address: 'redis://localhost' }],
    ['rediss://u:p@redis.example:6380/1', { engine: 'redis', address: 'rediss://u:p@redis.example:6380/1' }],
    ['redis://one:6379,redis://u:p,q@two:6379', { engine: 'redis', address: 'redis://one:6379,redis://u:p,q@two:6379' }],
    ['postgres://u:p@db.example/x', { engine: 'postgres', address: 'postgres://u:p@db.example/x' }],
    ['postgresql://db.example/x', { engine: 'postgres', address: 'postgresql://db.example/x' }]
  ])('%p is a store', (url = '', setting) => {
    expect(readStoreUrl(url)).toEqual({ ...setting, url: url === '' ? 'sqlite:data/clientele.db' : url })
  })

  it.each(['memory', 'sqlite:', 'sqlite://', 'mysql://localhost/x', 'redis:', 'http://localhost', 'data/clientele.db', ' '])(
    '%p is none',
    url => {
      expect(() => readStoreUrl(url)).toThrow(/^STORE_URL must be memory:, sqlite:<file>, redis:/)
    }
  )

  const junk = join(folder, 'junk.db')
  writeFileSync(junk, 'no database, but a text of some length\n'.repeat(100))
  it.each([
    [`redis://user:${password}@127.0.0.1:1/0`, 'must name a Redis server that answers (ECONNREFUSED)'],
    [`postgres://user:${password}@127.0.0.1:1/x`, 'must name a PostgreSQL database that answers (ECONNREFUSED)'],
    [`sqlite:${folder}/no/such/folder/store.db`, 'must name a database file that can be read and written (ENOENT)'],
    [`sqlite:${junk}`, 'must name a database file that can be read and written (SQLITE_NOTADB)'],
    [`redis://user:${password}@127.0.0.1:1,redis://127.0.0.1:2`, 'must name a Redis server that answers'],
    [`mysql://user:${password}@localhost/x`, 'must be memory:']
  ])('%s ends the start with one line', async (url, mustBe) => {
    const env = { STORE_URL: url, CONFIG: configFile(settings('http://localhost:4010')) }
    const { code, stdout, stderr } = await failedStart(env)
    expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 1, lines: 1 })
    expect(stderr).toContain(`STORE_URL ${mustBe}`)
    expect(stdout + stderr).not.toMatch(new RegExp(`ready|${password}`))
  })
})

describe('the embedded store', () => {
  it('is a file in the folder the server is started in, and nobody else’s to read', async () => {
    const cwd = mkdtempSync(join(folder, 'cwd-'))
    const server = await startProcess(settings(`http://localhost:${await freePort()}`), { STORE_URL: '' }, node, cwd)
    await stop(server)
    expect(statSync(join(cwd, 'data')).mode & 0o077).toBe(0)
    expect(statSync(join(cwd, 'data', 'clientele.db')).mode & 0o077).toBe(0)
  })

  it('has everything after a restart, whether the server was stopped or killed', async () => {
    const issuer = `http://localhost:${await freePort()}`
    const env = { STORE_URL: `sqlite:${join(folder, 'restart.db')}` }
    const keysOf = async () => (await fetch(`${issuer}/oauth2/jwks`)).json()
    const whoami = (access_token: string) =>
      fetch(`${issuer}/api/whoami`, { headers: { authorization: `Bearer ${access_token}` } })

    const first = await startProcess(settings(issuer), env)
    const browser = new Browser()
    const code = await signIn(browser, issuer)
    const bought = await token(issuer, redemption(code))
    const unused = codeOf(await browser.get(authorization(issuer)))
    const keys = await keysOf()
    expect((await stop(first))?.code).toBe(0)

    const second = await startProcess(settings(issuer), env)
    expect(await keysOf()).toEqual(keys)
    expect((await whoami(bought.access_token)).status).toBe(200)
    const refreshed = await token(issuer, { grant_type: 'refresh_token', refresh_token: bought.refresh_token })
    expect(refreshed.status).toBe(200)
    second.child.kill('SIGKILL')
    await second.ended

    const third = await startProcess(settings(issuer), env)
    // the session, and what was agreed in it
    expect(codeOf(await browser.get(authorization(issuer)))).not.toBe('no code')
    expect((await token(issuer, redemption(unused))).status).toBe(200)
    expect((await whoami(refreshed.access_token)).status).toBe(200)
    expect((await token(issuer, { grant_type: 'refresh_token', refresh_token: refreshed.refresh_token })).status).toBe(200)
    // what was spent stays spent
    expect(await token(issuer, redemption(code))).toMatchObject({ status: 400, error: 'invalid_grant' })
    await stop(third)
  })

  it('knows the clients that registered themselves after a restart', async () => {
    const issuer = `http://localhost:${await freePort()}`
    const env = { STORE_URL: `sqlite:${join(folder, 'registered.db')}` }
    const open = { ...settings(issuer), policy: { registration: 'open' } }

    const first = await startProcess(open, env)
    const response = await fetch(`${issuer}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Newcomer', grant_types: ['client_credentials'], scope: 'api:read' })
    })
    const client = (await response.json()) as Record<string, string>
    expect(response.status).toBe(201)
    first.child.kill('SIGKILL')
    await first.ended

    const second = await startProcess(open, env)
    const secrets = `${client['client_id'] ?? ''}:${client['client_secret'] ?? ''}`
    const answer = await fetch(`${issuer}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(secrets).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' })
    })
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ scope: 'api:read' })])
    const managed = await fetch(client['registration_client_uri'] ?? '', {
      headers: { authorization: `Bearer ${client['registration_access_token'] ?? ''}` }
    })
    expect([managed.status, await managed.json()]).toEqual([200, expect.objectContaining({ client_name: 'Newcomer' })])
    await stop(second)
  })

  it('serves two processes at once', async () => {
    const env = { STORE_URL: `sqlite:${join(folder, 'shared.db')}` }
    const issuers = [`http://localhost:${await freePort()}`, `http://localhost:${await freePort()}`]
    const servers = await Promise.all(issuers.map(issuer => startProcess(settings(issuer), env)))
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => token(issuers[index % 2] ?? '', { grant_type: 'client_credentials' }))
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    await Promise.all(servers.map(stop))
  })
})
