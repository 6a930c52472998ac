/** Tokens that are looked at and ended: by openid-client, as clients and APIs do it. */
import { expect } from '@jest/globals'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { api, type Party } from './clients.ts'
import { callApi, refusal, signIn, whoami } from './openid-client.ts'
import { alice, type RunningServer } from './server.ts'

const unauthorized = { status: 401, error: 'invalid_token' }

/** A client looks at its tokens, one that reads itself and one that does not, and ends them: one alone, then all. */
export async function introspectAndRevoke(server: RunningServer, party: Party, config: client.Configuration): Promise<void> {
  const { client_id } = party
  const stillActive = async (token: string): Promise<boolean> => (await client.tokenIntrospection(config, token)).active
  for (const resource of [{}, { resource: api }]) {
    const tokens = await signIn(server, config, { parameters: resource })
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
    const said = { active: true, iss: server.issuer, client_id, sub: alice, exp: expect.any(Number), iat: expect.any(Number) }
    for (const { access_token } of [tokens, refreshed]) {
      const introspected = await client.tokenIntrospection(config, access_token)
      expect(introspected).toMatchObject({ ...said, token_type: 'Bearer', scope: expect.stringContaining('api:read') })
      if ('resource' in resource) expect(introspected).toMatchObject({ aud: api, jti: decodeJwt(access_token).jti })
      await callApi(config, whoami(server), access_token)
    }
    expect(
      await client.tokenIntrospection(config, refreshed.refresh_token ?? '', { token_type_hint: 'refresh_token' })
    ).toMatchObject(said)

    await client.tokenRevocation(config, tokens.access_token, { token_type_hint: 'access_token' })
    expect(await client.tokenIntrospection(config, tokens.access_token)).toEqual({ active: false })
    expect(await refusal(client.fetchUserInfo(config, tokens.access_token, alice))).toEqual(unauthorized)
    expect(await refusal(callApi(config, whoami(server), tokens.access_token))).toEqual(unauthorized)
    expect(await stillActive(refreshed.access_token)).toBe(true)

    await client.tokenRevocation(config, refreshed.refresh_token ?? '')
    for (const token of [refreshed.access_token, refreshed.refresh_token ?? '']) expect(await stillActive(token)).toBe(false)
    expect(await refusal(callApi(config, whoami(server), refreshed.access_token))).toEqual(unauthorized)
    expect(await refusal(client.refreshTokenGrant(config, refreshed.refresh_token ?? ''))).toEqual({
      status: 400,
      error: 'invalid_grant'
    })
    await client.tokenRevocation(config, refreshed.access_token)
  }
}

/** A client that keeps no secret ends its tokens, and is not told about them. */
export async function revokeOnly(server: RunningServer, config: client.Configuration): Promise<void> {
  for (const parameters of [{}, { resource: api }]) {
    const tokens = await signIn(server, config, { parameters })
    expect(await refusal(client.tokenIntrospection(config, tokens.access_token))).toEqual({
      status: 401,
      error: 'invalid_client'
    })
    await client.tokenRevocation(config, tokens.refresh_token ?? '')
    expect(await refusal(callApi(config, whoami(server), tokens.access_token))).toEqual(unauthorized)
  }
}
