import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { clientOrigin, type ErrorDetails, type InteractionPrompt } from '../../../lib/index.ts'
import { authorizationQuery, authorize, callback, redirected, type Harness } from '../../support/servers/authorization-server.ts'
import { expectPage } from '../../support/servers/pushed-requests.ts'
import { initialAccessToken, register, registrationHarness, web } from '../../support/servers/registration.ts'

const faulty: readonly [string, Readonly<Record<string, string | undefined>>, string][] = [
  ['another response_type', { response_type: 'INVALID' }, 'unsupported_response_type'],
  ['no response_type', { response_type: undefined }, 'invalid_request'],
  ['a scope nobody knows', { scope: 'nobody:knows' }, 'invalid_scope'],
  ['no PKCE method', { code_challenge_method: undefined }, 'invalid_request'],
  ['a resource nobody knows', { resource: 'https://nobody.example' }, 'invalid_target'],
  ['a prompt that contradicts itself', { prompt: 'none login' }, 'invalid_request'],
  ['a state that is too long', { state: 's'.repeat(2_001) }, 'invalid_request'],
  ['a request object that is none', { request: 'x' }, 'invalid_request_object'],
  ['claims that are no JSON', { claims: '{' }, 'invalid_request']
]

/** A client that registered, by itself or with an initial access token. */
async function registered(access: 'open' | 'token', options = {}) {
  const h = await registrationHarness(access === 'open' ? {} : { access, initialAccessTokens: [initialAccessToken] }, options)
  const client = await register(h.app, web, access === 'open' ? undefined : initialAccessToken)
  return { ...h, client_id: client.client_id }
}

describe('a faulty request of a client that registered itself', () => {
  it.each(faulty)('%s: nobody who is not signed in is sent to its redirect URI', async (_, change, error) => {
    const { app, person, client_id } = await registered('open')
    person.account = undefined
    for (const more of [{}, { prompt: 'none', ...change }])
      expectPage(await authorize(app, { client_id, ...change, ...more }), error)
    expect((await request(app).head(`/oauth2/authorize?${authorizationQuery({ client_id, ...change })}`)).status).toBe(400)
  })

  it.each(faulty)('%s: who is signed in is sent there', async (_, change, error) => {
    const { app, client_id } = await registered('open')
    const response = await authorize(app, { client_id, ...change })
    expect([String(response.headers['location']).startsWith(`${callback}?`), redirected(response)['error']]).toEqual([
      true,
      error
    ])
  })

  it.each(faulty)('%s: others are sent on as ever', async (_, change, error) => {
    const { app, person, client_id } = await registered('token')
    person.account = undefined
    for (const id of [client_id, 'web'])
      expect(redirected(await authorize(app, { client_id: id, ...change }))).toMatchObject({ error })
  })

  it('says on the application’s own page whose it is', async () => {
    const told: ErrorDetails[] = []
    const interaction = {
      account: () => undefined,
      consented: () => false,
      prompt: () => undefined,
      error: (_req: unknown, res: { json(body: object): unknown }, details: ErrorDetails) => {
        told.push(details)
        res.json({})
      }
    }
    const { app, client_id } = await registered('open', { interaction })
    await authorize(app, { client_id, response_type: 'INVALID' })
    await authorize(app, { client_id, redirect_uri: 'https://evil.example' })
    const about = { client: expect.objectContaining({ client_id }), client_origin: 'registered', redirect_uri: callback }
    expect(told).toEqual([
      { error: 'unsupported_response_type', error_description: expect.any(String), ...about },
      { error: 'invalid_request', error_description: expect.any(String) }
    ])
  })

  it('silent ones that ask for nothing wrong are answered', async () => {
    const { app, person, client_id } = await registered('open')
    person.account = undefined
    expect(redirected(await authorize(app, { client_id, scope: undefined, prompt: 'none' }))).toMatchObject({
      error: 'login_required'
    })
  })
})

describe('a prompt', () => {
  const prompted = async (h: Harness, prompts: InteractionPrompt[], client_id: string) => {
    await authorize(h.app, { client_id, scope: undefined, prompt: 'login' })
    return prompts.at(-1)
  }

  it.each([
    ['open', 'registered'],
    ['token', 'vouched']
  ] as const)('says where the client comes from, and where the answer goes: registration %s', async (access, origin) => {
    const prompts: InteractionPrompt[] = []
    const interaction = {
      account: () => undefined,
      consented: () => false,
      prompt: (_req: unknown, res: { json(body: object): unknown }, prompt: InteractionPrompt) => {
        prompts.push(prompt)
        res.json({})
      }
    }
    const h = await registered(access, { interaction })
    expect(await prompted(h, prompts, h.client_id)).toMatchObject({ client_origin: origin, redirect_uri: callback })
    expect(await prompted(h, prompts, 'web')).toMatchObject({ client_origin: 'configured', redirect_uri: callback })
    const client = prompts[0]?.client
    expect(client && clientOrigin(client)).toBe(origin)
  })

  it('a client that changes what it registered gains nobody who vouches for it, and loses nobody', async () => {
    const { manage } = await import('../../support/servers/registration.ts')
    for (const [access, origin] of [
      ['open', 'registered'],
      ['token', 'vouched']
    ] as const) {
      const h = await registrationHarness(access === 'open' ? {} : { access, initialAccessTokens: [initialAccessToken] })
      const client = await register(h.app, web, access === 'open' ? undefined : initialAccessToken)
      const { client_id } = client
      expect((await manage(h.app, 'put', client, { ...web, client_id })).status).toBe(200)
      h.person.account = undefined
      const response = await authorize(h.app, { client_id, response_type: 'INVALID' })
      expect(response.status).toBe(origin === 'registered' ? 400 : 303)
    }
  })
})
