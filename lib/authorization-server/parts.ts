/** The options of a whole authorization server, and what its endpoints are given of them. */
import { asymmetricAlgorithms } from '../client-keys/algorithms.ts'
import { guardedFetch, guardedPost } from '../outbound/guarded-fetch.ts'
import type { ClientRegistry } from '../clients/client.ts'
import { checkOfferedClients, type Offered } from '../clients/offered.ts'
import { endpointAuthentication, strategiesAt, type EndpointAuthMethods } from '../authentication/per-endpoint.ts'
import { anonymousBudget } from '../authorization-requests/anonymous-budget.ts'
import type { AuthorizationDetailTypes } from '../authorization-requests/authorization-details.ts'
import {
  checkBackchannelAuthentication,
  type BackchannelAuthenticationOptions
} from '../endpoints/backchannel-authentication/options.ts'
import type { Interaction } from '../endpoints/authorization/interaction.ts'
import { checkDeviceAuthorization, type DeviceAuthorizationOptions } from '../endpoints/device-authorization.ts'
import { logoutDelivery } from '../endpoints/end-session/delivery.ts'
import { readLogoutOptions, type LogoutOptions, type LogoutPolicy } from '../endpoints/end-session/options.ts'
import { endpointPaths, type EndpointAddresses, type EndpointContext } from '../endpoints/endpoint.ts'
import { at } from '../endpoints/metadata.ts'
import { registration, type Registration, type RegistrationOptions } from '../endpoints/registration/options.ts'
import { checkIssuer, checkKeys, checkOneOf, ConfigurationError, isLoopbackHost } from '../options.ts'
import type { AccessTokenContext } from '../protected-resource/require-access-token.ts'
import { fapiAlgorithms } from '../profiles.ts'
import { registeredClientsOf } from '../clients/registered-clients.ts'
import { serverCredentials, type CredentialsOptions } from '../credentials/server-credentials.ts'
import {
  tokenEndpointParts,
  tokenRouterOptionKeys,
  type TokenEndpointParts,
  type TokenRouterOptions
} from '../token-endpoint/token-router.ts'
import { checkBoolean, checkFunction } from '../tokens/token-server.ts'

export interface AuthorizationServerOptions extends Omit<TokenRouterOptions, 'tokenEndpoints'> {
  /** The application's own login and consent; see {@link Interaction}. */
  readonly interaction: Interaction
  /** `public` (default): public clients must use PKCE. `always`: every client must. */
  readonly requirePkce?: 'public' | 'always' | undefined
  /**
   * Whether the built-in strategies include the certificate methods. Default: true with `mtlsOrigin` or `certificateSource`, and false
   * otherwise; say true where the one listener there is asks for certificates itself.
   */
  readonly certificateMethods?: boolean | undefined
  /** True: authorization requests must be pushed (RFC 9126). A client's own `require_pushed_authorization_requests` does it for that client. */
  readonly requirePushedAuthorizationRequests?: boolean | undefined
  /** True: authorization requests must be signed request objects (RFC 9101). `require_signed_request_object` does it for one client. */
  readonly requireSignedRequestObject?: boolean | undefined
  /** The kinds of sign-in there are (`acr` of an account), for metadata. */
  readonly acrValues?: readonly string[] | undefined
  /** The types of `authorization_details` clients may ask for (RFC 9396), each with its check. Default none. */
  readonly authorizationDetails?: AuthorizationDetailTypes | undefined
  /** How devices are authorized (RFC 8628). Given with `deviceCode()` among `tokenIssuers`, and only then. */
  readonly deviceAuthorization?: DeviceAuthorizationOptions | undefined
  /** How people are asked on devices of their own (OpenID Connect CIBA). Given with `ciba()` among `tokenIssuers`, and only then. */
  readonly backchannelAuthentication?: BackchannelAuthenticationOptions | undefined
  /** The origin of a second listener that asks for client certificates, such as `https://as.example.com:8443`. */
  readonly mtlsOrigin?: string | undefined
  /**
   * Which methods authenticate clients at which endpoint, where it is not every mounted one: `{ introspection: ['private_key_jwt'] }`.
   * Public clients (`none`) never authenticate for introspection or backchannel authentication.
   */
  readonly endpointAuthMethods?: EndpointAuthMethods | undefined
  /** How clients' credentials are changed while the server runs; see {@link AuthorizationServer.credentials}. */
  readonly credentials?: CredentialsOptions | undefined
  /**
   * Bytes that callers nobody knows may have stored, for each network (an IPv6 network is its /64) in ten minutes:
   * authorization requests of people who have not signed in, and pushed and device requests of public clients. Beyond
   * it the answer is `temporarily_unavailable`. Counted in each process. Default 8388608, some ten thousand sign-ins;
   * false: no bound. Behind a proxy it needs Express's `trust proxy`.
   */
  readonly anonymousBudget?: number | false | undefined
  /**
   * How people are signed out when a client asks for it (OpenID Connect RP-Initiated Logout), and their other clients told (Back-Channel Logout): needs the
   * `sid` of `interaction.account`. Default: there is no such endpoint; `server.logout.everywhere()` is there all the same.
   */
  readonly logout?: LogoutOptions | undefined
  /** Lets clients register themselves (RFC 7591) and manage what they registered (RFC 7592). Default: they cannot. */
  readonly registration?: RegistrationOptions | undefined
}

const ownKeys = [
  'interaction',
  'requirePkce',
  'requirePushedAuthorizationRequests',
  'requireSignedRequestObject',
  'acrValues',
  'authorizationDetails',
  'deviceAuthorization',
  'backchannelAuthentication',
  'mtlsOrigin',
  'endpointAuthMethods',
  'credentials',
  'anonymousBudget',
  'logout',
  'registration'
]

/** What a server is made of, once every option has been checked. */
export interface AuthorizationServerParts {
  readonly context: EndpointContext
  readonly token: TokenEndpointParts
  readonly mtlsOrigin: string | undefined
  /** Whether clients may authenticate by certificate. */
  readonly certificateMethods: boolean
}

/** @throws ConfigurationError naming the option that is wrong. */
export function authorizationServerParts(options: AuthorizationServerOptions): AuthorizationServerParts {
  checkKeys(options, [...tokenRouterOptionKeys.filter(key => key !== 'tokenEndpoints'), ...ownKeys])
  const issuer = checkIssuer(options.issuer)
  const addresses = addressesOf(issuer)
  const mtlsOrigin = checkOrigin(options.mtlsOrigin)
  const onEveryListener = (address: string): readonly string[] =>
    mtlsOrigin === undefined ? [address] : [address, at(mtlsOrigin, address)]
  const tokenEndpoints = onEveryListener(addresses.token_endpoint)
  const certificates = options.certificateMethods ?? (mtlsOrigin !== undefined || options.certificateSource !== undefined)
  const credentials = serverCredentials(options)
  const registered = options.registration && registeredClientsOf({ ...options, clients: credentials.given })
  const clientSource = registered?.configured ?? credentials.given
  // the endpoints whose own specifications let a client address its assertion to them (RFC 9126 §2, CIBA Core §7.1)
  const otherAudiences = [
    ...onEveryListener(addresses.pushed_authorization_request_endpoint),
    ...(options.backchannelAuthentication === undefined ? [] : onEveryListener(addresses.backchannel_authentication_endpoint))
  ]
  const token = tokenEndpointParts(
    { ...options, clients: clientSource, tokenEndpoints, certificateMethods: certificates },
    { registered, userinfo: addresses.userinfo_endpoint, otherAudiences, withCredentials: credentials.open }
  )
  const origins = [new URL(issuer).origin, ...(mtlsOrigin === undefined ? [] : [mtlsOrigin])]
  const protection: AccessTokenContext = {
    server: token.server,
    dpop: token.dpop,
    certificateSource: options.certificateSource,
    origins
  }
  const { clients, strategies } = token
  const { certificateSource: certificate, onDecision } = options
  const grantTypes = [...token.tokenIssuers.keys()]
  const policy = policyOf(options, token)
  const backchannel = backchannelOf(options, token)
  const deliveryModes = backchannel?.deliveryModes ?? []
  const context: EndpointContext = {
    ...policy,
    registration:
      options.registration &&
      registrationOf(options.registration, options, {
        ...{ ...policy, token, certificateMethods: certificates, deliveryModes },
        clients: registered?.clients ?? clients
      }),
    server: token.server,
    clients,
    strategies,
    credentials: credentials.sets(strategies.map(({ name }) => name)),
    credentialsEndpoint: credentials.endpoint,
    grantTypes,
    anonymousBudget: anonymousBudget(options.anonymousBudget, token.server.clock),
    device: checkDeviceAuthorization(options.deviceAuthorization, grantTypes),
    backchannel,
    addresses,
    listenerAddresses: member => onEveryListener(addresses[member]),
    authentication: endpointAuthentication(
      { clients, strategies, certificateSource: certificate, onDecision, guessProtection: token.guesses },
      token.events,
      options.endpointAuthMethods
    ),
    logout: logoutOf(options, token),
    protection,
    dpop: token.dpop,
    onError: options.onError
  }
  // the options have been found right by now: what is left to be wrong is the clients'
  checkOfferedClients(clientSource, { ...token.offered, ...offeredBy(policy), deliveryModes })
  return { context, token, mtlsOrigin, certificateMethods: certificates }
}

/** What clients may have registered, beside what a token endpoint says. */
function offeredBy({ requestObjects, authorizationDetails }: ReturnType<typeof policyOf>): Offered {
  return { requestObjectAlgorithms: requestObjects.algorithms, authorizationDetailTypes: Object.keys(authorizationDetails) }
}

function backchannelOf(
  { issuer, backchannelAuthentication }: AuthorizationServerOptions,
  { tokenIssuers, senderConstrained }: TokenEndpointParts
): EndpointContext['backchannel'] {
  return checkBackchannelAuthentication(backchannelAuthentication, {
    grantTypes: [...tokenIssuers.keys()],
    senderConstrained,
    postJson: guardedPost({ allowLoopback: isLoopbackHost(new URL(issuer).hostname) })
  })
}

function logoutOf({ issuer, logout }: AuthorizationServerOptions, { server, clients }: TokenEndpointParts): LogoutPolicy {
  const options = readLogoutOptions(logout)
  const postJson = options?.postJson ?? guardedPost({ allowLoopback: isLoopbackHost(new URL(issuer).hostname) })
  return { options, delivery: logoutDelivery({ server, clients, postJson, fromStart: options !== undefined }) }
}

function policyOf(
  options: AuthorizationServerOptions,
  parts: TokenEndpointParts
): Pick<
  EndpointContext,
  'interaction' | 'requirePkce' | 'requirePushedAuthorizationRequests' | 'requestObjects' | 'acrValues' | 'authorizationDetails'
> {
  checkBoolean(options.requirePushedAuthorizationRequests, 'requirePushedAuthorizationRequests')
  checkBoolean(options.requireSignedRequestObject, 'requireSignedRequestObject')
  const requirePkce = checkOneOf(options.requirePkce, 'requirePkce', ['public', 'always'], 'public')
  const fapi = options.profile === 'fapi2-security'
  return {
    interaction: checkInteraction(options.interaction),
    requirePkce: fapi ? 'always' : requirePkce,
    requirePushedAuthorizationRequests: fapi || options.requirePushedAuthorizationRequests === true,
    requestObjects: {
      clientKeys: parts.clientKeys,
      algorithms: fapi ? fapiAlgorithms : [...asymmetricAlgorithms.keys()],
      required: options.requireSignedRequestObject === true,
      strict: fapi
    },
    acrValues: checkAcrValues(options.acrValues),
    authorizationDetails: checkAuthorizationDetails(options.authorizationDetails)
  }
}

function registrationOf(
  given: RegistrationOptions,
  { profile = 'oauth2', endpointAuthMethods, fetchJson }: AuthorizationServerOptions,
  parts: Pick<EndpointContext, 'requestObjects' | 'authorizationDetails'> & {
    readonly token: TokenEndpointParts
    /** The registry that is to find what registers. */
    readonly clients: ClientRegistry
    readonly certificateMethods: boolean
    readonly deliveryModes: readonly string[]
  }
): Registration {
  const { token, requestObjects, authorizationDetails, deliveryModes, certificateMethods: certificates } = parts
  return registration(given, {
    server: token.server,
    clients: parts.clients,
    guesses: token.guesses,
    fetchJson: fetchJson ?? guardedFetch({ allowLoopback: isLoopbackHost(new URL(token.server.issuer).hostname) }),
    strategies: strategiesAt('token', token.strategies, endpointAuthMethods),
    tokenIssuers: token.tokenIssuers,
    requestObjectAlgorithms: requestObjects.algorithms,
    authorizationDetailTypes: Object.keys(authorizationDetails),
    deliveryModes,
    certificateMethods: certificates,
    profile
  })
}

function addressesOf(issuer: string): EndpointAddresses {
  const entries = Object.entries(endpointPaths).map(([member, path]) => [member, issuer + path])
  return Object.fromEntries(entries) as EndpointAddresses
}

function checkInteraction(interaction: unknown): Interaction {
  const given = interaction as Partial<Interaction> | null | undefined
  for (const name of ['account', 'consented', 'prompt'] as const) {
    if (typeof given?.[name] !== 'function') throw new ConfigurationError(`interaction.${name}`, 'must be a function')
  }
  return given as Interaction
}

function checkAcrValues(values: unknown): readonly string[] {
  if (values === undefined) return []
  if (!Array.isArray(values) || !values.every(value => typeof value === 'string' && /^\S+$/.test(value)))
    throw new ConfigurationError('acrValues', 'must be a list of strings without spaces')
  return values as readonly string[]
}

function checkAuthorizationDetails(types: unknown): AuthorizationDetailTypes {
  if (types === undefined) return {}
  if (typeof types !== 'object' || types === null)
    throw new ConfigurationError('authorizationDetails', 'must be an object with a check for each type')
  for (const [type, check] of Object.entries(types)) checkFunction(check, `authorizationDetails.${type}`)
  return types as AuthorizationDetailTypes
}

function checkOrigin(origin: unknown): string | undefined {
  if (origin === undefined) return undefined
  if (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).origin !== origin || !origin.startsWith('https:')) {
    throw new ConfigurationError('mtlsOrigin', 'must be an https origin without a path, such as https://as.example.com:8443')
  }
  return origin
}
