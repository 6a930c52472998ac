/** `profile: 'fapi2-security'` with clients that are found by a function: nothing they registered, or left out, weakens a rule. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import type { Express } from 'express'
import { exportJWK, importJWK, type CryptoKey } from 'jose'
import request, { type Response } from 'supertest'
import { type AuthorizationServerOptions, type ClientMetadata } from '../lib/index.ts'
import { callback, code_verifier, harness, issuer, redirected, type Form } from './support/servers/authorization-server.ts'
import { form, open, par, type Change } from './support/servers/pushed-requests.ts'
import { dpopProof, makeSigner, now, requestClaims, signRequest, type Signer } from './support/servers/signed-requests.ts'
import { serverKeys } from './support/keys/made-keys.ts'

const client_id = 'signer'
const tokenPath = '/oauth2/token'
const client_credentials = { grant_type: 'client_credentials' }

let ps256: Signer
/** The same key, used for the algorithm FAPI does not name. */
let rs256: Signer
let dpopKey: Signer
let keys: AuthorizationServerOptions['keys']

beforeAll(async () => {
  ps256 = await makeSigner('PS256', 'rsa')
  rs256 = { ...ps256, alg: 'RS256', privateKey: (await importJWK(await exportJWK(ps256.privateKey), 'RS256')) as CryptoKey }
  dpopKey = await makeSigner('ES256', 'dpop')
  keys = await serverKeys(['PS256', 'ES256'])
})

/** The server, and one client that registered its key, and of algorithms and bound tokens only what is given. */
async function start(more: Partial<ClientMetadata> = {}, profile: 'fapi2-security' | 'oauth2' = 'fapi2-security') {
  const registered: ClientMetadata = {
    client_id,
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirect_uris: [callback],
    jwks: { keys: [ps256.jwk] },
    ...more
  }
  return (await harness({ profile, keys, clients: id => (id === client_id ? registered : undefined) })).app
}

/** A request with a client assertion: a good one, or changed as given. */
async function send(app: Express, path: string, fields: string | Form, claims: object = {}, headers: Form = {}) {
  const assertion = { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 60, ...claims }
  const body = new URLSearchParams(fields)
  body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
  body.set('client_assertion', await signRequest(ps256, assertion, { typ: 'JWT' }))
  return request(app).post(path).set(headers).type('application/x-www-form-urlencoded').send(body.toString())
}

async function sendWithProof(app: Express, fields: Form, claims?: object): Promise<Response> {
  const { proof } = await dpopProof(dpopKey, `${issuer}${tokenPath}`)
  return send(app, tokenPath, fields, claims, { DPoP: proof })
}

const push = (app: Express, change: Change = {}) => send(app, par, form(change))

async function codeGrant(app: Express): Promise<Form> {
  const { request_uri } = (await push(app, { scope: 'openid offline_access api:read' })).body as { request_uri: string }
  const { code = '' } = redirected(await open(app, request_uri, { client_id }))
  return { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
}

async function refreshGrant(app: Express): Promise<Form> {
  const { refresh_token } = (await sendWithProof(app, await codeGrant(app))).body as { refresh_token: string }
  return { grant_type: 'refresh_token', refresh_token }
}

function expectRefused(response: Response, status: number, error: string) {
  expect([response.status, response.body]).toEqual([status, { error, error_description: expect.any(String) }])
}

describe('F2: a client that registered no bound tokens', () => {
  it.each<[string, (app: Express) => Form | Promise<Form>]>([
    ['client_credentials', () => client_credentials],
    ['authorization_code', codeGrant],
    ['refresh_token', refreshGrant]
  ])('gets none by %s without a proof, and bound ones with it', async (_, grant) => {
    const app = await start()
    const fields = await grant(app)
    expectRefused(await send(app, tokenPath, fields), 400, 'invalid_request')
    const response = await sendWithProof(app, fields)
    expect([response.status, response.body]).toEqual([200, expect.objectContaining({ token_type: 'DPoP' })])
  })

  it('and said so gets none either', async () => {
    const app = await start({ dpop_bound_access_tokens: false, tls_client_certificate_bound_access_tokens: false })
    expectRefused(await send(app, tokenPath, client_credentials), 400, 'invalid_request')
  })

  it('gets a bearer token without the profile', async () => {
    const response = await send(await start({}, 'oauth2'), tokenPath, client_credentials)
    expect([response.status, response.body]).toEqual([200, expect.objectContaining({ token_type: 'Bearer' })])
  })
})

describe('F3: the audience of an assertion', () => {
  const wrong: readonly [string, unknown][] = [
    ['a list of the issuer alone', [issuer]],
    ['the token endpoint', `${issuer}${tokenPath}`],
    ['the issuer and the token endpoint', [issuer, `${issuer}${tokenPath}`]]
  ]

  it.each((['issuer', 'report', 'legacy'] as const).flatMap(dial => wrong.map(([name, aud]) => ({ dial, name, aud }))))(
    'may not be $name (assertion_audience: $dial)',
    async ({ dial, aud }) => {
      const app = await start({ assertion_audience: dial })
      expectRefused(await sendWithProof(app, client_credentials, { aud }), 401, 'invalid_client')
      expectRefused(await send(app, par, form(), { aud }), 401, 'invalid_client')
      expect((await sendWithProof(app, client_credentials)).status).toBe(200)
    }
  )
})

describe('F9, P3: PKCE of a confidential client', () => {
  it.each<[string, Change]>([
    ['left out', { code_challenge: undefined, code_challenge_method: undefined }],
    ['plain', { code_challenge: code_verifier, code_challenge_method: 'plain' }],
    ['plain by default', { code_challenge: code_verifier, code_challenge_method: undefined }]
  ])('%s is refused when the request is pushed', async (_, change) => {
    const app = await start()
    expectRefused(await push(app, change), 400, 'invalid_request')
    expect((await push(app)).status).toBe(201)
  })

  it('may be left out without the profile', async () => {
    const change = { code_challenge: undefined, code_challenge_method: undefined }
    expect((await push(await start({}, 'oauth2'), change)).status).toBe(201)
  })
})

describe('an RS256 request object', () => {
  const pushObject = async (app: Express, signer: Signer) =>
    send(app, par, { request: await signRequest(signer, requestClaims()) })

  it.each<[string, Partial<ClientMetadata>]>([
    ['no algorithm', {}],
    ['that very algorithm', { request_object_signing_alg: 'RS256' }]
  ])('is refused where the client registered %s', async (_, more) => {
    expectRefused(await pushObject(await start(more), rs256), 400, 'invalid_request_object')
  })

  it('would be taken without the profile, and signed PS256 with the same key also with it', async () => {
    expect((await pushObject(await start({}, 'oauth2'), rs256)).status).toBe(201)
    expect((await pushObject(await start(), ps256)).status).toBe(201)
  })
})
