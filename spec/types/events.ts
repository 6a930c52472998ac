/** What a listener’s author sees of events: the type tells the rest. Compiled, never run. */
import { breakReport, traceIdOf, type ServerEvent, type TokenRouterOptions } from 'clientele'

export function describeEvent(event: ServerEvent): string {
  switch (event.type) {
    case 'authentication.refused':
      return `${event.error} at ${event.endpoint}: ${event.decision?.checks.at(-1)?.fix ?? event.reason ?? ''}`
    case 'token.issued':
      return `${event.client_id} got ${event.tokens.join(' and ')} for ${event.sub ?? 'itself'}`
    case 'refresh.reused':
    case 'code.reused':
      return event.grant
    case 'keys.changed':
      // @ts-expect-error no client has to do with it
      event.client_id satisfies string
      return event.added.join(' ')
    default:
      return `${event.type} ${event.trace_id ?? traceIdOf({ headers: {} })}`
  }
}

const report = breakReport()
export const options: Pick<TokenRouterOptions, 'onEvent' | 'assertionDials'> = {
  onEvent: event => report.listen(event),
  assertionDials: { typ: 'report', clock: 'enforce' }
}
// @ts-expect-error there is no such dial
export const misspelt: TokenRouterOptions['assertionDials'] = { type: 'report' }
