/** Where what happens at one server is told: to whoever listens, and to OpenTelemetry. */
import { printable, type Decision } from './decision.ts'
import type { AuthenticationTolerated, Happening, ServerEvent, Tell } from './events.ts'
import { isMeasuring, measure } from './telemetry.ts'

/** Told of everything that happens. What it throws or rejects with decides nothing. */
export type EventListener = (event: ServerEvent) => unknown

export interface EventSource {
  /**
   * Tells; undefined while nobody listens, so that `emit?.({…})` makes no object for nobody.
   */
  readonly emit: Tell | undefined
  /** Tells of what a decision reports, if only to who asks later. */
  tolerated(decision: Decision): void
}

export interface EventSourceOptions {
  readonly issuer?: string | undefined
  /** Milliseconds since the epoch. */
  readonly clock?: (() => number) | undefined
  readonly onEvent?: EventListener | undefined
  /** Hears of what is tolerated, whoever listens beside. */
  readonly onTolerated?: ((event: AuthenticationTolerated) => void) | undefined
}

export function eventSource({ issuer, clock = Date.now, onEvent, onTolerated }: EventSourceOptions): EventSource {
  const listener = onEvent === undefined ? undefined : harmless(onEvent)
  const deliver = (event: ServerEvent): void => {
    measure(event)
    listener?.(event)
  }
  const emit: Tell = happening => deliver({ at: clock(), issuer, ...happening })
  const isHeard = (): boolean => listener !== undefined || isMeasuring()
  return {
    get emit() {
      return isHeard() ? emit : undefined
    },
    tolerated(decision) {
      for (const event of toleratedIn(decision)) {
        const stamped = { at: clock(), issuer, ...event }
        onTolerated?.(stamped)
        if (isHeard()) deliver(stamped)
      }
    }
  }
}

function toleratedIn({ trace_id, endpoint, client_id = '', method, checks }: Decision): readonly TolerationHappening[] {
  const reported = checks.filter(({ outcome }) => outcome === 'report')
  return reported.map(({ check, section, expected, received }) => ({
    type: 'authentication.tolerated',
    ...{ trace_id, endpoint, client_id, method, check, section, expected, received }
  }))
}

type TolerationHappening = Extract<Happening, { type: 'authentication.tolerated' }>

/** A listener of somebody else's: whatever it does, the server goes on, and whoever wrote it is told once. */
function harmless(onEvent: EventListener): (event: ServerEvent) => void {
  let warned = false
  const warn = (error: unknown): void => {
    if (warned) return
    warned = true
    const message = error instanceof Error ? printable(error.message) : 'not an error'
    process.emitWarning(`onEvent threw, and will again: ${message}`, 'ClienteleWarning')
  }
  return event => {
    try {
      const told: unknown = onEvent(event)
      // an async listener's rejection, which nobody waits for, would end the process
      if (told !== undefined) Promise.resolve(told).catch(warn)
    } catch (error) {
      warn(error)
    }
  }
}
