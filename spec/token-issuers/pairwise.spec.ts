/** Assertion grants and exchanges of clients that know people by pairwise identifiers (OpenID Connect Core §8). */
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import {
  assertionHarness,
  bear,
  exchange,
  invalidSubject,
  lastReason,
  tokensOf,
  tokenType,
  withAssertions
} from '../support/servers/assertion-grants.ts'
import { api, files, redeemed, token, atApi } from '../support/servers/authorization-server.ts'

/** `gateway` is pairwise, in a sector of its own; `agent` in another; `web` knows people as the server does. */
const clients = withAssertions.map(client =>
  ['gateway', 'agent'].includes(client.client_id)
    ? { ...client, subject_type: 'pairwise', sector_identifier_uri: `https://${client.client_id}.example` }
    : client
)
const build = () => assertionHarness({ server: { clients, pairwiseSecret: 'p'.repeat(32) } })

describe('a pairwise client that exchanges a token', () => {
  it.each([
    ['JWT', api],
    ['opaque', files]
  ])('gets one that calls the person what it calls them, and leads to them here (%s)', async (_, resource) => {
    const made = await build()
    const { sub: ours } = decodeJwt((await redeemed(made.app, 'gateway')).id_token)
    for (const client_id of ['web', 'agent']) {
      const given = (await redeemed(made.app, client_id, { scope: 'openid api:read files:read' })).access_token
      const { access_token } = tokensOf(await exchange(made, given, { resource }))
      expect(await made.server.verifyAccessToken(access_token)).toMatchObject({ sub: 'alice', pairwise_sub: ours })
      expect((await atApi(made.app, access_token)).body).toMatchObject({ sub: 'alice', pairwise_sub: ours })
      if (resource === api) expect(decodeJwt(access_token).sub).toBe(ours)
      // the application decides about the person it knows
      expect(made.asked.at(-1)).toMatchObject({ sub: 'alice', subject: { sub: 'alice' } })
    }
  })

  it('learns nothing of who acts but what it calls them', async () => {
    const made = await build()
    made.verdict.now = { allow: 'delegation' }
    const { sub: ours } = decodeJwt((await redeemed(made.app, 'gateway')).id_token)
    const [subject, acting] = [await redeemed(made.app, 'web'), await redeemed(made.app, 'web')]
    const own = tokensOf(await token(made.app, 'agent', { grant_type: 'client_credentials' })).access_token
    for (const [actor_token, sub] of [
      [acting.access_token, ours],
      [own, 'agent']
    ] as const) {
      const named = { actor_token, actor_token_type: tokenType('access_token'), resource: api }
      const { access_token } = tokensOf(await exchange(made, subject.access_token, named))
      expect(decodeJwt(access_token)).toMatchObject({ sub: ours, act: { sub } })
      expect(JSON.stringify(decodeJwt(access_token))).not.toContain('alice')
    }
  })

  it('cannot exchange an ID Token, whose name for the person leads back to nobody', async () => {
    const made = await build()
    const { id_token, access_token } = await redeemed(made.app, 'gateway')
    const type = { subject_token_type: tokenType('id_token') }
    expect(await exchange(made, id_token, type)).toMatchObject(invalidSubject)
    expect(lastReason(made)).toMatch(/pairwise/)
    const acting = { actor_token: id_token, actor_token_type: tokenType('id_token') }
    expect((await exchange(made, access_token, acting)).status).toBe(400)
    expect((await exchange(made, access_token)).status).toBe(200)
  })
})

describe('a pairwise client with another issuer’s word', () => {
  it.each([
    ['JWT', api],
    ['opaque', files]
  ])('gets a token that calls the person what it calls them, and leads to them here (%s)', async (_, resource) => {
    const made = await build()
    const { sub: ours } = decodeJwt((await redeemed(made.app, 'agent')).id_token)
    const { access_token } = tokensOf(await bear(made, await made.sign(), { resource }))
    expect(await made.server.verifyAccessToken(access_token)).toMatchObject({ sub: 'alice', pairwise_sub: ours })
    if (resource === api) expect(decodeJwt(access_token).sub).toBe(ours)
  })
})
