/**
 * The options that an issuer's settings stand for, as far as they do without its pages, store and keys: what the server
 * is made of, and what commands hold clients and rules against.
 */
import { authorizationCode, ciba, clientCredentials, deviceCode, refreshToken, type TokenIssuer } from 'clientele'
import { mcpResource } from 'clientele/mcp'
import { assertionGrants } from '../assertion-grants.ts'
import { people, type People } from '../people/accounts.ts'
import { backchannelHooks } from '../people/ciba.ts'
import { attestationOptions } from './attesters.ts'
import { knownMembersOf } from './clients.ts'
import { registeredGrantTypes } from './registration.ts'
import type { IssuerSettings, McpSettings } from './schema.ts'
import { workloadOptions } from './workloads.ts'

/** The address people give to their clients. */
export function mcpAddress(issuer: string, { path }: McpSettings): string {
  return issuer + path
}

/** The MCP server as one of the issuer's resources. */
function mcpResourceOf(issuer: string, settings: McpSettings) {
  const { required_scopes: required, optional_scopes: optional } = settings
  return mcpResource({ resource: mcpAddress(issuer, settings), scopes: [...required, ...optional], required })
}

/** The APIs of an issuer. */
export function resourcesOf(settings: IssuerSettings, issuer: string, mcp: McpSettings | undefined) {
  const configured = settings.resources.map(resourceOptions)
  return mcp === undefined ? configured : [...configured, mcpResourceOf(issuer, mcp)]
}

function resourceOptions({ resource, scopes, ...given }: IssuerSettings['resources'][number]) {
  const { access_token_format, access_token_signing_alg, introspection_clients } = given
  return {
    resource,
    scopes,
    accessTokenFormat: access_token_format,
    signingAlgorithm: access_token_signing_alg,
    introspectionClients: introspection_clients
  }
}

/** The options that settings stand for, as far as rules are held against them. */
export function optionsOfSettings(settings: IssuerSettings, issuer: string, mcp: McpSettings | undefined) {
  const policy = policyOptions(settings, issuer, people(settings.accounts))
  return { issuer, clients: settings.clients.map(knownMembersOf), resources: resourcesOf(settings, issuer, mcp), ...policy }
}

/** What the policy of an issuer stands for. */
export function policyOptions(settings: IssuerSettings, issuer: string, persons: People) {
  const { policy } = settings
  const tokenIssuers = [
    authorizationCode(),
    clientCredentials(),
    refreshToken(),
    deviceCode(),
    ciba(),
    ...assertionGrants(settings, persons)
  ]
  const mounted = tokenIssuers.filter(tokenIssuer => mayGrant(settings, tokenIssuer))
  return {
    tokenIssuers: mounted,
    ...(mayGrant(settings, deviceCode()) && {
      deviceAuthorization: { verificationUri: `${issuer}/device`, codeTtl: policy.device_code_ttl }
    }),
    ...(mayGrant(settings, ciba()) && { backchannelAuthentication: backchannelHooks(persons, policy.ciba_request_ttl) }),
    ...registrationOptions(settings, mounted),
    ...documentOptions(settings, undefined),
    ...attestationOptions(settings),
    ...workloadOptions(settings),
    profile: policy.profile,
    defaultResource: policy.default_resource,
    refreshTokenExpiration: policy.refresh_token_expiration,
    requireDpopNonce: policy.dpop_nonce === 'required',
    jsonBody: policy.json_body,
    requirePkce: policy.require_pkce,
    assertionAudience: policy.assertion_audience,
    accessTokenTtl: policy.access_token_ttl,
    authorizationCodeTtl: policy.authorization_code_ttl,
    refreshTokenTtl: policy.refresh_token_ttl,
    refreshTokenRotation: policy.refresh_token_rotation,
    refreshRetryWindow: policy.refresh_retry_window,
    guessProtection: policy.failure_budget === 'off' ? (false as const) : policy.failure_budget
  }
}

/** Clients an hour from one network: everybody behind one proxy, or one office's address, is one. */
const mostRegistered = 2_000

function registrationOptions(settings: IssuerSettings, mounted: readonly TokenIssuer[]) {
  const { registration: access, initial_access_token, registration_schemes: schemes } = settings.policy
  if (access === 'off') return {}
  const wanted = registeredGrantTypes(settings)
  const grantTypes = mounted.map(({ grant_type }) => grant_type).filter(grant_type => wanted.includes(grant_type))
  const tokens = access === 'token' && { initialAccessTokens: [initial_access_token ?? ''] }
  return { registration: { access, grantTypes, schemes, limits: { perNetwork: mostRegistered }, ...tokens } }
}

/**
 * Clients with documents.
 *
 * @param ca authorities in the place of Node's: the demo has documents of its own.
 */
export function documentOptions({ client_documents }: IssuerSettings, ca: readonly string[] | undefined) {
  if (client_documents === 'off') return {}
  const { hosts, redirect_uris: redirectUris } = client_documents
  return { clientDocuments: { hosts, redirectUris, ...(ca !== undefined && { ca }) } }
}

/** Whether the policy has a grant. */
export function mayGrant({ policy }: IssuerSettings, { grant_type }: TokenIssuer): boolean {
  return policy.grant_types.some(known => known === grant_type)
}
