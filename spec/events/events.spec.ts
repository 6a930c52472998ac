/** What happens at a server is told, each thing once, with the trace id of the request it came from. */
import { describe, expect, it, jest } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import express from 'express'
import request from 'supertest'
import {
  authenticateClient,
  NoneStrategy,
  ClientSecretBasicStrategy,
  memoryStore,
  oauthErrorHandler,
  tenants,
  tokenRouter,
  traceIdOf,
  type EventListener
} from '../../lib/index.ts'
import { basic, clients, harness, issuer, specKeys, token } from '../support/servers/authorization-server.ts'
import { backchannelServer } from '../support/servers/backchannel.ts'
import { listening } from '../support/checks/event-log.ts'

const trace_id = expect.stringMatching(/^[0-9a-f]{32}$/)
const machineToken = { grant_type: 'client_credentials' }

describe('an authentication', () => {
  it('is told with its decision, and the tokens after it, in one trace', async () => {
    const { onEvent, events } = listening()
    const { app, clock } = await harness({ onEvent })
    expect((await token(app, 'web', { ...machineToken, scope: 'api:read' })).status).toBe(200)
    const [authenticated, issued] = events
    expect(events).toHaveLength(2)
    expect(authenticated).toEqual({
      type: 'authentication.succeeded',
      at: clock.now,
      issuer,
      trace_id,
      endpoint: 'token',
      client_id: 'web',
      method: 'client_secret_basic',
      credential: expect.stringMatching(/^secret:/),
      duration: expect.any(Number),
      decision: expect.objectContaining({ outcome: 'authenticated', trace_id: authenticated?.trace_id })
    })
    expect(issued).toEqual({
      type: 'token.issued',
      at: clock.now,
      issuer,
      trace_id: authenticated?.trace_id,
      grant_type: 'client_credentials',
      client_id: 'web',
      scope: ['api:read'],
      access_token_format: 'opaque',
      expires_in: 3600,
      tokens: ['access_token'],
      bound_to: []
    })
  })

  it('is told where it is refused, with the check that failed, and no token request beside it', async () => {
    const { onEvent, events } = listening()
    const { app } = await harness({ onEvent })
    const post = () => request(app).post('/oauth2/token').type('form').send(machineToken)
    await post().set('Authorization', basic('web', 'wrong'))
    await post().set('Authorization', basic('nobody'))
    await post()
    await post().set('Authorization', basic('web')).send({ client_secret: 'x' })
    expect(events).toMatchObject([
      { type: 'authentication.refused', client_id: 'web', error: 'invalid_client', method: 'client_secret_basic', trace_id },
      { type: 'authentication.refused', client_id: 'nobody', error: 'invalid_client', trace_id },
      { type: 'authentication.refused', error: 'invalid_client', decision: { outcome: 'refused' } },
      { type: 'authentication.refused', error: 'invalid_request', decision: { checks: [{ check: 'one_mechanism' }] } }
    ])
    expect(new Set(events.map(event => event.trace_id)).size).toBe(4)
  })

  it.each([
    ['a body that cannot be read', 'application/json', '{', 'invalid_request'],
    ['a parameter sent twice', 'application/x-www-form-urlencoded', 'scope=a&scope=b', 'invalid_request']
  ])('is told as refused without a record for %s', async (_what, type, body, error) => {
    const { onEvent, events } = listening()
    const { app } = await harness({ onEvent })
    await request(app).post('/oauth2/token').type(type).send(body)
    expect(events).toMatchObject([{ type: 'authentication.refused', endpoint: 'token', error, decision: undefined }])
  })

  it('is told as unanswered where the clients cannot be found', async () => {
    const { onEvent, events } = listening()
    const { app } = await harness({ onEvent, clients: () => Promise.reject(new Error('hunter2')) })
    expect((await token(app, 'web', machineToken)).status).toBe(503)
    expect(events).toMatchObject([
      { type: 'authentication.unanswered', client_id: 'web', error: 'temporarily_unavailable', method: 'client_secret_basic' }
    ])
    expect(JSON.stringify(events)).not.toContain('hunter2')
  })

  it('is told at every endpoint that has one', async () => {
    const { onEvent, events } = listening()
    const { app } = await backchannelServer({}, { onEvent })
    for (const path of ['token', 'par', 'introspect', 'revoke', 'bc-authorize'])
      await token(app, 'web', { token: 'x' }, `/oauth2/${path}`)
    const endpoints = events
      .filter(({ type }) => type === 'authentication.succeeded')
      .map(event => 'endpoint' in event && event.endpoint)
    expect(endpoints).toEqual([
      'token',
      'pushed_authorization_request',
      'introspection',
      'revocation',
      'backchannel_authentication'
    ])
  })

  it('is told by authenticateClient() on a route of one’s own, without an issuer', async () => {
    const { onEvent, events } = listening()
    const app = express()
    const strategies = [new ClientSecretBasicStrategy({ clients })]
    app.post(
      '/reports',
      authenticateClient({ clients, strategies, endpoint: 'reports', onEvent }),
      (_req, res) => void res.json({})
    )
    app.use(oauthErrorHandler())
    await request(app).post('/reports').set('Authorization', basic('web')).expect(200)
    await request(app).post('/reports').set('Authorization', basic('web', 'wrong')).expect(401)
    expect(events).toMatchObject([
      { type: 'authentication.succeeded', endpoint: 'reports', issuer: undefined },
      { type: 'authentication.refused', endpoint: 'reports', trace_id }
    ])
  })

  it('tells each request that guesses too much', async () => {
    const { onEvent, events } = listening()
    const { app } = await harness({ onEvent, guessProtection: { attempts: 2, window: 60 } })
    const guess = () =>
      request(app).post('/oauth2/token').type('form').send(machineToken).set('Authorization', basic('web', 'no'))
    for (let attempt = 0; attempt < 3; attempt++) await guess()
    expect(events.map(({ type }) => type)).toEqual([...Array<string>(3).fill('authentication.refused'), 'guesses.exceeded'])
    expect(events.at(-1)).toMatchObject({ endpoint: 'token', client_id: 'web', network: '127.0.0.1', trace_id })
  })
})

describe('onEvent', () => {
  it.each([
    [
      'threw',
      () => {
        throw new Error('the log is full')
      }
    ],
    ['rejected', () => Promise.reject(new Error('the log is full'))]
  ])('decides nothing where it %s, and is warned of once', async (did, onEvent) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const { app } = await harness({ onEvent })
    for (let times = 0; times < 3; times++) await token(app, 'web', machineToken).expect(200)
    await token(app, 'web', {}).expect(400)
    expect(warn.mock.calls).toEqual([[`onEvent ${did}, and will again: the log is full`, 'ClienteleWarning']])
    warn.mockRestore()
  })

  it('is checked, and hears of every tenant that has none of its own', async () => {
    const wrong = 'loudly' as unknown as EventListener
    await expect(harness({ onEvent: wrong })).rejects.toThrow('onEvent must be a function')
    expect(() => tenants({ issuer, resolve: () => undefined, onEvent: wrong })).toThrow('onEvent must be a function')
    const strategies = [new NoneStrategy({ clients })]
    expect(() => authenticateClient({ clients, strategies, onEvent: wrong })).toThrow('onEvent must be a function')
    const [all, own] = [listening(), listening()]
    const shared = { clients, store: memoryStore(), keys: await specKeys() }
    const interaction = { account: () => undefined, consented: () => false, prompt: () => undefined }
    const app = express()
    const resolve = (path: string) => ({ ...shared, interaction, ...(path === '/own' && { onEvent: own.onEvent }) })
    app.use(tenants({ issuer, resolve, onEvent: all.onEvent }))
    for (const path of ['/acme', '/own']) await token(app, 'web', machineToken, `${path}/oauth2/token`).expect(200)
    expect(new Set(all.events.map(event => event.issuer))).toEqual(new Set([`${issuer}/acme`]))
    expect(new Set(own.events.map(event => event.issuer))).toEqual(new Set([`${issuer}/own`]))
  })

  it('hears what a token router does', async () => {
    const heard = listening()
    const app = express()
    app.use('/oauth2', tokenRouter({ issuer, clients, store: memoryStore(), keys: await specKeys(), onEvent: heard.onEvent }))
    await token(app, 'web', machineToken).expect(200)
    expect(heard.types()).toEqual(['authentication.succeeded', 'token.issued'])
  })
})

describe('a trace id', () => {
  const id = '4bf92f3577b34da6a3ce929d0e0e4736'

  it('is that of the traceparent header, in decisions, events and errors alike', async () => {
    const { onEvent, events } = listening()
    const traces: unknown[] = []
    const { app } = await harness({
      onEvent,
      onDecision: decision => traces.push(decision.trace_id),
      onError: (_error, req) => traces.push(traceIdOf(req))
    })
    const traceparent = `00-${id}-00f067aa0ba902b7-01`
    await token(app, 'web', { grant_type: 'authorization_code', code: randomUUID() }).set('traceparent', traceparent)
    expect(traces).toEqual([id, id])
    expect(events.map(event => event.trace_id)).toEqual([id, id])
  })

  it('is one of our own, but one for the whole request, where that header is no good', async () => {
    const { onEvent, events } = listening()
    const { app } = await harness({ onEvent })
    await token(app, 'web', machineToken).set('traceparent', `00-${id.toUpperCase()}-00f067aa0ba902b7-01`)
    const [first, second] = events.map(event => event.trace_id)
    expect(first).toMatch(/^[0-9a-f]{32}$/)
    expect(first).not.toBe(id)
    expect(second).toBe(first)
  })
})
