import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { guardedFetch, GuardedFetchError, type GuardedFetchOptions, type HostAddress } from '../../lib/outbound/guarded-fetch.ts'
import { clientKeys } from '../../lib/client-keys/client-keys.ts'
import { toClient } from '../../lib/clients/client.ts'
import { DecisionBuilder } from '../../lib/decisions/builder.ts'
import { makeAuthority, makeCertificate } from '../support/certificates/certificates.ts'
import { makeKey } from '../assertions/signing.ts'

const servers: (Server | TcpServer)[] = []

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(server => {
      if ('closeAllConnections' in server) server.closeAllConnections()
      return new Promise(done => server.close(done))
    })
  )
})

async function listen(server: Server | TcpServer): Promise<number> {
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

async function serve(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(listener))}/jwks`
}

async function reasonOf(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  if (!(error instanceof GuardedFetchError)) throw new Error(`expected GuardedFetchError, not ${String(error)}`)
  return error.reason
}

const resolvesTo =
  (...addresses: string[]) =>
  (): Promise<readonly HostAddress[]> =>
    Promise.resolve(addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })))

const local = (options: GuardedFetchOptions = {}) => guardedFetch({ allowLoopback: true, ...options })

describe('guardedFetch', () => {
  it('fetches JSON and says how long it may be kept', async () => {
    const url = await serve((req, res) => {
      res.setHeader('Cache-Control', 'public, max-age=120').end(JSON.stringify({ path: req.url, accept: req.headers.accept }))
    })
    expect(await local()(url)).toEqual({
      json: { path: '/jwks', accept: 'application/jwk-set+json, application/json' },
      maxAge: 120
    })
  })

  it('asks for what it is told to, and says what it was sent', async () => {
    const url = await serve((req, res) => {
      res.setHeader('Content-Type', 'Application/JSON; charset=utf-8').end(JSON.stringify(req.headers.accept))
    })
    expect(await local({ accept: 'application/json' })(url)).toEqual({ json: 'application/json', mediaType: 'application/json' })
  })

  it.each([
    [undefined, undefined],
    ['public', undefined],
    ['max-age=60', 60],
    ['public,max-age="5"', 5],
    ['no-store', 0],
    ['max-age=60, no-cache', 0],
    ['s-maxage=60', undefined],
    ['max-age=-1', undefined],
    ['max-age=x', undefined]
  ])('reads Cache-Control: %p', async (header, maxAge) => {
    const url = await serve((_, res) => {
      if (header !== undefined) res.setHeader('Cache-Control', header)
      res.end('{}')
    })
    expect((await local()(url)).maxAge).toBe(maxAge)
  })

  it('finds localhost by name, over IPv4 where IPv6 does not answer', async () => {
    const url = await serve((_, res) => res.end('{}'))
    expect(await local()(url.replace('127.0.0.1', 'localhost'))).toEqual({ json: {} })
    expect(await local({ lookup: resolvesTo('::1', '127.0.0.1') })(url.replace('127.0.0.1', 'localhost'))).toEqual({ json: {} })
  })

  it('fetches over TLS from a host whose certificate it can trust, and from no other', async () => {
    const authority = makeAuthority()
    const certificate = makeCertificate({ issuer: authority, sans: { dns: ['localhost'] } })
    const tls = createTlsServer({ key: certificate.keyPem, cert: certificate.pem }, (_, res) => res.end('{"keys":[]}'))
    const port = await listen(tls)
    const trusting = local({ ca: authority.pem })
    expect(await trusting(`https://localhost:${port}/`)).toEqual({ json: { keys: [] } })
    expect(await reasonOf(trusting(`https://127.0.0.1:${port}/`))).toBe('network')
    expect(await reasonOf(local()(`https://localhost:${port}/`))).toBe('network')
  })

  it.each([301, 302, 303, 307, 308, 201, 204, 304, 400, 404, 500])('refuses the status %d', async status => {
    let requests = 0
    const url = await serve((_, res) => {
      requests += 1
      res.writeHead(status, { Location: '/elsewhere' }).end()
    })
    expect(await reasonOf(local()(url))).toBe('status')
    expect(requests).toBe(1)
  })

  it.each(['', 'keys', '{"keys":', '<html></html>', Buffer.from('7b2261223a22ff227d', 'hex')])(
    'refuses what is not JSON: %p',
    async body => {
      const url = await serve((_, res) => res.end(body))
      expect(await reasonOf(local()(url))).toBe('not_json')
    }
  )

  it('refuses an answer that announces too much, and one that just goes on', async () => {
    const announced = await serve((_, res) => res.writeHead(200, { 'Content-Length': '101' }).flushHeaders())
    expect(await reasonOf(local({ maxBytes: 100 })(announced))).toBe('too_large')
    const endless = await serve((_, res) => {
      const pump = () => {
        while (!res.destroyed && res.write(' '.repeat(1000)));
      }
      res.on('drain', pump)
      pump()
    })
    expect(await reasonOf(local()(endless))).toBe('too_large')
  })

  it('gives up in time: no answer, half an answer, drops of an answer, a name that is never found', async () => {
    const silent = await serve(() => undefined)
    const half = await serve((_, res) => res.write('{'))
    const dripping = await serve((_, res) => {
      const timer = setInterval(() => res.write(' '), 20)
      res.on('close', () => clearInterval(timer))
    })
    const start = Date.now()
    for (const url of [silent, half, dripping]) expect(await reasonOf(local({ timeout: 150 })(url))).toBe('timeout')
    const lost = guardedFetch({ timeout: 150, lookup: () => new Promise(() => undefined) })
    expect(await reasonOf(lost('https://keys.example/'))).toBe('timeout')
    expect(Date.now() - start).toBeLessThan(3000)
  })

  it.each([
    '',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    'not HTTP at all\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}'
  ])('survives a server that answers %j and hangs up', async answer => {
    const port = await listen(
      createTcpServer(socket => socket.on('error', () => undefined).once('data', () => socket.end(answer)))
    )
    expect(await reasonOf(local()(`http://127.0.0.1:${port}/`))).toBe('network')
  })

  it('says that nobody listens', async () => {
    const url = await serve(() => undefined)
    await Promise.all(servers.splice(0).map(server => new Promise(done => server.close(done))))
    expect(await reasonOf(local()(url))).toBe('network')
  })
})

describe('which URLs are fetched', () => {
  it.each([
    ['', 'invalid_url'],
    ['/jwks', 'invalid_url'],
    ['https://', 'invalid_url'],
    ['http://keys.example/jwks', 'forbidden_scheme'],
    ['http://localhost.evil.example/', 'forbidden_scheme'],
    ['http://127.0.0.1.nip.example/', 'forbidden_scheme'],
    ['ftp://keys.example/', 'forbidden_scheme'],
    ['file:///etc/hosts', 'forbidden_scheme'],
    ['data:application/json,{}', 'forbidden_scheme'],
    ['https://user@keys.example/', 'forbidden_user_info'],
    ['https://:password@keys.example/', 'forbidden_user_info'],
    ['https://10.0.0.1/', 'forbidden_address'],
    ['https://169.254.169.254/latest/meta-data', 'forbidden_address'],
    ['https://0/', 'forbidden_address'],
    ['https://2852039166/', 'forbidden_address'],
    ['https://0x0a.1/', 'forbidden_address'],
    ['https://012.0.0.1/', 'forbidden_address'],
    ['https://[::]/', 'forbidden_address'],
    ['https://[fd00::1]/', 'forbidden_address'],
    ['https://[fe80::1]/', 'forbidden_address'],
    ['https://[::ffff:10.0.0.1]/', 'forbidden_address'],
    ['https://[64:ff9b::a00:1]/', 'forbidden_address']
  ])('%j: %s', async (url, reason) => {
    expect(await reasonOf(local()(url))).toBe(reason)
  })

  it.each([
    ['http://127.0.0.1/', 'forbidden_scheme'],
    ['http://localhost/', 'forbidden_scheme'],
    ['https://127.0.0.1/', 'forbidden_address'],
    ['https://[::1]/', 'forbidden_address'],
    ['https://2130706433/', 'forbidden_address'],
    ['https://localhost/', 'forbidden_address'],
    ['https://localhost./', 'forbidden_address']
  ])('%s: %s, unless loopback is allowed', async (url, reason) => {
    const fetchJson = guardedFetch({ lookup: resolvesTo('127.0.0.1', '::1') })
    expect(await reasonOf(fetchJson(url))).toBe(reason)
  })

  it.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.0.0.1', '64:ff9b::a00:1', '0.0.0.0', 'x'])(
    'not where the name leads to %s, even beside a public address',
    async address => {
      for (const addresses of [[address], ['93.184.215.14', address], [address, '93.184.215.14']]) {
        const fetchJson = local({ lookup: resolvesTo(...addresses) })
        expect(await reasonOf(fetchJson('https://keys.example/'))).toBe('forbidden_address')
      }
    }
  )

  it('not where the name is not found, or leads nowhere', async () => {
    const failing = guardedFetch({ lookup: () => Promise.reject(new Error('ENOTFOUND')) })
    expect(await reasonOf(failing('https://keys.example/'))).toBe('host_not_found')
    expect(await reasonOf(guardedFetch({ lookup: resolvesTo() })('https://keys.example/'))).toBe('host_not_found')
  })

  it('asks for the name once, as it connects, so that an answer that changes meanwhile helps nobody', async () => {
    const url = await serve((_, res) => res.end('{}'))
    let lookups = 0
    const lookup = () => resolvesTo(lookups++ === 0 ? '127.0.0.1' : '10.0.0.1')()
    const fetchJson = local({ lookup })
    expect(await fetchJson(url.replace('127.0.0.1', 'localhost'))).toEqual({ json: {} })
    expect(lookups).toBe(1)
    expect(await reasonOf(fetchJson(url.replace('127.0.0.1', 'localhost')))).toBe('forbidden_address')
  })

  it('lets the listed hosts be private, and no other', async () => {
    // an address no network routes
    const lookup = resolvesTo('fd00:dead::1')
    const fetchJson = guardedFetch({ allowPrivate: ['Keys.corp.example'], lookup, timeout: 100 })
    expect(await reasonOf(fetchJson('https://keys.corp.example/'))).toMatch(/network|timeout/)
    expect(await reasonOf(fetchJson('https://other.corp.example/'))).toBe('forbidden_address')
    const metadata = guardedFetch({ allowPrivate: true, lookup: resolvesTo('169.254.169.254') })
    expect(await reasonOf(metadata('https://keys.corp.example/'))).toBe('forbidden_address')
  })

  it.each([
    ['timeout', 0],
    ['timeout', '5s'],
    ['maxBytes', -1],
    ['allowPrivate', 'keys.corp.example'],
    ['allowPrivate', [5]],
    ['allowLocal', true]
  ])('and no wrong option is taken: %s %j', (key, value) => {
    expect(() => guardedFetch({ [key]: value })).toThrow(expect.objectContaining({ key }))
  })
})

describe('a real jwks_uri', () => {
  it('is fetched once for all who need it at once', async () => {
    const { jwk } = await makeKey('ES256', { kid: 'k' })
    let requests = 0
    const jwks_uri = await serve((_, res) => {
      requests += 1
      setTimeout(() => res.end(JSON.stringify({ keys: [jwk] })), 30)
    })
    const client = toClient({ client_id: 'a', token_endpoint_auth_method: 'private_key_jwt', jwks_uri })
    const keys = clientKeys({ fetchJson: local() })
    const find = () => keys.find(client, { alg: 'ES256', kid: 'k' }, new DecisionBuilder('token'))
    expect(await Promise.all(Array.from({ length: 50 }, find))).toHaveLength(50)
    expect(requests).toBe(1)
  })
})
