/** The commands of an operator on stores that servers share: beside a server that runs, several at once, and while the store is away. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Store } from 'clientele'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clientele, type Ran } from '../../cli/terminal.ts'
import { Browser } from '../../example-app/browser.ts'
import { serve, type Serving } from '../../example-app/in-process.ts'
import { alice, redeem, redirect_uri, through } from '../../example-app/visit.ts'
import { engines, openStore, type RunningEngine } from './engines.ts'

const secret = 'a-secret-of-the-file'
const publicly = { token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri] }
const settings = (issuer: string): object => ({
  issuer,
  clients: [
    { client_id: 'billing', client_secret: secret, grant_types: ['client_credentials'] },
    { ...publicly, client_id: 'web', grant_types: ['authorization_code', 'refresh_token'] }
  ],
  accounts: [{ sub: 'u-alice', ...alice }],
  policy: { failure_budget: 'off' }
})

describe.each(['PostgreSQL', 'Redis', 'Redis Cluster'])('on %s', name => {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-operator-'))
  const CONFIG = join(folder, 'server.json')
  let engine: RunningEngine
  let store: Store
  let serving: Serving
  let STORE_URL = ''

  beforeAll(async () => {
    const started = await engines[name]?.()
    if (started === undefined) throw new Error(`${name} is no engine`)
    engine = started
    STORE_URL = String(engine.store.address)
    store = await openStore(engine.store)
    serving = await serve(settings, store)
    writeFileSync(CONFIG, JSON.stringify(settings(serving.issuer)))
  })
  afterAll(async () => {
    await serving.close()
    await store.close()
    await engine.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const run = (...given: string[]): Promise<Ran> => clientele(given, '', { STORE_URL, CONFIG, USER: 'op' })

  async function answerOf(...given: string[]): Promise<Record<string, unknown>> {
    const { code, out, err } = await run(...given, '--format', 'json')
    if (code !== 0) throw new Error(err)
    return JSON.parse(out) as Record<string, unknown>
  }

  /** The status of a token request. */
  async function status(client_id: string, client_secret: string, headers: Record<string, string> = {}): Promise<number> {
    const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    return (await fetch(`${serving.issuer}/oauth2/token`, { method: 'POST', headers: { authorization, ...headers }, body }))
      .status
  }

  /** A server sees within seconds what a command changed. */
  async function until(expected: number, client_id: string, client_secret: string): Promise<void> {
    while ((await status(client_id, client_secret)) !== expected) await new Promise(resolve => setTimeout(resolve, 100))
  }

  it('clients are added, shown, given secrets, disabled and enabled, and the server follows', async () => {
    const { client_secret } = await answerOf('clients', 'add', 'reports', '--grant-type', 'client_credentials')
    await until(200, 'reports', String(client_secret))
    const rotated = await answerOf('clients', 'rotate-secret', 'reports')
    await until(200, 'reports', String(rotated['client_secret']))
    expect((await answerOf('clients', 'list'))['clients']).toMatchObject(
      ['billing', 'web', 'reports'].map(client_id => ({ client_id, disabled: false }))
    )
    const shown = JSON.stringify(await answerOf('clients', 'show', 'reports'))
    expect(shown).not.toContain(client_secret)
    await answerOf('clients', 'disable', 'reports')
    await until(401, 'reports', String(client_secret))
    await answerOf('clients', 'enable', 'reports')
    await until(200, 'reports', String(client_secret))
  })

  it('grants are listed and ended', async () => {
    const { answer } = await through(new Browser(), serving.issuer, { scope: 'openid offline_access', prompt: 'consent' })
    const { refresh_token = '' } = await redeem(serving.issuer, answer)
    const { grants } = (await answerOf('grants', 'list', '--sub', 'u-alice')) as { readonly grants: { readonly id: string }[] }
    expect(grants).toMatchObject([{ client_id: 'web' }])
    expect(await answerOf('grants', 'revoke', '--sub', 'u-alice', grants[0]?.id ?? '')).toEqual({ revoked: [grants[0]?.id] })
    const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'web', refresh_token })
    expect((await fetch(`${serving.issuer}/oauth2/token`, { method: 'POST', body })).status).toBe(400)
  })

  it('why says what was decided', async () => {
    const trace_id = '4bf92f3577b34da6a3ce929d0e0e4736'
    expect(await status('billing', 'wrong', { traceparent: `00-${trace_id}-00f067aa0ba902b7-01` })).toBe(401)
    let said = await run('why', trace_id)
    while (said.code !== 0) said = await run('why', trace_id)
    expect(said.out).toMatch(/^billing was refused at token, by client_secret_basic \(4bf92f/)
  })

  describe('several commands at once', () => {
    const times = <T>(count: number, one: (index: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: count }, (_, index) => one(index)))

    it('add a client once', async () => {
      const all = await times(4, () => run('clients', 'add', 'twin'))
      expect(all.map(({ code }) => code).sort()).toEqual([0, 1, 1, 1])
    })

    it('lose none of different clients, and none of one client’s secrets', async () => {
      await times(8, index => answerOf('clients', 'add', `many-${index}`, '--grant-type', 'client_credentials'))
      const { clients } = (await answerOf('clients', 'list')) as { readonly clients: { readonly client_id: string }[] }
      expect(clients.filter(({ client_id }) => client_id.startsWith('many-'))).toHaveLength(8)
      const secrets = await times(4, () => answerOf('clients', 'rotate-secret', 'many-0'))
      for (const { client_secret } of secrets) await until(200, 'many-0', String(client_secret))
    })

    it('make new keys without losing any, and what they did is all told', async () => {
      const added = await times(2, async () => (await answerOf('keys', 'rotate'))['added'] as readonly string[])
      const { changes } = (await answerOf('changes')) as { readonly changes: { readonly type: string; readonly actor: string }[] }
      const types = changes.map(({ type }) => type)
      expect(types.filter(type => type === 'client.added').length).toBe(10)
      expect(types.filter(type => type === 'keys.changed').length).toBeGreaterThan(0)
      expect(added.flat().length).toBeGreaterThan(0)
      expect(await status('billing', secret)).toBe(200)
    })

    it('leave a client in one of the two states when one disables and one enables it', async () => {
      expect(
        (await Promise.all([run('clients', 'disable', 'twin'), run('clients', 'enable', 'twin')])).map(({ code }) => code)
      ).toEqual([0, 0])
      const { clients } = (await answerOf('clients', 'list')) as { readonly clients: { client_id: string; disabled: boolean }[] }
      expect(clients.filter(({ client_id }) => client_id === 'twin')).toEqual([
        expect.objectContaining({ disabled: expect.any(Boolean) })
      ])
    })
  })

  it.each(['clients list', 'clients add again', 'keys rotate', 'grants list --sub u-alice', `why ${'0'.repeat(32)}`, 'changes'])(
    'with a store that is down, or that says nothing, is over with one line: %s',
    async command => {
      if (engine.server === undefined) return
      const expected = {
        code: 2,
        out: '',
        err: expect.stringMatching(
          /^clientele [a-z -]+: (?:the store does not answer|--store must name a [^\n]+ that answers[^\n]*)\n$/
        )
      }
      engine.server.freeze()
      try {
        expect(await run(...command.split(' '))).toEqual(expected)
      } finally {
        engine.server.thaw()
      }
      await engine.server.kill()
      try {
        expect(await run(...command.split(' '))).toEqual(expected)
      } finally {
        await engine.server.start()
      }
    }
  )

  it('works again once the store does', async () => {
    expect((await run('clients', 'list')).code).toBe(0)
  })
})
