/**
 * Reasons for which a server may take no notice of a parameter: its metadata does not announce what the parameter is of
 * (RFC 8414 §2), and what a server does not know it ignores (RFC 6749 §3.1, §3.2).
 */
import type { Reason } from './case.ts'
import { needsAssertion, type Target } from './target.ts'

type Metadata = Target['metadata']

const listOf = (metadata: Metadata, member: string): readonly unknown[] | undefined => {
  const value = metadata[member]
  return Array.isArray(value) ? value : undefined
}

/** Whether it is an OpenID provider, whose metadata has defaults of its own (OpenID Connect Discovery §3). */
const isOpenidProvider = (metadata: Metadata): boolean => listOf(metadata, 'id_token_signing_alg_values_supported') !== undefined

const unless =
  (isAnnounced: (metadata: Metadata) => boolean, reason: string): Reason =>
  ({ metadata }) =>
    isAnnounced(metadata) ? undefined : reason

const methodsOf = (metadata: Metadata): readonly unknown[] =>
  listOf(metadata, 'token_endpoint_auth_methods_supported') ?? ['client_secret_basic']

/** Whether clients of a method that is announced, or of the attacked client's own, do something. */
const noMethod =
  (does: (method: string) => boolean, reason: string): Reason =>
  ({ metadata, client }) =>
    [...methodsOf(metadata), client.token_endpoint_auth_method].some(method => typeof method === 'string' && does(method))
      ? undefined
      : reason

const known = 'and what a server does not know it ignores (RFC 6749 §3.2)'

/** `client_assertion`. */
export const noAssertions = noMethod(needsAssertion, `no method with an assertion is announced, ${known}`)
/** `client_secret` in the body. */
export const noSecretInBody = noMethod(method => method === 'client_secret_post', `client_secret_post is not announced, ${known}`)
/** The `Authorization` header. */
export const noBasic = noMethod(method => method === 'client_secret_basic', 'client_secret_basic is not announced')

/** `resource`. That a server knows it is announced nowhere but in what resources it names (RFC 9728 §4). */
export const noResources = unless(
  metadata => listOf(metadata, 'protected_resources') !== undefined,
  'the metadata has no protected_resources, and a server without RFC 8707 ignores resource (RFC 6749 §3.2)'
)

/** The `DPoP` header. */
export const noDpop = unless(
  metadata => listOf(metadata, 'dpop_signing_alg_values_supported') !== undefined,
  'the metadata has no dpop_signing_alg_values_supported, and a server without DPoP ignores its header (RFC 9449 §5.1)'
)

/** `code_challenge`. */
export const noPkce = unless(
  metadata => listOf(metadata, 'code_challenge_methods_supported') !== undefined,
  'the metadata has no code_challenge_methods_supported: the server has no PKCE, and ignores it (RFC 6749 §3.1, RFC 8414 §2)'
)

/** `code_challenge_method=plain`, which is also what a challenge without a method is of (RFC 7636 §4.3). */
export const plainPkce: Reason = target =>
  listOf(target.metadata, 'code_challenge_methods_supported')?.includes('plain') === true
    ? 'the metadata announces the PKCE method plain (`clientele lint` tells of that)'
    : noPkce(target)

/** `request`. */
export const noRequestObjects = unless(
  metadata =>
    metadata['request_parameter_supported'] === true ||
    metadata['require_signed_request_object'] === true ||
    listOf(metadata, 'request_object_signing_alg_values_supported') !== undefined,
  'the metadata announces no request objects, and a server without them ignores request (RFC 6749 §3.1)'
)

/** `request_uri` of a request object elsewhere. */
export const noRequestUris = unless(
  metadata =>
    (metadata['request_uri_parameter_supported'] ?? isOpenidProvider(metadata)) === true ||
    metadata['require_signed_request_object'] === true ||
    listOf(metadata, 'request_object_signing_alg_values_supported') !== undefined,
  'the metadata announces no request objects by address, and a server without them ignores request_uri (RFC 6749 §3.1)'
)

/** `request_uri` of a request that was pushed. */
export const noPushedRequests: Reason = target =>
  typeof target.metadata['pushed_authorization_request_endpoint'] === 'string' || noRequestUris(target) === undefined
    ? undefined
    : 'the metadata has no pushed_authorization_request_endpoint, and a server without it ignores request_uri (RFC 6749 §3.1)'

/** `response_mode`. */
export const noResponseModes = unless(
  metadata => listOf(metadata, 'response_modes_supported') !== undefined || isOpenidProvider(metadata),
  'the metadata has no response_modes_supported, and a server without response modes ignores them (RFC 6749 §3.1)'
)

/** A response type that the server offers whoever it is for; in what order its values stand says nothing. */
export function offeredResponseType(type: string): Reason {
  const sorted = (value: unknown): string => String(value).split(' ').toSorted().join(' ')
  return ({ metadata }) =>
    listOf(metadata, 'response_types_supported')?.some(offered => sorted(offered) === sorted(type)) === true
      ? `the metadata announces the response type ${type} (\`clientele lint\` tells of that)`
      : undefined
}
