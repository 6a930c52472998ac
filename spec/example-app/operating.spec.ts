/** What an operator sets beside clients and people: where to listen, which proxies to believe, hashed passwords, and the keys' secret. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { memoryStore } from 'clientele'
import { openStore } from 'clientele/stores/open'
import { checkConfig } from '../../example-app/config/config.ts'
import { issuerKeys } from '../../example-app/keys.ts'
import { readMetricsAddress } from '../../example-app/metrics-address.ts'
import { createLog } from '../../example-app/log.ts'
import { people } from '../../example-app/people/accounts.ts'
import { cheapHash } from '../support/clients/cheap-hash.ts'
import { Browser } from './browser.ts'
import {
  configFile,
  failedStart,
  freePort,
  node,
  run,
  startProcess,
  startServer,
  stop,
  type HostedServer
} from './running-server.ts'

const secret = 'a-secret-of-the-machine'
const client = { client_id: 'machine', client_secret: secret, grant_types: ['client_credentials'], scope: 'api:read' }
const https = 'https://as.example.com/auth'

function tokenRequest(url: string, given = secret, forwarded = '192.0.2.1'): Promise<Response> {
  return fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`machine:${given}`).toString('base64')}`,
      'x-forwarded-for': forwarded,
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http'
    },
    body: new URLSearchParams({ grant_type: 'client_credentials' })
  })
}

describe('behind a proxy that ends TLS', () => {
  let port: number
  let server: HostedServer
  let address: string
  const accounts = [{ sub: 'u-alice', username: 'alice', password: 'wonderland' }]

  beforeAll(async () => {
    port = await freePort()
    address = `http://127.0.0.1:${port}/auth`
    const listen = { host: '127.0.0.1', port }
    const policy = { failure_budget: { attempts: 2, window: 60 } }
    server = await startServer(
      { issuer: https, listen, trust_proxy: ['loopback'], clients: [client], accounts, policy },
      { LOG_LEVEL: 'info' }
    )
  })
  afterAll(() => stop(server))

  it('serves plain HTTP where it is told to, under the https issuer', async () => {
    const metadata = (await (await fetch(`${address}/.well-known/openid-configuration`)).json()) as Record<string, string>
    expect(metadata).toMatchObject({ issuer: https, token_endpoint: `${https}/oauth2/token` })
    expect(JSON.stringify(metadata)).not.toMatch(/http:|evil/)
    const answer = await fetch(`${address}/account`)
    expect(answer.headers.get('set-cookie')).toMatch(/; Secure/)
    expect(answer.headers.get('strict-transport-security')).toMatch(/^max-age=/)
  })

  it('issues tokens which its demo API takes', async () => {
    const { access_token } = (await (await tokenRequest(address)).json()) as { access_token: string }
    const answer = await fetch(`${address}/api/whoami`, { headers: { authorization: `Bearer ${access_token}` } })
    expect(await answer.json()).toMatchObject({ client_id: 'machine' })
  })

  it('tells networks apart by what the proxy says, and believes nobody else', async () => {
    for (let attempt = 0; attempt < 3; attempt += 1) await tokenRequest(address, 'wrong', '198.51.100.7')
    expect((await tokenRequest(address, secret, '198.51.100.7')).status).toBe(429)
    expect((await tokenRequest(address, secret, '198.51.100.8')).status).toBe(200)
    // whoever stands behind the proxy and writes an address of its own in front
    expect((await tokenRequest(address, secret, '198.51.100.9, 198.51.100.7')).status).toBe(429)
  })

  it('writes an access line with client, method, error, time and trace', async () => {
    await tokenRequest(address, 'wrong', '203.0.113.1')
    await tokenRequest(address, secret, '203.0.113.2')
    const lines = server
      .stdout()
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg, path }) => msg === 'request' && path === '/auth/oauth2/token')
    expect(lines.findLast(({ status }) => status === 401)).toMatchObject({
      client_id: 'machine',
      auth_method: 'client_secret_basic',
      error: 'invalid_client',
      ms: expect.any(Number),
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/)
    })
    const good = lines.findLast(({ status }) => status === 200)
    expect(good).toMatchObject({ client_id: 'machine', auth_method: 'client_secret_basic' })
    expect(good).not.toHaveProperty('error')
  })
})

describe('listen and trust_proxy', () => {
  const warningsOf = (settings: object) => checkConfig({ issuer: https, listen: {}, ...settings }, '.').warnings

  it('warn of a proxy behind which all are one network', () => {
    expect(warningsOf({})).toEqual([expect.stringMatching(/^trust_proxy names no proxy/)])
    expect(warningsOf({ trust_proxy: ['10.0.0.0/8'] })).toEqual([])
  })

  it.each<[string, object]>([
    ['trust_proxy[0]', { trust_proxy: ['true'] }],
    ['trust_proxy[0]', { trust_proxy: ['10.0.0.0/33'] }],
    ['trust_proxy[0]', { trust_proxy: ['0.0.0.0/0'] }],
    ['trust_proxy[0]', { trust_proxy: ['::/0'] }],
    ['trust_proxy[0]', { trust_proxy: [1] }],
    ['trust_proxy', { trust_proxy: true }],
    ['listen.port', { listen: { port: 0 } }],
    ['listen.address', { listen: { address: '::' } }],
    ['tls', { listen: undefined }]
  ])('name what is wrong: %s', (path, settings) => {
    expect(() => checkConfig({ issuer: https, listen: {}, ...settings }, '.')).toThrow(
      new RegExp(`^${path.replace(/[[\]]/g, '\\$&')} must `)
    )
  })

  it('say which of the two cannot be had', async () => {
    const port = await freePort()
    const wrong = { issuer: `http://localhost:${port}`, listen: { host: '192.0.2.1', port } }
    const { code, stderr } = await failedStart({ CONFIG: configFile(wrong) })
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'listen.host must be an address of this machine (192.0.2.1 is not)\n' })
  })

  it('listen on every address of the machine where no host is named and the issuer is none', async () => {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'clientele-listen-'))
    const server = await startServer({ issuer: https, listen: { port } }, { STORE_URL: `sqlite:${join(folder, 'store.db')}` })
    // people rely on it, and its keys lie open
    expect(server.stdout()).toContain('KEYS_SECRET is not set')
    const addresses = Object.values(networkInterfaces()).flatMap(found => found ?? [])
    const own = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
    expect((await fetch(`http://${own}:${port}/auth/healthz`)).status).toBe(200)
    await stop(server)
    rmSync(folder, { recursive: true })
  })
})

describe('the secret of the signing keys', () => {
  const names = ['KEYS_SECRET', 'KEYS_SECRET_PREVIOUS'] as const
  const [old, next] = ['the-old-secret-of-the-signing-keys', 'the-new-secret-of-the-signing-keys']
  const store = memoryStore()
  afterEach(() => {
    for (const name of names) Reflect.deleteProperty(process.env, name)
  })

  async function keysUnder(...secrets: readonly (string | undefined)[]): Promise<unknown> {
    names.forEach((name, index) => {
      Reflect.deleteProperty(process.env, name)
      if (secrets[index] !== undefined) process.env[name] = secrets[index]
    })
    const { keys } = await issuerKeys(store, https, createLog('silent'))
    keys.close()
    return keys.current()
  }

  it('is replaced by another, and not forgotten unnoticed', async () => {
    const first = await keysUnder()
    expect(await keysUnder(old)).toEqual(first)
    await expect(keysUnder(next)).rejects.toThrow(/^KEYS_SECRET must be .*KEYS_SECRET_PREVIOUS/)
    await expect(keysUnder()).rejects.toThrow(/^KEYS_SECRET must be/)
    await expect(keysUnder(undefined, old)).rejects.toThrow(/^KEYS_SECRET must be given/)
    await expect(keysUnder(next, 'short')).rejects.toThrow(/^KEYS_SECRET_PREVIOUS must be/)
    expect(await keysUnder(next, old)).toEqual(first)
    expect(await keysUnder(next)).toEqual(first)
  })
})

describe('hashed passwords', () => {
  it('are verified beside plain ones', async () => {
    const hashed = { sub: 'u-1', username: 'one', password: cheapHash('first'), claims: {} }
    const plain = { sub: 'u-2', username: 'two', password: 'second', claims: {} }
    const both = people([hashed, plain])
    expect(await both.verify('one', 'first')).toBe(hashed)
    expect(await both.verify('two', 'second')).toBe(plain)
    for (const [name, password] of [
      ['one', 'second'],
      ['one', hashed.password],
      ['one', ''],
      ['two', 'first'],
      ['nobody', 'first'],
      ['one', 'x'.repeat(100_000)]
    ] as const)
      expect(await both.verify(name, password)).toBeUndefined()
  })

  it.each(['$scrypt$', '$scrypt$ln=14,r=8,p=5$c2FsdA$a2V5', '$scrypt$ln=14$c2FsdA$a2V5'])(
    'are refused at start where they are none: %s',
    password => {
      const accounts = [{ sub: 'u', username: 'u', password }]
      expect(() => checkConfig({ issuer: 'http://localhost:4010', accounts }, '.')).toThrow(
        /^accounts\[0\]\.password must be as clientele hash-secret printed it$/
      )
    }
  )

  it('sign people in', async () => {
    const port = await freePort()
    const issuer = `http://localhost:${port}`
    const accounts = [{ sub: 'u-1', username: 'one', password: cheapHash('first') }]
    const server = await startServer({ issuer, accounts })
    const browser = new Browser()
    const refused = await browser.submit(await browser.get(`${issuer}/account`), { username: 'one', password: 'second' })
    expect(refused.status).toBe(401)
    const page = await browser.follow(await browser.submit(refused, { username: 'one', password: 'first' }))
    expect([page.status, page.url]).toEqual([200, `${issuer}/account`])
    await stop(server)
  })
})

describe('METRICS', () => {
  it('serves the figures of OpenTelemetry on a listener of its own', async () => {
    const [port, metricsPort] = [await freePort(), await freePort()]
    const issuer = `http://localhost:${port}`
    const server = await startProcess({ issuer, clients: [client] }, { METRICS: String(metricsPort) })
    expect((await tokenRequest(issuer)).status).toBe(200)
    expect((await tokenRequest(issuer, 'wrong')).status).toBe(401)
    const figures = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    expect(figures).toMatch(
      /^clientele_authentications_total\{[^}]*method="client_secret_basic"[^}]*outcome="succeeded"[^}]*\} 1/m
    )
    expect(figures).toMatch(/^clientele_authentications_total\{[^}]*outcome="refused"[^}]*failed_check="secret"/m)
    expect(figures).toMatch(/^clientele_token_duration_bucket/m)
    expect(figures).not.toContain('machine')
    expect((await fetch(`http://127.0.0.1:${metricsPort}/`)).status).toBe(404)
    expect((await fetch(`${issuer}/metrics`)).status).toBe(404)
    const taken = await run(node, { CONFIG: configFile({ issuer }), METRICS: String(metricsPort) }).ended
    expect(taken.stderr).toMatch(/^METRICS must name an address this server can listen on/)
    expect((await stop(server))?.code).toBe(0)
  })

  it.each(['http://x', '0', '70000', 'host', '127.0.0.1:'])('refuses %s', value => {
    expect(() => readMetricsAddress(value)).toThrow(/^METRICS must be a port/)
  })
})

describe('a backup', () => {
  it('of an embedded store is taken while the server runs, and restored by putting it back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clientele-backup-'))
    const [live, backup] = [join(folder, 'live.db'), join(folder, 'backup.db')]
    const key = { kind: 'grant', id: 'kept' }
    const store = await openStore(`sqlite:${live}`)
    await store.set(key, { kept: true }, 3600)
    const database = new Database(live)
    database.exec(`VACUUM INTO '${backup}'`)
    database.close()
    await store.delete(key)
    await store.close()
    for (const file of [live, `${live}-wal`, `${live}-shm`]) rmSync(file, { force: true })
    renameSync(backup, live)
    const restored = await openStore(`sqlite:${live}`)
    expect((await restored.get(key))?.value).toEqual({ kept: true })
    expect(await restored.add({ kind: 'jti', id: 'new' }, null, 60)).toBe(true)
    await restored.close()
    rmSync(folder, { recursive: true })
  })
})

describe('the container', () => {
  it('takes what is there, and runs as nobody in particular', () => {
    const dockerfile = readFileSync('Dockerfile', 'utf8')
    const [, build = '', last = ''] = dockerfile.split(/^FROM .*$/m)
    const copied = [...build.matchAll(/^COPY (.+)$/gm)].flatMap(([, words = '']) => words.split(' ').slice(0, -1))
    const ignored = readFileSync('.dockerignore', 'utf8')
    for (const source of copied)
      expect([source, existsSync(source), ignored.includes(`!${source}\n`)]).toEqual([source, true, true])
    expect(last).toMatch(/^USER node$/m)
    expect(last).toMatch(/^HEALTHCHECK /m)
    expect(last.indexOf('USER node')).toBeLessThan(last.indexOf('CMD ['))
  })

  it('is configured as the file beside it says', () => {
    const settings = JSON.parse(readFileSync('deploy/server.json', 'utf8')) as object
    const { warnings, settings: read } = checkConfig(settings, 'deploy')
    expect(warnings).toEqual([])
    const compose = readFileSync('compose.yaml', 'utf8')
    for (const proxy of read.trust_proxy) expect(compose).toContain(`subnet: ${proxy}`)
    expect(readFileSync('deploy/nginx.conf', 'utf8')).toContain(`listen ${new URL(read.issuer).port} ssl;`)
    for (const [, file = ''] of compose.matchAll(/- \.\/(\S+?):/g)) expect([file, existsSync(file)]).toEqual([file, true])
  })
})
