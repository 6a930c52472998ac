/** What introspection and revocation have in common: a client that authenticates sends `token`, and perhaps a hint. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import express, { json, urlencoded, type Express } from 'express'
import { SignJWT } from 'jose'
import request, { type Response } from 'supertest'
import { memoryStore, type Decision } from '../../lib/index.ts'
import {
  api,
  basic,
  breakableStore,
  clients,
  harness,
  issuer,
  redeemed,
  token,
  type Form
} from '../support/servers/authorization-server.ts'
import { badValues, countingStore, encode, replaced, wrongTypes } from '../support/checks/bad-values.ts'
import { makeSigner, now, type Signer } from '../support/servers/signed-requests.ts'

const form = 'application/x-www-form-urlencoded'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const longSecret = 'a secret of sixty-four bytes, which is enough for every HMAC hash'
const unknown: Form = { token: 'unknown' }

const expectError = (what: string, { status, body, headers, text }: Response, expected: number, error: string) => {
  expect([what, status, body]).toEqual([what, expected, { error, error_description: expect.any(String) }])
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' })
  expect(text).not.toContain('s3cr3t')
}

/** A client of each method that needs no certificate, and the form by which it authenticates at any endpoint. */
function parties({ alg, privateKey, jwk }: Signer) {
  const grant_types = ['client_credentials']
  const secret = new TextEncoder().encode(longSecret)
  const assertion = (client_id: string, signed: string, key: Parameters<SignJWT['sign']>[0], audience: string) =>
    new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: signed, ...(signed === alg && { kid: String(jwk.kid) }) })
      .setIssuer(client_id)
      .setSubject(client_id)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + 60)
      .sign(key)
  const registered = [
    { client_id: 'posts', token_endpoint_auth_method: 'client_secret_post', client_secret: longSecret },
    { client_id: 'macs', token_endpoint_auth_method: 'client_secret_jwt', client_secret: longSecret },
    { client_id: 'signs', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }
  ].map(client => ({ grant_types, ...client }))
  return {
    registered,
    credentials: {
      posts: () => Promise.resolve({ client_id: 'posts', client_secret: longSecret }),
      macs: async (audience: string = issuer) => ({
        client_assertion_type: assertionType,
        client_assertion: await assertion('macs', 'HS256', secret, audience)
      }),
      signs: async (audience: string = issuer) => ({
        client_assertion_type: assertionType,
        client_assertion: await assertion('signs', alg, privateKey, audience)
      })
    }
  }
}

/**
 * @param path the endpoint's.
 * @param expectAnswer that the answer to a good request about a token that is not good is what it must be.
 */
export function describeTokenRequests(path: string, endpoint: string, expectAnswer: (response: Response) => void): void {
  const post = (app: Express, sent: Form | string) =>
    request(app)
      .post(path)
      .type(form)
      .send(typeof sent === 'string' ? sent : encode(sent))
  let signer: Signer
  beforeAll(async () => {
    signer = await makeSigner('ES256', 'its-key')
  })

  describe('a request', () => {
    it.each(['token', 'token_type_hint'])('with a bad %s is invalid_request, and changes nothing', async name => {
      const { store, counted } = countingStore(() => now * 1000)
      const { app, server } = await harness({ store })
      const { access_token } = await redeemed(app)
      const good: Form = { token: access_token, token_type_hint: 'access_token' }
      const changes = counted.changes
      for (const [what, sent] of badValues(name, good[name] ?? ''))
        expectError(what, await token(app, 'web', replaced(good, name, sent), path), 400, 'invalid_request')
      for (const size of [70_000, 1_048_576])
        expectError(
          `${size}`,
          await token(app, 'web', replaced(good, name, `${name}=${'x'.repeat(size)}`), path),
          413,
          'invalid_request'
        )
      expect(counted.changes).toBe(changes)
      expect(await server.verifyAccessToken(access_token)).toBeDefined()
    })

    it('that an application has parsed before is read as strictly', async () => {
      const { app } = await harness({}, express().use(urlencoded({ extended: true }), json()))
      for (const sent of ['token[]=x', 'token[a]=x', 'token=x&token=y', 'token[a][b]=x'])
        expectError(sent, await token(app, 'web', sent, path), 400, 'invalid_request')
      for (const [what, value] of wrongTypes('token')) {
        const response = await request(app).post(path).set('Authorization', basic('web')).send({ token: value })
        expectError(what, response, 415, 'invalid_request')
      }
    })

    it.each(['', 'token=', 'token', 'Token=x', 'access_token=x', 'token_type_hint=access_token', 'token%20=x'])(
      'without a token is invalid_request: %j',
      async sent => {
        const { app } = await harness()
        const response = await token(app, 'web', sent, path)
        expect([response.status, response.body]).toEqual([
          400,
          { error: 'invalid_request', error_description: 'token is missing' }
        ])
      }
    )

    it('is a POST of a form, whatever the token endpoint takes', async () => {
      const { app } = await harness({ jsonBody: true })
      for (const method of ['get', 'put', 'delete', 'patch'] as const) {
        const response = await request(app)[method](path).set('Authorization', basic('web'))
        expectError(method, response, 405, 'invalid_request')
        expect(response.headers['allow']).toBe('POST')
      }
      const good = () => request(app).post(path).set('Authorization', basic('web'))
      expectError('JSON', await good().send({ token: 's3cr3t' }), 415, 'invalid_request')
      expectError('text', await good().type('text').send('token=s3cr3t'), 415, 'invalid_request')
      expectError('another charset', await good().type(`${form}; charset=latin1`).send('token=s3cr3t'), 415, 'invalid_request')
      expectError('in the address', await token(app, 'web', 'a=b', `${path}?token=s3cr3t`), 400, 'invalid_request')
      expectError('too many parameters', await token(app, 'web', `token=x${'&a=b'.repeat(100)}`, path), 400, 'invalid_request')
    })

    it.each(['access_token', 'refresh_token', '', 'id_token', 'urn:example:unknown', '__proto__', 'x'.repeat(60_000)])(
      'may have any hint, which changes nothing: %.20s',
      async token_type_hint => {
        const { app } = await harness()
        expectAnswer(await token(app, 'web', { token: 'unknown', token_type_hint }, path))
      }
    )

    it('may have parameters nobody knows', async () => {
      const { app } = await harness()
      expectAnswer(await token(app, 'web', { token: 'unknown', resource: api, constructor: 'x', grant_type: 'password' }, path))
    })
  })

  describe('a client', () => {
    it('that does not authenticate, or as somebody else, hears what every refused client hears', async () => {
      const { app } = await harness()
      const refused = await Promise.all([
        post(app, unknown),
        post(app, { ...unknown, client_id: 'web' }),
        post(app, { ...unknown, client_id: 'nobody' }),
        post(app, { ...unknown, client_id: 'posting', client_secret: 'wrong' }),
        post(app, { ...unknown, client_id: 'web', client_secret: 'secret of web' }),
        post(app, unknown).set('Authorization', basic('web', 'wrong')),
        post(app, unknown).set('Authorization', basic('nobody')),
        post(app, unknown).set('Authorization', basic('spa', '')),
        post(app, unknown).set('Authorization', `Bearer ${(await redeemed(app)).access_token}`),
        post(app, { ...unknown, client_assertion_type: assertionType, client_assertion: 'e30.e30.' })
      ])
      for (const response of refused) expectError('refused', response, 401, 'invalid_client')
      expect(new Set(refused.map(({ text }) => text)).size).toBe(1)
      expect(refused.map(({ headers }) => headers['www-authenticate'] !== undefined)).toEqual([
        ...Array<boolean>(5).fill(false),
        ...Array<boolean>(4).fill(true),
        false
      ])
    })

    it('that authenticates in two ways at once, or as two clients, is invalid_request', async () => {
      const { app } = await harness()
      for (const more of [
        { client_id: 'web', client_secret: 'secret of web' },
        { client_assertion_type: assertionType, client_assertion: 'e30.e30.' },
        { client_id: 'other' }
      ] as Form[])
        expectError(Object.keys(more).join(), await token(app, 'web', { ...unknown, ...more }, path), 400, 'invalid_request')
    })

    it('may authenticate by every confidential method, each assertion once across endpoints', async () => {
      const decisions: Decision[] = []
      const { registered, credentials } = parties(signer)
      const { app } = await harness({
        clients: [...clients, ...registered],
        onDecision: decision => void decisions.push(decision)
      })
      expectAnswer(await token(app, 'web', unknown, path))
      for (const prove of Object.values(credentials)) {
        const proof = await prove()
        expectAnswer(await post(app, { ...unknown, ...proof }))
        expect(decisions.at(-1)).toMatchObject({ endpoint, outcome: 'authenticated' })
        if (!('client_assertion' in proof)) continue
        expectError('again', await post(app, { ...unknown, ...proof }), 401, 'invalid_client')
        const elsewhere = await request(app)
          .post('/oauth2/token')
          .type(form)
          .send(encode({ grant_type: 'client_credentials', ...proof }))
        expectError('at the token endpoint', elsewhere, 401, 'invalid_client')
      }
    })

    it('addresses its assertions to the issuer, never to this endpoint', async () => {
      const { registered, credentials } = parties(signer)
      const { app } = await harness({ clients: [...clients, ...registered], assertionAudience: 'legacy' })
      for (const prove of [credentials.macs, credentials.signs]) {
        expectAnswer(await post(app, { ...unknown, ...(await prove()) }))
        const misaddressed = { ...unknown, ...(await prove(`${issuer}${path}`)) }
        expectError('the endpoint', await post(app, misaddressed), 401, 'invalid_client')
      }
    })

    it('authenticates by the methods this endpoint is given, and metadata says so', async () => {
      const { registered, credentials } = parties(signer)
      const endpointAuthMethods = { [endpoint]: ['private_key_jwt'] }
      const { app } = await harness({ clients: [...clients, ...registered], endpointAuthMethods })
      expectError('Basic', await token(app, 'web', unknown, path), 401, 'invalid_client')
      expectError('post', await post(app, { ...unknown, ...(await credentials.posts()) }), 401, 'invalid_client')
      expectError('HMAC', await post(app, { ...unknown, ...(await credentials.macs()) }), 401, 'invalid_client')
      expectError('public', await token(app, 'spa', unknown, path), 401, 'invalid_client')
      expectAnswer(await post(app, { ...unknown, ...(await credentials.signs()) }))
      expect((await token(app, 'web', { grant_type: 'client_credentials' })).status).toBe(200)
      const { body } = await request(app).get('/.well-known/oauth-authorization-server')
      expect(body).toMatchObject({
        [`${endpoint}_endpoint`]: `${issuer}${path}`,
        [`${endpoint}_endpoint_auth_methods_supported`]: ['private_key_jwt'],
        [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: expect.not.arrayContaining(['HS256']),
        token_endpoint_auth_methods_supported: expect.arrayContaining(['client_secret_basic', 'none'])
      })
    })

    it('finds the endpoint on the mutual-TLS listener too', async () => {
      const { app } = await harness({ mtlsOrigin: `${issuer}:8443` })
      const { body } = await request(app).get('/.well-known/oauth-authorization-server')
      expect(body).toMatchObject({
        mtls_endpoint_aliases: { [`${endpoint}_endpoint`]: `${issuer}:8443${path}` },
        [`${endpoint}_endpoint_auth_methods_supported`]: expect.arrayContaining(['tls_client_auth'])
      })
    })

    it.each(['rejects', 'throws'] as const)('is told to come back when the store %s', async how => {
      const { store, broken } = breakableStore(memoryStore({ clock: () => now * 1000 }))
      const { app } = await harness({ store })
      const { access_token, refresh_token } = await redeemed(app)
      const jwt = (await redeemed(app, 'web', { resource: api })).access_token
      for (const name of ['get', 'set', 'delete', 'deleteGrant'] as const) broken.set(name, how)
      for (const good of [access_token, refresh_token, jwt]) {
        const response = await token(app, 'web', { token: good }, path)
        expectError('no store', response, 503, 'temporarily_unavailable')
        expect(response.headers['retry-after']).toBe('5')
      }
      broken.clear()
      expect((await token(app, 'web', { token: access_token }, path)).status).toBe(200)
    })
  })
}
