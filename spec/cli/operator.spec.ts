/** The commands of an operator, on the store of a server that runs. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../lib/stores/open.ts'
import type { Store } from '../../lib/stores/store.ts'
import { Browser } from '../example-app/browser.ts'
import { serve, type Serving } from '../example-app/in-process.ts'
import { clientele, type Ran } from './terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'clientele-cli-'))
const STORE_URL = `sqlite:${join(folder, 'store.db')}`
const CONFIG = join(folder, 'server.json')
const secret = 'a-secret-of-the-file'
let store: Store
let serving: Serving

function settings(issuer: string): object {
  return {
    issuer,
    clients: [
      {
        client_id: 'web',
        client_name: 'Web',
        client_secret: secret,
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        redirect_uris: ['http://localhost:1/callback']
      },
      { client_id: 'spa', token_endpoint_auth_method: 'none', redirect_uris: ['http://localhost:1/callback'] }
    ],
    accounts: [{ sub: 'u-alice', username: 'alice', password: 'wonderland' }],
    policy: { registration: 'open', failure_budget: 'off' },
    tenants: [{ path: '/acme' }]
  }
}

beforeAll(async () => {
  store = await openStore(STORE_URL)
  serving = await serve(settings, store)
  writeFileSync(CONFIG, JSON.stringify(settings(serving.issuer)))
})
afterAll(async () => {
  await serving.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const run = (command: string, ...more: string[]): Promise<Ran> =>
  clientele([...command.split(' '), ...more], '', { STORE_URL, CONFIG, USER: 'op' })

/** What a command answers in JSON, as far as the specs look at it. */
interface Answer {
  readonly [member: string]: unknown
  readonly clients: readonly { readonly client_id: string; readonly source: string; readonly disabled: boolean }[]
  readonly grants: readonly { readonly id: string }[]
  readonly decisions: readonly object[]
  readonly changes: readonly { readonly type: string }[]
  readonly added: readonly string[]
}

async function json(command: string, ...more: string[]): Promise<Answer> {
  const { code, out, err } = await run(command, ...more, '--format', 'json')
  if (code !== 0) throw new Error(err)
  return JSON.parse(out) as Answer
}

function tokenRequest(client_id: string, client_secret: string, form: object = { grant_type: 'client_credentials' }) {
  const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
  const body = new URLSearchParams(form as Record<string, string>)
  return fetch(`${serving.issuer}/oauth2/token`, { method: 'POST', headers: { authorization }, body })
}

/** As long as a process may take to see what another changed. */
async function within(seconds: number, holds: () => Promise<boolean>): Promise<boolean> {
  const end = Date.now() + seconds * 1000
  while (Date.now() < end) {
    if (await holds()) return true
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return holds()
}

const isStatus = (status: number, client_id: string, client_secret: string) => async () =>
  (await tokenRequest(client_id, client_secret)).status === status

describe('clients', () => {
  it('are listed with those of the file, and found by the server without a restart', async () => {
    expect(await isStatus(401, 'reports', 'x')()).toBe(true)
    const added = await json('clients add reports --grant-type client_credentials --scope api:read --name Reports')
    expect(added).toEqual({ client_id: 'reports', client_secret: expect.stringMatching(/^[\w-]{43}$/) })
    expect(await within(10, isStatus(200, 'reports', added['client_secret'] as string))).toBe(true)
    const { clients } = await json('clients list')
    expect(clients.map(client => [client.client_id, client.source, client.disabled])).toEqual([
      ['web', 'configured', false],
      ['spa', 'configured', false],
      ['reports', 'store', false]
    ])
    const { out } = await run('clients list')
    expect(out).toMatch(/^CLIENT_ID +NAME +METHOD +GRANTS +SOURCE +STATE\nweb +Web /)
  })

  it('are shown with what they prove themselves with, and no secret', async () => {
    const shown = await json('clients show web')
    expect(shown).toMatchObject({
      client_id: 'web',
      disabled: false,
      credentials: expect.arrayContaining([expect.objectContaining({ credential: 'secret:1', source: 'configured' })])
    })
    expect(JSON.stringify(shown)).not.toContain(secret)
    expect((await run('clients show spa')).out).toContain('none')
    expect(await run('clients show nobody')).toMatchObject({ code: 1, out: '' })
  })

  it('get one more secret, which works beside the one they have', async () => {
    const { client_secret } = await json('clients rotate-secret web --label winter')
    expect(await within(10, isStatus(200, 'web', client_secret as string))).toBe(true)
    expect(await isStatus(200, 'web', secret)()).toBe(true)
    expect(await run('clients rotate-secret spa')).toMatchObject({ code: 1 })
  })

  it('are refused when disabled, those of the file too, and taken when enabled', async () => {
    expect(await json('clients disable web')).toEqual({ client_id: 'web', state: 'disabled' })
    expect(await within(10, isStatus(401, 'web', secret))).toBe(true)
    expect((await json('clients list')).clients[0]).toMatchObject({ client_id: 'web', disabled: true })
    expect(await json('clients enable web')).toEqual({ client_id: 'web', state: 'active' })
    expect(await within(10, isStatus(200, 'web', secret))).toBe(true)
    expect(await run('clients disable nobody')).toMatchObject({ code: 1, out: '' })
  })

  it('end for good where they registered themselves', async () => {
    const body = JSON.stringify({ grant_types: ['client_credentials'] })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${serving.issuer}/oauth2/register`, { method: 'POST', headers, body })
    const { client_id, client_secret } = (await response.json()) as Record<string, string>
    expect(await json('clients disable', client_id ?? '')).toEqual({ client_id, state: 'ended' })
    expect(await within(10, isStatus(401, client_id ?? '', client_secret ?? ''))).toBe(true)
  })

  it('are added once, by whichever of two commands is first', async () => {
    const both = await Promise.all([run('clients add twin'), run('clients add twin')])
    expect(both.map(({ code }) => code).sort()).toEqual([0, 1])
    expect(both.find(({ code }) => code === 1)?.err).toContain('there is a client of this client_id')
  })

  it.each([
    ['grant_types[0]', ['--grant-type', 'password']],
    ['grant_types[0]', ['--method', 'none', '--grant-type', 'client_credentials']],
    ['redirect_uris[0]', ['--redirect-uri', 'http://a.example/cb']],
    ['token_endpoint_auth_method', ['--method', 'basic']],
    ['federated_credentials', ['--method', 'federated_jwt']],
    ['jwks_uri', ['--method', 'private_key_jwt', '--jwks-uri', 'http://a.example/jwks']],
    ['client_id', []],
    ['--metadata', ['--metadata', '/nowhere.json']]
  ])('are not added where %s is wrong', async (member, options) => {
    const { code, out, err } = await run(`clients add ${member === 'client_id' ? 'u-alice' : 'wrong'}`, ...options)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err.split(' ').slice(0, 4).join(' ')).toContain(`clientele clients add: ${member}`)
  })

  it('are those of a tenant where one is named', async () => {
    await json('clients add teller --tenant /acme')
    expect((await json('clients list --tenant /acme')).clients).toHaveLength(1)
    expect((await json('clients list')).clients.map(client => client.client_id)).not.toContain('teller')
    expect(await run('clients list --tenant /none')).toMatchObject({ code: 2 })
  })
})

describe('grants', () => {
  it('are listed by person, and end at the server', async () => {
    const browser = new Browser()
    const query = new URLSearchParams({
      client_id: 'web',
      response_type: 'code',
      redirect_uri: 'http://localhost:1/callback',
      scope: 'openid offline_access',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256'
    })
    const login = await browser.follow(await browser.get(`${serving.issuer}/oauth2/authorize?${query.toString()}`))
    const consent = await browser.follow(await browser.submit(login, { username: 'alice', password: 'wonderland' }))
    const { location = '' } = await browser.follow(await browser.submit(consent, { decision: 'allow' }))
    const code = new URL(location).searchParams.get('code') ?? ''
    const redemption = { grant_type: 'authorization_code', code, redirect_uri: 'http://localhost:1/callback' }
    const verifier = { code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' }
    const redeemed = (await (await tokenRequest('web', secret, { ...redemption, ...verifier })).json()) as Record<string, string>
    const { grants } = await json('grants list --username alice')
    expect(grants).toMatchObject([{ client_id: 'web', scope: ['openid', 'offline_access'] }])
    expect((await json('grants list --sub u-alice')).grants).toEqual(grants)
    expect(await json('grants revoke --username alice', grants[0]?.id ?? '')).toEqual({ revoked: [grants[0]?.id] })
    const refreshed = await tokenRequest('web', secret, { grant_type: 'refresh_token', refresh_token: redeemed['refresh_token'] })
    expect(refreshed.status).toBe(400)
    expect(await run('grants revoke --username alice --client web')).toMatchObject({ code: 1 })
    expect((await run('grants list --username alice')).out).toBe('No client holds anything of this person.\n')
  })

  it.each(['grants list', 'grants list --sub a --username b', 'grants revoke --sub a', 'grants revoke g --sub a --client b'])(
    'need one person, and one thing: %s',
    async command => {
      expect(await run(command)).toMatchObject({ code: 2, out: '' })
    }
  )
})

describe('keys rotate', () => {
  it('makes new keys, which the server publishes', async () => {
    const { added } = await json('keys rotate')
    expect(added.length).toBeGreaterThan(0)
    expect((await json('keys rotate --immediately')).signs).toBe('within 30 seconds')
  })
})

describe('why', () => {
  it('says what was decided, from the store and from the log', async () => {
    const trace_id = '4bf92f3577b34da6a3ce929d0e0e4736'
    await fetch(`${serving.issuer}/oauth2/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from('web:wrong').toString('base64')}`,
        traceparent: `00-${trace_id}-00f067aa0ba902b7-01`
      },
      body: new URLSearchParams({ grant_type: 'client_credentials' })
    })
    const { code, out } = await run(`why ${trace_id}`)
    expect(code).toBe(0)
    expect(out).toMatch(/^web was refused at token, by client_secret_basic \(4bf92f/)
    expect(out).toMatch(/ {2}secret \(RFC 6749 §2\.3\.1\)\n {4}fix: /)
    const { decisions } = await json(`why ${trace_id}`)
    expect(decisions).toMatchObject([{ trace_id, client_id: 'web', outcome: 'refused' }])
    const log = join(folder, 'server.log')
    writeFileSync(
      log,
      `not json ${trace_id}\n{"trace_id":"${trace_id}","msg":"request"}\nnull\n${JSON.stringify({ level: 'info', ...decisions[0] })}\n`
    )
    expect((await json(`why ${trace_id} --log ${log}`)).decisions).toMatchObject([{ trace_id, client_id: 'web' }])
    expect((await clientele(['why', trace_id, '--log', '-'], JSON.stringify(decisions[0]))).out).toBe(out)
    expect(await run(`why ${'0'.repeat(32)}`)).toMatchObject({ code: 1, out: '' })
    expect(await run(`why ${trace_id} --log /nowhere.log`)).toMatchObject({ code: 2, out: '' })
    expect(await run('why nonsense')).toMatchObject({ code: 2, out: '' })
  })
})

describe('changes', () => {
  it('are events with their actor, on the standard error and in the store', async () => {
    const { err } = await run('clients disable spa --actor night-shift')
    expect(JSON.parse(err)).toMatchObject({
      level: 'info',
      type: 'client.disabled',
      client_id: 'spa',
      actor: 'night-shift',
      issuer: serving.issuer
    })
    const { changes } = await json('changes')
    expect(changes[0]).toMatchObject({ type: 'client.disabled', actor: 'night-shift' })
    const types = new Set(changes.map(({ type }) => type))
    for (const type of ['client.added', 'credential.added', 'client.enabled', 'client.ended', 'grant.revoked', 'keys.changed'])
      expect(types).toContain(type)
    expect((await run('changes')).out).toMatch(/^AT +ACTOR +CHANGE +ABOUT\n\S+ +night-shift +client\.disabled +spa\n/)
    expect(JSON.stringify(changes)).not.toContain(secret)
  })
})

describe('a command that cannot work', () => {
  const other = (given: string, env: Record<string, string>) => clientele(given.split(' '), '', env)

  it.each<[string, Record<string, string>, RegExp]>([
    ['clients list', {}, /--config or --issuer must say whose store it is/],
    ['clients list --issuer https://as.example', { STORE_URL: 'memory:' }, /--store must be a store that servers can share/],
    [
      'clients list --issuer https://as.example',
      { STORE_URL: 'sqlite:/nowhere/store.db' },
      /--store must name a database file that is there/
    ],
    ['clients list --issuer https://as.example', { STORE_URL: 'mysql://x' }, /--store must be memory:, sqlite:/],
    [
      'clients list --issuer https://as.example',
      { STORE_URL: 'redis://u:pa55@127.0.0.1:1' },
      /--store must name a Redis server that answers/
    ],
    [
      'why 4bf92f3577b34da6a3ce929d0e0e4736',
      { STORE_URL: 'postgres://u:pa55@127.0.0.1:1/x' },
      /--store must name a PostgreSQL database that answers/
    ],
    ['clients list --issuer nonsense', { STORE_URL }, /issuer must be/],
    ['clients list --config /nowhere.json', { STORE_URL }, /CONFIG must be the path of a readable file/],
    ['clients list --config a --issuer b', { STORE_URL }, /--issuer must be left out/],
    ['clients list --issuer https://as.example', { STORE_URL, KEYS_SECRET: 'short' }, /KEYS_SECRET must be/],
    ['clients rotate-secret web --previous-expires-in soon', { STORE_URL, CONFIG: 'set below' }, /--previous-expires-in must be/]
  ])('%s with %j says why, in one line', async (given, env, reason) => {
    const { code, out, err } = await other(given, env['CONFIG'] === undefined ? env : { ...env, CONFIG })
    expect({ code, out, lines: err.trimEnd().split('\n').length }).toEqual({ code: 2, out: '', lines: 1 })
    expect(err).toMatch(reason)
    expect(err).not.toContain('pa55')
  })
})
