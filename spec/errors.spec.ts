import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import * as errors from '../lib/errors.ts'

const { OAuthError, InvalidClientError, InvalidRequestError, MethodNotAllowedError, TemporarilyUnavailableError, ServerError } =
  errors

describe('every error', () => {
  const options = { reason: 'private' }
  it.each([
    [new InvalidRequestError('words', options), 'InvalidRequestError', 'invalid_request', 400],
    [new MethodNotAllowedError(['GET', 'POST']), 'MethodNotAllowedError', 'invalid_request', 405],
    [new errors.RequestTooLargeError('words', options), 'RequestTooLargeError', 'invalid_request', 413],
    [new errors.UnsupportedMediaTypeError('words', options), 'UnsupportedMediaTypeError', 'invalid_request', 415],
    [new InvalidClientError(options), 'InvalidClientError', 'invalid_client', 401],
    [new errors.InvalidGrantError('words', options), 'InvalidGrantError', 'invalid_grant', 400],
    [new errors.UnauthorizedClientError('words', options), 'UnauthorizedClientError', 'unauthorized_client', 400],
    [new errors.UnsupportedGrantTypeError(options), 'UnsupportedGrantTypeError', 'unsupported_grant_type', 400],
    [new errors.InvalidScopeError('words', options), 'InvalidScopeError', 'invalid_scope', 400],
    [new errors.InvalidTargetError('words', options), 'InvalidTargetError', 'invalid_target', 400],
    [new TemporarilyUnavailableError(options), 'TemporarilyUnavailableError', 'temporarily_unavailable', 503],
    [new ServerError(options), 'ServerError', 'server_error', 500]
  ])('%s has its name, code and status, and keeps its reason off the wire', (error, name, code, status) => {
    expect(error).toBeInstanceOf(OAuthError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name, error: code, status, statusCode: status })
    expect(error.message).not.toBe('')
    expect(JSON.parse(JSON.stringify(error))).toEqual({ error: code, error_description: error.message })
  })

  it('describes itself in the characters RFC 6749 allows', () => {
    expect(new InvalidRequestError('a "quoted"\\\r\nX-Injected: é€\u007f').message).toBe('a  quoted    X-Injected:    ')
  })

  it('keeps reason, headers and cause', () => {
    const cause = new Error('x')
    expect(new ServerError({ reason: 'why', headers: { A: 'b' }, cause })).toMatchObject({
      reason: 'why',
      headers: { A: 'b' },
      cause
    })
    expect(new ServerError()).toMatchObject({ reason: undefined, headers: {} })
    expect('cause' in new ServerError()).toBe(false)
  })
})

describe('InvalidClientError', () => {
  it('says the same whatever the reason', () => {
    expect(new InvalidClientError({ reason: 'unknown client' }).toJSON()).toEqual(
      new InvalidClientError({ reason: 'wrong secret' }).toJSON()
    )
  })

  it('carries the decision where error loggers do not repeat it', () => {
    const decision = { trace_id: 't', endpoint: 'token', outcome: 'refused', checks: [] } as const
    const error = new InvalidClientError({ decision })
    expect(error.decision).toBe(decision)
    expect(Object.keys(error)).not.toContain('decision')
    expect(new InvalidClientError().decision).toBeUndefined()
  })
})

describe('headers', () => {
  it('come with the errors that need them', () => {
    expect(new MethodNotAllowedError(['GET', 'POST']).headers).toEqual({ Allow: 'GET, POST' })
    expect(new TemporarilyUnavailableError().headers).toEqual({ 'Retry-After': '5' })
    expect(new TemporarilyUnavailableError({ retryAfter: 60, headers: { A: 'b' } }).headers).toEqual({
      'Retry-After': '60',
      A: 'b'
    })
  })

  it("keep their status and headers in Express's own error handler", async () => {
    const app = express().set('env', 'test')
    app.use((_req, _res, next) =>
      next(new InvalidClientError({ reason: 'private', headers: { 'WWW-Authenticate': 'Basic realm="x"' } }))
    )
    const response = await request(app).get('/')
    expect([response.status, response.headers['www-authenticate']]).toEqual([401, 'Basic realm="x"'])
    expect(response.text).not.toContain('private')
  })
})
