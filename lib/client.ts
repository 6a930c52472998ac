/** The clients of an authorization server: what was registered, with its defaults, checked once. */
import type { JWK } from 'jose'
import { checkBackchannelMetadata, type BackchannelMetadata } from './client-backchannel.ts'
import { readCredentials, type ClientCredential } from './client-credential.ts'
import {
  certificateSubjects,
  keepCredentials,
  registeredCredentials,
  type ClientSecret,
  type CredentialOfClient
} from './client-credential-set.ts'
import { ConfigurationError } from './options.ts'
import { checkMethod } from './client-method.ts'
import { checkSubjectType } from './subject-type.ts'

export type { ClientCredential } from './client-credential.ts'
export { secretMethods } from './client-method.ts'
export { certificateSubjects, clientSecrets, type ClientSecret } from './client-credential-set.ts'

/** The members of client metadata this library reads. */
export interface RegisteredMetadata extends BackchannelMetadata {
  readonly client_id: string
  readonly client_name?: string | undefined
  /** The client's home page, terms of service, privacy policy and logo: for consent pages. Nobody vouches for them. */
  readonly client_uri?: string | undefined
  readonly tos_uri?: string | undefined
  readonly policy_uri?: string | undefined
  readonly logo_uri?: string | undefined
  /** The secret of the secret-based methods. Never readable again on the {@link Client} made from this. */
  readonly client_secret?: string | undefined
  /** Seconds since the epoch after which `client_secret` is refused; 0 or absent: never (RFC 7591 §3.2.1). */
  readonly client_secret_expires_at?: number | undefined
  readonly token_endpoint_auth_method?: string | undefined
  /** Further secrets, keys, certificates and methods, each with dates of its own. Never readable again on the {@link Client} made from this. */
  readonly credentials?: readonly ClientCredential[] | undefined
  readonly token_endpoint_auth_signing_alg?: string | undefined
  readonly grant_types?: readonly string[] | undefined
  readonly response_types?: readonly string[] | undefined
  readonly redirect_uris?: readonly string[] | undefined
  /** Space-separated scope values this client may ask for; absent: every scope of the server. */
  readonly scope?: string | undefined
  readonly jwks?: { readonly keys: readonly JWK[] } | undefined
  readonly jwks_uri?: string | undefined
  readonly tls_client_auth_subject_dn?: string | undefined
  readonly tls_client_auth_san_dns?: string | undefined
  readonly tls_client_auth_san_uri?: string | undefined
  readonly tls_client_auth_san_ip?: string | undefined
  readonly tls_client_auth_san_email?: string | undefined
  readonly id_token_signed_response_alg?: string | undefined
  /** Present: userinfo is answered as a JWT signed so (OpenID Connect Registration §2). */
  readonly userinfo_signed_response_alg?: string | undefined
  /** What authorization responses are signed with where the request asks for signed ones (JARM §3). Default RS256. */
  readonly authorization_signed_response_alg?: string | undefined
  /** What introspection answers are signed with where this client asks for signed ones (RFC 9701 §6). Default RS256. */
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
  /** True: this client's token requests carry a DPoP proof, always (RFC 9449 §5.2). */
  readonly dpop_bound_access_tokens?: boolean | undefined
  /** `public` (default): the client learns people's own `sub`. `pairwise`: an identifier of its sector's (OpenID Connect Core §8). */
  readonly subject_type?: string | undefined
  /** Names the client's sector by its host, where the redirect URIs do not (OpenID Connect Core §8.1). Never fetched. */
  readonly sector_identifier_uri?: string | undefined
  /** Which `aud` of this client's assertions is accepted; overrides the server's setting. */
  readonly assertion_audience?: AssertionAudience | undefined
  /** Which claims of people this client's ID Tokens have; overrides the server's `idTokenClaims`. */
  readonly id_token_claims?: 'requested' | 'scopes' | undefined
}

/** Client metadata by its registered names (RFC 7591 §2, RFC 8705, OpenID Connect Registration). Unknown members are kept and ignored. */
export type ClientMetadata = RegisteredMetadata & Readonly<Record<string, unknown>>

/**
 * `issuer`: the issuer identifier alone (rfc7523bis). `report`: the token endpoint's URL is accepted too, and each use is
 * reported. `legacy`: accepted silently.
 */
export type AssertionAudience = 'issuer' | 'report' | 'legacy'

/** A client as the library works with it: metadata with its defaults, immutable, without any secret among its visible members. */
export interface Client extends Omit<RegisteredMetadata, 'client_secret' | 'credentials'> {
  readonly token_endpoint_auth_method: string
  readonly grant_types: readonly string[]
  readonly response_types: readonly string[]
  readonly redirect_uris: readonly string[]
}

/**
 * Where clients come from: a list, or a function that looks one up. Return the same object while nothing changed: what is
 * parsed from it is cached by its identity.
 */
export type ClientSource =
  | readonly ClientMetadata[]
  | ((client_id: string) => ClientMetadata | null | undefined | Promise<ClientMetadata | null | undefined>)

/** Finds clients. Rejects when the source does; never answers with a client of another id. */
export interface ClientRegistry {
  find(client_id: string): Promise<Client | undefined>
  /** Told of each authentication, for whoever records what is still in use. Does not throw, and takes no time. */
  used?(client: Client, method: string, credentials: readonly string[]): void
}

const parsed = new WeakMap<ClientMetadata, Client>()
const registries = new WeakMap<object, ClientRegistry>()

/** A public client has no credential: it is registered for `none` (RFC 6749 §2.1). */
export function isPublic(client: Client): boolean {
  return client.token_endpoint_auth_method === 'none'
}

/**
 * Checks metadata and applies the defaults of RFC 7591 §2: `client_secret_basic`, `authorization_code`, `code`.
 *
 * @param path names the metadata in errors, such as `clients[3]`.
 * @param secrets the client's secrets, where the metadata has no `client_secret` because nobody keeps it readable.
 * @throws {@link ConfigurationError} naming the member that is wrong.
 */
export function toClient(metadata: ClientMetadata, path = 'client', secrets: readonly ClientSecret[] = []): Client {
  const cached = parsed.get(metadata)
  if (cached !== undefined) return cached
  const added = checkMetadata(metadata, path, secrets.length > 0)
  const client: Client = Object.freeze({
    ...withoutCredentials(metadata),
    token_endpoint_auth_method: metadata.token_endpoint_auth_method ?? 'client_secret_basic',
    grant_types: Object.freeze([...(metadata.grant_types ?? ['authorization_code'])]),
    response_types: Object.freeze([...(metadata.response_types ?? ['code'])]),
    redirect_uris: Object.freeze([...(metadata.redirect_uris ?? [])])
  })
  const expiry = metadata.client_secret_expires_at
  const expires_at = expiry === undefined || expiry === 0 ? undefined : expiry
  const { client_secret } = metadata
  const registered = client_secret === undefined ? secrets : [{ id: '1', value: client_secret, expires_at }]
  keepCredentials(client, [...registeredCredentials(client, registered), ...added])
  parsed.set(metadata, client)
  return client
}

function withoutCredentials(metadata: ClientMetadata): Omit<RegisteredMetadata, 'client_secret' | 'credentials'> {
  const rest = { ...metadata }
  delete rest['client_secret']
  delete rest['credentials']
  return rest
}

/** Makes a registry of a source; one source has one registry, however many strategies it is given to. */
export function clientRegistry(source: ClientSource | ClientRegistry): ClientRegistry {
  if (isRegistry(source)) return source
  if (typeof source !== 'function' && !Array.isArray(source)) {
    throw new ConfigurationError(
      'clients',
      'must be a list of client metadata or a function that finds a client by its client_id'
    )
  }
  const known = registries.get(source)
  if (known !== undefined) return known
  const registry = typeof source === 'function' ? registryOfFunction(source) : registryOfList(source as readonly ClientMetadata[])
  registries.set(source, registry)
  return registry
}

function isRegistry(source: ClientSource | ClientRegistry | null): source is ClientRegistry {
  return (
    typeof source === 'object' &&
    source !== null &&
    !Array.isArray(source) &&
    'find' in source &&
    typeof source.find === 'function'
  )
}

function registryOfList(list: readonly ClientMetadata[]): ClientRegistry {
  const byId = new Map<string, Client>()
  list.forEach((metadata, index) => {
    const client = toClient(metadata, `clients[${index}]`)
    if (byId.has(client.client_id))
      throw new ConfigurationError(`clients[${index}].client_id`, 'is already the client_id of another client')
    byId.set(client.client_id, client)
  })
  return { find: client_id => Promise.resolve(byId.get(client_id)) }
}

function registryOfFunction(
  lookUp: (client_id: string) => ClientMetadata | null | undefined | Promise<ClientMetadata | null | undefined>
): ClientRegistry {
  return {
    async find(client_id) {
      const metadata = await lookUp(client_id)
      // databases say null where there is no row
      if (metadata === undefined || metadata === null) return undefined
      const client = toClient(metadata)
      // a source that looks up loosely (case, trimming, a wrong row) must not let one client in as another
      if (client.client_id !== client_id)
        throw new ConfigurationError('clients', 'found a client with another client_id than was asked for')
      return client
    }
  }
}

const stringMembers = [
  'client_name',
  'client_uri',
  'tos_uri',
  'policy_uri',
  'logo_uri',
  'client_secret',
  'token_endpoint_auth_method',
  'token_endpoint_auth_signing_alg',
  'scope',
  'jwks_uri',
  'id_token_signed_response_alg',
  'userinfo_signed_response_alg',
  'authorization_signed_response_alg',
  'introspection_signed_response_alg',
  'request_object_signing_alg',
  'backchannel_authentication_request_signing_alg',
  ...certificateSubjects
] as const
const listMembers = ['grant_types', 'response_types', 'redirect_uris', 'authorization_details_types'] as const
const booleanMembers = ['require_signed_request_object', 'require_pushed_authorization_requests'] as const

function checkMetadata(metadata: ClientMetadata, path: string, hasSecrets: boolean): readonly CredentialOfClient[] {
  const fail = (member: string, mustBe: string): never => {
    throw new ConfigurationError(`${path}.${member}`, mustBe)
  }
  const given: unknown = metadata
  if (typeof given !== 'object' || given === null) throw new ConfigurationError(path, 'must be an object of client metadata')
  if (typeof metadata.client_id !== 'string' || metadata.client_id === '') fail('client_id', 'must be a non-empty string')
  for (const member of stringMembers) {
    if (metadata[member] !== undefined && (typeof metadata[member] !== 'string' || metadata[member] === ''))
      fail(member, 'must be a non-empty string')
  }
  for (const member of listMembers) {
    const list: unknown = metadata[member]
    if (list !== undefined && !(Array.isArray(list) && list.every(item => typeof item === 'string')))
      fail(member, 'must be a list of strings')
  }
  for (const member of booleanMembers) {
    if (!['undefined', 'boolean'].includes(typeof metadata[member])) fail(member, 'must be true or false')
  }
  if (![undefined, 'requested', 'scopes'].includes(metadata.id_token_claims))
    fail('id_token_claims', 'must be "requested" or "scopes"')
  const expiry: unknown = metadata.client_secret_expires_at
  if (expiry !== undefined && !(Number.isSafeInteger(expiry) && Number(expiry) >= 0))
    fail('client_secret_expires_at', 'must be seconds since the epoch, or 0 for never')
  const jwks: unknown = metadata.jwks
  if (jwks !== undefined && !(typeof jwks === 'object' && jwks !== null && Array.isArray((jwks as { keys?: unknown }).keys)))
    fail('jwks', 'must be an object with a list "keys"')
  if (jwks !== undefined && metadata.jwks_uri !== undefined) fail('jwks_uri', 'must not be given together with jwks')
  checkRedirectUris(metadata, fail)
  checkBackchannelMetadata(metadata, fail)
  const added = readCredentials(metadata.credentials, fail, metadata.client_secret === undefined ? [] : ['1'])
  checkMethod(metadata, fail, hasSecrets, added)
  checkSubjectType(metadata, fail)
  return added
}

/** Schemes a browser runs or reads instead of going anywhere (RFC 9700 §4.1.3 and every open redirector since). */
const neverRedirectedTo = ['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:']

/** RFC 6749 §3.1.2: absolute, without a fragment. */
function checkRedirectUris(metadata: ClientMetadata, fail: (member: string, mustBe: string) => never): void {
  metadata.redirect_uris?.forEach((uri, index) => {
    const url = URL.canParse(uri) ? new URL(uri) : undefined
    if (url === undefined || uri.includes('#') || neverRedirectedTo.includes(url.protocol)) {
      fail(`redirect_uris[${index}]`, 'must be an absolute URI without a fragment, of a scheme that leads to the client')
    }
  })
}
