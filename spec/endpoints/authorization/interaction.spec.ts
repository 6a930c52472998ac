import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import { decodeJwt } from 'jose'
import request, { type Response } from 'supertest'
import {
  authorize,
  callback,
  clients,
  code_verifier,
  harness,
  issuer,
  redirected,
  token,
  type Harness
} from '../../support/servers/authorization-server.ts'

const resume = (app: Express | string, id: string, result: object) => request(app).post(`/resume/${id}`).send(result)
const promptOf = (response: Response) => response.body as { id: string; name: string }
const seconds = ({ clock }: Harness) => Math.floor(clock.now / 1000)

/** Whoever signs in now. */
function signIn(h: Harness, sub = 'alice') {
  h.person.account = { sub, auth_time: seconds(h) }
  return { login: h.person.account }
}

async function signedOut(options = {}) {
  const h = await harness(options)
  h.person.account = undefined
  h.person.consented = false
  return h
}

function expectFinished(response: Response) {
  expect([response.status, response.headers['location']]).toEqual([400, undefined])
  expect(response.text).toContain('<code>invalid_request</code>')
}

describe('an authorization that needs a person', () => {
  it('asks for a sign-in, then for consent, then answers', async () => {
    const h = await signedOut()
    const first = await authorize(h.app, { state: 's', login_hint: 'alice@' })
    expect([first.status, first.body]).toEqual([
      200,
      {
        id: expect.stringMatching(/^[\w-]{32}$/),
        name: 'login',
        client_id: 'web',
        scope: ['openid', 'offline_access', 'api:read'],
        login_hint: 'alice@'
      }
    ])
    const { id } = promptOf(first)
    const second = await resume(h.app, id, signIn(h))
    expect(second.body).toMatchObject({ id, name: 'consent' })
    const third = await resume(h.app, id, { consent: true })
    expect([third.status, redirected(third)]).toEqual([303, { code: expect.any(String), state: 's', iss: issuer }])
    const form = {
      grant_type: 'authorization_code',
      code: redirected(third)['code'] ?? '',
      redirect_uri: callback,
      code_verifier
    }
    const { id_token } = (await token(h.app, 'web', form)).body as { id_token: string }
    expect(decodeJwt(id_token)).toMatchObject({ sub: 'alice', auth_time: seconds(h) })
  })

  it('asks for nothing where the person is there and has agreed', async () => {
    const { app } = await harness()
    expect(redirected(await authorize(app))).toHaveProperty('code')
    expect(redirected(await authorize(app, { prompt: 'none' }))).toHaveProperty('code')
  })

  it('sends the client access_denied where the person says no', async () => {
    const h = await signedOut()
    const { id } = promptOf(await authorize(h.app, { state: 's' }))
    const denied = await resume(h.app, id, { error: 'access_denied' })
    expect([denied.status, redirected(denied)]).toEqual([
      303,
      { error: 'access_denied', error_description: expect.any(String), state: 's', iss: issuer }
    ])
  })

  it.each([
    ['unknown', 'unknown'],
    ['that is a prototype', '__proto__'],
    ['of 3000 characters', 'x'.repeat(3_000)],
    ['that is a null', '%00'],
    ['with a path', '..%2f']
  ])('has a page for an id %s', async (_, id) => {
    const h = await harness()
    for (const result of [{ consent: true }, { error: 'access_denied' }, signIn(h)])
      expectFinished(await resume(h.app, id, result))
    expect((await request(h.app).get(`/interaction/${id}`)).body).toEqual({})
  })

  it.each([
    ['a quarter of an hour while nobody is signed in', undefined, 900],
    ['an hour once somebody is', 'alice', 3_600]
  ])('waits %s', async (_, sub, waits) => {
    const h = await signedOut()
    const begin = async () => {
      h.person.account = sub === undefined ? undefined : { sub, auth_time: seconds(h) }
      return promptOf(await authorize(h.app)).id
    }
    const [early, late] = [await begin(), await begin()]
    h.person.consented = true
    h.clock.now += waits * 1_000 - 1
    expect(redirected(await resume(h.app, early, signIn(h)))).toHaveProperty('code')
    h.clock.now += 1
    expectFinished(await resume(h.app, late, signIn(h)))
  })

  it('ends an hour after it began, whatever was done', async () => {
    const h = await signedOut()
    const { id } = promptOf(await authorize(h.app))
    h.clock.now += 899_000
    expect((await resume(h.app, id, signIn(h))).body).toMatchObject({ name: 'consent' })
    h.clock.now += 2_700_000
    expect((await resume(h.app, id, signIn(h))).body).toMatchObject({ name: 'consent' })
    h.clock.now += 2_000
    expectFinished(await resume(h.app, id, { consent: true }))
  })

  it('tells the application’s pages what they show, step by step, and nothing when it is over', async () => {
    const h = await signedOut()
    const { id } = promptOf(await authorize(h.app))
    const shown = async () =>
      ((await request(h.app).get(`/interaction/${id}`)).body as { prompt?: { name: string; client: object } }).prompt
    expect(await shown()).toMatchObject({
      name: 'login',
      client: { client_id: 'web' },
      scope: ['openid', 'offline_access', 'api:read']
    })
    expect(JSON.stringify(await shown())).not.toContain('secret of')
    await resume(h.app, id, signIn(h))
    expect(await shown()).toMatchObject({ name: 'consent' })
    await resume(h.app, id, { consent: true })
    expect(await shown()).toBeUndefined()
  })

  it('does not take consent for a sign-in, nor one person’s consent for another’s', async () => {
    const h = await signedOut()
    const { id } = promptOf(await authorize(h.app))
    expect((await resume(h.app, id, { consent: true })).body).toMatchObject({ name: 'login' })
    expect((await resume(h.app, id, signIn(h))).body).toMatchObject({ name: 'consent' })
    h.person.account = undefined
    expect((await resume(h.app, id, { consent: true })).body).toMatchObject({ name: 'login' })
    await resume(h.app, id, signIn(h, 'alice'))
    h.person.account = { sub: 'mallory', auth_time: seconds(h) }
    expect((await request(h.app).get(`/interaction/${id}`)).body).toMatchObject({ prompt: { name: 'consent' } })
  })
})

describe('prompt', () => {
  it('none never meets a person', async () => {
    const h = await signedOut()
    expect(redirected(await authorize(h.app, { prompt: 'none', state: 's' }))).toMatchObject({
      error: 'login_required',
      state: 's',
      iss: issuer
    })
    signIn(h)
    expect(redirected(await authorize(h.app, { prompt: 'none' }))).toMatchObject({ error: 'consent_required' })
    expect(redirected(await authorize(h.app, { prompt: 'none', max_age: '0' }))).toMatchObject({ error: 'login_required' })
  })

  it.each(['login', 'select_account', 'login select_account'])(
    '%s asks for a sign-in although there is one, once',
    async prompt => {
      const h = await harness()
      const { id, name } = promptOf(await authorize(h.app, { prompt }))
      expect(name).toBe('login')
      // whoever was signed in before has not signed in for this
      expect((await resume(h.app, id, { consent: true })).body).toMatchObject({ id, name: 'login' })
      h.clock.now += 5_000
      expect(redirected(await resume(h.app, id, signIn(h)))).toHaveProperty('code')
    }
  )

  it('login comes before consent: nobody agrees who has yet to sign in', async () => {
    const h = await harness()
    h.person.consented = false
    const { id } = promptOf(await authorize(h.app, { prompt: 'login' }))
    expect((await resume(h.app, id, { consent: true })).body).toMatchObject({ name: 'login' })
    expect((await resume(h.app, id, signIn(h))).body).toMatchObject({ name: 'consent' })
  })

  it.each(['consent', 'login consent'])('%s asks for consent although it was given, once', async prompt => {
    const h = await harness()
    let answer = await authorize(h.app, { prompt })
    const { id, name } = promptOf(answer)
    if (prompt.includes('login')) {
      expect(name).toBe('login')
      answer = await resume(h.app, id, signIn(h))
    }
    expect(answer.body).toMatchObject({ name: 'consent' })
    expect(redirected(await resume(h.app, id, { consent: true }))).toHaveProperty('code')
  })
})

describe('max_age', () => {
  it.each([
    ['0', 'login'],
    ['1', 'login'],
    ['99', 'login'],
    ['101', 'code'],
    ['9999999999', 'code']
  ])('%s, with a sign-in 100 seconds old: %s', async (max_age, expected) => {
    const { app } = await harness()
    const response = await authorize(app, { max_age })
    if (expected === 'code') expect(redirected(response)).toHaveProperty('code')
    else expect(response.body).toMatchObject({ name: 'login' })
  })

  it.each<[number, string | undefined, string]>([
    [99, undefined, 'login'],
    [99, '', 'login'],
    [99, '101', 'code'],
    [0, undefined, 'login'],
    [101, undefined, 'code'],
    [101, '99', 'login']
  ])('is by default the %s its client registered, with %j sent: %s', async (default_max_age, max_age, expected) => {
    const { app } = await harness({ clients: clients.map(client => ({ ...client, default_max_age })) })
    const response = await authorize(app, { max_age })
    if (expected === 'code') expect(redirected(response)).toHaveProperty('code')
    else expect(response.body).toMatchObject({ name: 'login' })
  })

  it('0 is content with the sign-in made for it, and with no other', async () => {
    const h = await harness()
    const { id } = promptOf(await authorize(h.app, { max_age: '0' }))
    h.person.consented = false
    h.clock.now += 30_000
    expect((await resume(h.app, id, signIn(h))).body).toMatchObject({ name: 'consent' })
    h.clock.now += 30_000
    expect(redirected(await resume(h.app, id, { consent: true }))).toHaveProperty('code')
  })
})
