/** Bytes from an address somebody else chose, under the rules every guarded fetch has. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { guardedDownload } from 'clientele'

const bytes = Buffer.from([0x89, 0, 0xff, 0xfe, 10])
let server: Server
let origin: string

beforeAll(async () => {
  server = createServer((req, res) => {
    if (req.url === '/moved') res.writeHead(302, { location: '/bytes' }).end()
    else if (req.url === '/gone') res.writeHead(404).end(bytes)
    else if (req.url === '/endless') {
      res.writeHead(200)
      const more = setInterval(() => res.write(Buffer.alloc(64)), 1)
      res.on('close', () => clearInterval(more))
    } else if (req.url === '/silent') return
    else res.end(bytes)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('a guarded download', () => {
  it('gives the bytes as they came, whatever they are', async () => {
    expect(await guardedDownload({ allowLoopback: true })(`${origin}/bytes`)).toEqual(bytes)
  })

  it.each([
    ['/moved', 'status'],
    ['/gone', 'status'],
    ['/endless', 'too_large'],
    ['/silent', 'timeout']
  ])('gives none of %s', async (path, reason) => {
    const timeout = reason === 'timeout' ? 300 : 30_000
    const download = guardedDownload({ allowLoopback: true, maxBytes: 1000, timeout })
    await expect(download(origin + path)).rejects.toMatchObject({ name: 'GuardedFetchError', reason })
  })

  it.each([
    ['http://127.0.0.1:1/', 'forbidden_scheme'],
    ['https://10.0.0.1/', 'forbidden_address'],
    ['https://user@client.example/', 'forbidden_user_info'],
    ['logo.png', 'invalid_url']
  ])('asks no address it may not: %s', async (url, reason) => {
    await expect(guardedDownload()(url)).rejects.toMatchObject({ name: 'GuardedFetchError', reason })
  })
})
