import { describe, expect, it } from '@jest/globals'
import express from 'express'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import request from 'supertest'
import { InvalidRequestError, TemporarilyUnavailableError } from '../../lib/errors.ts'
import { readClientRequest, type ClientRequestOptions } from '../../lib/http/client-request.ts'
import { oauthErrorHandler } from '../../lib/http/error-handler.ts'
import type { ClientRequest } from '../../lib/client-request.ts'

/** Posts a form, and gives what `use` makes of the request. */
async function post<T>(options: ClientRequestOptions | undefined, use: (request: ClientRequest) => T): Promise<T> {
  const app = express()
  const used = new Promise<T>(resolve => {
    app.use((req, res) => {
      resolve(readClientRequest(req, options).then(use))
      res.end()
    })
  })
  const [made] = await Promise.all([used, request(app).post('/').set('X-Extra', 'yes').type('form').send('client_id=x')])
  return made
}

function thrownBy(read: () => unknown): unknown {
  try {
    read()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}

describe('readClientRequest', () => {
  it('reads endpoint, headers, parameters and no certificate from a plain connection', async () => {
    const read = await post(undefined, given => ({ ...given, certificate: given.certificate() }))
    expect(read).toMatchObject({ endpoint: 'token', parameters: { client_id: 'x' } })
    expect(read.headers['x-extra']).toBe('yes')
    expect(read.certificate).toBeUndefined()
    expect((await post({ endpoint: 'revocation' }, given => given)).endpoint).toBe('revocation')
  })

  it('asks the certificate source when it is asked itself, once', async () => {
    const certificate = { der: new Uint8Array([1]), verified: true }
    let asked = 0
    const source = () => (asked++, certificate)
    const read = await post({ certificateSource: source }, given => given)
    expect(asked).toBe(0)
    expect([read.certificate(), read.certificate(), asked]).toEqual([certificate, certificate, 1])
    let missing = 0
    const none = await post({ certificateSource: () => (missing++, undefined) }, given => given)
    expect([none.certificate(), none.certificate(), missing]).toEqual([undefined, undefined, 1])
  })

  it('answers a certificate it cannot read with invalid_request, and lets OAuth errors through', async () => {
    const cause = new Error('bad header')
    const read = await post(
      {
        certificateSource: () => {
          throw cause
        }
      },
      given => given
    )
    const error = thrownBy(read.certificate)
    expect(error).toBeInstanceOf(InvalidRequestError)
    expect(error).toMatchObject({ message: 'the client certificate could not be read', cause })
    expect(thrownBy(read.certificate)).toBe(error)
    const own = new TemporarilyUnavailableError()
    expect(
      thrownBy(
        (
          await post(
            {
              certificateSource: () => {
                throw own
              }
            },
            given => given
          )
        ).certificate
      )
    ).toBe(own)
  })

  it('reads a request once', async () => {
    const app = express().use(async (req, res) => {
      const first = readClientRequest(req, { endpoint: 'revocation' })
      expect(readClientRequest(req, { endpoint: 'introspection' })).toBe(first)
      res.json((await first).endpoint)
    })
    expect((await request(app).post('/').type('form').send('a=1')).body).toBe('revocation')
  })

  it('rejects as reading the parameters does', async () => {
    await expect(post({ maxBytes: 1 }, given => given)).rejects.toMatchObject({ status: 413 })
  })

  it('refuses two Authorization headers', async () => {
    const app = express().use((req, res, next) => {
      readClientRequest(req).then(() => res.json({ ok: true }), next)
    })
    app.use(oauthErrorHandler({ onError: () => undefined }))
    const server = createServer(app).listen(0)
    await once(server, 'listening')
    const send = async (...headers: string[]) => {
      const socket = connect((server.address() as AddressInfo).port)
      socket.write(['POST / HTTP/1.1', 'Host: x', 'Connection: close', 'Content-Length: 0', ...headers, '', ''].join('\r\n'))
      return String(Buffer.concat(await socket.toArray()))
    }
    try {
      expect(await send('Authorization: Basic YTpi')).toContain('200 OK')
      expect(await send('Authorization: Basic YTpi', 'authorization: Basic YTpi')).toMatch(/^HTTP\/1\.1 400 [^]*more than once/)
    } finally {
      server.close()
    }
  })
})
