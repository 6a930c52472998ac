import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import request, { type Response } from 'supertest'
import { authorizeByPost, callback, harness, issuer, redirected, token } from '../support/servers/authorization-server.ts'
import { expectPage, open, par } from '../support/servers/pushed-requests.ts'
import { makeSigner, now, requestClaims, signingClients, signRequest, type Signer } from '../support/servers/signed-requests.ts'

const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'ES384']
const signers = new Map<string, Signer>()
let stranger: Signer

beforeAll(async () => {
  for (const alg of algorithms) signers.set(alg, await makeSigner(alg, `key for ${alg}`))
  stranger = await makeSigner('ES256', 'key for ES256')
})

const key = (alg = 'ES256'): Signer => signers.get(alg) ?? stranger
const start = (options: object = {}, change: object = {}) =>
  harness({ clients: signingClients([...signers.values()], change), ...options })

const authorize = (app: Express, query: Readonly<Record<string, string>>) =>
  request(app).get(`/oauth2/authorize?${new URLSearchParams({ client_id: 'signer', ...query }).toString()}`)
const push = (app: Express, form: Readonly<Record<string, string>>, client_id = 'signer') => token(app, client_id, form, par)

function expectRefusedPush(response: Response, error = 'invalid_request_object') {
  expect([response.status, response.body]).toEqual([400, { error, error_description: expect.any(String) }])
}

describe('a signed request object', () => {
  it.each(['RS256', 'PS256', 'ES256', 'EdDSA', 'ES384'])('signed %s is taken, by value and pushed', async alg => {
    const { app } = await start()
    const object = await signRequest(key(alg))
    expect(redirected(await authorize(app, { request: object }))).toEqual({
      code: expect.any(String),
      state: 'inside',
      iss: issuer
    })
    const response = await push(app, { request: object })
    expect(response.status).toBe(201)
    const { request_uri } = response.body as { request_uri: string }
    expect(redirected(await open(app, request_uri, { client_id: 'signer' }))).toMatchObject({ state: 'inside' })
  })

  it.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
    ['without typ', {}, { typ: undefined }],
    ['with typ JWT', {}, { typ: 'JWT' }],
    ['with a typ of media type', {}, { typ: 'application/OAuth-Authz-Req+JWT' }],
    ['without kid', {}, { kid: undefined }],
    ['for several audiences', { aud: ['https://other.example', issuer] }],
    ['of a clock 8 seconds ahead', { nbf: now + 8, iat: now + 8 }],
    ['without nbf and exp', { nbf: undefined, exp: undefined }],
    ['that lives long', { nbf: now - 90_000, exp: now + 90_000 }],
    ['with claims nobody knows', { extra: { deep: [1] }, other: 1 }],
    ['with JSON in JSON', { claims: { userinfo: { email: null } }, max_age: 3600, resource: ['https://api.example.com'] }]
  ])('%s', async (_, claims, header = {}) => {
    const { app } = await start()
    const object = await signRequest(key(), requestClaims(claims), header)
    // no consent is remembered for claims beyond the scope
    const response = await authorize(app, { request: object })
    expect([303, 200]).toContain(response.status)
    expect((await push(app, { request: object })).status).toBe(201)
  })

  it('is all that counts: what stands beside it is ignored', async () => {
    const { app } = await start()
    const object = await signRequest(key(), requestClaims({ state: undefined }))
    const outside = {
      state: 'outside',
      redirect_uri: callback,
      scope: 'nobody:knows',
      prompt: 'login',
      response_mode: 'fragment'
    }
    expect(redirected(await authorize(app, { request: object, ...outside }))).toEqual({ code: expect.any(String), iss: issuer })
    expect((await push(app, { request: object, redirect_uri: 'https://evil.example/', scope: 'nobody:knows' })).status).toBe(201)
  })

  it('does not lend its absent parameters those beside it', async () => {
    const { app } = await start()
    const object = await signRequest(key(), requestClaims({ redirect_uri: undefined }))
    expectPage(await authorize(app, { request: object, redirect_uri: callback }), 'invalid_request')
    expectRefusedPush(await push(app, { request: object, redirect_uri: callback }), 'invalid_request')
    const elsewhere = await signRequest(key(), requestClaims({ redirect_uri: 'https://evil.example/' }))
    expectPage(await authorize(app, { request: elsewhere, redirect_uri: callback }), 'invalid_request')
  })

  it('stands beside the credentials of the endpoint it is pushed to', async () => {
    const { app } = await start()
    const object = await signRequest(key())
    expect((await push(app, { request: object, client_id: 'signer' })).status).toBe(201)
    expectRefusedPush(await push(app, { request: object, request_uri: 'urn:x' }), 'invalid_request')
  })
})

const bad: readonly [string, Record<string, unknown>, Record<string, unknown>?][] = [
  ['of another iss', { iss: 'web' }],
  ['without iss', { iss: undefined }],
  ['of another client_id', { client_id: 'web' }],
  ['without client_id', { client_id: undefined }],
  ['with the client as sub', { sub: 'signer' }],
  ['for another audience', { aud: 'https://other.example' }],
  ['for the token endpoint', { aud: `${issuer}/oauth2/token` }],
  ['without aud', { aud: undefined }],
  ['that has expired', { exp: now - 3600 }],
  ['whose exp is text', { exp: '1800000300' }],
  ['that is not valid yet', { nbf: now + 62 }],
  ['with a request inside', { request: 'x' }],
  ['with a request_uri inside', { request_uri: 'urn:x' }],
  ['with a number for a state', { state: 1 }],
  ['with a list for a scope', { scope: ['openid'] }],
  ['with a control character', { state: 'a\u0000b' }],
  ['with max_age as a fraction', { max_age: 1.5 }],
  ['with the typ of a client assertion', {}, { typ: 'client-authentication+jwt' }],
  ['with the typ of an access token', {}, { typ: 'at+jwt' }],
  ['with crit', {}, { crit: ['exp'] }],
  ['with another kid', {}, { kid: 'nobody' }]
]

describe('a request object is refused', () => {
  it.each(bad)('%s', async (_, claims, header = {}) => {
    const { app } = await start()
    const object = await signRequest(key(), requestClaims(claims), header).catch(() => '')
    // what no library signs is put together by hand
    const sent =
      object === '' ? `${Buffer.from(JSON.stringify({ alg: 'ES256', ...header })).toString('base64url')}.e30.AAAA` : object
    expectPage(await authorize(app, { request: sent }), 'invalid_request_object')
    const answer = redirected(await authorize(app, { request: sent, redirect_uri: callback, state: 's' }))
    expect(answer).toEqual({ error: 'invalid_request_object', error_description: expect.any(String), state: 's', iss: issuer })
    expectRefusedPush(await push(app, { request: sent }))
  })

  it.each<[string, () => Promise<string> | string]>([
    [
      'that is unsigned',
      () =>
        `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(requestClaims())).toString('base64url')}.`
    ],
    ['signed with somebody else’s key', () => signRequest(stranger)],
    ['whose signature is broken', async () => (await signRequest(key())).replace(/.{8}$/, 'AAAAAAAA')],
    [
      'changed after it was signed',
      async () =>
        (await signRequest(key())).replace(
          /\.[^.]+\./,
          `.${Buffer.from(JSON.stringify(requestClaims({ state: 'changed' }))).toString('base64url')}.`
        )
    ],
    ['that is no JWT', () => 'x'],
    ['that is encrypted', () => 'e30.a.a.a.a'],
    ['that is a list', () => signRequest(key(), [])],
    ['that is too long', () => signRequest(key(), requestClaims({ extra: 'x'.repeat(13_000) }))]
  ])('%s', async (_, make) => {
    const { app } = await start()
    const object = await make()
    const posted = await authorizeByPost(app, new URLSearchParams({ client_id: 'signer', request: object }).toString())
    expectPage(posted, 'invalid_request_object')
    expectRefusedPush(await push(app, { request: object }))
  })

  it('of another client than the one that authenticates, or asks', async () => {
    const { app } = await start()
    const object = await signRequest(key())
    expectRefusedPush(await push(app, { request: object }, 'web'))
    expectPage(await authorize(app, { request: object, client_id: 'web' }), 'invalid_request_object')
    expectPage(await authorize(app, { request: object, client_id: 'strict' }), 'invalid_request_object')
  })

  it('signed with another algorithm than the client registered', async () => {
    const { app } = await start({}, { request_object_signing_alg: 'PS256' })
    expectRefusedPush(await push(app, { request: await signRequest(key('RS256')) }))
    expect((await push(app, { request: await signRequest(key('PS256')) })).status).toBe(201)
    // nobody is let in who was promised that unsigned ones are taken
    await expect(start({}, { request_object_signing_alg: 'none' })).rejects.toThrow(/request_object_signing_alg must be one of/)
  })

  it('sent twice, or together with a request_uri', async () => {
    const { app } = await start()
    const object = await signRequest(key())
    const twice = new URLSearchParams([
      ['client_id', 'signer'],
      ['request', object],
      ['request', object]
    ])
    expectPage(await request(app).get(`/oauth2/authorize?${twice.toString()}`), 'invalid_request')
    expectPage(await authorize(app, { request: object, request_uri: 'urn:x' }), 'invalid_request')
  })
})

describe('a client that has to sign', () => {
  const claims = (change: object = {}) => requestClaims({ iss: 'strict', client_id: 'strict', ...change })

  it.each<[string, object, number]>([
    ['a minute', {}, 201],
    ['an hour from nbf to exp', { exp: now + 3600 }, 201],
    ['nbf an hour ago', { nbf: now - 3590, exp: now + 5 }, 201],
    ['no exp', { exp: undefined }, 400],
    ['no nbf', { nbf: undefined }, 400],
    ['exp 70 minutes ahead', { exp: now + 4200 }, 400],
    ['nbf 70 minutes ago', { nbf: now - 4200 }, 400],
    ['more than an hour from nbf to exp', { nbf: now - 60, exp: now + 3560 }, 400]
  ])('%s: %s', async (_, change, status) => {
    const { app } = await start()
    const response = await push(app, { request: await signRequest(key('PS256'), claims(change)) }, 'strict')
    expect(response.status).toBe(status)
    if (status === 400) expectRefusedPush(response)
  })

  it('is told so: in the answer to a push, and at its redirect URI', async () => {
    const { app } = await start()
    const plain = { redirect_uri: callback, response_type: 'code', state: 's' }
    expectRefusedPush(await push(app, plain, 'strict'), 'invalid_request')
    expect(redirected(await authorize(app, { ...plain, client_id: 'strict' }))).toMatchObject({
      error: 'invalid_request',
      state: 's'
    })
    const all = await start({ requireSignedRequestObject: true })
    expectRefusedPush(await push(all.app, plain, 'web'), 'invalid_request')
  })
})

describe('metadata about request objects', () => {
  it('names what is taken, and that nothing is fetched', async () => {
    const read = async (options: object) =>
      (await request((await start(options)).app).get('/.well-known/openid-configuration')).body as Record<string, unknown>
    const document = await read({ requireSignedRequestObject: true })
    expect(document).toMatchObject({
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
      require_signed_request_object: true
    })
    expect(document['request_object_signing_alg_values_supported']).toEqual(
      expect.arrayContaining(['RS256', 'PS256', 'ES256', 'EdDSA'])
    )
    expect(document['request_object_signing_alg_values_supported']).not.toContain('none')
    expect(await read({})).not.toHaveProperty('require_signed_request_object')
  })
})
