/** OpenTelemetry with its real SDKs: what a tracing backend and a metrics backend would get. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { context, metrics, ROOT_CONTEXT, trace, type Context, type ContextManager } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { memoryStore, type ServerEvent } from '../../lib/index.ts'
import { beginOperation, isMeasuring } from '../../lib/events/telemetry.ts'
import { breakableStore, codeForm, harness, token } from '../support/servers/authorization-server.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'
import { storeWith } from '../support/servers/registration.ts'

/** What an SDK for Node brings along: the active span follows promises. */
class AsyncContexts implements ContextManager {
  private readonly storage = new AsyncLocalStorage<Context>()
  active = () => this.storage.getStore() ?? ROOT_CONTEXT
  with = <A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ) => this.storage.run(active, () => run.apply(self, args))
  bind = <T>(_context: Context, target: T): T => target
  enable = () => this
  disable = () => this
}

const machine = { grant_type: 'client_credentials' }
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

let exporter: InMemorySpanExporter
let reader: PeriodicExportingMetricReader
let measured: InMemoryMetricExporter

beforeEach(() => {
  exporter = new InMemorySpanExporter()
  measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 3_600_000 })
})

afterEach(async () => {
  await reader.shutdown()
  for (const api of [trace, metrics, context]) api.disable()
})

function setUpTracing(): void {
  context.setGlobalContextManager(new AsyncContexts())
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
}

const setUpMetrics = () => metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))

const spans = () => exporter.getFinishedSpans()
const named = (name: string): ReadableSpan | undefined => spans().find(span => span.name === `clientele.${name}`)

/** Every data point of a metric, with its attributes; of a histogram the count. */
async function pointsOf(name: string): Promise<readonly unknown[]> {
  measured.reset()
  await reader.forceFlush()
  const all = measured.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(scope => scope.metrics))
  const found = all.find(metric => metric.descriptor.name === `clientele.${name}`)
  return (found?.dataPoints ?? []).map(({ attributes, value }) => [typeof value === 'object' ? value.count : value, attributes])
}

describe('without an SDK', () => {
  it('nothing is begun or measured', () => {
    expect(isMeasuring()).toBe(false)
    expect(beginOperation('token', { headers: {} })).toBeUndefined()
    expect(beginOperation('token', { headers: { traceparent: `00-${traceId}-${spanId}-01` } })).toBeUndefined()
  })
})

describe('spans', () => {
  it('are one for the token request and one below it for the authentication, whenever the SDK was set up', async () => {
    const { app } = await harness()
    await token(app, 'web', machine)
    expect(spans()).toEqual([])
    setUpTracing()
    await token(app, 'web', machine)
    const [authentication, request] = [named('client_authentication'), named('token')]
    expect(spans()).toHaveLength(2)
    expect(authentication?.attributes).toEqual({
      'clientele.endpoint': 'token',
      'clientele.client_id': 'web',
      'clientele.method': 'client_secret_basic',
      'clientele.credential': expect.stringMatching(/^secret:/),
      'clientele.outcome': 'succeeded'
    })
    expect(request?.attributes).toEqual({
      'clientele.client_id': 'web',
      'clientele.grant_type': 'client_credentials',
      'clientele.outcome': 'issued'
    })
    expect(authentication?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId)
    expect(request?.parentSpanContext).toBeUndefined()
  })

  it('name the check that failed and the code of the answer', async () => {
    setUpTracing()
    const { app } = await harness()
    await token(app, 'web', machine).set('Authorization', 'Basic d2ViOndyb25n').expect(401)
    expect(named('client_authentication')).toMatchObject({
      status: { code: 2, message: 'invalid_client' },
      attributes: { 'clientele.failed_check': 'secret', 'clientele.outcome': 'refused' }
    })
    expect(named('token')).toMatchObject({
      status: { message: 'invalid_client' },
      attributes: { 'clientele.outcome': 'refused' }
    })
    exporter.reset()
    await token(app, 'web', { grant_type: 'urn:nobody' }).expect(400)
    expect(named('client_authentication')?.status.code).toBe(0)
    expect(named('token')?.status).toEqual({ code: 2, message: 'unsupported_grant_type' })
  })

  it('are below the caller’s where a traceparent names it, and in no trace that nobody else is in', async () => {
    setUpTracing()
    const events: ServerEvent[] = []
    const { app } = await harness({ onEvent: event => events.push(event) })
    await token(app, 'web', machine).set('traceparent', `00-${traceId}-${spanId}-01`)
    expect(named('token')?.parentSpanContext).toMatchObject({ traceId, spanId })
    expect(new Set(spans().map(span => span.spanContext().traceId))).toEqual(new Set([traceId]))
    expect(new Set(events.map(({ trace_id }) => trace_id))).toEqual(new Set([traceId]))
    events.length = 0
    exporter.reset()
    await token(app, 'web', machine)
    expect(new Set(events.map(({ trace_id }) => trace_id))).toEqual(new Set([named('token')?.spanContext().traceId]))
  })

  it('are above what the store does in them, and the authentication is not above what comes after it', async () => {
    setUpTracing()
    const store = memoryStore()
    const parents: (string | undefined)[] = []
    const seen = storeWith(store, {
      set: (...given) => {
        if (given[0].kind.endsWith('access_token')) parents.push(trace.getActiveSpan()?.spanContext().spanId)
        return store.set(...given)
      }
    })
    const { app } = await harness({ store: seen })
    await token(app, 'web', machine).expect(200)
    expect(parents).toEqual([named('token')?.spanContext().spanId])
  })

  it('are of the authentication alone at other endpoints, and end once however the store fails', async () => {
    setUpTracing()
    const { store, broken } = breakableStore(memoryStore())
    const { app } = await harness({ store, guessProtection: {} })
    broken.set('get', 'rejects')
    await token(app, 'web', { token: 'x' }, '/oauth2/introspect').expect(503)
    expect(spans()).toHaveLength(1)
    expect(named('client_authentication')).toMatchObject({
      status: { message: 'temporarily_unavailable' },
      attributes: { 'clientele.endpoint': 'introspection', 'clientele.outcome': 'unanswered' }
    })
  })
})

describe('metrics', () => {
  it('count and time authentications and tokens, by nothing a caller can make up', async () => {
    setUpMetrics()
    const { app } = await harness()
    for (let times = 0; times < 3; times++) await token(app, 'web', machine).expect(200)
    await token(app, 'web', machine).set('Authorization', 'Basic d2ViOndyb25n').expect(401)
    await token(app, 'web', { grant_type: `urn:made-up:${Math.random()}` }).expect(400)
    await token(app, 'web', { ...machine, scope: 'nobody' }).expect(400)
    const method = { endpoint: 'token', method: 'client_secret_basic' }
    expect(await pointsOf('authentications')).toEqual([
      [5, { ...method, outcome: 'succeeded' }],
      [1, { ...method, outcome: 'refused', failed_check: 'secret' }]
    ])
    expect(await pointsOf('authentication.duration')).toEqual([
      [5, { ...method, outcome: 'succeeded' }],
      [1, { ...method, outcome: 'refused' }]
    ])
    const tokens = [
      [3, { ...machine, outcome: 'issued' }],
      [1, { grant_type: 'unknown', outcome: 'unsupported_grant_type' }],
      [1, { ...machine, outcome: 'invalid_scope' }]
    ]
    expect(await pointsOf('tokens')).toEqual(tokens)
    expect(await pointsOf('token.duration')).toEqual(tokens)
  })

  it('count what was presented again', async () => {
    setUpMetrics()
    const { app, clock } = await harness()
    const form = await codeForm(app)
    const proof = await prove(await makeDpopKey(), 'POST', 'https://as.example.com/oauth2/token', clock.now)
    for (let times = 0; times < 2; times++) await token(app, 'web', form)
    for (let times = 0; times < 3; times++) await token(app, 'web', machine).set('DPoP', proof)
    expect(await pointsOf('replays')).toEqual([
      [1, { of: 'code' }],
      [2, { of: 'dpop' }]
    ])
  })

  it('are seconds', async () => {
    setUpMetrics()
    const { app } = await harness()
    await token(app, 'web', machine)
    await reader.forceFlush()
    const all = measured.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(scope => scope.metrics))
    const durations = all.filter(({ descriptor }) => descriptor.name.endsWith('.duration'))
    expect(durations.map(({ descriptor }) => descriptor.unit)).toEqual(['s', 's'])
    for (const { value } of durations.flatMap(({ dataPoints }) => dataPoints as { value: { sum: number } }[]))
      expect(value.sum).toBeLessThan(5)
  })
})
