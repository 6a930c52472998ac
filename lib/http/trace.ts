/**
 * The one id that everything said about a request carries: its W3C trace id, so that it is found again in whatever else
 * traces it.
 */
import type { IncomingMessage } from 'node:http'
import { requestNote } from '../request-note.ts'
import { pooledRandomBytes } from '../crypto/random.ts'
import { openTelemetry } from './open-telemetry.ts'

/** The part of a request that its trace is told by. */
export type TracedRequest = Pick<IncomingMessage, 'headers'>

/** The caller's span, as the `traceparent` header names it. */
interface TraceParent {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
}

const traceparentSyntax = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const longestTraceparent = 512
const traceIds = requestNote<TracedRequest, string>('trace id')

/**
 * The trace id of a request, 32 lowercase hex digits: that of the active OpenTelemetry span; without one, that of a
 * valid `traceparent` header (W3C Trace Context §3.2); without that, a random one. It is the `trace_id` of every
 * decision and event the request leads to, whenever it is asked for.
 *
 * @example
 * app.use(oauthErrorHandler({ onError: (error, req) => console.error({ trace_id: traceIdOf(req), error: String(error) }) }))
 */
export function traceIdOf(req: TracedRequest): string {
  const known = traceIds.read(req)
  if (known !== undefined) return known
  const id = activeTraceId() ?? readTraceparent(req.headers['traceparent'])?.traceId ?? pooledRandomBytes(16).toString('hex')
  return traceIds.write(req, id)
}

/** The trace id of the active OpenTelemetry span. */
function activeTraceId(): string | undefined {
  const api = openTelemetry()
  const active = api?.trace.getActiveSpan()?.spanContext()
  return active !== undefined && api?.isSpanContextValid(active) === true ? active.traceId : undefined
}

/** A request whose trace a span of ours began. */
export function rememberTraceId(req: TracedRequest, traceId: string): void {
  if (traceIds.read(req) === undefined) traceIds.write(req, traceId)
}

/**
 * Reads a `traceparent` header; undefined for one that is missing, doubled or not exactly as W3C Trace Context §3.2
 * has it.
 */
export function readTraceparent(header: unknown): TraceParent | undefined {
  if (typeof header !== 'string' || header.length > longestTraceparent) return undefined
  const [, version = '', traceId = '', spanId = '', flags = '', more] = traceparentSyntax.exec(header) ?? []
  // version 00 ends here; later ones may go on; ff is none
  if (version === '' || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (isZero(traceId) || isZero(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 }
}

function isZero(hex: string): boolean {
  return /^0+$/.test(hex)
}
