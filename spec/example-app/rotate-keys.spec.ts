import { afterAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import { storedKeys } from '../../lib/index.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { configFile, freePort, node, run, startProcess, stop } from './running-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'clientele-keys-'))
const resource = 'https://api.example.com'
const secret = 'a-secret-nobody-may-read-in-logs'
const KEYS_SECRET = 'a secret that encrypts keys, of 32 characters or more'

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function settings(issuer: string): object {
  const clients = [{ client_id: 'machine', client_secret: secret, grant_types: ['client_credentials'], scope: 'api:read' }]
  const resources = [{ resource, scopes: ['api:read'], access_token_format: 'jwt' }]
  return { issuer, clients, resources, tenants: [{ path: '/acme', clients, resources }] }
}

const rotate = (env: Record<string, string>, ...flags: string[]) => run([...node, 'rotate-keys', ...flags], env).ended

/** A JWT access token of an issuer's, and the key it is signed with. */
async function issue(issuer: string): Promise<{ token: string; kid: string | undefined }> {
  const response = await fetch(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`machine:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource })
  })
  const { access_token } = (await response.json()) as { access_token: string }
  return { token: access_token, kid: decodeProtectedHeader(access_token).kid }
}

async function published(issuer: string): Promise<readonly (string | undefined)[]> {
  const { keys } = (await (await fetch(`${issuer}/oauth2/jwks`)).json()) as { keys: { kid?: string }[] }
  return keys.map(({ kid }) => kid)
}

/** What the store has, in the order in which keys are looked for. */
async function kept(url: string, issuer: string): Promise<readonly (string | undefined)[]> {
  const store = await sqliteStore({ path: url.replace('sqlite:', '') })
  const keys = await storedKeys({ store, issuer, secret: KEYS_SECRET })
  keys.close()
  await store.close()
  return keys.current().keys.flatMap(({ kty, kid }) => (kty === 'oct' ? [] : [kid]))
}

async function accepts(issuer: string, token: string): Promise<boolean> {
  return (await fetch(`${issuer}/api/whoami`, { headers: { authorization: `Bearer ${token}` } })).ok
}

describe('npm run keys:rotate', () => {
  it('publishes new keys first, has them sign at once where it must be, and spoils no token', async () => {
    // four processes, each of which makes RSA keys
    const issuer = `http://localhost:${await freePort()}`
    const issuers = [issuer, `${issuer}/acme`]
    const env = { STORE_URL: `sqlite:${join(folder, 'keys.db')}`, KEYS_SECRET }
    const withConfig = { ...env, CONFIG: configFile(settings(issuer)) }

    const first = await startProcess(settings(issuer), env)
    const before = await Promise.all(issuers.map(issue))
    const old = await Promise.all(issuers.map(published))
    const outcome = await rotate(withConfig)
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(outcome.stdout.trimEnd().split('\n')).toEqual(
      issuers.map(each => `${each}: new keys are published within 30 seconds, and sign after an hour`)
    )
    const both = await Promise.all(issuers.map(each => kept(env.STORE_URL, each)))
    expect(both.map(({ length }) => length)).toEqual(old.map(({ length }) => 2 * length))
    // those that signed still come first, and so sign
    expect(both.map((kids, index) => kids.slice(0, old[index]?.length).toSorted())).toEqual(old.map(kids => kids.toSorted()))
    expect(await rotate(withConfig, '--immediately')).toMatchObject({ code: 0, stderr: '' })
    await stop(first)

    const second = await startProcess(settings(issuer), env)
    for (const [index, each] of issuers.entries()) {
      const { token, kid } = await issue(each)
      expect(old[index]).not.toContain(kid)
      expect(both[index]).toContain(kid)
      expect([await accepts(each, token), await accepts(each, before[index]?.token ?? '')]).toEqual([true, true])
    }
    await stop(second)
    expect(await rotate({ ...withConfig, KEYS_SECRET: 'another secret, which opens nothing at all' })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^KEYS_SECRET .*\n$/)
    })
  }, 180_000)

  it.each([
    [['--now'], {}, 'keys:rotate takes no argument but --immediately'],
    [[], { STORE_URL: 'memory:' }, 'STORE_URL must be a store that a server can share with this command'],
    [
      [],
      { STORE_URL: `sqlite:${folder}/none.db` },
      `STORE_URL must name a database file that is there (${folder}/none.db is not)`
    ],
    [[], { STORE_URL: 'redis://127.0.0.1:1' }, 'STORE_URL must name a Redis server that answers (ECONNREFUSED)']
  ])('refuses %p %p', async (flags, env, line) => {
    expect(await rotate({ CONFIG: configFile(settings('http://localhost:4010')), ...env }, ...flags)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `${line}\n`
    })
  })
})
