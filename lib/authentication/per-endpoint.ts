/** Which methods authenticate clients at which endpoint. */
import type { RequestHandler } from 'express'
import { authenticateWith, type EndpointAuthenticationOptions } from './authenticate-client.ts'
import type { EventSource } from '../events/event-source.ts'
import { ConfigurationError, listOf, type Check } from '../options.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'

/** The endpoints that authenticate clients, by their metadata names without `_endpoint`. */
const authenticatingEndpoints = [
  'token',
  'pushed_authorization_request',
  'introspection',
  'revocation',
  'device_authorization',
  'backchannel_authentication',
  'credentials'
] as const

/** An endpoint that authenticates clients, by its metadata name without `_endpoint`. */
export type AuthenticatingEndpoint = (typeof authenticatingEndpoints)[number]

/** The methods accepted at an endpoint, by their names; endpoints left out accept every mounted one that suits them. */
export type EndpointAuthMethods = Readonly<Partial<Record<AuthenticatingEndpoint, readonly string[] | undefined>>>

const methodNames = listOf('methods', (name): name is string => typeof name === 'string')

/** For each endpoint a list of methods; that they are mounted is checked once that is known. */
export const endpointAuthMethodsChecks = Object.fromEntries(
  authenticatingEndpoints.map(endpoint => [endpoint, methodNames])
) as Readonly<Record<AuthenticatingEndpoint, Check<readonly string[] | undefined>>>

/** The authentication of one endpoint. */
export interface EndpointAuthentication {
  /** The methods accepted there, for metadata. */
  readonly strategies: readonly ClientAuthenticationStrategy[]
  /** Puts the client on `req.authenticatedClient`, or goes on with the error. */
  readonly authenticate: RequestHandler
}

/** Endpoints at which naming oneself is not enough (RFC 7662 §2.1, CIBA Core §7.1). */
const confidentialEndpoints: readonly AuthenticatingEndpoint[] = ['introspection', 'backchannel_authentication', 'credentials']

/** Makes the authentication of each endpoint, once it is asked for. */
export function endpointAuthentication(
  options: Omit<EndpointAuthenticationOptions, 'endpoint' | 'addresses'>,
  events: EventSource,
  methods: EndpointAuthMethods = {},
  addressesOf: (endpoint: AuthenticatingEndpoint) => readonly string[]
): (endpoint: AuthenticatingEndpoint) => EndpointAuthentication {
  checkMounted(methods, options.strategies)
  return endpoint => {
    const strategies = strategiesAt(endpoint, options.strategies, methods)
    let made: RequestHandler | undefined
    // made when it is first used: most tenants are asked at the token endpoint alone
    const make = (): RequestHandler =>
      authenticateWith({ ...options, strategies, endpoint, addresses: addressesOf(endpoint) }, events)
    return { strategies, authenticate: (req, res, next) => (made ??= make())(req, res, next) }
  }
}

/**
 * The mounted strategies an endpoint accepts.
 *
 * @throws ConfigurationError where none is left.
 */
export function strategiesAt(
  endpoint: AuthenticatingEndpoint,
  strategies: readonly ClientAuthenticationStrategy[],
  methods: EndpointAuthMethods = {}
): readonly ClientAuthenticationStrategy[] {
  const named = methods[endpoint]
  const suited = suitedTo(endpoint, strategies)
  const accepted = named === undefined ? suited : suited.filter(({ name }) => named.includes(name))
  if (accepted.length === 0)
    throw new ConfigurationError(`endpointAuthMethods.${endpoint}`, 'must leave at least one method that authenticates clients')
  return accepted
}

/** @throws ConfigurationError for a method that is not mounted or does not suit the endpoint. */
function checkMounted(methods: EndpointAuthMethods, strategies: readonly ClientAuthenticationStrategy[]): void {
  for (const endpoint of authenticatingEndpoints) {
    const suited = suitedTo(endpoint, strategies).map(({ name }) => name)
    methods[endpoint]?.forEach((name, index) => {
      if (!suited.includes(name))
        throw new ConfigurationError(`endpointAuthMethods.${endpoint}[${index}]`, `must be one of ${suited.join(', ')}`)
    })
  }
}

function suitedTo(
  endpoint: AuthenticatingEndpoint,
  strategies: readonly ClientAuthenticationStrategy[]
): readonly ClientAuthenticationStrategy[] {
  return confidentialEndpoints.includes(endpoint) ? strategies.filter(isConfidential) : strategies
}

function isConfidential(strategy: ClientAuthenticationStrategy): boolean {
  return strategy.public !== true
}
