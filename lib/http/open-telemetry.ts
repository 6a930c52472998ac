/**
 * `@opentelemetry/api` as the application has it: an optional peer, which is looked for only once an SDK was set up.
 */
import { createRequire } from 'node:module'
import type * as Api from '@opentelemetry/api'
import { warn } from '../listeners.ts'

/** The API of OpenTelemetry, any release 1.x that has metrics. */
export type OpenTelemetry = typeof Api

/** The global symbol under which each release 1.x of the API keeps what was registered with it. */
const registry = Symbol.for('opentelemetry.js.api.1')

let found: OpenTelemetry | 'missing' | undefined

/**
 * The API, as soon as an SDK was registered with one; undefined before that, and where there is none. An SDK may be set
 * up at any time. It is the application's own copy, because copies of different releases do not see each other's
 * providers.
 */
export function openTelemetry(): OpenTelemetry | undefined {
  if (found === undefined && registry in globalThis) found = find()
  return found === 'missing' ? undefined : found
}

function find(): OpenTelemetry | 'missing' {
  try {
    return createRequire(import.meta.url)('@opentelemetry/api') as OpenTelemetry
  } catch {
    warn('there is an OpenTelemetry SDK, but @opentelemetry/api cannot be loaded: there will be neither spans nor metrics')
    return 'missing'
  }
}
