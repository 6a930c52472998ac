/** Metadata (RFC 8414, OpenID Connect Discovery): derived from what is mounted, so that it cannot say anything else. */
import { isWorkloadMethod } from '../clients/methods.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import { subjectTypes } from '../tokens/subject.ts'
import { claimsOf } from '../tokens/claims.ts'
import type { Endpoint, EndpointContext } from './endpoint.ts'

/** The parts of a server that metadata speaks of beside its endpoints. */
type DescribedServer = Pick<
  EndpointContext,
  'server' | 'addressOf' | 'grantTypes' | 'grantMetadata' | 'clientDocuments' | 'dpop' | 'acrValues'
>

interface MetadataInput {
  readonly context: DescribedServer
  readonly endpoints: readonly Endpoint[]
  /** The origin of the mutual-TLS listener, where there is one (RFC 8705 §5). */
  readonly mtlsOrigin: string | undefined
}

/** The metadata document. Registered members only; empty lists are left out. */
export function buildMetadata({ context, endpoints: mounted, mtlsOrigin }: MetadataInput): Readonly<Record<string, unknown>> {
  const endpoints = mounted.filter(({ unlisted }) => unlisted !== true)
  const { server, addressOf, grantTypes } = context
  const strategies = endpoints.flatMap(endpoint => endpoint.strategies ?? [])
  const certificates = strategies.some(({ certificate }) => certificate === true)
  return {
    issuer: server.issuer,
    ...Object.fromEntries(endpoints.map(({ member }) => [member, addressOf(member)])),
    ...(mtlsOrigin !== undefined && { mtls_endpoint_aliases: aliases(context, endpoints, mtlsOrigin) }),
    ...(server.scopes.length > 0 && { scopes_supported: server.scopes }),
    response_types_supported: endpoints.some(({ member }) => member === 'authorization_endpoint') ? ['code'] : [],
    grant_types_supported: grantTypes,
    ...methodsOf(endpoints),
    ...(certificates && { tls_client_certificate_bound_access_tokens: true }),
    ...(context.clientDocuments && { client_id_metadata_document_supported: true }),
    dpop_signing_alg_values_supported: context.dpop.algorithms,
    subject_types_supported: subjectTypes(server),
    id_token_signing_alg_values_supported: server.idTokenAlgorithms,
    userinfo_signing_alg_values_supported: server.idTokenAlgorithms,
    claims_supported: ['sub', 'iss', 'auth_time', 'acr', ...claimsOf(server.scopes)],
    ...(server.refreshTokenExpiration === true && {
      refresh_token_expiration_types_supported: ['token_timeout', 'authorization']
    }),
    ...(context.acrValues.length > 0 && { acr_values_supported: context.acrValues }),
    ...context.grantMetadata,
    ...Object.fromEntries(endpoints.flatMap(({ metadata = {} }) => Object.entries(metadata)))
  }
}

/** The endpoints whose methods have members of their own (RFC 8414 §2). */
const withMethodMembers: readonly string[] = ['token_endpoint', 'introspection_endpoint', 'revocation_endpoint']

function methodsOf(endpoints: readonly Endpoint[]): Readonly<Record<string, unknown>> {
  const members: Record<string, unknown> = {}
  for (const { member, strategies } of endpoints) {
    if (strategies === undefined || !withMethodMembers.includes(member)) continue
    members[`${member}_auth_methods_supported`] = strategies.map(({ name }) => name)
    const algorithms = algorithmsOf(strategies)
    if (algorithms.length > 0) members[`${member}_auth_signing_alg_values_supported`] = algorithms
  }
  return members
}

/** Algorithms clients themselves sign with (RFC 8414 §2): what a platform signs with is not theirs to say. */
function algorithmsOf(strategies: readonly ClientAuthenticationStrategy[]): readonly string[] {
  const signing = strategies.filter(({ name }) => !isWorkloadMethod(name))
  return [...new Set(signing.flatMap(({ signingAlgorithms = [] }) => signingAlgorithms))]
}

/**
 * The same paths on the other listener: every endpoint a certificate means something to. Never the authorization
 * endpoint.
 */
function aliases(
  { addressOf }: DescribedServer,
  endpoints: readonly Endpoint[],
  origin: string
): Readonly<Record<string, string>> {
  const aliased = endpoints.filter(({ caller }) => caller === 'client' || caller === 'access_token')
  return Object.fromEntries(aliased.map(({ member }) => [member, at(origin, addressOf(member))]))
}

/** An address of this server as it is on another origin. */
export function at(origin: string, address: string): string {
  return `${origin}${new URL(address).pathname}`
}
