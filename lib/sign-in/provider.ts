/**
 * The OpenID provider people sign in at. What is asked of it, and every check of what it answers, is openid-client's.
 */
import type * as OpenidClient from 'openid-client'
import { ServerError, TemporarilyUnavailableError } from '../errors.ts'
import { isOnLoopback } from '../options.ts'
import { importKey, type ReadUpstream, type UpstreamClaims, type UpstreamTokens } from './options.ts'

/** Values by which one sign-in is recognised when its answer comes. */
export interface SignInUnderWay {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** Tokens, and what renews them. */
export interface KeptTokens extends UpstreamTokens {
  readonly refresh_token?: string | undefined
}

/** The provider said no, for this reason: not to the request, but to the person. */
export class RefusedUpstreamError extends Error {
  override readonly name = 'RefusedUpstreamError'
}

export interface Provider {
  /** Makes the address the person goes to. @throws TemporarilyUnavailableError where the provider cannot be reached. */
  begin(underWay: SignInUnderWay, more: Readonly<Record<string, string>>): Promise<URL>
  /**
   * Finds who it is that came back, and their tokens.
   *
   * @throws RefusedUpstreamError where the provider, or the person there, said no; whatever openid-client throws for an
   * answer that is not right.
   */
  finish(answer: URL, underWay: SignInUnderWay): Promise<{ readonly claims: UpstreamClaims; readonly tokens: KeptTokens }>
  /** New tokens for old; undefined where the provider gives none any more. */
  refresh(refresh_token: string): Promise<KeptTokens | undefined>
}

/** Milliseconds the discovery document is good for. */
const longestAge = 3_600_000

/** @param clock milliseconds since the epoch. */
export function provider(options: ReadUpstream, redirect_uri: string, clock: () => number): Provider {
  const connect = connection(options, clock)
  return {
    async begin({ state, nonce, verifier }, more) {
      const { client, config } = await connect()
      const parameters = {
        ...options.parameters,
        ...more,
        redirect_uri,
        scope: options.scope.join(' '),
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256'
      }
      return client.buildAuthorizationUrl(config, parameters)
    },
    async finish(answer, { state, nonce, verifier }) {
      const { client, config } = await connect()
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier }
      const found = await client.authorizationCodeGrant(config, answer, checks).catch((error: unknown) => {
        throw error instanceof client.AuthorizationResponseError && saidNo.includes(error.error)
          ? new RefusedUpstreamError(error.error)
          : error
      })
      const claims = found.claims()
      if (claims === undefined) throw new ServerError({ reason: 'the provider answered without an ID Token' })
      const told = await userinfo({ client, config }, found.access_token, claims.sub)
      return { claims: { ...told, ...claims }, tokens: keptTokens(found, clock) }
    },
    async refresh(refresh_token) {
      const { client, config } = await connect()
      try {
        return { refresh_token, ...keptTokens(await client.refreshTokenGrant(config, refresh_token), clock) }
      } catch (error) {
        if (error instanceof client.ResponseBodyError && error.error === 'invalid_grant') return undefined
        throw error
      }
    }
  }
}

/** Errors that end a sign-in by decision of person or provider (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6). */
const saidNo = ['access_denied', 'consent_required', 'interaction_required', 'login_required', 'account_selection_required']

interface Connection {
  readonly client: typeof OpenidClient
  readonly config: OpenidClient.Configuration
}

/** One discovery at a time, and none while the last is new; what failed is tried again. */
function connection(options: ReadUpstream, clock: () => number): () => Promise<Connection> {
  let known: { readonly found: Promise<Connection>; readonly until: number } | undefined
  return () => {
    if (known !== undefined && clock() < known.until) return known.found
    const found = discover(options)
    const one = { found, until: clock() + longestAge }
    known = one
    found.catch(() => {
      if (known === one) known = undefined
    })
    return found
  }
}

async function discover(options: ReadUpstream): Promise<Connection> {
  const { issuer, client_id, timeout } = options
  const client = await openidClient()
  const insecure = issuer.startsWith('http:') && isOnLoopback(issuer)
  const execute = [client.enableNonRepudiationChecks, ...(insecure ? [insecureRequests(client)] : [])]
  const found = await client
    .discovery(new URL(issuer), client_id, undefined, undefined, { execute, timeout })
    .catch((cause: unknown) => {
      throw new TemporarilyUnavailableError({
        reason: `the OpenID provider ${issuer} could not be discovered; see the cause`,
        cause
      })
    })
  const metadata = found.serverMetadata()
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  const config = new client.Configuration(metadata, client_id, undefined, await authentication(client, options, methods))
  for (const prepare of execute) prepare(config)
  config.timeout = timeout
  return { client, config }
}

/** Makes the proof of this server there. */
async function authentication(
  client: typeof OpenidClient,
  { client_secret, keys = [], token_endpoint_auth_method }: ReadUpstream,
  methods: readonly string[]
): Promise<OpenidClient.ClientAuth> {
  const [jwk] = keys
  if (jwk !== undefined) return client.PrivateKeyJwt(await importKey(jwk))
  const method = token_endpoint_auth_method ?? ['client_secret_basic', 'client_secret_post'].find(one => methods.includes(one))
  return method === 'client_secret_post' ? client.ClientSecretPost(client_secret) : client.ClientSecretBasic(client_secret)
}

async function openidClient(): Promise<typeof OpenidClient> {
  try {
    return await import('openid-client')
  } catch (cause) {
    throw new ServerError({ reason: 'upstream() needs the package openid-client: npm install openid-client', cause })
  }
}

/** On this machine alone: what is marked deprecated so that nobody does it elsewhere. */
function insecureRequests(client: typeof OpenidClient): (config: OpenidClient.Configuration) => void {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so that it stands out
  return client.allowInsecureRequests
}

async function userinfo({ client, config }: Connection, access_token: string, sub: string): Promise<object> {
  if (config.serverMetadata().userinfo_endpoint === undefined) return {}
  return client.fetchUserInfo(config, access_token, sub)
}

function keptTokens(response: OpenidClient.TokenEndpointResponse, clock: () => number): KeptTokens {
  const { access_token, refresh_token, expires_in, scope } = response
  return {
    access_token,
    ...(refresh_token !== undefined && { refresh_token }),
    ...(expires_in !== undefined && { expires_at: Math.floor(clock() / 1000) + expires_in }),
    ...(scope !== undefined && { scope })
  }
}
