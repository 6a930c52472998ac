/** Hears what a server tells. */
import type { EventListener, ServerEvent } from '../../../lib/index.ts'

interface EventLog {
  readonly onEvent: EventListener
  readonly events: ServerEvent[]
  /** What kinds of events there were; forgets them. */
  types(): readonly string[]
}

/** A listener, and what it has heard. */
export function listening(): EventLog {
  const events: ServerEvent[] = []
  return { events, onEvent: event => events.push(event), types: () => events.splice(0).map(({ type }) => type) }
}
