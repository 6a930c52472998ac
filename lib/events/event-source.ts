/** Tells what happens at one server to whoever listens, and to OpenTelemetry. */
import type { Decision } from '../decisions/decision.ts'
import { harmless } from '../listeners.ts'
import type { AuthenticationTolerated, UnstampedEvent, ServerEvent, Emit } from './events.ts'
import { isMeasuring, measure } from './telemetry.ts'

/** Told of everything that happens. What it throws or rejects with decides nothing. */
export type EventListener = (event: ServerEvent) => unknown

export interface EventSource {
  /**
   * Tells; undefined while nobody listens, so that `emit?.({…})` makes no object for nobody.
   */
  readonly emit: Emit | undefined
  /** Reads the time: milliseconds since the epoch. */
  readonly clock: () => number
  /** Tells of what a decision reports, if only to who asks later. */
  tolerated(decision: Decision): void
}

interface EventSourceOptions {
  readonly issuer?: string | undefined
  /** Milliseconds since the epoch. */
  readonly clock?: (() => number) | undefined
  readonly onEvent?: EventListener | undefined
  /** Hears of what is tolerated, whoever listens beside. */
  readonly onTolerated?: ((event: AuthenticationTolerated) => void) | undefined
}

export function eventSource({ issuer, clock = Date.now, onEvent, onTolerated }: EventSourceOptions): EventSource {
  const listener = harmless('onEvent', onEvent)
  const deliver = (event: ServerEvent): void => {
    measure(event)
    listener?.(event)
  }
  const emit: Emit = event => deliver({ at: clock(), issuer, ...event })
  const isHeard = (): boolean => listener !== undefined || isMeasuring()
  return Object.assign(new Emitting(() => (isHeard() ? emit : undefined)), {
    clock,
    tolerated(decision: Decision) {
      for (const event of toleratedIn(decision)) {
        const stamped = { at: clock(), issuer, ...event }
        onTolerated?.(stamped)
        if (isHeard()) deliver(stamped)
      }
    }
  })
}

/**
 * An object with an `emit` that comes and goes with whoever listens. It is of the prototype: of each object with an
 * accessor of its own V8 makes a hash table, which takes several times the memory, and every tenant has some of these.
 */
export class Emitting {
  private readonly heard: () => Emit | undefined

  constructor(find: () => Emit | undefined) {
    this.heard = find
  }

  /** Undefined while nobody listens. */
  get emit(): Emit | undefined {
    return this.heard()
  }
}

/**
 * Gives an object of many members the `emit` of {@link Emitting}. Copied into one that exists, so many would be kept in
 * a hash table: several times the memory for every tenant, and slower to read with each request.
 */
export function emitting<Members extends object>(find: () => Emit | undefined, members: Members): Members & Emitting {
  return Object.setPrototypeOf(Object.assign(members, { heard: find }), Emitting.prototype) as Members & Emitting
}

function toleratedIn({ trace_id, endpoint, client_id = '', method, checks }: Decision): readonly UnstampedToleration[] {
  const reported = checks.filter(({ outcome }) => outcome === 'report')
  return reported.map(({ check, section, expected, received }) => ({
    type: 'authentication.tolerated',
    ...{ trace_id, endpoint, client_id, method, check, section, expected, received }
  }))
}

type UnstampedToleration = Extract<UnstampedEvent, { type: 'authentication.tolerated' }>
