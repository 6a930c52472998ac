/** The guard itself is that of guarded-fetch, and proved there. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from '@jest/globals'
import { GuardedFetchError, guardedPost } from '../../lib/outbound/guarded-fetch.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/ciba`
}

const message = { headers: { authorization: 'Bearer t' }, body: { auth_req_id: 'ü' } }

describe('guardedPost', () => {
  it('posts JSON with the headers given', async () => {
    const seen: unknown[] = []
    const url = await serve((req, res) => {
      void text(req).then(body => {
        seen.push([
          req.method,
          req.url,
          req.headers.authorization,
          req.headers['content-type'],
          req.headers['content-length'],
          body
        ])
        res.writeHead(204).end()
      })
    })
    expect(await guardedPost({ allowLoopback: true })(url, message)).toBe(204)
    expect(seen).toEqual([['POST', '/ciba', 'Bearer t', 'application/json', '20', '{"auth_req_id":"ü"}']])
  })

  it.each([200, 302, 401, 503])('says what it was answered, and follows nothing: %i', async status => {
    const paths: unknown[] = []
    const url = await serve((req, res) => {
      paths.push(req.url)
      res.writeHead(status, { location: '/elsewhere' }).end('x'.repeat(100_000))
    })
    expect(await guardedPost({ allowLoopback: true })(url, message)).toBe(status)
    expect(paths).toEqual(['/ciba'])
  })

  it('does not wait for an answer without end', async () => {
    const url = await serve((_req, res) => {
      res.writeHead(200)
      res.write('x')
    })
    expect(await guardedPost({ allowLoopback: true })(url, message)).toBe(200)
  })

  it.each([
    ['a private address', 'https://10.0.0.1/', 'forbidden_address'],
    ['a metadata service', 'https://169.254.169.254/', 'forbidden_address'],
    ['loopback', 'https://127.0.0.1/', 'forbidden_address'],
    ['plain http', 'http://client.example/', 'forbidden_scheme'],
    ['no URL', 'ciba', 'invalid_url'],
    ['user info', 'https://me:pw@client.example/', 'forbidden_user_info']
  ])('posts nothing to %s', async (_name, url, reason) => {
    await expect(guardedPost()(url, message)).rejects.toMatchObject({ name: 'GuardedFetchError', reason })
  })

  it('gives up where there is no answer', async () => {
    const url = await serve(() => undefined)
    const silent = guardedPost({ allowLoopback: true, timeout: 100 })(url, message)
    await expect(silent).rejects.toThrow(GuardedFetchError)
    await expect(silent).rejects.toMatchObject({ reason: 'timeout' })
  })
})
