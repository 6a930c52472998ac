/** The journeys of oauth4webapi: every request made, every response processed, by its functions alone. */
import { expect } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import { visit } from './browser.ts'
import { api, callback, type Party } from './clients.ts'
import type { Fetch } from './fetch.ts'
import { alice, type RunningServer } from './server.ts'

// marked deprecated so that it stands out: it is for plain HTTP on loopback, as here
// eslint-disable-next-line @typescript-eslint/no-deprecated -- see above
const allowInsecureRequests: typeof oauth.allowInsecureRequests = oauth.allowInsecureRequests

/** oauth4webapi's own implementation of the party's method. */
export function clientAuth(party: Party): oauth.ClientAuth {
  switch (party.method) {
    case 'client_secret_basic':
      return oauth.ClientSecretBasic(party.secret)
    case 'client_secret_post':
      return oauth.ClientSecretPost(party.secret)
    case 'client_secret_jwt':
      return oauth.ClientSecretJwt(party.secret)
    case 'private_key_jwt':
      return oauth.PrivateKeyJwt(party.key)
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth':
      return oauth.TlsClientAuth()
    case 'none':
      return oauth.None()
  }
}

/** What every call takes. */
export interface Call {
  readonly as: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly auth: oauth.ClientAuth
  readonly options: { readonly [oauth.customFetch]: Fetch; readonly [allowInsecureRequests]: boolean }
}

export async function discover(server: RunningServer, party: Party, algorithm: 'oidc' | 'oauth2'): Promise<Call> {
  const options = {
    [oauth.customFetch]: server.fetchFor(party),
    [allowInsecureRequests]: server.issuer.startsWith('http:')
  }
  const issuer = new URL(server.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm }))
  const client = { client_id: party.client_id, use_mtls_endpoint_aliases: 'certificate' in party }
  return { as, client, auth: clientAuth(party), options }
}

export async function clientCredentials({ as, client, auth, options }: Call): Promise<void> {
  const response = await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: 'api:write', resource: api }, options)
  expect(response.headers.get('cache-control')).toBe('no-store')
  const tokens = await oauth.processClientCredentialsResponse(as, client, response)
  const claims = await readAsApi(as, options, tokens.access_token)
  expect(claims).toMatchObject({ client_id: client.client_id, sub: client.client_id, scope: 'api:write' })
}

/** An API's own check of the access token, by oauth4webapi's validation of RFC 9068. */
async function readAsApi(
  as: oauth.AuthorizationServer,
  options: Call['options'],
  access_token: string
): Promise<oauth.JWTAccessTokenClaims> {
  const request = new Request(`${api}/things`, { headers: { authorization: `Bearer ${access_token}` } })
  return oauth.validateJwtAccessToken(as, request, api, options)
}

export async function codeAndRefresh(server: RunningServer, { as, client, auth, options }: Call): Promise<void> {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  const request = new URL(as.authorization_endpoint ?? '')
  request.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: callback,
    response_type: 'code',
    scope: 'openid profile offline_access',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce
  }).toString()
  const answer = oauth.validateAuthResponse(as, client, await visit(server.fetchFor(), request), state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, callback, verifier, options)
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
    expectedNonce: nonce,
    requireIdToken: true
  })
  await oauth.validateApplicationLevelSignature(as, response, options)
  expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ iss: as.issuer, aud: client.client_id, sub: alice, nonce })
  expect(await userinfo({ as, client, auth, options }, tokens.access_token)).toEqual({ sub: alice, name: 'Alice' })

  const refresh_token = tokens.refresh_token ?? ''
  const refreshResponse = await oauth.refreshTokenGrantRequest(as, client, auth, refresh_token, options)
  const refreshed = await oauth.processRefreshTokenResponse(as, client, refreshResponse)
  expect(oauth.getValidatedIdTokenClaims(refreshed)).toMatchObject({ sub: alice, aud: client.client_id })
  expect(await userinfo({ as, client, auth, options }, refreshed.access_token)).toEqual({ sub: alice, name: 'Alice' })

  // the code again: it buys nothing, and ends what it bought
  const replayed = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, callback, verifier, options)
  await expect(oauth.processAuthorizationCodeResponse(as, client, replayed)).rejects.toMatchObject({ error: 'invalid_grant' })
  await expect(userinfo({ as, client, auth, options }, refreshed.access_token)).rejects.toMatchObject({ status: 401 })
}

async function userinfo({ as, client, options }: Call, access_token: string): Promise<oauth.UserInfoResponse> {
  return oauth.processUserInfoResponse(as, client, alice, await oauth.userInfoRequest(as, client, access_token, options))
}
