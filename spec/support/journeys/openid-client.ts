/** The journeys of openid-client, as its users write them. */
import { expect } from '@jest/globals'
import { createRemoteJWKSet, customFetch as joseFetch, jwtVerify, type JWTPayload } from 'jose'
import * as client from 'openid-client'
import { visit } from './browser.ts'
import { api, callback, type Party } from './clients.ts'
import type { Fetch } from './fetch.ts'
import { alice, apiPath, type RunningServer } from './server.ts'

/** openid-client's own implementation of the party's method. */
export function clientAuth(party: Party): client.ClientAuth {
  switch (party.method) {
    case 'client_secret_basic':
      return client.ClientSecretBasic(party.secret)
    case 'client_secret_post':
      return client.ClientSecretPost(party.secret)
    case 'client_secret_jwt':
      return client.ClientSecretJwt(party.secret)
    case 'private_key_jwt':
      return client.PrivateKeyJwt(party.key)
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth':
      return client.TlsClientAuth()
    case 'none':
      return client.None()
  }
}

/** The client, configured by discovery; it also verifies the signature of every ID Token it gets. */
export async function discover(
  server: RunningServer,
  party: Party,
  given: { readonly auth?: client.ClientAuth; readonly fetch?: Fetch } = {}
): Promise<client.Configuration> {
  const { introspection_signed_response_alg } = party.metadata
  const metadata = {
    use_mtls_endpoint_aliases: server.mtlsOrigin !== undefined && 'certificate' in party,
    ...(typeof introspection_signed_response_alg === 'string' && { introspection_signed_response_alg })
  }
  return client.discovery(new URL(server.issuer), party.client_id, metadata, given.auth ?? clientAuth(party), {
    [client.customFetch]: given.fetch ?? server.fetchFor(party),
    execute: [client.enableNonRepudiationChecks]
  })
}

/** What an API does with the JWT access token it is sent (RFC 9068 §4), with nothing of this server but its metadata. */
export async function readAsApi(server: RunningServer, jwks_uri: string | undefined, access_token: string): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(jwks_uri ?? ''), { [joseFetch]: server.fetchFor() })
  const checks = {
    issuer: server.issuer,
    audience: api,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti']
  }
  return (await jwtVerify(access_token, keys, checks)).payload
}

/** Where the server's own API is: on the listener that asks for a certificate, or on the main one. */
export function whoami(server: RunningServer, listener: 'main' | 'mtls' = 'main'): URL {
  return new URL(apiPath, listener === 'mtls' ? server.mtlsOrigin : server.issuer)
}

/** Calls that API as openid-client does, and returns what it answers. */
export async function callApi(
  config: client.Configuration,
  url: URL,
  access_token: string,
  DPoP?: client.DPoPHandle
): Promise<unknown> {
  const response = await client.fetchProtectedResource(config, access_token, url, 'GET', null, undefined, DPoP && { DPoP })
  expect(response.status).toBe(200)
  return response.json()
}

/** Client credentials: once for the API, once for nothing in particular. */
export async function clientCredentials(server: RunningServer, party: Party, config: client.Configuration): Promise<void> {
  const { client_id } = party
  const tokens = await client.clientCredentialsGrant(config, { scope: 'api:read', resource: api })
  expect(tokens).toEqual({ access_token: expect.any(String), token_type: 'bearer', expires_in: 3600, scope: 'api:read' })
  const claims = await readAsApi(server, config.serverMetadata().jwks_uri, tokens.access_token)
  expect(claims).toMatchObject({ sub: client_id, client_id, scope: 'api:read' })
  const opaque = await client.clientCredentialsGrant(config)
  expect(opaque.access_token).not.toContain('.')
  expect(await server.server.verifyAccessToken(opaque.access_token)).toMatchObject({ client_id, sub: client_id })
}

export interface AuthorizationOptions {
  readonly parameters?: Readonly<Record<string, string>>
  /** The person's way through the server's pages. Default: straight back to the client. */
  readonly browse?: (url: URL) => Promise<URL>
  /** How the authorization request is made: pushed, signed, both. Default: in the query. */
  readonly build?: (parameters: Readonly<Record<string, string>>) => URL | Promise<URL>
  /** What the answer must consist of. Default: `code`, `iss` and `state`. */
  readonly answerMembers?: readonly string[]
  readonly maxAge?: number
  /** False: plain OAuth, without OpenID Connect. */
  readonly openid?: boolean
  /** The key the tokens are to be bound to. */
  readonly DPoP?: client.DPoPHandle
}

/** From the authorization request to the tokens, checking `state`, `iss`, `nonce` and the ID Token on the way. */
export async function signIn(
  server: RunningServer,
  config: client.Configuration,
  options: AuthorizationOptions = {}
): Promise<client.TokenEndpointResponse & client.TokenEndpointResponseHelpers> {
  const { openid = true } = options
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const expectedNonce = client.randomNonce()
  const build = options.build ?? (parameters => client.buildAuthorizationUrl(config, { ...parameters }))
  const request = await build({
    redirect_uri: callback,
    state: expectedState,
    ...(openid
      ? { scope: 'openid profile offline_access api:read', nonce: expectedNonce }
      : { scope: 'offline_access api:read' }),
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...(options.maxAge !== undefined && { max_age: String(options.maxAge) }),
    ...options.parameters
  })
  const answer = await (options.browse ?? (url => visit(server.fetchFor(), url)))(request)
  expect(answer.href.startsWith(`${callback}?`)).toBe(true)
  if (!answer.searchParams.has('error')) {
    const members = options.answerMembers ?? ['code', 'iss', 'state']
    expect([...answer.searchParams.keys()].sort()).toEqual(members)
    if (members.includes('iss')) expect(answer.searchParams.get('iss')).toBe(server.issuer)
  }
  const checks = {
    pkceCodeVerifier,
    expectedState,
    ...(openid && { expectedNonce, idTokenExpected: true }),
    ...(options.maxAge !== undefined && { maxAge: options.maxAge })
  }
  return client.authorizationCodeGrant(config, answer, checks, {}, options.DPoP && { DPoP: options.DPoP })
}

/** How the server said no: the status, and the error code of the body or of the challenges, whichever openid-client throws. */
export function refusal(promise: Promise<unknown>): Promise<{ status: number; error: string | undefined }> {
  return promise.then(
    () => {
      throw new Error('was not refused')
    },
    (thrown: unknown) => {
      if (thrown instanceof client.WWWAuthenticateChallengeError) {
        const errors = thrown.cause.map(({ parameters }) => parameters['error']).filter(error => error !== undefined)
        return { status: thrown.status, error: errors[0] }
      }
      if (thrown instanceof client.ResponseBodyError) return { status: thrown.status, error: thrown.error }
      throw thrown
    }
  )
}

/** Code, PKCE, userinfo, API, refresh: everything an application with signed-in people does. */
export async function codeAndRefresh(
  server: RunningServer,
  party: Party,
  config: client.Configuration,
  options: AuthorizationOptions = {}
): Promise<void> {
  const { client_id } = party
  const { jwks_uri } = config.serverMetadata()
  const tokens = await signIn(server, config, options)
  expect(tokens.claims()).toMatchObject({ iss: server.issuer, aud: client_id, sub: alice, auth_time: expect.any(Number) })
  expect(await readAsApi(server, jwks_uri, tokens.access_token)).toMatchObject({ sub: alice, client_id })
  expect(await client.fetchUserInfo(config, tokens.access_token, alice)).toEqual({ sub: alice, name: 'Alice' })
  expect(await callApi(config, whoami(server), tokens.access_token)).toMatchObject({ sub: alice, client_id })

  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
  expect(refreshed.claims()).toMatchObject({ iss: server.issuer, aud: client_id, sub: alice })
  expect(refreshed.access_token).not.toBe(tokens.access_token)
  expect(refreshed.refresh_token).not.toBe(tokens.refresh_token)
  expect(await client.fetchUserInfo(config, refreshed.access_token, alice)).toEqual({ sub: alice, name: 'Alice' })

  const narrowed = await client.refreshTokenGrant(config, refreshed.refresh_token ?? '', { scope: 'api:read', resource: api })
  expect(narrowed.scope).toBe('api:read')
  expect(await readAsApi(server, jwks_uri, narrowed.access_token)).toMatchObject({ sub: alice, client_id, scope: 'api:read' })
  expect(await callApi(config, whoami(server), narrowed.access_token)).toEqual({ sub: alice, client_id, scope: 'api:read' })
}
