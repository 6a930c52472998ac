/** The token endpoint as a router of its own, and the parts it is made of. */
import { Router } from 'express'
import { checkAssertionDials, type AssertionDials } from '../assertions/assertion-dials.ts'
import { checkAssertionAlgorithms } from '../assertions/assertion-policy.ts'
import { dpopNonces } from '../assertions/dpop-nonces.ts'
import { dpopAlgorithms, type DpopPolicy } from '../assertions/dpop-proof.ts'
import { clientKeys, type ClientKeys } from '../client-keys/client-keys.ts'
import { guardedFetch, type FetchJson } from '../outbound/guarded-fetch.ts'
import { breakReport, type BreakReport } from '../events/break-report.ts'
import { clientRegistry, type AssertionAudience, type ClientRegistry, type ClientSource } from '../clients/client.ts'
import { misconfiguredReport, tellMisconfiguredTo } from '../clients/misconfigured.ts'
import { checkOfferedClients, offeredClients, type Offered } from '../clients/offered.ts'
import { credentialSetsOf } from '../credentials/credential-sets.ts'
import type { BasicEncoding } from '../credentials/secrets/client-secret.ts'
import {
  serverGuessProtection,
  type GuessProtection,
  type GuessProtectionOptions
} from '../credentials/guesses/guess-protection.ts'
import { printable } from '../printable.ts'
import type { Decision } from '../decisions/decision.ts'
import { TemporarilyUnavailableError } from '../errors.ts'
import { eventSource, type EventSource } from '../events/event-source.ts'
import type { CertificateSource } from '../certificates/source.ts'
import { developmentErrorKeys, type DevelopmentErrorOptions } from '../http/development-errors.ts'
import { oauthErrorHandler, type OAuthErrorHandlerOptions } from '../http/error-handler.ts'
import { checkIssuer, checkKeys, checkOneOf, ConfigurationError, isLoopbackHost } from '../options.ts'
import { enforceProfile, fapiAlgorithms, fapiMethods, type Profile } from '../profiles.ts'
import type { RegisteredClients } from '../clients/registered-clients.ts'
import { scopedStore } from '../stores/scoped.ts'
import { checkBasicEncoding } from '../strategies/client-secret-basic.ts'
import { builtInStrategies } from '../strategies/index.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import { builtInTokenIssuers } from '../token-issuers/index.ts'
import { checkTokenIssuers, type TokenIssuer } from '../token-issuers/token-issuer.ts'
import { tokenEndpoint } from './handler.ts'
import { checkSubjectTypes } from '../tokens/subject.ts'
import { respond } from '../tokens/token-response.ts'
import {
  checkBoolean,
  checkFunction,
  checkStore,
  tokenOptionKeys,
  tokenServer,
  type TokenOptions,
  type TokenServer
} from '../tokens/token-server.ts'

export interface TokenRouterOptions extends TokenOptions, DevelopmentErrorOptions {
  /** The registered clients: a list of metadata, or a function that finds one by its client_id. */
  readonly clients: ClientSource | ClientRegistry
  /** The client authentication methods. Default: every one built in. */
  readonly strategies?: readonly ClientAuthenticationStrategy[] | undefined
  /** The grants. Default: every one built in that needs no options. */
  readonly tokenIssuers?: readonly TokenIssuer[] | undefined
  /** True also reads `application/json` bodies, against RFC 6749 §3.2. Default false. */
  readonly jsonBody?: boolean | undefined
  /** Which `aud` of a client assertion is accepted beside the issuer. Default `issuer`: none. */
  readonly assertionAudience?: AssertionAudience | undefined
  /** The signature algorithms accepted of client assertions. Default: all that can be verified; those of FAPI 2.0 §5.4.1 under its profile. */
  readonly assertionAlgorithms?: readonly string[] | undefined
  /** Rules about client assertions that are enforced or only reported, one by one; {@link BreakReport} says who breaks them. */
  readonly assertionDials?: AssertionDials | undefined
  /**
   * What becomes of clients that do not form-encode their client_id and secret in the Authorization header (RFC 6749 §2.3.1). Default `report`: they are
   * let in where the secret is right as it came, and reported; `enforce`: they are refused.
   */
  readonly basicEncoding?: BasicEncoding | undefined
  /** The token endpoint's own URL: what `report` and `legacy` accept as `aud`. Default `{issuer}/oauth2/token`. */
  readonly tokenEndpoints?: readonly string[] | undefined
  /** Where client certificates come from. Default: the TLS connection itself. */
  readonly certificateSource?: CertificateSource | undefined
  /** False leaves the certificate methods out of the built-in strategies. Default true. */
  readonly certificateMethods?: boolean | undefined
  /** Fetches a client's `jwks_uri`. Default: https only, to public addresses (loopback too where the issuer itself is on it). */
  readonly fetchJson?: FetchJson | undefined
  /** `fapi2-security` turns every rule of the FAPI 2.0 Security Profile on, and refuses what breaks one. Default `oauth2`. */
  readonly profile?: Profile | undefined
  /** True asks every DPoP proof for a nonce of this server's, and hands out the next one with every answer where proofs are taken (RFC 9449 §8). Default false. */
  readonly requireDpopNonce?: boolean | undefined
  /**
   * How many wrong secrets are tolerated per client and network, in which time; then 429 until the window ends. Default 20 in 60 seconds; false: any
   * number. Behind a proxy, set Express's `trust proxy`, or all clients are one network.
   */
  readonly guessProtection?: GuessProtectionOptions | false | undefined
  /** Told of every authentication and how each check came out. What it throws or rejects with is ignored. */
  readonly onDecision?: ((decision: Decision) => void) | undefined
  /** Told of every error before it is answered. */
  readonly onError?: OAuthErrorHandlerOptions['onError']
}

export const tokenRouterOptionKeys: readonly string[] = [
  ...tokenOptionKeys,
  'clients',
  'strategies',
  'tokenIssuers',
  'jsonBody',
  'assertionAudience',
  'assertionAlgorithms',
  'assertionDials',
  'basicEncoding',
  'tokenEndpoints',
  'certificateSource',
  'certificateMethods',
  'fetchJson',
  'profile',
  'requireDpopNonce',
  'guessProtection',
  ...developmentErrorKeys,
  'onDecision',
  'onError'
]

/** The parts a token endpoint is made of. An authorization server builds its other endpoints on the same ones. */
export interface TokenEndpointParts {
  readonly server: TokenServer
  /** Where what happens at authentication is told. */
  readonly events: EventSource
  /** Who breaks the rules whose dials report. */
  readonly breaks: BreakReport
  readonly clients: ClientRegistry
  /** Where the configured ones come from. */
  readonly clientSource: ClientSource | ClientRegistry
  /** What clients may have registered, as far as a token endpoint can say. */
  readonly offered: Offered
  readonly strategies: readonly ClientAuthenticationStrategy[]
  readonly tokenIssuers: ReadonlyMap<string, TokenIssuer>
  /** What is asked of DPoP proofs, here and at protected endpoints. */
  readonly dpop: DpopPolicy
  /** The keys of clients, with their cache. */
  readonly clientKeys: ClientKeys
  /** Where token requests may have been sent to. */
  readonly tokenEndpoints: readonly string[]
  /** Bounds guessing, at all endpoints together. */
  readonly guesses: GuessProtection | undefined
  /** Whether every token must be bound to a key or a certificate (FAPI 2.0 §5.3.2.1 (4)). */
  readonly senderConstrained: boolean
}

/**
 * A router that answers `POST /token` under wherever it is mounted (RFC 6749 §3.2): authenticates the client, finds the grant's
 * token issuer and sends its response, or an RFC 6749 §5.2 error.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * app.use('/oauth2', tokenRouter({ issuer: 'https://as.example.com', clients, store: memoryStore(), keys: await generateKeys() }))
 */
export function tokenRouter(options: TokenRouterOptions): Router {
  checkKeys(options, tokenRouterOptionKeys)
  const parts = tokenEndpointParts(options)
  const router = Router()
  router.all('/token', tokenEndpoint(parts, options))
  // the options have been found right by now: what is left to be wrong is the clients'
  checkOfferedClients(parts.clientSource, parts.offered)
  router.use(oauthErrorHandler(options))
  return router
}

/**
 * Checks the options and puts the defaults in.
 *
 * @param more `registered` finds clients that registered themselves beside those of the options; `userinfo` is the userinfo endpoint; `otherAudiences` is what the audience dial accepts
 * beside the token endpoints, where it accepts those; `withCredentials` makes of the clients those with what is kept of their credentials.
 */
export function tokenEndpointParts(
  given: TokenRouterOptions,
  more: {
    readonly registered?: RegisteredClients | undefined
    readonly userinfo?: string
    readonly otherAudiences?: readonly string[]
    readonly withCredentials?: (server: TokenServer, clients: ClientRegistry) => ClientRegistry
  } = {}
): TokenEndpointParts {
  const { registered, userinfo, otherAudiences = [], withCredentials } = more
  // one store can serve many issuers: what one keeps, no other finds
  const issuer = checkIssuer(given.issuer)
  const configured = credentialSetsOf(given.clients)?.given ?? given.clients
  const options = { ...given, clients: configured, store: scopedStore(checkStore(given.store), issuer) }
  const fapi = options.profile === 'fapi2-security'
  const breaks = breakReport()
  const events = eventSource({ ...options, issuer, onTolerated: event => breaks.listen(event) })
  const known = registered?.clients ?? clientRegistry(given.clients)
  // whether a client is there says the application alone: what is kept of its credentials need not be read for that
  const configuredClients = registered?.clients ?? clientRegistry(configured)
  const server = tokenServer({ ...options, ...(fapi && { idTokenAlgorithms: fapiAlgorithms }) }, respond, {
    hasClient: client_id => isThere(configuredClients, client_id),
    userinfo,
    events
  })
  const every = withCredentials?.(server, known) ?? known
  let offered: Offered = {}
  const clients = foundClients(every, { source: registered?.configured ?? configured, issuer, events }, () => offered)
  checkPolicy(options)
  const tokenEndpoints = options.tokenEndpoints ?? [`${issuer}/oauth2/token`]
  enforceProfile(options)
  checkSubjectTypes(server, options.clients)
  const fetchJson = options.fetchJson ?? guardedFetch({ allowLoopback: isLoopbackHost(new URL(issuer).hostname) })
  const keys = clientKeys({ fetchJson, clock: options.clock })
  const strategies = options.strategies ?? defaultStrategies(options, clients, [...tokenEndpoints, ...otherAudiences], keys)
  const tokenIssuers = checkTokenIssuers(options.tokenIssuers ?? builtInTokenIssuers())
  offered = offeredBy(server, strategies, tokenIssuers)
  const dpop = dpopPolicy(server, options.requireDpopNonce === true, fapi)
  const guesses = serverGuessProtection(options.guessProtection, server)
  return {
    server,
    events,
    breaks,
    clients,
    clientSource: registered?.configured ?? configured,
    offered,
    strategies,
    tokenIssuers,
    dpop,
    clientKeys: keys,
    tokenEndpoints,
    guesses,
    senderConstrained: fapi
  }
}

async function isThere(clients: ClientRegistry, client_id: string): Promise<boolean> {
  try {
    return (await clients.find(client_id)) !== undefined
  } catch (cause) {
    throw new TemporarilyUnavailableError({ reason: 'the client could not be looked up', cause })
  }
}

/** The clients of a function are held against the server as they come, and told of where one is configured wrongly; a list has been by then. */
function foundClients(
  clients: ClientRegistry,
  { source, issuer, events }: { readonly source: unknown; readonly issuer: string; readonly events: EventSource },
  offered: () => Offered
): ClientRegistry {
  if (typeof source !== 'function') return clients
  tellMisconfiguredTo(source, issuer, (client_id, { key, message }) => {
    const member = key.replace(/^client\./, '')
    events.emit?.({ type: 'client.misconfigured', client_id: printable(client_id), member, reason: printable(message) })
    return events.emit !== undefined
  })
  return offeredClients(clients, offered, misconfiguredReport(source))
}

/** What clients may have registered, as far as a token endpoint can say. */
function offeredBy(
  server: TokenServer,
  strategies: readonly ClientAuthenticationStrategy[],
  tokenIssuers: ReadonlyMap<string, TokenIssuer>
): Offered {
  return {
    methods: strategies.map(({ name }) => name),
    grantTypes: [...tokenIssuers.keys()],
    confidentialGrantTypes: [...tokenIssuers.values()].flatMap(({ grant_type, confidential }) =>
      confidential === true ? [grant_type] : []
    ),
    signingAlgorithms: server.idTokenAlgorithms
  }
}

function defaultStrategies(
  options: TokenRouterOptions,
  clients: ClientRegistry,
  otherAudiences: readonly string[],
  keys: ClientKeys
): readonly ClientAuthenticationStrategy[] {
  const fapi = options.profile === 'fapi2-security'
  const {
    issuer,
    store,
    assertionAudience,
    assertionDials,
    assertionAlgorithms,
    basicEncoding,
    clock,
    certificateMethods: certificates
  } = options
  const strategies = builtInStrategies({
    clients,
    issuer,
    store,
    assertionAudience,
    assertionDials,
    basicEncoding,
    // with none there is nothing that a client’s own assertion_audience could let in (FAPI 2.0 §5.3.2.1 (8))
    legacyAudiences: fapi ? [] : otherAudiences,
    algorithms: assertionAlgorithms ?? (fapi ? fapiAlgorithms : undefined),
    audienceAsStringOnly: fapi,
    clock,
    clientKeys: keys,
    certificateMethods: certificates
  })
  return fapi ? strategies.filter(({ name }) => fapiMethods.includes(name)) : strategies
}

function dpopPolicy(server: TokenServer, requireNonce: boolean, fapi: boolean): DpopPolicy {
  const { issuer, store, clock, keys } = server
  const nonces = requireNonce ? dpopNonces(data => keys.mac('dpop_nonce', data), issuer, clock) : undefined
  const algorithms = fapi ? fapiAlgorithms : dpopAlgorithms
  return {
    ...{ issuer, store, clock, algorithms, nonces },
    get emit() {
      return server.emit
    }
  }
}

function checkPolicy(options: TokenRouterOptions): void {
  checkBoolean(options.jsonBody, 'jsonBody')
  checkBoolean(options.certificateMethods, 'certificateMethods')
  checkBoolean(options.requireDpopNonce, 'requireDpopNonce')
  for (const name of ['certificateSource', 'fetchJson', 'onDecision', 'onError'] as const) checkFunction(options[name], name)
  checkOneOf(options.profile, 'profile', ['oauth2', 'fapi2-security'], 'oauth2')
  checkOneOf(options.assertionAudience, 'assertionAudience', ['issuer', 'report', 'legacy'], 'issuer')
  checkAssertionDials(options.assertionDials)
  checkBasicEncoding(options.basicEncoding)
  checkAssertionAlgorithms(options.assertionAlgorithms, 'assertionAlgorithms')
  const urls: unknown = options.tokenEndpoints ?? []
  if (!Array.isArray(urls) || !urls.every(url => typeof url === 'string' && URL.canParse(url)))
    throw new ConfigurationError('tokenEndpoints', 'must be a list of URLs')
}
