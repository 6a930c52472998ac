/** A server with a candidate beside it, two clients that sign, and what was told of them. */
import type { Express } from 'express'
import {
  memoryStore,
  type AuthorizationServerOptions,
  type Decision,
  type ShadowDifference,
  type ShadowOptions,
  type Store,
  type TokenRouterCandidate
} from '../../../lib/index.ts'
import type { ServerEvent } from '../../../lib/events/index.ts'
import { assertionClaims, askWith, makeParties } from '../clients/assertion-requests.ts'
import { harness, issuer } from './authorization-server.ts'

/** The clients `signs` and `macs`. */
export const parties = await makeParties()
export const tokenEndpoint = `${issuer}/oauth2/token`
/** The server's time, seconds since the epoch. */
export const ofNow = 1_800_000_000

/** Comes back when it is so, however long the machine takes. */
export async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise(resolve => setTimeout(resolve, 2))
}

/** A store that says what it was asked to change. */
export function watched(behind: Store): { store: Store; writes: string[] } {
  const writes: string[] = []
  const store = new Proxy(behind, {
    get(target, name: keyof Store) {
      const operation = Reflect.get(target, name) as (...given: unknown[]) => unknown
      return (...given: unknown[]) => {
        const [key] = given as [{ readonly kind?: string } | string]
        if (name !== 'get') writes.push(`${name} ${typeof key === 'string' ? key : (key.kind ?? '')}`)
        return Reflect.apply(operation, target, given)
      }
    }
  })
  return { store, writes }
}

/** The server, whose candidate has these options, and everything it told. */
export async function shadowed(
  options: TokenRouterCandidate,
  more: Partial<AuthorizationServerOptions> = {},
  shadow: Partial<ShadowOptions<TokenRouterCandidate>> = {}
) {
  const differences: ShadowDifference[] = []
  const decisions: Decision[] = []
  const events: ServerEvent[] = []
  const { store, writes } = watched(memoryStore({ clock: () => ofNow * 1000 }))
  const made = await harness({
    clients: parties.clients,
    onDecision: decision => decisions.push(decision),
    onEvent: event => events.push(event),
    ...more,
    store,
    shadow: { options, sample: 1, onDifference: difference => differences.push(difference), ...shadow }
  })
  return { ...made, differences, decisions, events, writes }
}

/** A token request with an assertion of this client. */
export const ask = (app: Express, client: 'signs' | 'macs', change: object = {}) =>
  askWith(app, parties, client, assertionClaims(client, ofNow, change))

/** What a difference comes to. */
export const summary = ({ effect, live, candidate }: ShadowDifference) => ({
  effect,
  client_id: live.client_id,
  failed: [live, candidate].map(({ checks }) => checks.find(({ outcome }) => outcome === 'fail')?.check)
})
