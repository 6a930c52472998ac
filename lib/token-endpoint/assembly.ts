/** The parts of a token endpoint, made of options that were read. */
import { dpopNonces } from '../assertions/dpop-nonces.ts'
import { dpopAlgorithms, type DpopPolicy } from '../assertions/dpop-proof.ts'
import { clientKeys } from '../client-keys/client-keys.ts'
import { usualFetch } from '../outbound/guarded-fetch.ts'
import { breakReport } from '../events/break-report.ts'
import { clientRegistry, type ClientRegistry, type ClientSource } from '../clients/client.ts'
import { misconfiguredReport, tellMisconfiguredTo } from '../clients/misconfigured.ts'
import { offeredClients, type Offered } from '../clients/offered.ts'
import { credentialSetsOf } from '../credentials/credential-sets.ts'
import { isStoredClients, ownClients } from '../credentials/stored-clients.ts'
import { protectionBy } from '../credentials/guesses/guess-protection.ts'
import { checkSecretHashes } from '../credentials/secrets/secret-hashes.ts'
import { printable } from '../printable.ts'
import { TemporarilyUnavailableError } from '../errors.ts'
import { Emitting, eventSource, type EventSource } from '../events/event-source.ts'
import { pathsOf } from '../http/endpoint-paths.ts'
import { isOnLoopback } from '../options.ts'
import { enforceProfile, policyOf, type ProfilePolicy } from '../profiles.ts'
import type { RegisteredClients } from '../clients/registered-clients.ts'
import { ScopedStore } from '../stores/scoped.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import { builtInTokenIssuers } from '../token-issuers/index.ts'
import { byGrantType, type TokenIssuer } from '../token-issuers/token-issuer.ts'
import { serverAttestationOf } from './attestation.ts'
import { configuredClientRules } from './configured-clients.ts'
import { defaultStrategies } from './default-strategies.ts'
import { documentClientsOf } from './document-clients.ts'
import type { TokenEndpointParts } from './parts.ts'
import { workloadGrant } from './workload-grant.ts'
import type { ReadTokenRouter } from './options.ts'
import { serverShadow } from './shadow.ts'
import { checkSubjectTypes } from '../tokens/subject.ts'
import { respond } from '../tokens/token-response.ts'
import { tokenServer, type TokenServer } from '../tokens/token-server.ts'

interface MoreOfServer {
  readonly registered?: RegisteredClients | undefined
  readonly userinfo?: string
  readonly otherAudiences?: readonly string[]
  readonly withCredentials?: (server: TokenServer, clients: ClientRegistry) => ClientRegistry
  readonly missing?: Offered['missing']
}

/**
 * Makes them.
 *
 * @param more `registered` finds clients that registered themselves beside those of the options; `userinfo` is the
 * userinfo endpoint; `otherAudiences` is what the audience dial accepts beside the token endpoints, where it accepts
 * those; `withCredentials` makes of the clients those with what is kept of their credentials; `missing` says why a
 * grant is not there.
 */
export function tokenEndpointParts(given: ReadTokenRouter, more: MoreOfServer = {}): TokenEndpointParts {
  const { registered, userinfo, otherAudiences = [], withCredentials } = more
  // one store can serve many issuers: what one keeps, no other finds
  const { issuer } = given
  const configured = credentialSetsOf(given.clients)?.given ?? given.clients
  const options = { ...given, clients: ownClients(configured), store: new ScopedStore(given.store, issuer) }
  const policy = policyOf(options.profile)
  const breaks = breakReport()
  const events = eventSource({ ...options, onTolerated: event => breaks.listen(event) })
  const known = registered?.clients ?? clientRegistry(given.clients)
  // whether a client is there says the application alone: what is kept of its credentials need not be read for that
  const configuredClients = registered?.clients ?? clientRegistry(configured)
  const idTokenAlgorithms = policy.algorithms ?? options.idTokenAlgorithms
  const server = tokenServer({ ...options, idTokenAlgorithms }, respond, {
    // a token is looked at more often than a document can be fetched: that there could be one is enough
    hasClient: client_id =>
      documents?.admits(client_id) === true ? Promise.resolve(true) : isThere(configuredClients, client_id),
    userinfo,
    events
  })
  const every = withCredentials?.(server, known) ?? known
  let offered: Offered = {}
  const found = foundClients(every, { source: registered?.configured ?? configured, issuer, events }, () => offered)
  const documents = documentClientsOf(options, { clients: found, server, events })
  const clients = documents ?? found
  const tokenEndpoints = options.tokenEndpoints ?? [issuer + pathsOf(options.paths).token_endpoint]
  enforceProfile(options)
  checkSubjectTypes(server, options.clients)
  // strategies of the application's own have functions of their own
  if (options.strategies === undefined) checkSecretHashes(options.clients, options.secretHashes)
  const fetchJson = options.fetchJson ?? usualFetch({ allowLoopback: isOnLoopback(issuer) })
  const keys = clientKeys({ fetchJson, clock: options.clock })
  const dpop = dpopPolicy(server, options.requireDpopNonce, policy)
  const attestation = serverAttestationOf(options, server, dpop)
  const proving = { otherAudiences: [...tokenEndpoints, ...otherAudiences], clientKeys: keys, attestation }
  const strategies = options.strategies ?? defaultStrategies(options, clients, proving)
  const shadow = options.shadow && serverShadow(options.shadow, { options, server, dpop, clients, strategies, proving, events })
  const tokenIssuers = options.tokenIssuers ?? byGrantType(builtInTokenIssuers())
  offered = { missing: more.missing, ...offeredBy(server, strategies, tokenIssuers) }
  const { guessProtection: guessing } = options
  return {
    ...{ server, store: options.store },
    events,
    breaks,
    clients,
    clientDocuments: documents !== undefined,
    clientSource: registered?.configured ?? configured,
    offered,
    strategies,
    tokenIssuers,
    dpop,
    attestation,
    clientKeys: keys,
    tokenEndpoints,
    workloadGrant: workloadGrant({ clients, server, strategies, tokenIssuers, tokenEndpoints }, options.workloads),
    guesses: guessing === false ? undefined : protectionBy({ ...guessing, store: server.store, clock: server.clock }),
    senderConstrained: policy.senderConstrained,
    shadow
  }
}

async function isThere(clients: ClientRegistry, client_id: string): Promise<boolean> {
  try {
    return (await clients.find(client_id)) !== undefined
  } catch (cause) {
    throw new TemporarilyUnavailableError({ reason: 'the client could not be looked up', cause })
  }
}

/**
 * The clients of a function are held against the server as they come, and told of where one is configured wrongly; a
 * list has been by then.
 */
function foundClients(
  clients: ClientRegistry,
  {
    source,
    issuer,
    events
  }: { readonly source: ClientSource | ClientRegistry; readonly issuer: string; readonly events: EventSource },
  offered: () => Offered
): ClientRegistry {
  if (typeof source !== 'function' && !isStoredClients(source)) return clients
  tellMisconfiguredTo(source, issuer, (client_id, { key, message }) => {
    const member = key.replace(/^client\./, '')
    events.emit?.({ type: 'client.misconfigured', client_id: printable(client_id), member, reason: printable(message) })
    return events.emit !== undefined
  })
  return offeredClients(clients, offered, misconfiguredReport(source))
}

/** Lists what clients may have registered, as far as a token endpoint can say. */
function offeredBy(
  server: TokenServer,
  strategies: readonly ClientAuthenticationStrategy[],
  tokenIssuers: ReadonlyMap<string, TokenIssuer>
): Offered {
  return {
    methods: strategies.map(({ name }) => name),
    grantTypes: [...tokenIssuers.keys()],
    // of the other grants for confidential clients somebody else has a part: a public client hears of them when it asks
    confidentialGrantTypes: ['client_credentials'],
    signingAlgorithms: server.idTokenAlgorithms,
    rules: configuredClientRules(strategies)
  }
}

function dpopPolicy(server: TokenServer, requireNonce: boolean, policy: ProfilePolicy): DpopPolicy {
  const { issuer, store, clock, keys } = server
  const nonces = requireNonce ? dpopNonces(data => keys.mac('dpop_nonce', data), issuer, clock) : undefined
  const algorithms = policy.algorithms ?? dpopAlgorithms
  return Object.assign(new Emitting(() => server.emit), { issuer, store, clock, algorithms, nonces })
}
