/** Express's own behaviours, on the server that makes its requests and responses. */
import { afterEach, describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import { request as httpRequest, type Server } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { createServer } from '../lib/create-server.ts'
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
      app.get('/', (req, res) => void res.on('close', () => resolve(req.destroyed && !res.writableFinished)))
    )
    const port = await serve(app)
    servers[0]?.on('upgrade', (_req, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
    const request = httpRequest(at(port)).on('error', () => undefined)
    request.end()
    setTimeout(() => request.destroy(), 30)
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
