import { describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import express, { type Express } from 'express'
import type { Response } from 'supertest'
import request from 'supertest'
import { generateKeys } from '../../lib/index.ts'
import {
  api,
  basic,
  codeForm,
  files,
  harness,
  listening,
  redeemed,
  token,
  atApi,
  type Form
} from '../support/servers/authorization-server.ts'
import { countingStore } from '../support/checks/bad-values.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'
import { now } from '../support/servers/signed-requests.ts'
import { describeTokenRequests } from './token-requests.ts'

const path = '/oauth2/revoke'
const introspection = '/oauth2/introspect'

/** Says that it is done, whatever was to be done. */
function expectDone({ status, text, headers }: Response): void {
  expect([status, text]).toEqual([200, ''])
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'content-length': '0', 'content-type': 'application/json' })
}

const revoke = async (app: Express, client_id: string, what: string, more: Form = {}) =>
  expectDone(await token(app, client_id, { token: what, ...more }, path))

const refresh = (app: Express, client_id: string, refresh_token: string) =>
  token(app, client_id, { grant_type: 'refresh_token', refresh_token })

/** Where a token counts: at introspection and an API of the application's. Public clients cannot introspect. */
async function isGood(app: Express, client_id: string, access_token: string): Promise<boolean> {
  const statuses = [(await atApi(app, access_token)).status === 200]
  const asked = await token(app, client_id, { token: access_token }, introspection)
  if (asked.status === 200) statuses.push((asked.body as { active: boolean }).active)
  expect(new Set(statuses).size).toBe(1)
  return statuses[0] === true
}

async function start(options: Parameters<typeof harness>[0] = {}) {
  return harness(options, express())
}

describe.each([
  ['a JWT', { resource: api }],
  ['opaque', { resource: files }],
  ['for no resource', {}]
])('an access token, %s,', (_, resource) => {
  it.each(['web', 'spa'])('ends at once, and alone: %s', async client_id => {
    const { app } = await start()
    const first = await redeemed(app, client_id, resource)
    const refreshed = await refresh(app, client_id, first.refresh_token)
    const second = refreshed.body as typeof first
    const other = await redeemed(app, client_id, resource)
    expect(await isGood(app, client_id, first.access_token)).toBe(true)
    await revoke(app, client_id, first.access_token)
    expect(await isGood(app, client_id, first.access_token)).toBe(false)
    for (const { access_token } of [second, other]) expect(await isGood(app, client_id, access_token)).toBe(true)
    expect((await refresh(app, client_id, second.refresh_token)).status).toBe(200)
  })

  it('ends once: revoking it again is done already', async () => {
    const { app } = await start()
    const { access_token } = await redeemed(app, 'web', resource)
    await revoke(app, 'web', access_token)
    await revoke(app, 'web', access_token)
    expect(await isGood(app, 'web', access_token)).toBe(false)
  })

  it('of a client acting for itself ends too', async () => {
    const { app, server } = await start()
    const granted = () =>
      token(app, 'web', { grant_type: 'client_credentials', ...resource }).then(
        ({ body }) => (body as { access_token: string }).access_token
      )
    const [ended, other] = [await granted(), await granted()]
    await revoke(app, 'web', ended)
    expect(await server.verifyAccessToken(ended)).toBeUndefined()
    expect(await server.verifyAccessToken(other)).toMatchObject({ sub: 'web' })
  })
})

describe('a refresh token', () => {
  it.each([
    ['web', {}],
    ['web', { resource: api }],
    ['spa', { resource: files }]
  ])('takes its whole grant with it, and no other: %s %j', async (client_id, resource) => {
    const { app } = await start()
    const first = await redeemed(app, client_id, resource)
    const other = await redeemed(app, client_id, resource)
    const second = (await refresh(app, client_id, first.refresh_token)).body as typeof first
    await revoke(app, client_id, second.refresh_token)
    for (const { access_token } of [first, second]) expect(await isGood(app, client_id, access_token)).toBe(false)
    for (const { refresh_token } of [first, second])
      expect((await refresh(app, client_id, refresh_token)).body).toMatchObject({ error: 'invalid_grant' })
    expect(await isGood(app, client_id, other.access_token)).toBe(true)
    expect((await refresh(app, client_id, other.refresh_token)).status).toBe(200)
  })

  it.each([
    ['that was replaced', 60_000],
    ['that expired', 1_209_600_000]
  ])('%s still ends what began with it', async (_, later) => {
    const { app, clock } = await start({ accessTokenTtl: 1_300_000 })
    const first = await redeemed(app)
    const second = (await refresh(app, 'web', first.refresh_token)).body as typeof first
    clock.now += later
    expect(await isGood(app, 'web', second.access_token)).toBe(true)
    await revoke(app, 'web', later === 60_000 ? first.refresh_token : second.refresh_token)
    expect(await isGood(app, 'web', second.access_token)).toBe(false)
  })

  it('needs no proof of the key it is bound to', async () => {
    const { app, clock } = await start()
    const proof = await prove(await makeDpopKey(), 'POST', 'https://as.example.com/oauth2/token', clock.now)
    const { body } = await token(app, 'spa', await codeForm(app, { client_id: 'spa' })).set('DPoP', proof)
    const { refresh_token, access_token } = body as { refresh_token: string; access_token: string }
    await revoke(app, 'spa', refresh_token)
    const { status } = await request(app).get('/oauth2/userinfo').set('Authorization', `DPoP ${access_token}`)
    expect(status).toBe(401)
  })
})

describe('what stays as it is', () => {
  it('is every token of another client, confidential or public', async () => {
    const { app } = await start()
    for (const [owner, stranger] of [
      ['web', 'other'],
      ['web', 'spa'],
      ['spa', 'native'],
      ['spa', 'web']
    ] as const) {
      for (const resource of [{}, { resource: api }, { resource: files }]) {
        const { access_token, refresh_token } = await redeemed(app, owner, resource)
        for (const what of [access_token, refresh_token]) await revoke(app, stranger, what)
        expect(await isGood(app, owner, access_token)).toBe(true)
        expect((await refresh(app, owner, refresh_token)).status).toBe(200)
      }
    }
  })

  it('is everything, where there is nothing to revoke', async () => {
    const { store, counted } = countingStore(() => now * 1000)
    const { app } = await start({ store })
    const stranger = await start({ keys: await generateKeys(['ES256']) })
    const { access_token, refresh_token, id_token } = await redeemed(app, 'web', { resource: api })
    const foreign = await redeemed(stranger.app, 'web', { resource: api })
    const changes = counted.changes
    for (const what of [
      'unknown',
      '.',
      'eyJ..',
      'x'.repeat(70),
      'x'.repeat(60_000),
      id_token,
      foreign.access_token,
      foreign.refresh_token,
      `${access_token}.`,
      access_token.slice(0, -1),
      ` ${access_token}`,
      refresh_token.slice(0, -1),
      randomUUID()
    ])
      await revoke(app, 'web', what)
    expect(counted.changes).toBe(changes)
    expect(await isGood(app, 'web', access_token)).toBe(true)
  })

  it('is a code, which is no token', async () => {
    const { app } = await start()
    const form = await codeForm(app)
    await revoke(app, 'web', form.code, { token_type_hint: 'authorization_code' })
    expect((await token(app, 'web', form)).status).toBe(200)
  })

  it('is nothing an expired access token could still end', async () => {
    const { app, clock } = await start()
    const { access_token, refresh_token } = await redeemed(app, 'web', { resource: api })
    clock.now += 3_600_000
    await revoke(app, 'web', access_token)
    expect((await refresh(app, 'web', refresh_token)).status).toBe(200)
  })
})

describe('many at once', () => {
  const send = async (address: string, endpoint: string, form: Form) => {
    const response = await fetch(address + endpoint, {
      method: 'POST',
      headers: { Authorization: basic('web') },
      body: new URLSearchParams(form)
    })
    return { status: response.status, text: await response.text() }
  }

  it.each([
    ['opaque', {}],
    ['JWT', { resource: api }]
  ])('refreshes and a revocation: whatever they bought in between is dead (%s)', async (_, resource) => {
    const { app, server } = await start()
    const { refresh_token } = await redeemed(app, 'web', resource)
    const form = { grant_type: 'refresh_token', refresh_token, ...resource }
    const answers = await listening(app, address =>
      Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          index === 25 ? send(address, path, { token: refresh_token }) : send(address, '/oauth2/token', form)
        )
      )
    )
    expect(answers[25]).toEqual({ status: 200, text: '' })
    for (const { status, text } of answers.filter((_, index) => index !== 25)) {
      const { error, access_token = '' } = JSON.parse(text) as { error?: string; access_token?: string }
      if (status === 200) expect(await server.verifyAccessToken(access_token)).toBeUndefined()
      else expect([status, error]).toEqual([400, 'invalid_grant'])
    }
  })

  it('revocations of one token are all done', async () => {
    const { app, server } = await start()
    const { access_token } = await redeemed(app, 'web', { resource: api })
    const answers = await listening(app, address =>
      Promise.all(Array.from({ length: 50 }, () => send(address, path, { token: access_token })))
    )
    expect(new Set(answers.map(({ status, text }) => `${status}${text}`))).toEqual(new Set(['200']))
    expect(await server.verifyAccessToken(access_token)).toBeUndefined()
  })
})

describe('a public client', () => {
  it('names itself, and only itself', async () => {
    const { app } = await start()
    const { access_token } = await redeemed(app, 'spa')
    const wrong = await request(app).post(path).type('form').send({ token: access_token, client_id: 'nobody' })
    expect([wrong.status, wrong.body]).toMatchObject([401, { error: 'invalid_client' }])
    expect(await isGood(app, 'spa', access_token)).toBe(true)
    await revoke(app, 'spa', access_token)
    expect(await isGood(app, 'spa', access_token)).toBe(false)
  })
})

describeTokenRequests(path, 'revocation', expectDone)
