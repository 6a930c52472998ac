/** What the example app writes of what happens, at which level, and with which trace. */
import { describe, expect, it } from '@jest/globals'
import { get } from 'node:http'
import express from 'express'
import { pino } from 'pino'
import request from 'supertest'
import { InvalidGrantError, type ServerEvent } from 'clientele'
import { accessLog, logEvent, logFailure } from '../../example-app/log.ts'
import { listening } from '../support/servers/authorization-server.ts'

const trace_id = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${trace_id}-00f067aa0ba902b7-01`

function memoryLog(level = 'debug') {
  const lines: Record<string, unknown>[] = []
  const formatters = { level: (label: string) => ({ level: label }) }
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }
  return { lines, log: pino({ level, base: null, formatters }, stream) }
}

describe('logEvent', () => {
  const about = { at: 1, issuer: 'https://as.example.com', trace_id, client_id: 'web' }

  it.each<[string, ServerEvent]>([
    ['warn', { type: 'refresh.reused', grant: 'g', ...about }],
    ['warn', { type: 'code.reused', grant: 'g', ...about }],
    ['warn', { type: 'assertion.replayed', use: 'client_authentication', ...about }],
    ['warn', { type: 'dpop.replayed', jkt: 'j', ...about }],
    ['warn', { type: 'guesses.exceeded', endpoint: 'token', network: '192.0.2.1', ...about }],
    ['warn', { type: 'credential.expiring', credential: 'secret:1', ...about }],
    ['info', { type: 'grant.revoked', grant: 'g', by: 'person', ...about }],
    ['info', { type: 'client.registered', ...about }]
  ])('writes at level %s', (level, event) => {
    const { log, lines } = memoryLog()
    logEvent(log, event)
    expect(lines).toMatchObject([{ level, msg: event.type, trace_id, client_id: 'web' }])
  })

  it('leaves to decisions and errors what they say already', () => {
    const { log, lines } = memoryLog()
    logEvent(log, { type: 'token.refused', endpoint: 'token', error: 'invalid_grant', ...about })
    logEvent(log, { type: 'authentication.succeeded', endpoint: 'token', duration: 1, ...about })
    expect(lines).toEqual([])
  })
})

it('an access line has the path alone, however the request was addressed', async () => {
  const { log, lines } = memoryLog()
  const app = express()
  app.use(accessLog(log), (_req, res) => void res.end())
  await listening(app, async address => {
    for (const path of ['/a?code=secret', 'http://me:secret@host/a?code=secret', 'HTTPS://host/a', '*', `/${'a'.repeat(300)}`])
      await new Promise(resolve => get(address, { path }, response => response.resume().once('end', resolve)))
  })
  expect(lines.map(({ path }) => path)).toEqual(['/a', '/a', '/a', '*', `/${'a'.repeat(255)}`])
})

it('an access line has no code or token that got into the path', async () => {
  const { log, lines } = memoryLog()
  const app = express()
  app.use(accessLog(log), (_req, res) => void res.end())
  const code = 'zb3_97lrwvA86DW6ET1iww.4JNvW7Hf6CufkVV_5VRwhUH7kIaC7vV-07yfrJmpkjM'
  const jwt = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from('{"sub":"alice"}').toString('base64url')}.c2lnbmF0dXJlMQ`
  const kept = ['/.well-known/oauth-authorization-server/acme', '/oauth2/register/c85b65bb46eb49ee2a18d2e3af49d67b', '/Short1']
  await listening(app, async address => {
    for (const path of [
      `/${code}`,
      `/oauth2/token/${jwt}/x`,
      `/${jwt}${'A1b'.repeat(200)}`,
      `/${code}?a`,
      `/%20${code}`,
      `/cb&code=${code}`,
      `/cb;code=${code}`,
      `/code:SplxlOBeZQQYbYSWxSbIAQ`,
      `/${'a/'.repeat(120)}${code}`,
      ...kept
    ])
      await new Promise(resolve => get(address, { path }, response => response.resume().once('end', resolve)))
  })
  const masked = ['/…', '/oauth2/token/…/x', '/…', '/…', '/…', '/cb&…', '/cb;…', '/code:…', `/${'a/'.repeat(120)}…`]
  expect(lines.map(({ path }) => path)).toEqual([...masked, ...kept])
})

it('an access line names the issuer as it is called', async () => {
  const { log, lines } = memoryLog()
  const app = express()
  app.use(accessLog(log, ['/', '/Acme-Banking-EMEA-2024', '/Acme-Banking-EMEA-2024/Loans']), (_req, res) => void res.end())
  await listening(app, async address => {
    for (const path of [
      '/Acme-Banking-EMEA-2024',
      '/.well-known/oauth-authorization-server/Acme-Banking-EMEA-2024',
      '/.well-known/oauth-protected-resource/Acme-Banking-EMEA-2024/mcp',
      '/Acme-Banking-EMEA-2024/oauth2/token',
      '/Acme-Banking-EMEA-2024/Loans/oauth2',
      '/Other-Banking-EMEA-2024/a'
    ])
      await new Promise(resolve => get(address, { path }, response => response.resume().once('end', resolve)))
  })
  expect(lines.map(({ path }) => path)).toEqual([
    '/Acme-Banking-EMEA-2024',
    '/.well-known/oauth-authorization-server/Acme-Banking-EMEA-2024',
    '/.well-known/oauth-protected-resource/Acme-Banking-EMEA-2024/mcp',
    '/Acme-Banking-EMEA-2024/oauth2/token',
    '/Acme-Banking-EMEA-2024/Loans/oauth2',
    '/…/a'
  ])
})

it('an access line and the failure of the same request have one trace', async () => {
  const { log, lines } = memoryLog()
  const app = express()
  app.use(accessLog(log))
  app.get('/fails', (req, res) => {
    logFailure(log, new InvalidGrantError('no', { reason: 'expired' }), req, 'https://as.example.com')
    res.status(400).end()
  })
  await request(app).get('/fails').set('traceparent', traceparent)
  await request(app).get('/fails')
  expect(lines.slice(0, 2)).toMatchObject([
    { level: 'debug', msg: 'request refused', trace_id, reason: 'expired' },
    { level: 'info', msg: 'request', trace_id, status: 400 }
  ])
  expect(lines[2]?.['trace_id']).toMatch(/^[0-9a-f]{32}$/)
  expect(lines[3]?.['trace_id']).toBe(lines[2]?.['trace_id'])
})
