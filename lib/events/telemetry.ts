/**
 * OpenTelemetry, through `@opentelemetry/api` alone: spans and metrics for whichever SDK the application set up, at
 * whatever time, and nothing at all where there is none. Names and attributes are in docs/events.md; a span may name a
 * client, a metric never does.
 */
import type { Attributes, Context, Counter, Histogram, MeterProvider, Tracer, TracerProvider } from '@opentelemetry/api'
import type { Decision } from '../decisions/decision.ts'
import type { ServerEvent } from './events.ts'
import { openTelemetry, type OpenTelemetry } from '../http/open-telemetry.ts'
import { readTraceparent, rememberTraceId, type TracedRequest } from '../http/trace.ts'

const library = 'clientele'

interface Instruments {
  readonly authentications: Counter
  readonly authenticationDuration: Histogram
  readonly tokens: Counter
  readonly tokenDuration: Histogram
  readonly replays: Counter
  readonly trials: Counter
}

/** Seconds: from a secret compared in memory to a store on its knees. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

let measured: { readonly provider: MeterProvider; readonly instruments: Instruments | undefined } | undefined

/** The instruments of the meter provider there is now; undefined where there is none. */
function instruments(): Instruments | undefined {
  const api = openTelemetry()
  if (api === undefined) return undefined
  const provider = api.metrics.getMeterProvider()
  if (measured?.provider !== provider) measured = { provider, instruments: makeInstruments(api, provider) }
  return measured.instruments
}

function makeInstruments({ createNoopMeter }: OpenTelemetry, provider: MeterProvider): Instruments | undefined {
  const meter = provider.getMeter(library)
  if (meter === createNoopMeter()) return undefined
  const seconds = { unit: 's', advice: { explicitBucketBoundaries: buckets } }
  return {
    authentications: meter.createCounter('clientele.authentications', { description: 'Client authentications' }),
    authenticationDuration: meter.createHistogram('clientele.authentication.duration', seconds),
    tokens: meter.createCounter('clientele.tokens', { description: 'Token requests of authenticated clients' }),
    tokenDuration: meter.createHistogram('clientele.token.duration', seconds),
    replays: meter.createCounter('clientele.replays', { description: 'What is good once, presented again' }),
    trials: meter.createCounter('clientele.trials', { description: 'Requests tried against a candidate configuration' })
  }
}

/** Whether events are worth making for metrics. */
export function isMeasuring(): boolean {
  return instruments() !== undefined
}

/** Counts an event. */
export function measure(event: ServerEvent): void {
  const known = instruments()
  if (known === undefined) return
  switch (event.type) {
    case 'authentication.succeeded':
    case 'authentication.refused':
    case 'authentication.unanswered': {
      const { endpoint, method = 'unknown', type, duration } = event
      const outcome = type.slice('authentication.'.length)
      known.authentications.add(1, { endpoint, method, outcome, failed_check: failedCheck(event.decision) })
      known.authenticationDuration.record(duration / 1000, { endpoint, method, outcome })
      break
    }
    case 'token.issued':
    case 'token.refused': {
      const outcome = event.type === 'token.issued' ? 'issued' : event.error
      known.tokens.add(1, { grant_type: event.grant_type ?? 'unknown', outcome })
      break
    }
    case 'code.reused':
    case 'refresh.reused':
    case 'assertion.replayed':
    case 'dpop.replayed':
      known.replays.add(1, { of: event.type.slice(0, event.type.indexOf('.')) })
      break
    case 'shadow.differed':
      known.trials.add(1, { outcome: event.effect, check: event.check })
      break
    case 'shadow.unjudged':
      known.trials.add(1, { outcome: event.outcome })
  }
}

/** Counts a trial that nothing else is told of. */
export function measureSameTrial(): void {
  instruments()?.trials.add(1, { outcome: 'same' })
}

/** @param milliseconds from reading the request to having the answer. */
export function measureTokenRequest(milliseconds: number, grant_type = 'unknown', outcome = 'issued'): void {
  instruments()?.tokenDuration.record(milliseconds / 1000, { grant_type, outcome })
}

/** The check that failed, as metrics and spans have it. */
export function failedCheck(decision: Decision | undefined): string | undefined {
  return decision?.checks.find(({ outcome }) => outcome === 'fail')?.check
}

/** A piece of work that has a span. */
export interface Operation {
  /** Does it: spans that others begin meanwhile are below this one. */
  run<T>(work: () => T): T
  /** Does what comes after it: outside. */
  leave<T>(work: () => T): T
  /** Ends the span. `error` is the code that was answered with; undefined members are left out. */
  end(attributes: Attributes, error?: string): void
}

/**
 * Begins a span: below the active one, or below the caller's, as `traceparent` names it. Undefined where there is no
 * SDK to make it.
 */
export function beginOperation(name: string, req: TracedRequest): Operation | undefined {
  const api = openTelemetry()
  if (api === undefined || !isTracing(api)) return undefined
  const { context, isSpanContextValid, SpanStatusCode, trace } = api
  const parent = parentOf(api, req)
  const span = findTracer(api).startSpan(`${library}.${name}`, undefined, parent)
  const made = span.spanContext()
  // without an SDK there comes an invalid one, or the parent itself
  if (!isSpanContextValid(made) || made.spanId === trace.getSpanContext(parent)?.spanId) return undefined
  rememberTraceId(req, made.traceId)
  const active = trace.setSpan(parent, span)
  return {
    run: work => context.with(active, work),
    leave: work => context.with(parent, work),
    end(attributes, error) {
      for (const [key, value] of Object.entries(attributes)) {
        if (value !== undefined) span.setAttribute(`${library}.${key}`, value)
      }
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error })
      span.end()
    }
  }
}

/**
 * False for as long as nobody has registered a provider: then a span would be begun, at each request, to find that it
 * is none.
 */
function isTracing({ trace }: OpenTelemetry): boolean {
  const provider = trace.getTracerProvider() as TracerProvider & { getDelegateTracer?(name: string): unknown }
  return provider.getDelegateTracer === undefined || provider.getDelegateTracer(library) !== undefined
}

let traced: { readonly provider: TracerProvider; readonly tracer: Tracer } | undefined

/** The tracer of the provider there is now: an SDK may be set up after the server. */
function findTracer({ trace }: OpenTelemetry): Tracer {
  const provider = trace.getTracerProvider()
  if (traced?.provider !== provider) traced = { provider, tracer: provider.getTracer(library) }
  return traced.tracer
}

function parentOf({ context, trace }: OpenTelemetry, { headers }: TracedRequest): Context {
  const active = context.active()
  if (trace.getSpan(active) !== undefined) return active
  const caller = readTraceparent(headers['traceparent'])
  return caller === undefined ? active : trace.setSpanContext(active, { ...caller, isRemote: true })
}
