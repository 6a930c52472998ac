/** Settings that stand for options of the library's: secrets another server kept, the end of refresh tokens, the digest in proofs. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import bcrypt from 'bcryptjs'
import { argon2id } from 'hash-wasm'
import { createHash, pbkdf2Sync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { memoryStore } from 'clientele'
import { createApp } from '../../example-app/app.ts'
import { checkConfig } from '../../example-app/config/config.ts'
import { lintConfiguration } from '../../example-app/config/lint.ts'
import { createLog } from '../../example-app/log.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'
import { serve, type Serving } from './in-process.ts'
import { Browser } from './browser.ts'
import { alice, redeem, redirect_uri, through } from './visit.ts'

const secret = 'kept by another server, for years'
const folder = mkdtempSync(join(tmpdir(), 'clientele-hashes-'))
const of = (library: string) => JSON.stringify(pathToFileURL(createRequire(import.meta.url).resolve(library)).href)
const modules = {
  'bcrypt.mjs': `import bcrypt from ${of('bcryptjs')}\nexport default bcrypt.compare`,
  'argon2.mjs': `import wasm from ${of('hash-wasm')}\nexport default (password, hash) => wasm.argon2Verify({ password, hash })`,
  'django.mjs': `import { pbkdf2Sync } from 'node:crypto'
    export default (secret, hash) => {
      const [, iterations, salt, key] = hash.split('$')
      return pbkdf2Sync(secret, salt, Number(iterations), 32, 'sha256').toString('base64') === key
    }`,
  'nothing.mjs': 'export const verify = () => true',
  'broken.mjs': "throw new Error('on purpose')",
  'runs.mjs': 'globalThis.ranWhatAConfigurationNames = true\nexport default () => true'
}
for (const [name, source] of Object.entries(modules)) writeFileSync(join(folder, name), source)
afterAll(() => rmSync(folder, { recursive: true }))

const credentials = (hash: string) => ({
  grant_types: ['client_credentials'],
  credentials: [{ type: 'secret', id: 'old', hash }]
})
const api = { resource: 'https://api.example.com', scopes: ['api:read'] }

describe('secret_hashes', () => {
  let serving: Serving

  beforeAll(async () => {
    const salt = 'NaCl'
    const argon = await argon2id({
      ...{ password: secret, salt: '0123456789abcdef', parallelism: 1, iterations: 1, memorySize: 64, hashLength: 32 },
      outputType: 'encoded'
    })
    const django = `pbkdf2_sha256$10$${salt}$${pbkdf2Sync(secret, salt, 10, 32, 'sha256').toString('base64')}`
    const clients = [
      { client_id: 'bcrypt', ...credentials(await bcrypt.hash(secret, 4)) },
      { client_id: 'argon2', ...credentials(argon) },
      { client_id: 'django', ...credentials(django) }
    ]
    const secret_hashes = {
      $2b$: join(folder, 'bcrypt.mjs'),
      $argon2id$: join(folder, 'argon2.mjs'),
      pbkdf2_sha256$: join(folder, 'django.mjs')
    }
    serving = await serve(() => ({ clients, secret_hashes }), memoryStore())
  })
  afterAll(() => serving.close())

  const ask = (client_id: string, given: string) =>
    fetch(`${serving.issuer}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client_id}:${encodeURIComponent(given)}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' })
    })

  it.each(['bcrypt', 'argon2', 'django'])(
    '%s: the secret that another server kept lets its client in, and no other',
    async client_id => {
      expect((await ask(client_id, secret)).status).toBe(200)
      expect((await ask(client_id, `${secret}.`)).status).toBe(401)
    }
  )

  const startOf = async (settings: object) => {
    const config = checkConfig({ issuer: 'http://localhost:4010', ...settings }, folder)
    await createApp({ config, store: memoryStore(), log: createLog('silent') })
  }

  it.each<[string, object]>([
    ['secret_hashes', { secret_hashes: [] }],
    ['secret_hashes.$2b$', { secret_hashes: { $2b$: 1 } }],
    ['secret_hashes.$2b$', { secret_hashes: { $2b$: 'not-there.mjs' } }],
    ['secret_hashes.$2b$', { secret_hashes: { $2b$: 'nothing.mjs' } }],
    ['secret_hashes.$2b$', { secret_hashes: { $2b$: 'broken.mjs' } }],
    ['secret_hashes.a b', { secret_hashes: { 'a b': 'bcrypt.mjs' } }],
    ['tenants[0].secret_hashes.$2b$', { tenants: [{ path: '/acme', secret_hashes: { $2b$: 'not-there.mjs' } }] }],
    [
      'clients[0].credentials[0].hash',
      { clients: [{ client_id: 'old', ...credentials(`$argon2id$${'x'.repeat(60)}`) }], secret_hashes: { $2b$: 'bcrypt.mjs' } }
    ],
    ['policy.refresh_token_expiration', { policy: { refresh_token_expiration: 'yes' } }],
    ['policy.dpop_content_digest', { policy: { dpop_content_digest: true } }]
  ])('%s is named where it is wrong', async (path, settings) => {
    const error = await startOf(settings).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ path, message: expect.stringMatching(/^[^\n]+ must [^\n]+$/) })
  })

  it('runs nothing where a configuration is only looked at', async () => {
    const file = join(folder, 'server.json')
    const client = { client_id: 'old', ...credentials(await bcrypt.hash(secret, 4)) }
    writeFileSync(
      file,
      JSON.stringify({ issuer: 'http://localhost:4010', clients: [client], secret_hashes: { $2b$: 'runs.mjs' } })
    )
    const findings = await lintConfiguration(file, 'oauth2.1')
    expect(findings.filter(({ level }) => level === 'error')).toEqual([])
    expect(globalThis).not.toHaveProperty('ranWhatAConfigurationNames')
  })
})

describe('settings of drafts', () => {
  let serving: Serving
  const digest = (body: string) => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
  const machine = { client_id: 'machine', client_secret: 'secret of the machine', grant_types: ['client_credentials'] }

  beforeAll(async () => {
    const web = { client_id: 'web', token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri] }
    serving = await serve(
      () => ({
        clients: [{ ...web, grant_types: ['authorization_code', 'refresh_token'] }, machine],
        accounts: [{ sub: 'u-alice', ...alice }],
        resources: [api],
        policy: { refresh_token_expiration: true, dpop_content_digest: 'required', refresh_token_ttl: 7200 }
      }),
      memoryStore()
    )
  })
  afterAll(() => serving.close())

  it('policy.refresh_token_expiration: a refresh token says when it ends', async () => {
    const { answer } = await through(new Browser(), serving.issuer, { scope: 'openid offline_access' })
    const tokens = (await redeem(serving.issuer, answer)) as { refresh_token?: unknown; refresh_token_timeout?: unknown }
    expect(tokens.refresh_token).toEqual(expect.any(String))
    // less where a second begins between the person's consent and this
    expect(Math.round(Number(tokens.refresh_token_timeout) / 60)).toBe(120)
    const metadata = await fetch(`${serving.issuer}/.well-known/oauth-authorization-server`)
    expect(await metadata.json()).toHaveProperty('refresh_token_expiration_types_supported')
  })

  it('policy.dpop_content_digest: a proof at the demo API has the digest of what it came with', async () => {
    const key = await makeDpopKey()
    const address = `${serving.issuer}/oauth2/token`
    const asked = await fetch(address, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`machine:${encodeURIComponent(machine.client_secret)}`).toString('base64')}`,
        dpop: await prove(key, 'POST', address, Date.now())
      },
      body: new URLSearchParams({ grant_type: 'client_credentials' })
    })
    const { access_token } = (await asked.json()) as { access_token: string }
    const call = async (claims: Record<string, unknown>) => {
      const at = `${serving.issuer}/api/whoami`
      const dpop = await prove(key, 'GET', at, Date.now(), { claims, access_token })
      return (await fetch(at, { headers: { authorization: `DPoP ${access_token}`, dpop } })).status
    }
    expect(await call({})).toBe(401)
    expect(await call({ content_digest: digest('another') })).toBe(401)
    expect(await call({ content_digest: digest('') })).toBe(200)
  })
})
