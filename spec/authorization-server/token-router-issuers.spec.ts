/** A token router beside an authorization server, on one store and one set of keys. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import { tokenRouter } from '../../lib/index.ts'
import { clients, harness, issuer, redeemed, specKeys, token } from '../support/servers/authorization-server.ts'

async function routerOf(of: string) {
  const made = await harness()
  const scopes = ['openid', 'offline_access', 'api:read']
  const options = { issuer: of, clients, scopes, store: made.store, keys: await specKeys(), clock: () => made.clock.now }
  const routed = express().use('/oauth2', tokenRouter(options))
  const { refresh_token } = await redeemed(made.app)
  return { ...made, routed, form: { grant_type: 'refresh_token', refresh_token } }
}

describe('a token router on the store and keys of an authorization server', () => {
  it('answers for what that server granted, where it is the same issuer', async () => {
    const { routed, form } = await routerOf(issuer)
    expect((await token(routed, 'web', form)).status).toBe(200)
  })

  it('knows nothing of it where it is another', async () => {
    const { app, routed, form } = await routerOf('https://other.example.com')
    const refused = await token(routed, 'web', form)
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_grant'])
    expect((await token(app, 'web', form)).status).toBe(200)
  })
})
