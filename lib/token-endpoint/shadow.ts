/** The option `shadow` of a server: its own options with others in their place, as methods that judge beside it. */
import type { DpopPolicy } from '../assertions/dpop-proof.ts'
import { laidOver, type ReadShadow } from '../authentication/shadow/options.ts'
import { shadowOf, type Shadow } from '../authentication/shadow/shadow.ts'
import { clientKeys } from '../client-keys/client-keys.ts'
import { clientRegistry, type ClientRegistry, type ClientSource } from '../clients/client.ts'
import type { EventSource } from '../events/event-source.ts'
import { ConfigurationError } from '../options.ts'
import { enforceProfile } from '../profiles.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import { serverAttestationOf } from './attestation.ts'
import { defaultStrategies, type ProvingParts } from './default-strategies.ts'
import type { judgingChecks, ReadTokenRouter } from './options.ts'

/** The parts of the live server that a candidate shares. */
interface LiveServer {
  readonly options: ReadTokenRouter
  readonly server: TokenServer
  readonly dpop: DpopPolicy
  readonly clients: ClientRegistry
  readonly strategies: readonly ClientAuthenticationStrategy[]
  readonly proving: ProvingParts
  readonly events: EventSource
}

/**
 * Makes the shadow; undefined where no request is to be tried.
 *
 * @throws ConfigurationError naming what is wrong below `shadow.options`, as it would be wrong live.
 */
export function serverShadow(read: ReadShadow<typeof judgingChecks>, live: LiveServer): Shadow | undefined {
  const { options: changed, ...setting } = read
  const { strategies: mounted, events, server } = live
  // a secret is kept better once, by the live server
  const options = { ...laidOver(live.options, changed), onSecretUpgrade: undefined }
  const clients = changed.clients === undefined ? live.clients : tried(changed.clients, live)
  return named(() => {
    enforceProfile(options)
    const attestation = serverAttestationOf(options, server, live.dpop)
    const { clientKeys: known, otherAudiences } = live.proving
    const keys = changed.fetchJson === undefined ? known : clientKeys({ fetchJson: changed.fetchJson, clock: server.clock })
    const strategies =
      options.strategies ?? defaultStrategies(options, clients, { otherAudiences, clientKeys: keys, attestation })
    const { certificateSource } = changed
    const candidate = { clients, strategies, clock: server.clock, certificateSource, further: attestation?.further }
    return shadowOf({ ...setting, candidate, mounted, events })
  })
}

/** Other configured clients; those that are not configured, but registered, say, are the live ones. */
function tried(source: ClientSource | ClientRegistry, live: LiveServer): ClientRegistry {
  const candidate = named(() => clientRegistry(source))
  const configured = clientRegistry(live.options.clients)
  return {
    async find(client_id) {
      const found = await candidate.find(client_id)
      if (found !== undefined || (await configured.find(client_id)) !== undefined) return found
      return live.clients.find(client_id)
    },
    listed: () => candidate.listed?.() ?? []
  }
}

/** What is wrong is wrong in the candidate's options. */
function named<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof ConfigurationError) || error.key === 'shadow') throw error
    throw new ConfigurationError(`shadow.options.${error.key}`, error.message.slice(error.key.length + 1))
  }
}
