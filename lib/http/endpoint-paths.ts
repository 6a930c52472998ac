/** Paths and addresses of the endpoints of an issuer. */
import { ConfigurationError, textLike, type Check } from '../options.ts'

/** The path of each endpoint below the issuer, by its metadata name, unless the option `paths` says otherwise. */
const standardPaths = {
  authorization_endpoint: '/oauth2/authorize',
  pushed_authorization_request_endpoint: '/oauth2/par',
  token_endpoint: '/oauth2/token',
  userinfo_endpoint: '/oauth2/userinfo',
  jwks_uri: '/oauth2/jwks',
  introspection_endpoint: '/oauth2/introspect',
  revocation_endpoint: '/oauth2/revoke',
  registration_endpoint: '/oauth2/register',
  device_authorization_endpoint: '/oauth2/device_authorization',
  backchannel_authentication_endpoint: '/oauth2/bc-authorize',
  end_session_endpoint: '/oauth2/end_session',
  challenge_endpoint: '/oauth2/challenge',
  // registered nowhere, and so in no metadata
  credentials_endpoint: '/oauth2/credentials'
} as const

/**
 * The documents with metadata, the same in both. Where an issuer has a path, RFC 8414 §3.1 puts it after these and
 * OpenID Connect Discovery §4.1 before them; clients try both ways for both, so both are answered.
 */
export const metadataPaths = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'] as const

/** An endpoint's name in metadata (RFC 8414 §2 and its extensions). */
export type EndpointMember = keyof typeof standardPaths

export type EndpointAddresses = Readonly<Record<EndpointMember, string>>

/** An endpoint's name in options: its metadata name without `_endpoint`, and `jwks` for `jwks_uri`. */
type EndpointName = EndpointMember extends infer Member ? (Member extends `${infer Name}_endpoint` ? Name : 'jwks') : never

/**
 * Paths of endpoints below the issuer: `{ token: '/token' }`. Those left out stay where they are by default, below
 * `/oauth2`.
 */
export type EndpointPaths = Readonly<Partial<Record<EndpointName, string | undefined>>>

const takes = 'a path such as /token, in its normal form and without a slash at its end'
const path = textLike(
  takes,
  value => /^(?:\/[\w.~-]+)+$/.test(value) && new URL(value, 'https://issuer.invalid').pathname === value
)

const nameOf = (member: string): string => (member === 'jwks_uri' ? 'jwks' : member.replace(/_endpoint$/, ''))

/** Of each endpoint its path; that no two of them meet says {@link pathsOf}. */
export const endpointPathsChecks = Object.fromEntries(
  Object.keys(standardPaths).map(member => [nameOf(member), path])
) as Readonly<Record<EndpointName, Check<string | undefined>>>

/**
 * The paths of a server, by metadata names. @throws ConfigurationError where two endpoints would stand in one place.
 */
export function pathsOf(given: EndpointPaths = {}): Paths {
  const key = JSON.stringify(given)
  if (latest?.key !== key) latest = { key, paths: readPaths(given) }
  return latest.paths
}

type Paths = Readonly<Record<EndpointMember, string>>

/** Those asked for last: tenants have the same ones, and share them. */
let latest: { readonly key: string; readonly paths: Paths } | undefined

function readPaths(given: EndpointPaths): Paths {
  const chosen = given as Readonly<Record<string, string | undefined>>
  const paths = Object.entries(standardPaths).map(([member, standard]) => [member, chosen[nameOf(member)] ?? standard] as const)
  const taken = new Map<string, string>(metadataPaths.map(known => [known, 'the metadata']))
  for (const [member, place] of paths) {
    const other = taken.get(place)
    // where it is by default nothing else can be, unless that was put there
    if (other !== undefined) {
      const name = chosen[nameOf(member)] === undefined ? other : nameOf(member)
      throw new ConfigurationError(
        `paths.${name}`,
        `must be another path than ${place}, where ${other === name ? nameOf(member) : other} stands`
      )
    }
    taken.set(place, nameOf(member))
  }
  return Object.freeze(Object.fromEntries(paths)) as Paths
}

/** The absolute addresses of an issuer's endpoints. */
export function addressesOf(issuer: string, given: EndpointPaths | undefined): EndpointAddresses {
  const entries = Object.entries(pathsOf(given)).map(([member, place]) => [member, issuer + place])
  return Object.fromEntries(entries) as EndpointAddresses
}
