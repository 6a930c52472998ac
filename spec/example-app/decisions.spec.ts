/** The decisions an operator can look through: kept in the store, bounded, for operators alone, and with nothing secret in them. */
import { afterEach, describe, expect, it } from '@jest/globals'
import { memoryStore, type JudgedAuthentication, type Store } from 'clientele'
import { keptDecisions } from '../../example-app/decisions/kept.ts'
import { createLog } from '../../example-app/log.ts'
import { before, serve, type Serving } from './in-process.ts'
import { Browser, type PageSeen } from './browser.ts'

const log = createLog('silent')
const issuer = 'https://as.example.com'
const decision = (change: Partial<JudgedAuthentication> = {}): JudgedAuthentication => ({
  at: Date.now(),
  trace_id: 'a'.repeat(32),
  endpoint: 'token',
  client_id: 'app',
  outcome: 'refused',
  checks: [{ check: 'secret', outcome: 'fail' }],
  ...change
})

describe('what is kept', () => {
  it('is there at once, and once it is written, the newest first', async () => {
    const kept = keptDecisions(memoryStore(), issuer, log)
    kept.keep(decision({ client_id: 'one' }))
    expect((await kept.recent()).map(({ client_id }) => client_id)).toEqual(['one'])
    await kept.flush()
    kept.keep(decision({ client_id: 'two', trace_id: 'b'.repeat(32) }))
    expect((await kept.recent()).map(({ client_id }) => client_id).sort()).toEqual(['one', 'two'])
  })

  it('is what several processes kept, of this issuer alone', async () => {
    const store = memoryStore()
    const [one, two, other] = [
      keptDecisions(store, issuer, log),
      keptDecisions(store, issuer, log),
      keptDecisions(store, `${issuer}/b`, log)
    ]
    for (const [index, process] of [one, two, other].entries()) process.keep(decision({ client_id: `of ${index}` }))
    await Promise.all([one.flush(), two.flush(), other.flush()])
    expect((await one.recent()).map(({ client_id }) => client_id).sort()).toEqual(['of 0', 'of 1'])
  })

  it('is bounded, however much there is', async () => {
    const keys = new Set<string>()
    const store = before(memoryStore(), ({ id }, writes) => {
      if (writes) keys.add(id)
      return Promise.resolve()
    })
    const kept = keptDecisions(store, issuer, log)
    for (let round = 10; round < 40; round++) {
      for (let index = 0; index < 150; index++) kept.keep(decision({ client_id: `${round} ${index}` }))
      await kept.flush()
    }
    const recent = await kept.recent()
    expect(recent).toHaveLength(2000)
    expect(recent.every(({ client_id = '' }) => client_id >= '20')).toBe(true)
    expect(keys.size).toBe(41)
  })

  it('is no concern of the request, whatever the store does', async () => {
    const failing: Store = before(memoryStore(), () => Promise.reject(new Error('down')))
    const kept = keptDecisions(failing, issuer, log)
    kept.keep(decision())
    await kept.flush()
    await expect(kept.recent()).rejects.toThrow('down')
  })
})

describe('the pages', () => {
  let serving: Serving | undefined
  afterEach(async () => {
    await serving?.close()
    serving = undefined
  })

  const secret = 'Zx8Q2mV7rT4kLp9sWd3nHy6uJb1cFg5e'
  const settings = () => ({
    clients: [
      { client_id: 'good', client_secret: secret, grant_types: ['client_credentials'], scope: 'api:read' },
      { client_id: '<b>bad</b>', client_secret: secret, grant_types: ['client_credentials'], scope: 'api:read' }
    ],
    accounts: [
      { sub: 'u-1', username: 'olga', password: 'pw' },
      { sub: 'u-2', username: 'paul', password: 'pw' }
    ]
  })

  const ask = (client_id: string, client_secret: string) =>
    fetch(`${serving?.issuer ?? ''}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${encodeURIComponent(client_id)}:${client_secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' })
    })

  async function signedIn(username: string): Promise<{ open(path: string): Promise<PageSeen> }> {
    serving ??= await serve(settings, memoryStore(), { operators: ['olga'] })
    const browser = new Browser()
    const { issuer: base } = serving
    await browser.submit(await browser.get(`${base}/decisions`), { username, password: 'pw' })
    return { open: path => browser.get(base + path) }
  }

  it('are for operators', async () => {
    const browser = await signedIn('paul')
    const page = await browser.open('/decisions')
    expect([page.status, page.text.includes('for operators')]).toEqual([403, true])
  })

  it('list, filter and show why, and no secret', async () => {
    const browser = await signedIn('olga')
    await ask('good', secret)
    await ask('<b>bad</b>', 'wrong-secret-of-somebody')
    const all = await browser.open('/decisions')
    expect(all.status).toBe(200)
    expect(all.text).toContain('&lt;b&gt;bad&lt;/b&gt;')
    expect(all.text).not.toContain('<b>bad')
    for (const hidden of [secret, 'wrong-secret-of-somebody']) expect(all.text).not.toContain(hidden)
    const refused = await browser.open('/decisions?outcome=refused')
    expect(refused.text).not.toContain('>good<')
    expect((await browser.open('/decisions?check=audience')).text).toContain('No decision is kept that fits')
    const [, trace_id = ''] = /\/decisions\/([0-9a-f]{32})/.exec(refused.text) ?? []
    const one = await browser.open(`/decisions/${trace_id}`)
    expect(one.status).toBe(200)
    expect(one.text).toContain('<strong>secret</strong>')
    expect((await browser.open(`/decisions/${'0'.repeat(32)}`)).status).toBe(404)
  })

  it.each(['/decisions', `/decisions/${'0'.repeat(32)}`, '/account', '/account/clients', '/login'])(
    'say that the store does not answer: %s',
    async path => {
      let isDown = false
      const store = before(memoryStore(), () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve()))
      serving = await serve(settings, store, { operators: ['olga'] })
      const browser = await signedIn('olga')
      isDown = true
      const page = await browser.open(path)
      expect([page.status, page.text.includes('down')]).toEqual([503, false])
    }
  )

  it.each(['client', 'method', 'check', 'outcome', 'live'])('bear anything as %s', async name => {
    const browser = await signedIn('olga')
    for (const value of ['"><script>', '%00', '%ff', 'x'.repeat(3000), `a&${name}=b`]) {
      const page = await browser.open(`/decisions?${name}=${value}`)
      expect(page.text).not.toContain('"><script>')
      expect(page.status).toBeLessThan(500)
    }
  })
})
