import { describe, expect, it } from '@jest/globals'
import express, { type RequestHandler } from 'express'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import request from 'supertest'
import { InvalidClientError, InvalidRequestError, MethodNotAllowedError, TemporarilyUnavailableError } from '../../lib/errors.ts'
import { sendDone, sendJson, sendOAuthError, sendTokenResponse } from '../../lib/http/responses.ts'

const answer = (handler: RequestHandler) => request(express().use(handler)).get('/')

describe('sendJson', () => {
  it('writes the status, JSON, its length in bytes, and the headers', async () => {
    const response = await answer((_req, res) => sendJson(res, 201, { name: 'Zoë €' }, { Location: '/x' }))
    expect(response.status).toBe(201)
    expect(response.body).toEqual({ name: 'Zoë €' })
    expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '19', location: '/x' })
    expect(response.headers).not.toHaveProperty('etag')
    expect(response.headers).not.toHaveProperty('transfer-encoding')
  })

  it('keeps headers set before', async () => {
    const response = await answer((_req, res) => {
      res.set('X-Before', 'yes').set('Content-Type', 'text/html')
      sendJson(res, 200, {})
    })
    expect(response.headers).toMatchObject({ 'x-before': 'yes', 'content-type': 'application/json' })
  })

  it('leaves an answer that was given alone', async () => {
    const response = await answer((_req, res) => {
      res.end('done')
      sendJson(res, 500, { error: 'late' })
    })
    expect([response.status, response.headers['content-type']]).toEqual([200, undefined])
  })

  it('cuts off an answer that had begun', async () => {
    await expect(
      answer((_req, res) => {
        res.write('{"half":')
        sendJson(res, 500, { error: 'late' })
      })
    ).rejects.toThrow()
  })
})

describe('how sendJson writes', () => {
  const serve = async (handler: RequestHandler, send: (port: number) => Promise<string>): Promise<string> => {
    const server = createServer(express().use(handler)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      return await send((server.address() as AddressInfo).port)
    } finally {
      server.close()
    }
  }

  /** What a server answers on one connection to these requests, sent at once. */
  const exchange = (requests: readonly string[]) => async (port: number) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(requests.map(request => `${request}\r\nHost: x\r\n\r\n`).join(''))
    let received = ''
    for await (const chunk of socket) {
      received += String(chunk)
      if (received.split('HTTP/1.1').length > requests.length) socket.end()
    }
    return received
  }

  const bodies = { ascii: { a: 'b' }, 'beyond Latin-1': { name: 'Zoë €' } }

  it.each(Object.entries(bodies))('hands the socket the whole answer in one piece: %s', async (_name, body) => {
    const pieces: unknown[] = []
    const received = await serve(
      (req, res) => {
        const { socket } = req
        const write = socket.write.bind(socket)
        socket.write = ((...given: Parameters<typeof write>) => {
          pieces.push(given[0])
          return write(...given)
        }) as typeof write
        sendJson(res, 200, body)
      },
      exchange(['GET / HTTP/1.1'])
    )
    expect(pieces).toHaveLength(1)
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(JSON.parse(received.slice(received.indexOf('\r\n\r\n')))).toEqual(body)
  })

  it('ends the answer, once it is written', async () => {
    const events: string[] = []
    await serve(
      (_req, res) => {
        res.on('finish', () => events.push('finish')).on('close', () => events.push('close'))
        sendJson(res, 200, {})
        events.push(`ended ${res.writableEnded}`)
      },
      exchange(['GET / HTTP/1.1'])
    )
    expect(events).toEqual(['ended true', 'finish', 'close'])
  })

  it('answers requests that came at once in their order', async () => {
    const received = await serve(
      (req, res) => {
        const wait = req.url === '/first' ? 20 : 0
        setTimeout(() => sendJson(res, 200, { url: req.url }), wait)
      },
      exchange(['GET /first HTTP/1.1', 'GET /second HTTP/1.1', 'GET /third HTTP/1.1'])
    )
    expect(received.match(/"url":"[^"]*"/g)).toEqual(['"url":"/first"', '"url":"/second"', '"url":"/third"'])
  })

  it('sends no body where the request was HEAD', async () => {
    const received = await serve((_req, res) => sendJson(res, 200, { a: 'b' }), exchange(['HEAD / HTTP/1.1']))
    expect(received).toContain('Content-Length: 9\r\n')
    expect(received).toMatch(/\r\n\r\n$/)
  })

  it.each(['write', 'end'] as const)('gives the whole answer to end() where a middleware replaced %s()', async replaced => {
    const ended: unknown[] = []
    const received = await serve(
      (_req, res) => {
        const end = res.end.bind(res) as (text: unknown) => typeof res
        res.end = (text: unknown) => {
          ended.push(text)
          return end(text)
        }
        if (replaced === 'write') {
          delete (res as { end?: unknown }).end
          res.write = () => {
            throw new Error('nothing is to be written piece by piece')
          }
        }
        sendJson(res, 200, { a: 'b' })
      },
      exchange(['GET / HTTP/1.1'])
    )
    expect(received).toContain('{"a":"b"}')
    expect(ended).toEqual(replaced === 'end' ? ['{"a":"b"}'] : [])
  })

  it('survives a client that has gone', async () => {
    const answered = new EventEmitter()
    await serve(
      (req, res) => {
        req.socket.destroy()
        req.socket.once('close', () => {
          sendJson(res, 200, {})
          setTimeout(() => answered.emit('now'), 20)
        })
      },
      async port => {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined)
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        await once(answered, 'now')
        return ''
      }
    )
  })
})

describe('sendTokenResponse', () => {
  it('is 200 and not to be stored', async () => {
    const response = await answer((_req, res) => sendTokenResponse(res, { access_token: 'x', token_type: 'Bearer' }))
    expect([response.status, response.body]).toEqual([200, { access_token: 'x', token_type: 'Bearer' }])
    expect(response.headers).toMatchObject({
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'content-type': 'application/json'
    })
  })
})

describe('sendDone', () => {
  it('is 200 without a body, and not to be stored', async () => {
    const response = await answer((_req, res) => sendDone(res))
    expect([response.status, response.text]).toEqual([200, ''])
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache', 'content-length': '0' })
    // there are clients that read every answer as JSON, and fail without being told that it is
    expect(response.headers['content-type']).toBe('application/json')
  })

  it('leaves an answer that was given alone, and cuts off one that had begun', async () => {
    const given = await answer((_req, res) => {
      res.status(201).end('done')
      sendDone(res)
    })
    expect([given.status, given.text]).toEqual([201, 'done'])
    await expect(
      answer((_req, res) => {
        res.write('half')
        sendDone(res)
      })
    ).rejects.toThrow()
  })
})

describe('sendOAuthError', () => {
  it.each([
    ['a bad request', new InvalidRequestError('no', { reason: 'private' }), 400, 'invalid_request', {}],
    [
      'a refused client',
      new InvalidClientError({ headers: { 'WWW-Authenticate': 'Basic realm="x"' } }),
      401,
      'invalid_client',
      { 'www-authenticate': 'Basic realm="x"' }
    ],
    ['a wrong method', new MethodNotAllowedError(['POST']), 405, 'invalid_request', { allow: 'POST' }],
    ['an outage', new TemporarilyUnavailableError({ retryAfter: 9 }), 503, 'temporarily_unavailable', { 'retry-after': '9' }]
  ])('answers %s', async (_, error, status, code, headers) => {
    const response = await answer((_req, res) => sendOAuthError(res, error))
    expect([response.status, response.body]).toEqual([status, { error: code, error_description: error.message }])
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json', ...headers })
    expect(response.text).not.toContain('private')
  })
})
