/**
 * Client metadata: every member this library reads, once as a type and once as a table. Configuration and registration
 * read the same table, and the compiler holds the two against each other.
 */
import type { JWK } from 'jose'
import type { ClientCredential } from '../configured-credentials.ts'
import type { FederatedCredential } from '../federated-credential.ts'
import { cibaGrantType } from '../grant-types.ts'
import type { Fail, MetadataKind } from './kinds.ts'

/**
 * `issuer`: the issuer identifier alone (rfc7523bis). `report`: the token endpoint's URL is accepted too, and each use
 * is reported. `legacy`: accepted silently.
 */
export type AssertionAudience = 'issuer' | 'report' | 'legacy'

/** The members of client metadata this library reads. */
export interface RegisteredMetadata {
  /** Names the client at this server. */
  readonly client_id: string
  /** Seconds since the epoch. */
  readonly client_id_issued_at?: number | undefined
  /** At most 128 characters that can be seen, as everything that people read. */
  readonly client_name?: string | undefined
  /** The client's home page, terms of service, privacy policy and logo: for consent pages. Nobody vouches for them. */
  readonly client_uri?: string | undefined
  /** The client's terms of service. */
  readonly tos_uri?: string | undefined
  /** The client's privacy policy. */
  readonly policy_uri?: string | undefined
  /** The client's logo. */
  readonly logo_uri?: string | undefined
  /** Ways to reach the people responsible for the client, such as email addresses (RFC 7591 §2). */
  readonly contacts?: readonly string[] | undefined
  /** Names the client's software, the same for each of its installations (RFC 7591 §2). */
  readonly software_id?: string | undefined
  /** The version of that software (RFC 7591 §2). */
  readonly software_version?: string | undefined
  /** `web` or `native` (OpenID Connect Registration §2). */
  readonly application_type?: string | undefined
  /** Address at which somebody else may ask the client to start a sign-in: https (OpenID Connect Core §4). */
  readonly initiate_login_uri?: string | undefined
  /** Seconds a person's sign-in may be old where a request has no `max_age` (OpenID Connect Registration §2). */
  readonly default_max_age?: number | undefined
  /** True: this client's ID Tokens have `auth_time`, as all have here (OpenID Connect Registration §2). */
  readonly require_auth_time?: boolean | undefined
  /** The `acr_values` of requests that ask for no `acr` (OpenID Connect Registration §2). */
  readonly default_acr_values?: readonly string[] | undefined
  /** The secret of the secret-based methods. Never readable again on the {@link Client} made from this. */
  readonly client_secret?: string | undefined
  /** Seconds since the epoch after which `client_secret` is refused; 0 or absent: never (RFC 7591 §3.2.1). */
  readonly client_secret_expires_at?: number | undefined
  /** The one method the client authenticates by. Default: `client_secret_basic` (RFC 7591 §2). */
  readonly token_endpoint_auth_method?: string | undefined
  /**
   * Further secrets, keys, certificates and methods, each with dates of its own. Never readable again on the {@link
   * Client} made from this.
   */
  readonly credentials?: readonly ClientCredential[] | undefined
  /** The one algorithm the client signs its assertions with (OpenID Connect Registration §2). */
  readonly token_endpoint_auth_signing_alg?: string | undefined
  /** The grants the client may use. Default: `authorization_code` (RFC 7591 §2). */
  readonly grant_types?: readonly string[] | undefined
  /** The response types the client may ask for. Default: `code` (RFC 7591 §2). */
  readonly response_types?: readonly string[] | undefined
  /** The addresses answers to the client may go to (RFC 7591 §2). */
  readonly redirect_uris?: readonly string[] | undefined
  /** Space-separated scope values this client may ask for; absent: every scope of the server. */
  readonly scope?: string | undefined
  /** The client's public keys (RFC 7591 §2); this or `jwks_uri`. */
  readonly jwks?: { /** The keys, each a JWK (RFC 7517 §5). */ readonly keys: readonly JWK[] } | undefined
  /** The address of the client's public keys (RFC 7591 §2); this or `jwks`. */
  readonly jwks_uri?: string | undefined
  /** The subject of the client's certificate, as a distinguished name (RFC 8705 §2.1.2). */
  readonly tls_client_auth_subject_dn?: string | undefined
  /** A DNS name among the certificate's alternative names (RFC 8705 §2.1.2). */
  readonly tls_client_auth_san_dns?: string | undefined
  /** A URI among the certificate's alternative names (RFC 8705 §2.1.2). */
  readonly tls_client_auth_san_uri?: string | undefined
  /** An IP address among the certificate's alternative names (RFC 8705 §2.1.2). */
  readonly tls_client_auth_san_ip?: string | undefined
  /** An email address among the certificate's alternative names (RFC 8705 §2.1.2). */
  readonly tls_client_auth_san_email?: string | undefined
  /** The tokens of other platforms that prove the client, for `federated_jwt`; any of them will do. */
  readonly federated_credentials?: readonly FederatedCredential[] | undefined
  /** The client's SPIFFE ID, for `spiffe_jwt` and `spiffe_x509`; one that ends in `/*` is any below it. */
  readonly spiffe_id?: string | undefined
  /** The algorithm ID Tokens for the client are signed with (OpenID Connect Registration §2). */
  readonly id_token_signed_response_alg?: string | undefined
  /** Present: userinfo is answered as a JWT signed so (OpenID Connect Registration §2). */
  readonly userinfo_signed_response_alg?: string | undefined
  /** Algorithm of authorization responses a request wants signed (JARM §3). Default: the server's first. */
  readonly authorization_signed_response_alg?: string | undefined
  /** Algorithm of introspection answers this client wants signed (RFC 9701 §6). Default: the server's first. */
  readonly introspection_signed_response_alg?: string | undefined
  /** The one algorithm of this client's request objects (RFC 9101 §10.5). */
  readonly request_object_signing_alg?: string | undefined
  /** True: this client's authorization requests are signed request objects, always (RFC 9101 §10.5). */
  readonly require_signed_request_object?: boolean | undefined
  /** True: this client's authorization requests are pushed, always (RFC 9126 §6). */
  readonly require_pushed_authorization_requests?: boolean | undefined
  /** The types of authorization details this client may ask for; absent: all (RFC 9396 §10). */
  readonly authorization_details_types?: readonly string[] | undefined
  /** True: this client's access tokens are bound to its certificate (RFC 8705 §3.4). */
  readonly tls_client_certificate_bound_access_tokens?: boolean | undefined
  /** True: this client uses the addresses of `mtls_endpoint_aliases` (FAPI 2.0 §5.2.2). */
  readonly use_mtls_endpoint_aliases?: boolean | undefined
  /** True: this client's token requests carry a DPoP proof, always (RFC 9449 §5.2). */
  readonly dpop_bound_access_tokens?: boolean | undefined
  /**
   * `public` (default): the client learns people's own `sub`. `pairwise`: an identifier of its sector's (OpenID Connect
   * Core §8).
   */
  readonly subject_type?: string | undefined
  /**
   * Names the client's sector by its host, where the redirect URIs do not (OpenID Connect Core §8.1). Fetched when it
   * is registered, not when it is configured.
   */
  readonly sector_identifier_uri?: string | undefined
  /** Way this client learns of what a person decided: `poll` (default), `ping` or `push` (OpenID Connect CIBA §4). */
  readonly backchannel_token_delivery_mode?: string | undefined
  /** Address it is pinged at or pushed to. */
  readonly backchannel_client_notification_endpoint?: string | undefined
  /** The one algorithm of this client's signed authentication requests; present: it signs them, always. */
  readonly backchannel_authentication_request_signing_alg?: string | undefined
  /** True: this client sends the person's `user_code`, where the server asks for one. */
  readonly backchannel_user_code_parameter?: boolean | undefined
  /**
   * Addresses the browser may be sent to after a logout that this client asked for (OpenID Connect RP-Initiated Logout
   * §3.1), compared as they are.
   */
  readonly post_logout_redirect_uris?: readonly string[] | undefined
  /** Address at which this client is told that a session ended (OpenID Connect Back-Channel Logout §2.2). */
  readonly backchannel_logout_uri?: string | undefined
  /** True: it is told of sessions that it knows by their `sid` alone. */
  readonly backchannel_logout_session_required?: boolean | undefined
  /** Which `aud` of this client's assertions is accepted; overrides the server's setting. */
  readonly assertion_audience?: AssertionAudience | undefined
  /** Which claims of people this client's ID Tokens have; overrides the server's `idTokenClaims`. */
  readonly id_token_claims?: 'requested' | 'scopes' | undefined
}

/**
 * Client metadata by its registered names (RFC 7591 §2, RFC 8705, OpenID Connect Registration). A row of a database
 * will do: `null` is the same as leaving a member out. Members the library does not know are kept and ignored, with one
 * warning for each; what looks like a known one misspelt is refused.
 */
export type ClientMetadata = {
  readonly [member in keyof RegisteredMetadata]: member extends 'client_id'
    ? RegisteredMetadata[member]
    : RegisteredMetadata[member] | null
  // an interface has no index signature, and is assignable to no other one than this
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
} & Readonly<Record<string, any>>

/** Metadata as it was read: without `null`, each member of its kind. */
export type ReadMetadata = RegisteredMetadata & Readonly<Record<string, unknown>>

/** Rule of several members together: calls `fail` with the one that is wrong, and what it must be. */
export type MetadataRule = (metadata: ReadMetadata, fail: Fail) => void

/** Names of a server's lists of values that clients may register, member by member. */
export type OfferedValues =
  | 'methods'
  | 'assertionAlgorithms'
  | 'grantTypes'
  | 'responseTypes'
  | 'signingAlgorithms'
  | 'requestObjectAlgorithms'
  | 'authorizationDetailTypes'
  | 'subjectTypes'
  | 'deliveryModes'

/** Facts about one member. */
export interface MetadataMember {
  readonly kind: MetadataKind
  /** Section of the specification that defines it; absent: it is defined here alone. */
  readonly section?: string
  /** The values there are, whatever the server. */
  readonly values?: readonly string[]
  /** It names something a server has or has not. */
  readonly offered?: OfferedValues
  /** People read it, and it may be there in any number of languages (RFC 7591 §2.2). */
  readonly translated?: true
  /** The server's or its operator's to say: a client that registers itself cannot. */
  readonly configured?: true
  /**
   * A client that registers itself can say it only where the server's operator lets it prove itself by other platforms'
   * tokens.
   */
  readonly workload?: true
  /** Means something only where this grant is. */
  readonly grant?: string
}

export const clientMetadata = {
  client_id: { kind: 'opaque', section: 'RFC 7591 §3.2.1', configured: true },
  client_id_issued_at: { kind: 'seconds', section: 'RFC 7591 §3.2.1', configured: true },
  client_secret: { kind: 'opaque', section: 'RFC 7591 §3.2.1', configured: true },
  client_secret_expires_at: { kind: 'seconds', section: 'RFC 7591 §3.2.1', configured: true },
  redirect_uris: { kind: 'redirect_uris', section: 'RFC 7591 §2' },
  token_endpoint_auth_method: { kind: 'text', section: 'RFC 7591 §2', offered: 'methods' },
  grant_types: { kind: 'list', section: 'RFC 7591 §2', offered: 'grantTypes' },
  response_types: { kind: 'list', section: 'RFC 7591 §2', offered: 'responseTypes' },
  client_name: { kind: 'name', section: 'RFC 7591 §2', translated: true },
  client_uri: { kind: 'page', section: 'RFC 7591 §2', translated: true },
  logo_uri: { kind: 'page', section: 'RFC 7591 §2', translated: true },
  tos_uri: { kind: 'page', section: 'RFC 7591 §2', translated: true },
  policy_uri: { kind: 'page', section: 'RFC 7591 §2', translated: true },
  contacts: { kind: 'names', section: 'RFC 7591 §2' },
  scope: { kind: 'scope', section: 'RFC 7591 §2' },
  jwks: { kind: 'jwks', section: 'RFC 7591 §2' },
  jwks_uri: { kind: 'endpoint', section: 'RFC 7591 §2' },
  software_id: { kind: 'name', section: 'RFC 7591 §2' },
  software_version: { kind: 'name', section: 'RFC 7591 §2' },
  application_type: { kind: 'text', section: 'OpenID Connect Registration §2', values: ['web', 'native'] },
  initiate_login_uri: { kind: 'https', section: 'OpenID Connect Registration §2' },
  default_max_age: { kind: 'age', section: 'OpenID Connect Registration §2' },
  require_auth_time: { kind: 'flag', section: 'OpenID Connect Registration §2' },
  default_acr_values: { kind: 'list', section: 'OpenID Connect Registration §2' },
  subject_type: {
    kind: 'text',
    section: 'OpenID Connect Registration §2',
    values: ['public', 'pairwise'],
    offered: 'subjectTypes'
  },
  sector_identifier_uri: { kind: 'https', section: 'OpenID Connect Registration §2' },
  token_endpoint_auth_signing_alg: { kind: 'text', section: 'OpenID Connect Registration §2', offered: 'assertionAlgorithms' },
  id_token_signed_response_alg: { kind: 'text', section: 'OpenID Connect Registration §2', offered: 'signingAlgorithms' },
  userinfo_signed_response_alg: { kind: 'text', section: 'OpenID Connect Registration §2', offered: 'signingAlgorithms' },
  authorization_signed_response_alg: { kind: 'text', section: 'JARM §3', offered: 'signingAlgorithms' },
  introspection_signed_response_alg: { kind: 'text', section: 'RFC 9701 §6', offered: 'signingAlgorithms' },
  request_object_signing_alg: { kind: 'text', section: 'RFC 9101 §10.5', offered: 'requestObjectAlgorithms' },
  require_signed_request_object: { kind: 'flag', section: 'RFC 9101 §10.5' },
  require_pushed_authorization_requests: { kind: 'flag', section: 'RFC 9126 §6' },
  authorization_details_types: { kind: 'list', section: 'RFC 9396 §10', offered: 'authorizationDetailTypes' },
  dpop_bound_access_tokens: { kind: 'flag', section: 'RFC 9449 §5.2' },
  tls_client_auth_subject_dn: { kind: 'subject', section: 'RFC 8705 §2.1.2' },
  tls_client_auth_san_dns: { kind: 'subject', section: 'RFC 8705 §2.1.2' },
  tls_client_auth_san_uri: { kind: 'subject', section: 'RFC 8705 §2.1.2' },
  tls_client_auth_san_ip: { kind: 'subject', section: 'RFC 8705 §2.1.2' },
  tls_client_auth_san_email: { kind: 'subject', section: 'RFC 8705 §2.1.2' },
  tls_client_certificate_bound_access_tokens: { kind: 'flag', section: 'RFC 8705 §3.4' },
  federated_credentials: { kind: 'federated_credentials', workload: true },
  spiffe_id: { kind: 'spiffe_id', section: 'draft-ietf-oauth-spiffe-client-auth §4.1', workload: true },
  use_mtls_endpoint_aliases: { kind: 'flag', section: 'FAPI 2.0 §5.2.2' },
  backchannel_token_delivery_mode: {
    kind: 'text',
    section: 'CIBA §4',
    values: ['poll', 'ping', 'push'],
    offered: 'deliveryModes',
    grant: cibaGrantType
  },
  backchannel_client_notification_endpoint: { kind: 'endpoint', section: 'CIBA §4', grant: cibaGrantType },
  backchannel_authentication_request_signing_alg: {
    kind: 'text',
    section: 'CIBA §4',
    offered: 'requestObjectAlgorithms',
    grant: cibaGrantType
  },
  backchannel_user_code_parameter: { kind: 'flag', section: 'CIBA §4', grant: cibaGrantType },
  post_logout_redirect_uris: { kind: 'redirect_uris', section: 'OpenID Connect RP-Initiated Logout §3.1' },
  backchannel_logout_uri: { kind: 'endpoint', section: 'OpenID Connect Back-Channel Logout §2.2' },
  backchannel_logout_session_required: { kind: 'flag', section: 'OpenID Connect Back-Channel Logout §2.2' },
  assertion_audience: { kind: 'text', values: ['issuer', 'report', 'legacy'], configured: true },
  id_token_claims: { kind: 'text', values: ['requested', 'scopes'], configured: true },
  credentials: { kind: 'credentials', configured: true }
} as const satisfies { readonly [member in keyof Required<RegisteredMetadata>]: MetadataMember }

const members: ReadonlyMap<string, MetadataMember> = new Map(Object.entries(clientMetadata))

/** The language is written as in BCP 47. */
const translated = /^([a-z_]+)#[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8})*$/

/** Finds the facts about a member of this name, its language aside; undefined where the library knows none. */
export function memberOf(name: string): MetadataMember | undefined {
  const found = members.get(name)
  if (found !== undefined || !name.includes('#')) return found
  const member = members.get(translated.exec(name)?.[1] ?? '')
  return member?.translated === true ? member : undefined
}

/** Every member there is. */
export const memberNames: readonly string[] = [...members.keys()]
