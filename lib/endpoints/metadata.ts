/** Metadata (RFC 8414, OpenID Connect Discovery): derived from what is mounted, so that it cannot say anything else. */
import { JwtStrategy } from '../strategies/jwt-strategy.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import { claimsOfScope } from './userinfo.ts'
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
  const { authorization_endpoint, ...others } = addresses
  return {
    issuer: server.issuer,
    ...(withCodes && { authorization_endpoint }),
    ...others,
    ...(mtlsOrigin !== undefined && { mtls_endpoint_aliases: aliases(context, mtlsOrigin) }),
    ...(server.scopes.length > 0 && { scopes_supported: server.scopes }),
    response_types_supported: withCodes ? ['code'] : [],
    ...(withCodes && { response_modes_supported: ['query'], code_challenge_methods_supported: ['S256'] }),
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: strategies.map(strategy => strategy.name),
    ...(algorithms.length > 0 && { token_endpoint_auth_signing_alg_values_supported: algorithms }),
    ...(certificates && { tls_client_certificate_bound_access_tokens: true }),
    dpop_signing_alg_values_supported: dpopAlgorithms,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: server.idTokenAlgorithms,
    claims_supported: ['sub', 'iss', 'auth_time', 'acr', ...server.scopes.flatMap(scope => claimsOfScope[scope] ?? [])],
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    ...(withCodes && { authorization_response_iss_parameter_supported: true })
  }
}

/** The same paths on the other listener: every endpoint a certificate means something to. Never the authorization endpoint. */
function aliases({ addresses }: EndpointContext, origin: string): Readonly<Record<string, string>> {
  const { token_endpoint, userinfo_endpoint } = addresses
  return { token_endpoint: at(origin, token_endpoint), userinfo_endpoint: at(origin, userinfo_endpoint) }
}

/** An address of this server as it is on another origin. */
export function at(origin: string, address: string): string {
  return `${origin}${new URL(address).pathname}`
}
