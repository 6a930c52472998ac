/** Everything the servers of one spec file tell their operators, and every secret its clients had: the two must never meet. */
import { inspect } from 'node:util'
import { trace } from '@opentelemetry/api'
import type { Request } from 'express'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { OAuthError, type AuthorizationServerOptions } from 'clientele'
import type { Sent } from '../journeys/fetch.ts'
import { secretsOf } from '../journeys/secrets.ts'
import { leakChecks } from './leak-check.ts'

const wire: Sent[] = []
const said: string[] = []
const spans = new InMemorySpanExporter()

/** What a client sent and got. */
export function heardOnTheWire(sent: Sent): void {
  wire.push(sent)
}

/** What a server told, in whichever way. */
export function emitted(value: unknown): void {
  said.push(typeof value === 'string' ? value : inspect(value, { depth: Infinity, maxStringLength: null, maxArrayLength: null }))
}

/** A server's options, with everything it tells heard here too. */
export function overheard<Options extends Partial<AuthorizationServerOptions>>(options: Options): Options {
  const { onDecision, onEvent, onError } = options
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  return {
    ...options,
    onDecision: decision => {
      emitted(decision)
      onDecision?.(decision)
    },
    onEvent: event => {
      emitted(event)
      return onEvent?.(event)
    },
    // without one the library itself speaks, and goes on doing so
    ...(onError !== undefined && {
      onError: (error: unknown, req: Request) => {
        emitted(error instanceof OAuthError ? { message: error.message, reason: error.reason } : String(error))
        return onError(error, req)
      }
    })
  }
}

/** How much there is of either. */
export function countEmitted(): { readonly said: number; readonly secrets: number; readonly spans: number } {
  return { said: said.length, secrets: secretsOf(wire).size, spans: spans.getFinishedSpans().length }
}

/** The secrets that were told. */
export function leaks(): readonly string[] {
  const finished = spans.getFinishedSpans().map(({ name, attributes, status, events }) => ({ name, attributes, status, events }))
  const text = [...said, inspect(finished, { depth: Infinity, maxStringLength: null, maxArrayLength: null })].join('\n')
  return [...secretsOf(wire)].filter(secret => text.includes(secret))
}

leakChecks.push(leaks)

/** For the spec that leaks on purpose. */
export function forgetEmitted(): void {
  said.length = 0
  wire.length = 0
  spans.reset()
}
