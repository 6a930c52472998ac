import { describe, expect, it } from '@jest/globals'
import express, { type RequestHandler } from 'express'
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
    expect(response.headers).not.toHaveProperty('content-type')
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
