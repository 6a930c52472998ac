/** Express's own behaviours, on the server that makes its requests and responses. */
import { afterEach, describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import { request as httpRequest, type Server } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { createServer } from '../lib/create-server.ts'
import { authorizationServer, generateKeys, memoryStore, type AuthorizationServerOptions } from '../lib/index.ts'
import { makeCertificate } from './support/certificates/certificates.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(app: Express, options: Parameters<typeof createServer>[1] = {}): Promise<number> {
  const server = createServer(app, options)
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const at = (port: number, path = '/') => `http://127.0.0.1:${port}${path}`

/** Sends bytes as they are, and answers with what comes back until the server closes. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let received = ''
    socket.on('data', chunk => (received += String(chunk)))
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}

describe('an app on createServer()', () => {
  it('gives every request and response the prototypes Express would', async () => {
    const app = express()
    let changes: readonly boolean[] = []
    app.use((req, res, next) => {
      changes = [Object.getPrototypeOf(req) === app.request, Object.getPrototypeOf(res) === app.response]
      next()
    })
    app.get(
      '/',
      (req, res) =>
        void res.json({ host: req.hostname, ip: req.ip, query: req.query, accepts: req.accepts('json'), app: req.app === app })
    )
    const body = await (await fetch(at(await serve(app), '/?a=b'))).json()
    expect(body).toEqual({ host: '127.0.0.1', ip: '127.0.0.1', query: { a: 'b' }, accepts: 'json', app: true })
    expect(changes).toEqual([true, true])
  })

  it('keeps what was put on app.request and app.response, before and after', async () => {
    const app = express()
    const request = app.request as unknown as Record<string, unknown>
    request['before'] = () => 'before'
    const port = await serve(app)
    ;(app.request as unknown as Record<string, unknown>)['after'] = () => 'after'
    ;(app.response as unknown as Record<string, unknown>)['shout'] = function (
      this: { json(body: unknown): void },
      text: string
    ) {
      this.json(text.toUpperCase())
    }
    app.get('/', (req, res) => {
      const extended = req as unknown as Record<string, () => string>
      ;(res as unknown as { shout(text: string): void }).shout(`${extended['before']?.()} ${extended['after']?.()}`)
    })
    expect(await (await fetch(at(port))).json()).toBe('BEFORE AFTER')
  })

  it('answers json, send, redirect, cookies, streams, errors and 404 as ever', async () => {
    const app = express()
    app.get('/json', (_req, res) => void res.status(201).json({ a: 1 }))
    app.get('/send', (_req, res) => void res.type('text').send('ü'))
    app.get('/redirect', (_req, res) => res.redirect(303, '/json'))
    app.get('/cookie', (_req, res) => void res.cookie('a', 'b', { httpOnly: true }).end())
    app.get('/stream', (_req, res) => {
      res.write('one ')
      setImmediate(() => res.end('two'))
    })
    app.get('/throw', () => {
      throw Object.assign(new Error('no'), { status: 418 })
    })
    const port = await serve(app)
    const answers = await Promise.all(
      ['/json', '/send', '/redirect', '/cookie', '/stream', '/throw', '/none'].map(path =>
        fetch(at(port, path), { redirect: 'manual' })
      )
    )
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 303, 200, 200, 418, 404])
    expect(await answers[0]?.json()).toEqual({ a: 1 })
    expect(await answers[1]?.text()).toBe('ü')
    expect(answers[2]?.headers.get('location')).toBe('/json')
    expect(answers[3]?.headers.get('set-cookie')).toBe('a=b; Path=/; HttpOnly')
    expect(await answers[4]?.text()).toBe('one two')
  })

  it('reads bodies with the parsers people use', async () => {
    const app = express()
    app.use(express.urlencoded({ extended: true }), express.json())
    app.post('/', (req, res) => void res.json(req.body))
    const port = await serve(app)
    const form = await fetch(at(port), { method: 'POST', body: new URLSearchParams({ a: 'b' }) })
    expect(await form.json()).toEqual({ a: 'b' })
    const json = await fetch(at(port), { method: 'POST', body: '{"c":1}', headers: { 'content-type': 'application/json' } })
    expect(await json.json()).toEqual({ c: 1 })
  })

  it('serves routers and sub-applications', async () => {
    const app = express()
    const router = express.Router()
    router.get('/leaf', (req, res) => void res.json(req.baseUrl))
    const sub = express()
    sub.get('/leaf', (req, res) => void res.json([req.baseUrl, req.app === sub]))
    app.use('/router', router)
    app.use('/sub', sub)
    app.get('/after', (req, res) => void res.json(req.app === app))
    const port = await serve(app)
    expect(await (await fetch(at(port, '/router/leaf'))).json()).toBe('/router')
    expect(await (await fetch(at(port, '/sub/leaf'))).json()).toEqual(['/sub', true])
    expect(await (await fetch(at(port, '/after'))).json()).toBe(true)
  })

  it('keeps connections alive and answers pipelined requests in order', async () => {
    const app = express()
    app.get('/:n', (req, res) => void setTimeout(() => res.json(req.params.n), req.params.n === '1' ? 20 : 0))
    const port = await serve(app)
    const get = (n: number, connection: string) => `GET /${n} HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\n\r\n`
    const received = await exchange(port, get(1, 'keep-alive') + get(2, 'keep-alive') + get(3, 'close'))
    expect(received.match(/"\d"/g)).toEqual(['"1"', '"2"', '"3"'])
  })

  it('tells of aborted requests and hands upgrades on', async () => {
    const app = express()
    const aborted = new Promise<boolean>(resolve =>
      app.get('/', (req, res) => {
        res.on('close', () => resolve(req.destroyed && !res.writableFinished))
        request.destroy()
      })
    )
    const port = await serve(app)
    servers[0]?.on('upgrade', (_req, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
    const request = httpRequest(at(port)).on('error', () => undefined)
    request.end()
    expect(await aborted).toBe(true)
    expect(await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')).toContain(
      '101 Switching Protocols'
    )
  })

  it('is served by several servers at once, over TLS too', async () => {
    const app = express()
    app.get('/', (req, res) => void res.json([req.secure, Object.getPrototypeOf(req) === app.request]))
    const { pem, keyPem } = makeCertificate({ subject: 'localhost' })
    const plain = await serve(app)
    const secure = await serve(app, { tls: { key: keyPem, cert: pem } })
    expect(await (await fetch(at(plain))).json()).toEqual([false, true])
    const answer = await new Promise<string>((resolve, reject) => {
      httpsRequest({ port: secure, host: '127.0.0.1', rejectUnauthorized: false }, response => {
        let text = ''
        response.on('data', chunk => (text += String(chunk))).on('end', () => resolve(text))
      })
        .on('error', reject)
        .end()
    })
    expect(JSON.parse(answer)).toEqual([true, true])
  })
})

describe('an authorization server that answers before Express', () => {
  const issuer = 'https://as.example.com'
  const secret = 'a secret of forty characters, and more...'
  const basic = (password = secret) => `Basic ${Buffer.from(`machine:${password}`).toString('base64')}`

  /** The same server twice: with the app alone, and with its endpoints for clients before the app. */
  async function both(options: Partial<AuthorizationServerOptions> = {}) {
    const app = express().set('trust proxy', true)
    const seen: string[] = []
    app.use((req, _res, next) => {
      seen.push(`${req.method} ${req.path}`)
      next()
    })
    const server = authorizationServer({
      ...{ issuer, store: memoryStore(), keys: await generateKeys(['ES256']), scopes: ['a'] },
      clients: [{ client_id: 'machine', client_secret: secret, grant_types: ['client_credentials', 'authorization_code'] }].map(
        client => ({ ...client, redirect_uris: ['https://client.example.com/cb'] })
      ),
      interaction: { account: () => undefined, consented: () => false, prompt: () => undefined },
      onError: () => undefined,
      ...options
    })
    app.use(server)
    return { app, server, seen, usual: await serve(app), direct: await serve(app, { server }) }
  }

  const form = (body: string, headers: Record<string, string> = { authorization: basic() }): RequestInit => ({
    ...{ method: 'POST', body },
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }
  })
  const grant = 'grant_type=client_credentials'
  const requests: readonly [name: string, path: string, request: RequestInit, seen: boolean][] = [
    ['a good request', '/oauth2/token', form(grant), false],
    ['a wrong secret', '/oauth2/token', form(grant, { authorization: basic('wrong') }), false],
    ['no client', '/oauth2/token', form(grant, {}), false],
    ['another grant', '/oauth2/token', form('grant_type=password'), false],
    ['a parameter twice', '/oauth2/token', form(`${grant}&scope=a&scope=a`), false],
    ['no form', '/oauth2/token', { method: 'POST', body: '{"a":', headers: { 'content-type': 'application/json' } }, false],
    ['a body that is too long', '/oauth2/token', form(`${grant}&a=${'b'.repeat(2_000_000)}`), false],
    ['an unknown token', '/oauth2/introspect', form('token=abc'), false],
    ['a revocation', '/oauth2/revoke', form('token=abc'), false],
    ['a pushed request', '/oauth2/par', form('response_type=token'), false],
    ['another method', '/oauth2/token', { method: 'PUT', body: grant }, true],
    ['a query', '/oauth2/token?a=b', form(grant, { authorization: basic('wrong') }), true],
    ['a page for people', '/oauth2/authorize', form('client_id=nobody'), true],
    ['metadata', '/.well-known/oauth-authorization-server', {}, true],
    ['a path of nobody', '/oauth2/token/', form(grant), true]
  ]

  it.each(requests)('answers %s as in Express', async (_name, path, request, isSeen) => {
    const { usual, direct, seen } = await both()
    const answer = async (port: number) => {
      const response = await fetch(at(port, path), { ...request, redirect: 'manual' })
      const headers = Object.fromEntries([...response.headers].filter(([name]) => !/^(date|x-powered-by|etag)$/.test(name)))
      // what is made anew for each: tokens
      const body = (await response.text()).replace(/("access_token":")[^"]+/, '$1')
      return { status: response.status, headers, body }
    }
    const expected = await answer(usual)
    expect(seen).toHaveLength(1)
    expect(await answer(direct)).toEqual(expected)
    expect(seen).toHaveLength(isSeen ? 2 : 1)
  })

  it('leaves the request as Express would, to listeners of the application', async () => {
    const told: object[] = []
    const { usual, direct } = await both({
      onError: (_error, req) => {
        const { ip, originalUrl, baseUrl, path, hostname, protocol } = req
        told.push({ ip, originalUrl, baseUrl, path, hostname, protocol, locals: { ...req.res?.locals }, app: typeof req.app })
      }
    })
    const forwarded = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'as.example.com' }
    for (const port of [usual, direct]) await fetch(at(port, '/oauth2/token'), form(grant, forwarded))
    expect(told[0]).toMatchObject({ ip: '192.0.2.7', originalUrl: '/oauth2/token', protocol: 'https' })
    expect(told[1]).toEqual(told[0])
  })

  it('knows the endpoints at which clients authenticate, wherever they are, and no other', async () => {
    const { server, direct, seen } = await both({ paths: { token: '/t' } })
    expect([...server.clientEndpoints.keys()].sort()).toEqual(['/oauth2/introspect', '/oauth2/par', '/oauth2/revoke', '/t'])
    expect((await fetch(at(direct, '/t'), form(grant))).status).toBe(200)
    expect(seen).toEqual([])
  })

  it('answers what a handler throws, and breaks off an answer that had begun', async () => {
    const { app, direct } = await both({ allowedOrigins: ['https://app.example.com'] })
    Object.assign(app.response, {
      vary() {
        throw new Error('thrown where nothing waits for it')
      }
    })
    expect((await fetch(at(direct, '/oauth2/token'), form(grant))).status).toBe(500)
    const breaking = new Map([
      [
        '/begun',
        (_req: never, res: never, next: (error: Error) => void) => {
          const { write } = res as { write: (text: string, sent: () => void) => void }
          write.call(res, 'half', () => next(new Error('the rest is lost')))
        }
      ]
    ])
    const broken = await serve(app, { server: Object.assign(() => undefined, { clientEndpoints: breaking }) })
    await expect(fetch(at(broken, '/begun'), form('')).then(response => response.text())).rejects.toThrow(/terminated/)
  })

  it.each([
    ['null', null],
    ['an app', express()],
    ['the options of a server', { issuer }],
    ['true', true]
  ])('is not %s', (_name, server) => {
    const options: object = { server }
    expect(() => createServer(express(), options)).toThrow('server must be what authorizationServer() returned')
  })
})
