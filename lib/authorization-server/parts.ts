/** The parts of an authorization server, made of its options for its endpoints. */
import { asymmetricAlgorithms } from '../client-keys/algorithms.ts'
import { usualFetch, usualPostJson } from '../outbound/guarded-fetch.ts'
import type { ClientRegistry } from '../clients/client.ts'
import { checkOfferedClients, type Offered } from '../clients/offered.ts'
import { endpointAuthentication, strategiesAt, type AuthenticatingEndpoint } from '../authentication/per-endpoint.ts'
import { anonymousBudget } from '../authorization-requests/anonymous-budget.ts'
import { checkBackchannelAuthentication } from '../endpoints/backchannel-authentication/options.ts'
import { checkDeviceAuthorization } from '../endpoints/device-authorization/options.ts'
import { LaterDelivery, logoutDelivery } from '../endpoints/end-session/delivery.ts'
import type { LogoutPolicy } from '../endpoints/end-session/options.ts'
import type { EndpointContext } from '../endpoints/endpoint.ts'
import { at } from '../endpoints/metadata.ts'
import { registration, type Registration } from '../endpoints/registration/options.ts'
import { pathsOf, type EndpointMember } from '../http/endpoint-paths.ts'
import { isOnLoopback } from '../options.ts'
import type { AccessTokenContext } from '../protected-resource/require-access-token.ts'
import { policyOf } from '../profiles.ts'
import { registeredClientsOf } from '../clients/registered-clients.ts'
import { ownClients } from '../credentials/stored-clients.ts'
import { serverCredentials } from '../credentials/server-credentials.ts'
import { tokenEndpointParts } from '../token-endpoint/assembly.ts'
import type { TokenEndpointParts } from '../token-endpoint/parts.ts'
import type { ReadAuthorizationServer } from './options.ts'
import { peopleOf } from './people.ts'

const requestObjectAlgorithms: readonly string[] = [...asymmetricAlgorithms.keys()]

/** The parts of a server, once every option has been checked. */
export interface AuthorizationServerParts {
  readonly context: EndpointContext
  readonly token: TokenEndpointParts
  readonly mtlsOrigin: string | undefined
  /** Whether clients may authenticate by certificate. */
  readonly certificateMethods: boolean
}

/**
 * Makes the parts of options that were read. @throws ConfigurationError naming the option that does not go with the
 * others.
 */
export function authorizationServerParts(options: ReadAuthorizationServer): AuthorizationServerParts {
  const { issuer, mtlsOrigin } = options
  const { interaction, tokenIssuers, missing } = peopleOf(options)
  const paths = pathsOf(options.paths)
  const addressOf = (member: EndpointMember): string => issuer + paths[member]
  const onEveryListener = (address: string): readonly string[] =>
    mtlsOrigin === undefined ? [address] : [address, at(mtlsOrigin, address)]
  const tokenEndpoints = onEveryListener(addressOf('token_endpoint'))
  const listenerAddresses = (member: EndpointMember): readonly string[] => onEveryListener(addressOf(member))
  const certificateMethods = options.certificateMethods ?? (mtlsOrigin !== undefined || options.certificateSource !== undefined)
  const credentials = serverCredentials(options)
  const registered = options.registration && registeredClientsOf({ ...options, clients: credentials.given })
  const clientSource = registered?.configured ?? credentials.given
  // the endpoints whose own specifications let a client address its assertion to them (RFC 9126 §2, CIBA Core §7.1)
  const otherAudiences = [
    ...onEveryListener(addressOf('pushed_authorization_request_endpoint')),
    ...(options.backchannelAuthentication === undefined ? [] : onEveryListener(addressOf('backchannel_authentication_endpoint')))
  ]
  const token = tokenEndpointParts(
    { ...options, tokenIssuers, clients: clientSource, tokenEndpoints, certificateMethods },
    { missing, registered, userinfo: addressOf('userinfo_endpoint'), otherAudiences, withCredentials: credentials.open }
  )
  const origins = [new URL(issuer).origin, ...(mtlsOrigin === undefined ? [] : [mtlsOrigin])]
  const { certificateSource, onError } = options
  const protection: AccessTokenContext = { server: token.server, dpop: token.dpop, certificateSource, origins, onError }
  const { clients, strategies } = token
  const grantTypes = [...token.tokenIssuers.keys()]
  const policy = authorizationPolicy({ ...options, interaction }, token)
  const backchannel = backchannelOf(options, token)
  const deliveryModes = backchannel?.deliveryModes ?? []
  const context: EndpointContext = {
    registration:
      options.registration &&
      registrationOf(options.registration, options, {
        ...{ ...policy, token, certificateMethods, deliveryModes },
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
    addressOf,
    listenerAddresses,
    authentication: authenticationOf(options, token, endpoint => listenerAddresses(`${endpoint}_endpoint`)),
    attestation: token.attestation,
    ...{ protection, dpop: token.dpop, logout: logoutOf(options, token), onError },
    // last, not first: what begins as a copy and gets more members has a hidden class of its own, and these are many
    ...policy
  }
  // the options have been found right by now: what is left to be wrong is the clients'
  checkOfferedClients(ownClients(clientSource), { ...token.offered, ...offeredBy(policy), deliveryModes })
  return { context, token, mtlsOrigin, certificateMethods }
}

function authenticationOf(
  { certificateSource, onDecision, onJudged, endpointAuthMethods }: ReadAuthorizationServer,
  { clients, strategies, guesses: guessProtection, attestation, events, shadow }: TokenEndpointParts,
  addressesOf: (endpoint: AuthenticatingEndpoint) => readonly string[]
): EndpointContext['authentication'] {
  const parts = { clients, strategies, guessProtection, further: attestation?.further, shadow }
  const options = { ...parts, certificateSource, onDecision, onJudged }
  return endpointAuthentication(options, events, endpointAuthMethods, addressesOf)
}

/** Collects what the grants add to metadata. */
export function grantMetadataOf({ tokenIssuers }: TokenEndpointParts): EndpointContext['grantMetadata'] {
  return Object.fromEntries([...tokenIssuers.values()].flatMap(({ metadata = {} }) => Object.entries(metadata)))
}

/** Names what clients may have registered, beside what a token endpoint says. */
function offeredBy({ requestObjects, authorizationDetails }: ReturnType<typeof authorizationPolicy>): Offered {
  return { requestObjectAlgorithms: requestObjects.algorithms, authorizationDetailTypes: Object.keys(authorizationDetails) }
}

function backchannelOf(
  { issuer, backchannelAuthentication }: ReadAuthorizationServer,
  { tokenIssuers, senderConstrained }: TokenEndpointParts
): EndpointContext['backchannel'] {
  return checkBackchannelAuthentication(backchannelAuthentication, {
    grantTypes: [...tokenIssuers.keys()],
    senderConstrained,
    postJson: usualPostJson({ allowLoopback: isOnLoopback(issuer) })
  })
}

function logoutOf({ issuer, logout: options }: ReadAuthorizationServer, { server, clients }: TokenEndpointParts): LogoutPolicy {
  const postJson = options?.postJson ?? usualPostJson({ allowLoopback: isOnLoopback(issuer) })
  const setting = { server, clients, postJson, fromStart: options !== undefined }
  return { options, delivery: options === undefined ? new LaterDelivery(setting) : logoutDelivery(setting) }
}

function authorizationPolicy(
  options: ReadAuthorizationServer & Pick<EndpointContext, 'interaction'>,
  parts: TokenEndpointParts
): Pick<
  EndpointContext,
  | 'interaction'
  | 'requirePkce'
  | 'requirePushedAuthorizationRequests'
  | 'requestObjects'
  | 'acrValues'
  | 'authorizationDetails'
  | 'clientDocuments'
  | 'grantMetadata'
> {
  const profile = policyOf(options.profile)
  const { interaction, acrValues, authorizationDetails } = options
  return {
    ...{ interaction, acrValues, authorizationDetails },
    clientDocuments: parts.clientDocuments,
    grantMetadata: grantMetadataOf(parts),
    requirePkce: profile.requirePkce ? 'always' : options.requirePkce,
    requirePushedAuthorizationRequests: profile.pushed || options.requirePushedAuthorizationRequests,
    requestObjects: {
      clientKeys: parts.clientKeys,
      algorithms: profile.algorithms ?? requestObjectAlgorithms,
      required: options.requireSignedRequestObject,
      strict: profile.strictRequestObjects
    }
  }
}

function registrationOf(
  given: NonNullable<ReadAuthorizationServer['registration']>,
  { profile, endpointAuthMethods, fetchJson }: ReadAuthorizationServer,
  parts: Pick<EndpointContext, 'requestObjects' | 'authorizationDetails'> & {
    readonly token: TokenEndpointParts
    /** The registry that is to find what registers. */
    readonly clients: ClientRegistry
    readonly certificateMethods: boolean
    readonly deliveryModes: readonly string[]
  }
): Registration {
  const { token, requestObjects, authorizationDetails, deliveryModes, certificateMethods } = parts
  return registration(given, {
    server: token.server,
    clients: parts.clients,
    guesses: token.guesses,
    fetchJson: fetchJson ?? usualFetch({ allowLoopback: isOnLoopback(token.server.issuer) }),
    strategies: strategiesAt('token', token.strategies, endpointAuthMethods),
    tokenIssuers: token.tokenIssuers,
    requestObjectAlgorithms: requestObjects.algorithms,
    authorizationDetailTypes: Object.keys(authorizationDetails),
    deliveryModes,
    certificateMethods,
    profile
  })
}
