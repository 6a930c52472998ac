import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import request, { type Response } from 'supertest'
import type { Interaction } from '../../../lib/index.ts'
import {
  api,
  authorizationQuery,
  callback,
  clients,
  files,
  harness,
  issuer,
  redirected
} from '../../support/servers/authorization-server.ts'
import { expectPage } from '../../support/servers/pushed-requests.ts'
import { registrationHarness, register } from '../../support/servers/registration.ts'

const endpoint = `${issuer}/oauth2/authorize`
const post = (app: Express, form: string) => request(app).post('/oauth2/authorize').type('form').send(form)
const locationOf = (response: Response) => String(response.headers['location'])
const follow = (app: Express, response: Response) => request(app).get(locationOf(response).slice(issuer.length))
const long = { state: 's'.repeat(1_900), nonce: 'n'.repeat(1_900), login_hint: 'l'.repeat(1_900) }

/** A server whose application says whom it was asked about. */
async function asked(options = {}) {
  const calls: string[] = []
  const interaction: Interaction = {
    account: () => void calls.push('account'),
    consented: () => calls.push('consented') > 0,
    prompt: (_req, res, { id }) => {
      calls.push('prompt')
      res.json({ id })
    }
  }
  return { calls, ...(await harness({ interaction, ...options })) }
}

describe('a posted authorization request', () => {
  it('is sent on to the same request by GET before anybody is asked who is there', async () => {
    const { app, calls } = await asked()
    const sent = authorizationQuery({ state: 'a b&c', login_hint: 'ünï@example.com', unknown: 'x', client_secret: 'hunter2' })
    const response = await post(app, `${sent}&resource=${api}&resource=${files}`)
    expect(response.status).toBe(303)
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
    expect(response.headers).not.toHaveProperty('set-cookie')
    const { origin, pathname, searchParams } = new URL(locationOf(response))
    expect(origin + pathname).toBe(endpoint)
    const expected = new URLSearchParams(authorizationQuery({ state: 'a b&c', login_hint: 'ünï@example.com' }))
    expect(Object.fromEntries(searchParams)).toEqual({ ...Object.fromEntries(expected), resource: files })
    expect(searchParams.getAll('resource')).toEqual([api, files])
    expect(calls).toEqual([])
    expect((await follow(app, response)).body).toHaveProperty('id')
    expect(calls).toEqual(['account', 'prompt'])
  })

  it('that is too long for a URL is kept for a minute, as a pushed one is', async () => {
    const { app, calls, clock } = await asked()
    const response = await post(app, authorizationQuery(long))
    expect([response.status, Object.keys(Object.fromEntries(new URL(locationOf(response)).searchParams))]).toEqual([
      303,
      ['client_id', 'request_uri']
    ])
    expect([locationOf(response).length < 200, calls]).toEqual([true, []])
    expect((await follow(app, response)).body).toHaveProperty('id')
    clock.now += 61_000
    expectPage(await follow(app, response), 'invalid_request_uri')
  })

  it('comes back whole, long or short', async () => {
    const { app } = await harness()
    for (const change of [{ state: 's' }, long]) {
      const answer = await follow(app, await post(app, authorizationQuery(change)))
      expect(redirected(answer)).toEqual({ code: expect.any(String), state: change.state, iss: issuer })
    }
  })

  it.each([
    ['scope nobody knows', { scope: 'nobody:knows' }, 'invalid_scope'],
    ['no PKCE of a public client', { client_id: 'spa', code_challenge: undefined }, 'invalid_request']
  ])('that is long and wrong is answered at once, without anybody being asked: %s', async (_, change, error) => {
    const { app, calls } = await asked()
    const response = await post(app, authorizationQuery({ ...long, ...change }))
    expect(redirected(response)).toMatchObject({ error, state: long.state, iss: issuer })
    expect(calls).toEqual([])
  })

  it('that is long is no way around pushing', async () => {
    const { app } = await harness({ requirePushedAuthorizationRequests: true })
    expect(redirected(await post(app, authorizationQuery(long)))).toMatchObject({ error: 'invalid_request' })
  })

  it.each([
    ['a parameter twice', `${authorizationQuery()}&state=a&state=b`],
    ['bytes that are not UTF-8', `${authorizationQuery()}&state=%ff`],
    ['a control character', `${authorizationQuery()}&state=%00`],
    ['more parameters than are read', `${authorizationQuery()}${'&a=1'.repeat(100)}`],
    ['no client, and long', authorizationQuery({ ...long, client_id: undefined })],
    ['no redirect URI, and long', authorizationQuery({ ...long, redirect_uri: undefined })],
    ['another redirect URI, and long', authorizationQuery({ ...long, redirect_uri: 'https://evil.example' })]
  ])('with %s is a page, and nobody is asked', async (_, form) => {
    const { app, calls } = await asked()
    expectPage(await post(app, form), 'invalid_request')
    expect(calls).toEqual([])
  })

  it('of a client that registered itself, long and wrong, is a page although somebody is signed in', async () => {
    const { app } = await registrationHarness()
    const { client_id } = await register(app)
    const response = await post(app, authorizationQuery({ ...long, client_id, response_type: 'INVALID' }))
    expectPage(response, 'unsupported_response_type')
  })

  it('takes every client where the issuer has a path', async () => {
    const { app } = await harness({ issuer: `${issuer}/acme`, clients })
    const response = await request(app).post('/acme/oauth2/authorize').type('form').send(authorizationQuery())
    expect(locationOf(response)).toMatch(
      `${issuer}/acme/oauth2/authorize?client_id=web&redirect_uri=${encodeURIComponent(callback)}`
    )
  })
})

describe('HEAD', () => {
  it('is answered as GET is, and does nothing', async () => {
    const { app, calls } = await asked()
    const head = (query: string) => request(app).head(`/oauth2/authorize?${query}`)
    const good = await head(authorizationQuery())
    expect([good.status, good.headers['cache-control'], good.headers['location']]).toEqual([200, 'no-store', undefined])
    expect((await head(authorizationQuery({ redirect_uri: 'https://evil.example' }))).status).toBe(400)
    expect(redirected(await head(authorizationQuery({ scope: 'nobody:knows' })))).toMatchObject({ error: 'invalid_scope' })
    expect(calls).toEqual([])
  })
})
