/** Metadata (RFC 8414, OpenID Connect Discovery): derived from what is mounted, so that it cannot say anything else. */
import { JwtStrategy } from '../strategies/jwt-strategy.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import { responseModes } from './authorization/response-mode.ts'
import { claimsOf } from './claims.ts'
import type { EndpointContext } from './endpoint.ts'

export interface MetadataInput {
  readonly context: EndpointContext
  readonly strategies: readonly ClientAuthenticationStrategy[]
  readonly grantTypes: readonly string[]
  /** The origin of the mutual-TLS listener, where there is one (RFC 8705 §5). */
  readonly mtlsOrigin: string | undefined
  /** The algorithms DPoP proofs may be signed with. */
  readonly dpopAlgorithms: readonly string[]
}

/** The metadata document. Registered members only; empty lists are left out. */
export function buildMetadata({
  context,
  strategies,
  grantTypes,
  mtlsOrigin,
  dpopAlgorithms
}: MetadataInput): Readonly<Record<string, unknown>> {
  const { server, addresses } = context
  const algorithms = [...new Set(strategies.flatMap(strategy => (strategy instanceof JwtStrategy ? strategy.algorithms() : [])))]
  const certificates = strategies.some(({ name }) => name === 'tls_client_auth' || name === 'self_signed_tls_client_auth')
  const withCodes = grantTypes.includes('authorization_code')
  const { authorization_endpoint, pushed_authorization_request_endpoint, ...others } = addresses
  return {
    issuer: server.issuer,
    ...(withCodes && { authorization_endpoint, pushed_authorization_request_endpoint }),
    ...others,
    ...(mtlsOrigin !== undefined && { mtls_endpoint_aliases: aliases(context, mtlsOrigin, withCodes) }),
    ...(server.scopes.length > 0 && { scopes_supported: server.scopes }),
    response_types_supported: withCodes ? ['code'] : [],
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: strategies.map(strategy => strategy.name),
    ...(algorithms.length > 0 && { token_endpoint_auth_signing_alg_values_supported: algorithms }),
    ...(certificates && { tls_client_certificate_bound_access_tokens: true }),
    dpop_signing_alg_values_supported: dpopAlgorithms,
    subject_types_supported: server.pairwise === undefined ? ['public'] : ['public', 'pairwise'],
    id_token_signing_alg_values_supported: server.idTokenAlgorithms,
    userinfo_signing_alg_values_supported: server.idTokenAlgorithms,
    claims_supported: ['sub', 'iss', 'auth_time', 'acr', ...claimsOf(server.scopes)],
    ...(context.acrValues.length > 0 && { acr_values_supported: context.acrValues }),
    ...(withCodes && ofAuthorization(context))
  }
}

/** What the authorization endpoint understands. */
function ofAuthorization(context: EndpointContext): Readonly<Record<string, unknown>> {
  const { server, requestObjects, authorizationDetails } = context
  const types = Object.keys(authorizationDetails)
  return {
    response_modes_supported: responseModes,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    authorization_signing_alg_values_supported: server.idTokenAlgorithms,
    require_pushed_authorization_requests: context.requirePushedAuthorizationRequests,
    claims_parameter_supported: true,
    request_parameter_supported: true,
    request_object_signing_alg_values_supported: requestObjects.algorithms,
    ...(requestObjects.required && { require_signed_request_object: true }),
    // those of others; what was pushed here is RFC 9126's
    request_uri_parameter_supported: false,
    ...(types.length > 0 && { authorization_details_types_supported: types })
  }
}

/** The same paths on the other listener: every endpoint a certificate means something to. Never the authorization endpoint. */
function aliases({ addresses }: EndpointContext, origin: string, withCodes: boolean): Readonly<Record<string, string>> {
  const { token_endpoint, userinfo_endpoint, pushed_authorization_request_endpoint } = addresses
  return {
    token_endpoint: at(origin, token_endpoint),
    userinfo_endpoint: at(origin, userinfo_endpoint),
    ...(withCodes && { pushed_authorization_request_endpoint: at(origin, pushed_authorization_request_endpoint) })
  }
}

/** An address of this server as it is on another origin. */
export function at(origin: string, address: string): string {
  return `${origin}${new URL(address).pathname}`
}
