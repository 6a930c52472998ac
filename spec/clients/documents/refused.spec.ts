/** Documents that are no client's: every rule one can break, each refused the same way at the authorization and the token endpoint. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { IncomingMessage, RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import request from 'supertest'
import { ConfigurationError, type AuthorizationServerOptions, type Decision } from '../../../lib/index.ts'
import { authorize, harness } from '../../support/servers/authorization-server.ts'
import { documentServer, redirect_uri, type DocumentServer } from '../../support/servers/document-server.ts'
import { agree, ask, codeForm, post, serveDocuments } from './serving.ts'

let host: DocumentServer
beforeAll(async () => void (host = await documentServer()))
afterAll(() => host.close())

async function outcome(client_id: string, options: Partial<AuthorizationServerOptions> = {}) {
  const decisions: Decision[] = []
  const { app } = await harness({
    issuer: 'http://localhost:3000',
    clientDocuments: { hosts: ['*'], ca: host.ca, timeout: 400 },
    onDecision: decision => void decisions.push(decision),
    ...options
  })
  const page = await authorize(app, { client_id, redirect_uri })
  const token = await request(app)
    .post('/oauth2/token')
    .type('form')
    .send({ grant_type: 'authorization_code', client_id, code: 'c' })
  const failed = decisions.at(-1)?.checks.find(check => check.outcome === 'fail')
  return { page: page.status, text: page.text, token: [token.status, (token.body as { error: string }).error], failed }
}

const refused = (check: string) => ({ page: 400, token: [401, 'invalid_client'], failed: { check } })
const rsa = { kty: 'RSA', n: 'AQAB', e: 'AQAB' }
const ec = { kty: 'EC', crv: 'P-256', x: 'eA', y: 'eQ' }

describe('a document', () => {
  it.each<[string, object, string]>([
    ['another client_id', { client_id: 'https://localhost/other' }, 'client_id'],
    ['no client_id', { client_id: undefined }, 'client_id'],
    ['client_secret', { client_secret: 'x'.repeat(32) }, 'client_secret'],
    ['client_secret that is null', { client_secret: null }, 'client_secret'],
    ['client_secret_expires_at', { client_secret_expires_at: 0 }, 'client_secret_expires_at'],
    ['a method with a secret', { token_endpoint_auth_method: 'client_secret_post' }, 'token_endpoint_auth_method'],
    ['a method that is no text', { token_endpoint_auth_method: ['none'] }, 'token_endpoint_auth_method'],
    [
      'a choice without any of ours',
      { token_endpoint_auth_methods_supported: ['client_secret_basic'] },
      'token_endpoint_auth_methods_supported'
    ],
    ['a key method without a key', { token_endpoint_auth_method: 'private_key_jwt' }, 'jwks'],
    ['a private key', { jwks: { keys: [{ ...ec, d: 'eA' }] } }, 'jwks.keys[0]'],
    ['a private RSA part', { jwks: { keys: [ec, { ...rsa, p: 'eA' }] } }, 'jwks.keys[1]'],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'eA' }] } }, 'jwks.keys[0]'],
    ['jwks and jwks_uri', { jwks: { keys: [ec] }, jwks_uri: 'https://localhost/jwks' }, 'jwks_uri'],
    ['no redirect URI', { redirect_uris: [] }, 'redirect_uris'],
    ['a wildcard', { redirect_uris: ['https://a.example/*'] }, 'redirect_uris[0]'],
    ['http elsewhere', { redirect_uris: ['http://localhost.evil.example/cb'] }, 'redirect_uris[0]'],
    ['loopback in disguise', { redirect_uris: ['http://127.1/cb'] }, 'redirect_uris[0]'],
    ['a number for loopback', { redirect_uris: ['http://2130706433/cb'] }, 'redirect_uris[0]'],
    ['the unspecified address', { redirect_uris: ['http://0.0.0.0/cb'] }, 'redirect_uris[0]'],
    ['a script', { redirect_uris: ['javascript:alert(1)'] }, 'redirect_uris[0]'],
    ['a name that turns text around', { client_name: 'safe\u202eevil' }, 'client_name'],
    ['a name nobody sees', { client_name: '\u200b' }, 'client_name'],
    ['a name of directions alone', { client_name: '\u2066\u2069\u200f' }, 'client_name'],
    ['a name with another hidden in it', { client_name: 'Notes\u{e0041}\u{e0042}' }, 'client_name'],
    ['a name on two lines', { client_name: 'Notes\n\nVerified by the bank' }, 'client_name'],
    ['a name that is no text', { client_name: { toString: 'Notes' } }, 'client_name'],
    ['a jwks_uri with user info', { jwks_uri: 'https://me@keys.example/jwks' }, 'jwks_uri'],
    ['pairwise subjects', { subject_type: 'pairwise' }, 'subject_type'],
    ['a jwks_uri by http', { jwks_uri: 'http://keys.example/jwks' }, 'jwks_uri']
  ])('with %s is nobody’s', async (name, members, member) => {
    const { failed, ...rest } = await outcome(host.put(encodeURIComponent(name), members))
    expect({ ...rest, failed }).toMatchObject(refused('client_document'))
    expect(failed?.fix).toContain(`: ${member} `)
  })

  /** An answer as it is written, whatever it says its length is. */
  const raw = (req: IncomingMessage, _res: unknown, body: string, length: number) =>
    req.socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`)

  const json = (of: string) => JSON.stringify({ client_id: of, redirect_uris: [redirect_uri] })
  it.each<[string, (address: string) => RequestListener]>([
    ['302', address => (_req, res) => void res.writeHead(302, { location: `${address}-there` }).end(json(address))],
    ['404', address => (_req, res) => void res.writeHead(404).end(json(address))],
    ['201', address => (_req, res) => void res.writeHead(201).end(json(address))],
    ['HTML', () => (_req, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
    ['JSON as HTML', address => (_req, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end(json(address))],
    ['a list', address => (_req, res) => void res.end(`[${json(address)}]`)],
    ['null', () => (_req, res) => void res.end('null')],
    ['too long', address => (_req, res) => void res.end(json(address).padEnd(5121))],
    [
      'too long, in pieces',
      address => (_req, res) => {
        res.write(json(address))
        res.write(' '.repeat(3000))
        res.end(' '.repeat(3000))
      }
    ],
    [
      'a bomb',
      address => (_req, res) =>
        void res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(json(address).padEnd(100_000)))
    ],
    [
      'a drip',
      () => (_req, res) => {
        res.write('{')
        const drip = setInterval(() => res.write(' '), 50)
        res.once('close', () => clearInterval(drip))
      }
    ],
    ['a length that is too short', address => (req, res) => void raw(req, res, json(address), 20)],
    ['a length that is too long', address => (req, res) => void raw(req, res, json(address), 5000)],
    ['a length that is none', address => (req, res) => void raw(req, res, json(address), -1)],
    ['a short length before a long body', address => (req, res) => void raw(req, res, json(address).padEnd(20_000), 300)],
    ['303 to a private address', () => (_req, res) => void res.writeHead(303, { location: 'https://10.0.0.1/client' }).end()],
    ['307 to this machine', () => (_req, res) => void res.writeHead(307, { location: 'http://127.0.0.1:1/client' }).end()],
    [
      '302 to a metadata service',
      () => (_req, res) => void res.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end()
    ],
    [
      'a refresh to elsewhere',
      address => (_req, res) => void res.writeHead(200, { refresh: `0; url=${address}-there` }).end('{"client_id":null}')
    ],
    ['silence', () => () => undefined],
    ['a broken connection', () => req => void req.socket.destroy()]
  ])('that is answered with %s is nobody’s', async (name, listener) => {
    const address = host.at(encodeURIComponent(name))
    host.answer(encodeURIComponent(name), listener(address))
    expect(await outcome(address)).toMatchObject(refused('client_document'))
  })

  it.each<[string, (address: string) => string]>([
    ['a slash at the end', address => `${address}/`],
    ['the default port', address => address.replace(/:\d+/, ':443')],
    ['another case', address => address.replace('localhost', 'LOCALHOST')],
    ['a query', address => `${address}?`],
    ['another name of the host', address => address.replace('localhost', '127.0.0.1')],
    ['an escape', address => address.replace(/spelt$/, '%73pelt')]
  ])('is no document of its address with %s', async (_, spelt) => {
    const address = host.put('spelt')
    for (const name of ['spelt/', 'spelt?', '%73pelt']) host.answer(name, (_req, res) => void res.end(json(address)))
    expect(await outcome(spelt(address))).toMatchObject({ page: 400, token: [401, 'invalid_client'] })
    expect(await outcome(address)).toMatchObject({ page: 200 })
  })

  it('of 5 KiB is a document, and a longer one where that is allowed', async () => {
    const address = host.at('long')
    host.answer('long', (_req, res) => void res.end(json(address).padEnd(5120)))
    expect(await outcome(address)).toMatchObject({ page: 200 })
  })

  it.each<[string, string]>([
    ['http://127.0.0.1/cb', 'http://127.1/cb'],
    ['http://127.0.0.1/cb', 'http://2130706433/cb'],
    ['http://127.0.0.1/cb', 'http://0x7f.0.0.1/cb'],
    ['http://127.0.0.1/cb', 'http://0.0.0.0/cb'],
    ['http://127.0.0.1/cb', 'http://localhost/cb'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:70000/cb'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:80@evil.example/cb'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:8080/cb?more'],
    ['http://localhost/cb', 'http://localhost.evil.example/cb'],
    ['http://localhost/cb', 'http://localhost:8080.evil.example/cb'],
    ['http://[::1]/cb', 'http://[::ffff:127.0.0.1]/cb'],
    ['https://app.example/cb', 'https://app.example:444/cb'],
    ['https://app.example/cb', 'https://app.example:443/cb'],
    ['https://localhost/cb', 'https://localhost:8443/cb'],
    ['com.example.app:/cb', 'com.example.app:80/cb']
  ])('with the redirect URI %s sends nobody to %s', async (registered, asked) => {
    const client_id = host.put(`sends-${encodeURIComponent(registered)}`, { redirect_uris: [registered] })
    const { app } = await harness({ issuer: 'http://localhost:3000', clientDocuments: { hosts: ['*'], ca: host.ca } })
    const answer = await authorize(app, { client_id, redirect_uri: asked })
    expect([answer.status, answer.headers['location']]).toEqual([400, undefined])
    expect((await authorize(app, { client_id, redirect_uri: registered })).status).toBe(200)
  })

  it('of a host that is not let in is not asked for', async () => {
    const address = host.put('not-let-in')
    for (const hosts of [['claude.ai'], ['*.localhost'], [], () => false])
      expect(await outcome(address, { clientDocuments: { hosts, ca: host.ca } })).toMatchObject(refused('client_document_url'))
    expect(host.asked('not-let-in')).toBe(0)
  })

  it('on this machine is not asked for by a server that is elsewhere', async () => {
    const address = host.put('private')
    const issuer = 'https://as.example.com'
    expect(await outcome(address, { issuer })).toMatchObject(refused('client_document'))
    expect(host.asked('private')).toBe(0)
  })

  it('names only its own origin and this machine where that is the rule', async () => {
    const clientDocuments = { hosts: ['*'], ca: host.ca, redirectUris: 'same-origin' } as const
    expect(await outcome(host.put('loopback'), { clientDocuments })).toMatchObject({ page: 200 })
    const own = host.put('own', { redirect_uris: [redirect_uri, host.at('cb')] })
    expect(await outcome(own, { clientDocuments })).toMatchObject({ page: 200 })
    const foreign = host.put('foreign', { redirect_uris: [redirect_uri, 'https://other.example/cb'] })
    expect(await outcome(foreign, { clientDocuments })).toMatchObject(refused('client_document'))
  })

  it('without a key is nobody’s under fapi2-security', async () => {
    const fapi = { profile: 'fapi2-security', clients: [] } as const
    expect(await outcome(host.put('fapi-none'), fapi)).toMatchObject({ page: 400 })
    const keyed = { token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'], jwks: { keys: [ec] } }
    const { text } = await outcome(host.put('fapi-key', keyed), fapi)
    expect(text).not.toContain('not known here')
  })
})

describe('the option', () => {
  it.each<[string, object]>([
    ['clientDocuments', []],
    ['clientDocuments.hosts', {}],
    ['clientDocuments.hosts[1]', { hosts: ['claude.ai', 'https://claude.ai'] }],
    ['clientDocuments.hosts[0]', { hosts: ['claude.ai:443'] }],
    ['clientDocuments.redirectUris', { hosts: ['*'], redirectUris: 'none' }],
    ['clientDocuments.timeout', { hosts: ['*'], timeout: 0 }],
    ['clientDocuments.maxBytes', { hosts: ['*'], maxBytes: '5k' }],
    ['clientDocuments.ca', { hosts: ['*'], ca: 'pem' }],
    ['clientDocuments.host', { hosts: ['*'], host: '*' }]
  ])('%s is named where it is wrong', async (key, clientDocuments) => {
    const made = harness({ clientDocuments: clientDocuments as never })
    await expect(made).rejects.toThrow(ConfigurationError)
    await expect(made).rejects.toThrow(expect.objectContaining({ key }))
  })
})

describe('more new documents than may be fetched within a minute', () => {
  const limited = (more: Partial<AuthorizationServerOptions> = {}) =>
    serveDocuments(host, { ...more, clientDocuments: { hosts: ['localhost'], ca: host.ca, limits: { newPerHost: 1 } } })

  it('are put off: a page, JSON, a decision and an event; nobody who is known', async () => {
    const { app, clock, decisions, events } = await limited()
    const first = host.put('first', { grant_types: ['authorization_code', 'refresh_token'] })
    const second = host.put('second')
    const code = await agree(app, first)
    const page = await ask(app, second)
    expect([page.status, page.headers['retry-after'], page.headers['content-type']]).toEqual([
      503,
      '60',
      expect.stringContaining('text/html')
    ])
    expect(page.text).toContain('temporarily_unavailable')
    const token = await post(app, codeForm(code, second))
    expect([token.status, token.body]).toEqual([503, expect.objectContaining({ error: 'temporarily_unavailable' })])
    expect(token.headers['retry-after']).toBe('60')
    const failed = decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')
    expect(failed).toMatchObject({ check: 'client_document_limit', fix: expect.stringContaining('clientDocuments.limits') })
    expect(events.filter(({ type }) => type === 'client_document.refused')).toMatchObject([
      { client_id: second, check: 'client_document_limit' },
      { client_id: second, check: 'client_document_limit' }
    ])
    // looked up under both of the ids that this may mean
    const told = decisions.length
    const encoded = Buffer.from(`${encodeURIComponent(second)}:x`).toString('base64')
    const basic = request(app).post('/oauth2/token').set('Authorization', `Basic ${encoded}`)
    expect((await basic.type('form').send({ grant_type: 'client_credentials' })).status).toBe(503)
    expect(decisions.slice(told)).toMatchObject([{ client_id: second, method: 'client_secret_basic', outcome: 'refused' }])
    expect((await post(app, codeForm(code, first))).status).toBe(200)
    clock.now += 60_000
    expect((await ask(app, second)).status).toBe(200)
  })

  it('are no new ones where somebody agreed to them at another process of the same store', async () => {
    const before = await limited()
    const client_id = host.put('agreed-before')
    await agree(before.app, client_id)
    const after = await limited({ store: before.store })
    expect((await ask(after.app, host.put('taking-the-place'))).status).toBe(200)
    expect((await ask(after.app, host.put('one-too-many'))).status).toBe(503)
    expect((await ask(after.app, client_id)).status).toBe(303)
  })
})
