import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { EventEmitter, once } from 'node:events'
import type { Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import request from 'supertest'
import { oauthErrorHandler } from '../../lib/http/error-handler.ts'
import { readParameters } from '../../lib/http/parameters.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** A server that answers with the parameters it read, and the outcome of its every reading, in order. */
async function listen(configure?: (app: express.Express) => unknown) {
  const outcomes: Promise<unknown>[] = []
  const readings = new EventEmitter()
  const begun = once(readings, 'begun')
  const app = express()
  configure?.(app)
  app.use((req, res, next) => {
    const reading = readParameters(req, { maxBytes: 100 })
    outcomes.push(reading.catch((error: unknown) => error))
    readings.emit('begun')
    reading.then(parameters => res.json(parameters), next)
  })
  app.use(oauthErrorHandler({ onError: () => undefined }))
  const server = app.listen(0)
  servers.push(server)
  await once(server, 'listening')
  return { server, outcomes, begun, port: (server.address() as AddressInfo).port }
}

const head = (...headers: string[]) =>
  ['POST / HTTP/1.1', 'Host: x', 'Content-Type: application/x-www-form-urlencoded', ...headers, '', ''].join('\r\n')

/** Everything the socket receives, until it has seen `mark` or the end. */
async function receive(socket: Socket, mark?: string): Promise<string> {
  let text = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (mark !== undefined && text.includes(mark)) break
  }
  return text
}

describe('collectBody', () => {
  it('reads a body that comes in pieces, in and between characters', async () => {
    const { port } = await listen()
    const socket = connect(port)
    socket.write(head('Transfer-Encoding: chunked'))
    for (const piece of [
      Buffer.from('a='),
      Buffer.from('€').subarray(0, 1),
      Buffer.from('€').subarray(1),
      Buffer.from('&b=%E2'),
      Buffer.from('%82%AC')
    ]) {
      socket.write(`${piece.length.toString(16)}\r\n`)
      socket.write(piece)
      socket.write('\r\n')
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    socket.write('0\r\n\r\n')
    expect(await receive(socket, '}')).toContain('{"a":"€","b":"€"}')
    socket.destroy()
  })

  it('reads up to its bound, and not one byte more', async () => {
    const { server } = await listen()
    expect(
      (
        await request(server)
          .post('/')
          .type('form')
          .send(`a=${'x'.repeat(98)}`)
      ).status
    ).toBe(200)
    const response = await request(server)
      .post('/')
      .type('form')
      .send(`a=${'x'.repeat(99)}`)
    expect([response.status, response.body]).toEqual([
      413,
      { error: 'invalid_request', error_description: 'the request body must not be larger than 100 bytes' }
    ])
  })

  it('refuses what is announced as too large before it comes, and keeps the connection when it is not much', async () => {
    const { port } = await listen()
    const socket = connect(port)
    socket.write(head('Content-Length: 200'))
    expect(await receive(socket, '}')).toMatch(/^HTTP\/1\.1 413 [^]*Connection: keep-alive/)
    socket.write('x'.repeat(200) + head('Content-Length: 3') + 'a=1')
    expect(await receive(socket, '}')).toMatch(/^HTTP\/1\.1 200 [^]*\{"a":"1"\}/)
    socket.destroy()
  })

  it('closes the connection when much more is announced', async () => {
    const { port } = await listen()
    const socket = connect(port)
    socket.write(head('Content-Length: 2000000'))
    expect(await receive(socket)).toMatch(/^HTTP\/1\.1 413 [^]*Connection: close/)
  })

  it('refuses a chunked body once it is too large, answers while it is still coming, and closes', async () => {
    const { port } = await listen()
    const socket = connect(port)
    socket.write(head('Transfer-Encoding: chunked') + '65\r\n' + 'x'.repeat(101) + '\r\n')
    expect(await receive(socket)).toMatch(/^HTTP\/1\.1 413 [^]*Connection: close/)
  })

  it('answers a client that goes on sending', async () => {
    const { server } = await listen()
    for (const size of [60_000, 900_000]) {
      const response = await request(server).post('/').type('form').send('x'.repeat(size))
      expect(response.status).toBe(413)
    }
  })

  it.each([
    ['announced', head('Content-Length: 50') + 'a=1'],
    ['chunked', head('Transfer-Encoding: chunked') + '3\r\na=1\r\n']
  ])('does not wait for an upload that was aborted (%s)', async (_, sent) => {
    const { port, begun, outcomes } = await listen()
    const socket = connect(port)
    socket.write(sent)
    await begun
    socket.destroy()
    expect(await outcomes[0]).toMatchObject({
      error: 'invalid_request',
      name: 'RequestAbortedError',
      message: 'the request body ended early',
      reason: expect.any(String),
      // whoever prints it prints one line
      stack: 'RequestAbortedError: the request body ended early'
    })
  })

  it('does not wait for an upload that was aborted before it was read', async () => {
    const { port, outcomes, begun } = await listen(app => app.use((req, _res, next) => void req.on('close', next)))
    const socket = connect(port)
    socket.write(head('Content-Length: 50') + 'a=1', () => setTimeout(() => socket.destroy(), 20))
    await begun
    expect(await outcomes[0]).toMatchObject({ message: 'the request body ended early' })
  })

  it('does not wait for a stream that failed', async () => {
    const { port, begun, outcomes } = await listen(app =>
      app.use((req, _res, next) => {
        setTimeout(() => req.destroy(new Error('disk on fire')), 20)
        next()
      })
    )
    const socket = connect(port)
    socket.write(head('Content-Length: 50') + 'a=1')
    await begun
    expect(await outcomes[0]).toMatchObject({ message: 'the request body ended early' })
  })

  it('keeps the connection after a refused body that was read whole', async () => {
    const { port } = await listen()
    const socket = connect(port)
    socket.write(head('Content-Length: 7') + 'a=1&a=2')
    expect(await receive(socket, '}')).toMatch(/^HTTP\/1\.1 400 /)
    socket.write(head('Content-Length: 3') + 'a=1')
    expect(await receive(socket, '}')).toMatch(/^HTTP\/1\.1 200 /)
    socket.destroy()
  })

  it('reads a stream that was told to give strings', async () => {
    const { server } = await listen(app =>
      app.use((req, _res, next) => {
        req.setEncoding('utf8')
        next()
      })
    )
    expect((await request(server).post('/').type('form').send('a=€')).body).toEqual({ a: '€' })
  })
})
