/** Attestation at every endpoint: challenges, and what instances are given and nobody else can use. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { memoryStore, tokenRouter, type AttestationOptions } from '../../lib/index.ts'
import { attested, combined } from '../support/clients/attestation.ts'
import { makeDpopKey } from '../support/clients/dpop.ts'
import { page } from '../support/servers/backchannel.ts'
import {
  attestedServer,
  attester,
  combinedPhone,
  outcome,
  phone,
  send,
  tablet,
  wallets,
  type Attested
} from '../support/servers/attested.ts'
import {
  authorize,
  basic,
  callback,
  code_challenge,
  code_verifier,
  harness,
  issuer,
  redirected,
  specKeys
} from '../support/servers/authorization-server.ts'

const challengeHeader = 'oauth-client-attestation-challenge'
const attesters: AttestationOptions['attesters'] = [{ jwks: { keys: [attester.jwk] } }]
const machine = { grant_type: 'client_credentials', scope: 'api:read' }

async function challengeOf({ app }: Pick<Attested, 'app'>): Promise<string> {
  const { body } = await request(app).post('/oauth2/challenge')
  return (body as { attestation_challenge: string }).attestation_challenge
}

async function answering({ app, clock }: Pick<Attested, 'app' | 'clock'>, challenge: unknown): Promise<string> {
  const now = clock.now / 1000
  const headers = await attested(attester, phone, { aud: issuer, now, proof: { claims: { challenge } } })
  return outcome(await send(app, machine, headers))
}

describe('challenges', () => {
  it('are handed out to anybody, with a nonce, and never stored', async () => {
    const { app } = await attestedServer()
    const { status, body, headers } = await request(app).post('/oauth2/challenge').set('Origin', 'https://spa.example')
    expect([status, body]).toEqual([200, { attestation_challenge: headers[challengeHeader] }])
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'dpop-nonce': expect.stringMatching(/^[\w-]{24}$/) })
    expect(headers['access-control-expose-headers']).toContain('OAuth-Client-Attestation-Challenge')
    expect((await request(app).get('/oauth2/challenge')).status).toBe(405)
    const preflight = request(app).options('/oauth2/challenge').set('Access-Control-Request-Method', 'POST')
    expect((await preflight).headers['access-control-allow-headers']).toContain('OAuth-Client-Attestation-PoP')
  })

  it('are what metadata says', async () => {
    const { body } = await request((await attestedServer()).app).get('/.well-known/oauth-authorization-server')
    expect(body).toMatchObject({
      challenge_endpoint: `${issuer}/oauth2/challenge`,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['attest_jwt_client_auth', 'attest_jwt_client_auth_dpop']),
      client_attestation_signing_alg_values_supported: expect.arrayContaining(['ES256', 'PS256', 'Ed25519']),
      client_attestation_pop_signing_alg_values_supported: expect.arrayContaining(['ES256'])
    })
    expect(body).not.toHaveProperty('client_attestation_pop_methods_supported')
    const without = await request((await harness()).app).get('/.well-known/oauth-authorization-server')
    expect(Object.keys(without.body as object).filter(name => /attestation|challenge_endpoint/.test(name))).toEqual([])
    expect(JSON.stringify(without.body)).not.toContain('attest_jwt')
  })

  it('come with every answer to an attested request, at every endpoint, refusals too', async () => {
    const server = await attestedServer()
    for (const path of ['token', 'par', 'introspect', 'revoke', 'device_authorization', 'bc-authorize']) {
      const { headers } = await server.post(phone, { token: 'none' }, `/oauth2/${path}`)
      expect([path, headers[challengeHeader]]).toEqual([path, expect.stringMatching(/^[\w-]{40}$/)])
    }
    const { headers } = await send(server.app, machine, { Authorization: basic('web') })
    expect(headers[challengeHeader]).toBeUndefined()
  })

  it('are good for five minutes; a stale one is as good as none', async () => {
    const offered = await attestedServer()
    const required = await attestedServer({ challenge: 'required' })
    for (const [server, missing] of [
      [offered, '200'],
      [required, '400 use_attestation_challenge']
    ] as const) {
      const challenge = await challengeOf(server)
      expect(await answering(server, undefined)).toBe(missing)
      server.clock.now += 299_000
      expect(await answering(server, challenge)).toBe('200')
      server.clock.now += 2000
      expect(await answering(server, challenge)).toBe(missing)
    }
  })

  it('of another issuer with the same keys are wrong, of another process of this one right', async () => {
    const store = memoryStore({ clock: () => 1_800_000_000_000 })
    const [one, two] = [await attestedServer({}, { store }), await attestedServer({}, { store })]
    const tenant = await attestedServer({}, { store, issuer: `${issuer}/acme` })
    expect(await answering(two, await challengeOf(one))).toBe('200')
    const { body } = await request(tenant.app).post('/acme/oauth2/challenge')
    const { attestation_challenge } = body as { attestation_challenge: string }
    expect(await answering(one, attestation_challenge)).toBe('400 use_attestation_challenge')
  })

  it('and proofs are spent for all processes', async () => {
    const store = memoryStore({ clock: () => 1_800_000_000_000 })
    const servers = [await attestedServer({}, { store }), await attestedServer({}, { store })]
    const headers = await attested(attester, phone, { aud: issuer, now: 1_800_000_000 })
    const answers = await Promise.all(servers.map(({ app }) => send(app, machine, headers)))
    expect(answers.map(outcome).sort()).toEqual(['200', '401 invalid_client'])
  })

  it('are handed out by a token router too', async () => {
    const app = express()
    const store = memoryStore()
    const oauth = tokenRouter({ issuer, store, keys: await specKeys(), clients: [], attestation: { attesters } })
    app.use('/oauth2/challenge', oauth.challenge)
    app.use('/metadata', oauth.metadata)
    expect(await challengeOf({ app })).toMatch(/^[\w-]{40}$/)
    const { body } = await request(app).get('/metadata')
    expect(body).toMatchObject({ challenge_endpoint: `${issuer}/oauth2/challenge` })
  })
})

/** A code that was pushed by an instance, and allowed. */
async function pushedCode({ app, post }: Attested, instance = phone): Promise<Record<string, string>> {
  const asked = { response_type: 'code', redirect_uri: callback, scope: 'openid offline_access', code_challenge, code_challenge_method: 'S256' } // prettier-ignore
  const { body } = await post(instance, asked, '/oauth2/par')
  const { request_uri } = body as { request_uri: string }
  const query = new URLSearchParams({ client_id: 'wallet', request_uri }).toString()
  const { code = '' } = redirected(await request(app).get(`/oauth2/authorize?${query}`))
  return { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
}

async function refreshable(server: Attested): Promise<{ refresh_token: string; access_token: string }> {
  const { body } = await server.post(phone, await pushedCode(server))
  return body as { refresh_token: string; access_token: string }
}

describe('what an instance is given', () => {
  const invalid = '400 invalid_grant'

  it('a code it pushed for is its own', async () => {
    const server = await attestedServer()
    expect(outcome(await server.post(tablet, await pushedCode(server)))).toBe(invalid)
    expect(outcome(await server.post(phone, await pushedCode(server)))).toBe('200')
  })

  it('a code nobody pushed for is the client’s', async () => {
    const server = await attestedServer()
    const { code = '' } = redirected(await authorize(server.app, { client_id: 'wallet', scope: 'openid' }))
    const form = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
    expect(outcome(await server.post(tablet, form))).toBe('200')
  })

  it('a refresh token is its own: a new attestation of the same key will do, another key will not', async () => {
    const server = await attestedServer()
    const form = { grant_type: 'refresh_token', refresh_token: (await refreshable(server)).refresh_token }
    expect(outcome(await server.post(tablet, form))).toBe(invalid)
    for (let time = 0; time < 3; time++) {
      const answer = await server.post(phone, form)
      expect(outcome(answer)).toBe('200')
      form.refresh_token = (answer.body as { refresh_token: string }).refresh_token
    }
    expect(outcome(await server.post(tablet, form))).toBe(invalid)
  })

  it('is no use to the same client with another method', async () => {
    const credentials = [{ type: 'method' as const, id: 'm1', method: 'client_secret_post' }]
    const clients = wallets.map(client =>
      client.client_id === 'wallet' ? { ...client, client_secret: 'a secret of 32 characters, or more', credentials } : client
    )
    const server = await attestedServer({}, { clients })
    const { refresh_token } = await refreshable(server)
    const secret = { client_id: 'wallet', client_secret: 'a secret of 32 characters, or more' }
    expect(outcome(await send(server.app, { ...machine, ...secret }, {}))).toBe('200')
    expect(outcome(await send(server.app, { grant_type: 'refresh_token', refresh_token, ...secret }, {}))).toBe(invalid)
  })

  it('a refresh token tells another instance nothing, and cannot be ended by it', async () => {
    const server = await attestedServer()
    const { refresh_token: token } = await refreshable(server)
    const introspect = async (instance = phone) => (await server.post(instance, { token }, '/oauth2/introspect')).body as object
    expect(await introspect(tablet)).toEqual({ active: false })
    expect((await server.post(tablet, { token }, '/oauth2/revoke')).status).toBe(200)
    expect(await introspect()).toMatchObject({ active: true, client_id: 'wallet' })
    expect((await server.post(phone, { token }, '/oauth2/revoke')).status).toBe(200)
    expect(await introspect()).toEqual({ active: false })
  })

  it('a device code is its own', async () => {
    const server = await attestedServer()
    const { body } = await server.post(phone, { scope: 'openid offline_access' }, '/oauth2/device_authorization')
    const { device_code, user_code } = body as { device_code: string; user_code: string }
    await server.server.device.approve(user_code, { sub: 'alice', auth_time: 1_799_999_000 })
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code }
    expect(outcome(await server.post(tablet, form))).toBe(invalid)
    const { refresh_token } = (await server.post(phone, form)).body as { refresh_token: string }
    const refresh = { grant_type: 'refresh_token', refresh_token }
    expect([outcome(await server.post(tablet, refresh)), outcome(await server.post(phone, refresh))]).toEqual([invalid, '200'])
  })

  it('an auth_req_id is its own', async () => {
    const server = await attestedServer()
    const asked = { scope: 'openid offline_access', login_hint: 'alice' }
    const { body } = await server.post(phone, asked, '/oauth2/bc-authorize')
    const { auth_req_id } = body as { auth_req_id: string }
    const [waiting] = await server.server.backchannel.pending({ sub: 'alice' })
    const account = { sub: 'alice', auth_time: 1_799_999_000 }
    expect(await server.server.backchannel.approve(page, waiting?.id ?? '', account)).toBe(true)
    const form = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id }
    expect(outcome(await server.post(tablet, form))).toBe(invalid)
    expect(outcome(await server.post(phone, form))).toBe('200')
  })
})

describe('in combined mode', () => {
  it('one DPoP proof proves the instance and binds the token, whether or not other proofs need nonces', async () => {
    for (const requireDpopNonce of [false, true]) {
      const server = await attestedServer({}, { requireDpopNonce })
      const { status, body, headers } = await server.combine(machine)
      expect([status, body]).toEqual([200, expect.objectContaining({ token_type: 'DPoP' })])
      expect(headers['dpop-nonce']).toEqual(expect.stringMatching(/^[\w-]{24}$/))
      expect(headers[challengeHeader]).toBeUndefined()
    }
  })

  it('a challenge endpoint’s nonce saves the first round', async () => {
    const server = await attestedServer()
    const nonce = String((await request(server.app).post('/oauth2/challenge')).headers['dpop-nonce'])
    const now = server.clock.now / 1000
    const headers = await combined(attester, combinedPhone, { htu: `${issuer}/oauth2/token`, now, nonce })
    expect(outcome(await send(server.app, machine, headers))).toBe('200')
  })

  it('the proof is for the endpoint it is sent to, and by the attested key', async () => {
    const server = await attestedServer()
    expect(outcome(await server.combine({ token: 'x' }, '/oauth2/introspect'))).toBe('200')
    expect(outcome(await server.combine(machine, '/oauth2/token', await makeDpopKey()))).toBe('401 invalid_client')
  })

  it('what was pushed with it is redeemed with it', async () => {
    const server = await attestedServer()
    const asked = {
      response_type: 'code',
      redirect_uri: callback,
      scope: 'openid',
      code_challenge,
      code_challenge_method: 'S256'
    }
    const { body } = await server.combine(asked, '/oauth2/par')
    const { request_uri } = body as { request_uri: string }
    const query = new URLSearchParams({ client_id: 'combined', request_uri }).toString()
    const { code = '' } = redirected(await request(server.app).get(`/oauth2/authorize?${query}`))
    const form = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
    expect(outcome(await server.combine(form))).toBe('200')
  })
})
