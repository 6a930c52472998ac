/** Tokens bound to a DPoP key, from the token endpoint to the API and back through refresh. Certificates: spec/journeys. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import request from 'supertest'
import type { AuthorizationServerOptions } from '../../lib/authorization-server/authorization-server.ts'
import {
  alice,
  api,
  authorize,
  callback,
  clients,
  code_verifier,
  codeForm,
  files,
  harness,
  redirected,
  token,
  type Form,
  type Harness
} from '../support/servers/authorization-server.ts'
import { makeDpopKey, prove, type DpopKey, type ProofParts } from '../support/clients/dpop.ts'

const tokenEndpoint = 'https://as.example.com/oauth2/token'
const whoami = 'https://as.example.com/whoami'
let key: DpopKey
let other: DpopKey

beforeAll(async () => {
  key = await makeDpopKey()
  other = await makeDpopKey('EdDSA')
})

/** The server, with an API of its own behind `requireAccessToken()`. */
async function protectedHarness(options: Partial<AuthorizationServerOptions> = {}): Promise<Harness> {
  const made = await harness(options, express())
  made.app.get('/whoami', made.server.requireAccessToken(), (req, res) => void res.json(req.accessToken))
  made.app.get(
    '/writing',
    made.server.requireAccessToken({ scope: ['api:write'], resources: [api] }),
    (_req, res) => void res.json({})
  )
  return made
}

const tokenWith = async ({ app, clock }: Harness, client_id: string, form: Form, signer = key, parts: ProofParts = {}) =>
  token(app, client_id, form).set('DPoP', await prove(signer, 'POST', tokenEndpoint, clock.now, parts))

const call = (app: Express, authorization: string, proof?: string) => {
  const get = request(app).get('/whoami').set('Authorization', authorization)
  return proof === undefined ? get : get.set('DPoP', proof)
}

const dpopOnly = [
  ...clients,
  { ...clients[0], client_id: 'dpop', client_secret: 'secret of dpop', dpop_bound_access_tokens: true }
] as NonNullable<AuthorizationServerOptions['clients']>

describe.each([
  ['JWT', api],
  ['opaque', files]
])('%s access tokens bound to a DPoP key', (_format, resource) => {
  it('are of type DPoP and good for whoever holds the key', async () => {
    const made = await protectedHarness()
    const response = await tokenWith(made, 'web', { grant_type: 'client_credentials', resource })
    expect(response.body).toMatchObject({ token_type: 'DPoP' })
    const { access_token } = response.body
    const proof = await prove(key, 'GET', whoami, made.clock.now, { access_token })
    const answer = await call(made.app, `dPoP ${access_token}`, proof)
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ client_id: 'web', cnf: { jkt: key.jkt } })
  })

  it('are refused to everybody else, with both challenges', async () => {
    const made = await protectedHarness()
    const { access_token } = (await tokenWith(made, 'web', { grant_type: 'client_credentials', resource })).body
    const good = () => prove(key, 'GET', whoami, made.clock.now, { access_token })
    const refused = [
      await call(made.app, `Bearer ${access_token}`),
      await call(made.app, `Bearer ${access_token}`, await good()),
      await call(made.app, `DPoP ${access_token}`),
      await call(made.app, `DPoP ${access_token}`, await prove(other, 'GET', whoami, made.clock.now, { access_token })),
      await call(made.app, `DPoP ${access_token}`, await prove(key, 'PUT', whoami, made.clock.now, { access_token })),
      await call(made.app, `DPoP ${access_token}`, await prove(key, 'GET', tokenEndpoint, made.clock.now, { access_token })),
      await call(made.app, `DPoP ${access_token}`, await prove(key, 'GET', whoami, made.clock.now, { access_token: 'x' })),
      await call(made.app, `DPoP ${access_token}`, `${await good()}, ${await good()}`)
    ]
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 401))
    expect(refused[0]?.headers['www-authenticate']).toMatch(/^Bearer error="invalid_token".*DPoP .*algs="ES256/)
  })

  it('take a proof once', async () => {
    const made = await protectedHarness()
    const { access_token } = (await tokenWith(made, 'web', { grant_type: 'client_credentials', resource })).body
    const proof = await prove(key, 'GET', whoami, made.clock.now, { access_token })
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(made.app, `DPoP ${access_token}`, proof)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
})

describe('the token endpoint', () => {
  it('refuses a bad proof with 400 invalid_dpop_proof, and spends no code on it', async () => {
    const made = await protectedHarness()
    const form = await codeForm(made.app)
    const refused = await tokenWith(made, 'web', form, key, { claims: { htm: 'GET' } })
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_dpop_proof'])
    expect((await tokenWith(made, 'web', form)).status).toBe(200)
  })

  it('refuses a client registered for DPoP without a proof', async () => {
    const made = await protectedHarness({ clients: dpopOnly })
    const refused = await token(made.app, 'dpop', { grant_type: 'client_credentials' })
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_dpop_proof'])
    expect((await tokenWith(made, 'dpop', { grant_type: 'client_credentials' })).status).toBe(200)
  })

  it('refuses a client registered for certificate-bound tokens without a certificate', async () => {
    const bound = {
      ...clients[0],
      client_id: 'bound',
      client_secret: 'secret of bound',
      tls_client_certificate_bound_access_tokens: true
    }
    const made = await protectedHarness({ clients: [bound] })
    const refused = await token(made.app, 'bound', { grant_type: 'client_credentials' })
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_request'])
  })

  it('asks for a nonce where the server requires one', async () => {
    const made = await protectedHarness({ requireDpopNonce: true })
    const asked = await tokenWith(made, 'web', { grant_type: 'client_credentials' })
    expect([asked.status, asked.body.error]).toEqual([400, 'use_dpop_nonce'])
    const nonce = asked.headers['dpop-nonce']
    expect((await tokenWith(made, 'web', { grant_type: 'client_credentials' }, key, { claims: { nonce } })).status).toBe(200)
  })

  it('takes a proof from any client, and gives a Bearer token without one', async () => {
    const made = await protectedHarness()
    const { access_token, token_type } = (await token(made.app, 'web', { grant_type: 'client_credentials' })).body
    expect(token_type).toBe('Bearer')
    expect((await call(made.app, `bEARER ${access_token}`)).status).toBe(200)
    const proof = await prove(key, 'GET', whoami, made.clock.now, { access_token })
    expect((await call(made.app, `DPoP ${access_token}`, proof)).status).toBe(401)
  })
})

describe('refresh tokens', () => {
  const bought = async (made: Harness, client_id: string) =>
    (await tokenWith(made, client_id, await codeForm(made.app, { client_id }))).body as { refresh_token: string }

  it("of a public client are bound to the client's key", async () => {
    const made = await protectedHarness()
    const { refresh_token } = await bought(made, 'spa')
    const form = { grant_type: 'refresh_token', refresh_token }
    const refused = [await token(made.app, 'spa', form), await tokenWith(made, 'spa', form, other)]
    for (const { status, body } of refused) expect([status, body.error]).toEqual([400, 'invalid_grant'])
    expect((await tokenWith(made, 'spa', form)).body).toMatchObject({ token_type: 'DPoP' })
  })

  it('of a confidential client are bound to the client alone, do not rotate, and give tokens bound to the new key', async () => {
    const made = await protectedHarness()
    const { refresh_token } = await bought(made, 'web')
    const response = await tokenWith(made, 'web', { grant_type: 'refresh_token', refresh_token }, other)
    expect(response.body).toMatchObject({ token_type: 'DPoP', refresh_token })
    const { access_token } = response.body
    const proof = await prove(other, 'GET', whoami, made.clock.now, { access_token })
    expect((await call(made.app, `DPoP ${access_token}`, proof)).body).toMatchObject({ sub: alice.sub })
  })
})

describe('an API behind requireAccessToken()', () => {
  it('answers 401 without an error code where nothing was sent, and takes no token from the query', async () => {
    const { app } = await protectedHarness()
    const { access_token } = (await token(app, 'web', { grant_type: 'client_credentials' })).body
    for (const path of ['/whoami', `/whoami?access_token=${String(access_token)}`]) {
      const response = await request(app).get(path)
      expect(response.status).toBe(401)
      expect(response.headers['www-authenticate']).toMatch(/^Bearer realm="OAuth", DPoP algs=/)
    }
  })

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer ä',
    'Basic YTpi',
    'Bearer '.padEnd(9000, 'x'),
    'Bearer unknown',
    'Bearer eyJ.eyJ.x'
  ])('answers %.20s… with 401', async authorization => {
    const { app } = await protectedHarness()
    const response = await request(app).get('/whoami').set('Authorization', Buffer.from(authorization).toString('latin1'))
    expect([response.status, response.body.error]).toEqual([401, 'invalid_token'])
  })

  it('asks for its scope with 403, and refuses tokens for other resources', async () => {
    const { app } = await protectedHarness()
    const with_ = async (form: Form) => {
      const { access_token } = (await token(app, 'web', { grant_type: 'client_credentials', ...form })).body
      return request(app)
        .get('/writing')
        .set('Authorization', `Bearer ${String(access_token)}`)
    }
    expect((await with_({ scope: 'api:write', resource: api })).status).toBe(200)
    expect((await with_({ scope: 'api:write' })).status).toBe(200)
    expect((await with_({ scope: 'api:read', resource: api })).status).toBe(403)
    expect((await with_({ resource: files })).status).toBe(401)
  })

  it('refuses the token of a code that was used twice', async () => {
    const { app } = await protectedHarness()
    const { code = '' } = redirected(await authorize(app, { resource: api }))
    const form = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
    const { access_token } = (await token(app, 'web', form)).body
    expect((await call(app, `Bearer ${access_token}`)).status).toBe(200)
    await token(app, 'web', form)
    expect((await call(app, `Bearer ${access_token}`)).status).toBe(401)
  })

  it('is not built with wrong options', async () => {
    const { server } = await protectedHarness()
    expect(() => server.requireAccessToken({ origins: ['https://api.example.com/path'] })).toThrow('origins[0] must be an origin')
    expect(() => server.requireAccessToken({ scopes: ['a'] } as object)).toThrow(
      'scopes is not a known option; did you mean scope?'
    )
  })
})
