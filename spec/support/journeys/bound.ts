/** Journeys with tokens that only their holder can use: bound to a DPoP key, or to the client's certificate. */
import { expect } from '@jest/globals'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { makeCertificate, type MadeCertificate } from '../certificates/certificates.ts'
import { api, keyParty, type KeyParty, type Party } from './clients.ts'
import type { Fetch } from './fetch.ts'
import { callApi, refusal, signIn, type AuthorizationOptions } from './openid-client.ts'
import { alice, type RunningServer } from './server.ts'

/** What a token says it is bound to. */
interface Bound {
  readonly jkt?: string
  readonly 'x5t#S256'?: string
}

/** The same client with more registered. */
export function registering<P extends Party>(party: P, more: Partial<Party['metadata']>): P {
  return { ...party, metadata: { ...party.metadata, ...more } }
}

/** Registered for certificate-bound tokens. */
export function certificateBound<P extends Party>(party: P): P {
  return registering(party, { tls_client_certificate_bound_access_tokens: true })
}

/** A client that authenticates in another way, or not at all, and has a certificate as well. */
export function holdingCertificate<P extends Party>(
  party: P,
  certificate = makeCertificate({ subject: party.client_id })
): P & { readonly certificate: MadeCertificate } {
  return { ...party, certificate }
}

/** A client that does not authenticate with a key of its own, but signs its requests with one. */
export async function withSigningKey<P extends Party>(party: P): Promise<P & Pick<KeyParty, 'key'>> {
  const { metadata, key } = await keyParty(party.client_id)
  return { ...registering(party, { jwks: metadata.jwks }), key }
}

/** Calls the API by hand: what is wrong with the request is the caller's choice. */
export async function apiStatus(fetch: Fetch, url: URL, authorization: string, proof?: string): Promise<number> {
  const response = await fetch(url.href, { headers: { authorization, ...(proof !== undefined && { dpop: proof }) } })
  if (response.status === 401) expect(response.headers.get('www-authenticate')).toMatch(/^Bearer error=".*, DPoP error="/)
  return response.status
}

interface BoundJourney {
  readonly server: RunningServer
  readonly party: Party
  readonly config: client.Configuration
  /** What every token must be bound to. */
  readonly bound: Bound
  readonly apiAt: URL
  readonly DPoP?: client.DPoPHandle
  readonly options?: AuthorizationOptions
}

/** The access token's `cnf`, as the server knows it and, where the token is a JWT, as every API reads it. */
export async function confirmationOf(server: RunningServer, access_token: string): Promise<unknown> {
  const token = await server.server.verifyAccessToken(access_token)
  if (access_token.startsWith('eyJ')) expect(decodeJwt(access_token)['cnf']).toEqual(token?.cnf)
  return token?.cnf
}

/** From sign-in to refresh, twice: with a token for the API and userinfo, because nothing was named, and with one for the API alone. */
export async function boundJourney(journey: BoundJourney): Promise<void> {
  for (const parameters of [{}, { resource: api }]) {
    const { server, config, party, DPoP, options = {} } = journey
    const given = { ...options, parameters: { ...options.parameters, ...parameters }, ...(DPoP && { DPoP }) }
    const tokens = await signIn(server, config, given)
    const claims = { iss: server.issuer, aud: party.client_id, sub: alice }
    if (given.openid === false) expect(tokens.id_token).toBeUndefined()
    else expect(tokens.claims()).toMatchObject(claims)
    expect(tokens.access_token.startsWith('eyJ')).toBe(true)
    const opensUserinfo = given.openid !== false && !('resource' in parameters)
    await useToken(journey, tokens, opensUserinfo)

    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', {}, DPoP && { DPoP })
    expect(refreshed.access_token).not.toBe(tokens.access_token)
    // a public client's rotates; a confidential client's is bound as its access tokens are (FAPI 2.0 §5.3.2.1 (9))
    expect(refreshed.refresh_token === tokens.refresh_token).toBe(party.method !== 'none')
    await useToken(journey, refreshed, opensUserinfo)
  }
}

/** What a token is good for, once its binding has been looked at. */
async function useToken(
  { server, party, config, bound, apiAt, DPoP }: BoundJourney,
  { token_type, access_token }: client.TokenEndpointResponse,
  opensUserinfo: boolean
): Promise<void> {
  const { client_id } = party
  expect(token_type).toBe(DPoP === undefined ? 'bearer' : 'dpop')
  expect(await confirmationOf(server, access_token)).toEqual(bound)
  const userinfo = client.fetchUserInfo(config, access_token, alice, DPoP && { DPoP })
  if (opensUserinfo) expect(await userinfo).toEqual({ sub: alice, name: 'Alice' })
  else expect(await refusal(userinfo)).toEqual({ status: 401, error: 'invalid_token' })
  expect(await callApi(config, apiAt, access_token, DPoP)).toMatchObject({ sub: alice, client_id })
}
