/**
 * Client metadata in the configuration file: what is checked before the library does, and the addresses a client may be
 * sent to.
 */
import { unknownMembers } from 'clientele'
import { z } from 'zod'

/** The client authentication methods; which of them it offers, the server says at its start. */
export const authMethods = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'federated_jwt',
  'spiffe_jwt',
  'spiffe_x509',
  'attest_jwt_client_auth',
  'attest_jwt_client_auth_dpop',
  'none'
] as const

const name = z.string('must be a string').min(1, 'must not be empty')
const flag = z.boolean('must be true or false')

const redirectUri = z.string('must be an absolute URI').superRefine((value, context) => {
  const mustBe = redirectUriMustBe(value)
  if (mustBe !== undefined) context.addIssue({ code: 'custom', message: mustBe })
})

/** Files that come from a database have `null` where there is nothing. */
function withoutNull(client: unknown): unknown {
  if (typeof client !== 'object' || client === null || Array.isArray(client)) return client
  return Object.fromEntries(Object.entries(client).filter(([, value]) => value !== null))
}

const members = z.looseObject(
  {
    client_id: name,
    client_name: name.optional(),
    token_endpoint_auth_method: z.enum(authMethods, `must be one of ${authMethods.join(', ')}`).optional(),
    redirect_uris: z.array(redirectUri, 'must be a list').optional(),
    grant_types: z.array(name, 'must be a list').optional(),
    response_types: z.array(name, 'must be a list').optional(),
    scope: z.string('must be scope values with spaces between').optional(),
    jwks: z
      .looseObject(
        { keys: z.array(z.record(z.string(), z.json('must be JSON'), 'must be a JWK'), 'must be a list') },
        'must be a JWK Set'
      )
      .optional(),
    jwks_uri: name.optional(),
    post_logout_redirect_uris: z.array(redirectUri, 'must be a list').optional(),
    backchannel_logout_uri: name.optional(),
    backchannel_logout_session_required: flag.optional(),
    tls_client_certificate_bound_access_tokens: flag.optional(),
    dpop_bound_access_tokens: flag.optional(),
    require_pushed_authorization_requests: flag.optional(),
    require_signed_request_object: flag.optional()
  },
  'must be an object of client metadata'
)

/** One client. Members not listed here are checked by the library or ignored. */
export const clientMetadata = z.preprocess(withoutNull, members)

/**
 * Says how a redirect URI is wrong, if it is. Codes go to https addresses, to a program on the person's own machine
 * (RFC 8252 §7.3) or to an app's own scheme (§7.1, in reverse domain notation as §8.4 asks), never into `javascript:`.
 */
function redirectUriMustBe(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined) return 'must be an absolute URI'
  if (value.includes('#')) return 'must have no fragment'
  if (url.protocol === 'https:') return undefined
  if (url.protocol === 'http:')
    return isLoopback(url.hostname) ? undefined : 'must be https (http only on localhost, 127.0.0.1 or [::1])'
  return url.protocol.includes('.')
    ? undefined
    : 'must be https, http on loopback, or of a private-use scheme such as com.example.app:/callback'
}

/** Says how a `jwks_uri` is wrong, if it is: keys fetched over plain http are those of whoever sits in between. */
export function jwksUriMustBe(value: string, issuer: URL): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol === 'https:') return undefined
  if (url?.protocol === 'http:' && url.hostname === 'localhost' && isLoopback(issuer.hostname)) return undefined
  return "must be an https URL (http://localhost only while the issuer's own host is loopback)"
}

/** Says how a `backchannel_logout_uri` is wrong, if it is: who logs out where is nobody else's business. */
export function logoutUriMustBe(value: string, issuer: URL): string | undefined {
  return value.includes('#') ? 'must have no fragment' : jwksUriMustBe(value, issuer)
}

/** True for the host names that never leave this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

/** The members of a client that are read. The others have been warned about, and need not be again. */
export function knownMembersOf<Metadata extends object>(client: Metadata): Metadata {
  const unknown = new Set(unknownMembers(client).map(({ member }) => member))
  if (unknown.size === 0) return client
  const credentials = (name: string, list: unknown): unknown =>
    Array.isArray(list) ? list.map((one: unknown, index) => without(unknown, one, `${name}[${index}].`)) : list
  const members = Object.entries(without(unknown, client, '') as Metadata).map(([name, value]) => [
    name,
    credentials(name, value)
  ])
  return Object.fromEntries(members) as Metadata
}

/** An object without its own members of these names, which have its path before them. */
function without(names: ReadonlySet<string>, value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(path + name)))
}

/**
 * The members of a client of client_secret_basic that are something else where the client does not form-encode them
 * (RFC 6749 §2.3.1).
 */
export function membersToEncode(client: z.output<typeof members>): readonly string[] {
  const { client_id, client_secret, token_endpoint_auth_method: method } = client
  if (method !== undefined && method !== 'client_secret_basic') return []
  const needing = {
    client_id: /[+%:]/.test(client_id),
    client_secret: typeof client_secret === 'string' && /[+%]/.test(client_secret)
  }
  return Object.entries(needing).flatMap(([member, needs]) => (needs ? [member] : []))
}
