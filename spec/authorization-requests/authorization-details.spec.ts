import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import request from 'supertest'
import type { AuthorizationDetailTypes } from '../../lib/index.ts'
import { asking, resume } from '../support/servers/asking-server.ts'
import { api, authorize, authorizeByPost, clients, files, redirected, token } from '../support/servers/authorization-server.ts'

describe('authorization_details', () => {
  const types: AuthorizationDetailTypes = {
    payment: ({ amount }) => (typeof amount === 'number' ? true : 'amount must be a number'),
    account: (_, client) => Promise.resolve(client.client_id === 'web' || 'not for this client')
  }
  const payment = { type: 'payment', amount: 12, to: { iban: 'DE02' } }
  const ask = (app: Express, details: unknown, change: Readonly<Record<string, string>> = {}) =>
    authorize(app, {
      authorization_details: typeof details === 'string' ? details : JSON.stringify(details),
      state: 's',
      ...change
    })

  it.each([
    ['opaque', files],
    ['a JWT', api]
  ])('are shown, agreed to and in the tokens: %s', async (_, resource) => {
    const h = await asking({ authorizationDetails: types })
    await ask(h.app, [payment], { resource })
    expect(h.prompts[0]).toMatchObject({ name: 'consent', authorization_details: [payment] })
    const { code = '' } = redirected(await resume(h.app, h.prompts[0]?.id, { consent: true }))
    const form = {
      grant_type: 'authorization_code',
      code,
      code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      redirect_uri: 'https://client.example.com/cb'
    }
    const { body } = await token(h.app, 'web', form)
    expect(body).toMatchObject({ authorization_details: [payment] })
    const { access_token, refresh_token } = body as Record<string, string>
    expect(await h.server.verifyAccessToken(access_token ?? '')).toMatchObject({ authorization_details: [payment] })
    const refreshed = await token(h.app, 'web', { grant_type: 'refresh_token', refresh_token: refresh_token ?? '' })
    expect(refreshed.body).toMatchObject({ authorization_details: [payment] })
  })

  it.each<[string, unknown]>([
    ['no JSON', '['],
    ['an object', payment],
    ['an empty list', []],
    ['too many', Array.from({ length: 21 }, () => payment)],
    ['a list in it', [[payment]]],
    ['no type', [{ amount: 1 }]],
    ['a type that is no text', [{ type: 1 }]],
    ['an unknown type', [{ type: 'nobody' }]],
    ['a type every object has', [{ type: 'constructor' }]],
    ['one that its check refuses', [payment, { type: 'payment', amount: '12' }]],
    ['nested deeply', [{ ...payment, deep: JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`) as unknown }]],
    ['too long', [{ ...payment, note: 'x'.repeat(16_400) }]]
  ])('are refused: %s', async (_, details) => {
    const { app } = await asking({ authorizationDetails: types })
    const query = { client_id: 'web', redirect_uri: 'https://client.example.com/cb', response_type: 'code', state: 's' }
    const text = typeof details === 'string' ? details : JSON.stringify(details)
    const posted = await authorizeByPost(app, new URLSearchParams({ ...query, authorization_details: text }).toString())
    expect(redirected(posted)).toMatchObject({ error: 'invalid_authorization_details', state: 's' })
  })

  it('are for the clients that may ask for them, and agreed to each time', async () => {
    const { app } = await asking({
      authorizationDetails: types,
      clients: clients.map(client => ({ ...client, authorization_details_types: ['account'] }))
    })
    expect(redirected(await ask(app, [payment]))).toMatchObject({ error: 'invalid_authorization_details' })
    expect(redirected(await ask(app, [{ type: 'account' }], { client_id: 'other' }))).toMatchObject({
      error_description: 'not for this client'
    })
    expect(redirected(await ask(app, [{ type: 'account' }], { prompt: 'none' }))).toMatchObject({ error: 'consent_required' })
    expect((await request(app).get('/.well-known/oauth-authorization-server')).body).toMatchObject({
      authorization_details_types_supported: ['payment', 'account']
    })
    expect(redirected(await ask((await asking()).app, [payment]))).toMatchObject({ error: 'invalid_authorization_details' })
  })
})
