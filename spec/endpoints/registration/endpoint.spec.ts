import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import request from 'supertest'
import { memoryStore } from '../../../lib/index.ts'
import { callback, codeForm, issuer, redirected, type Harness } from '../../support/servers/authorization-server.ts'
import { makeCertificate } from '../../support/certificates/certificates.ts'
import {
  endpoint,
  machine,
  manage,
  recordingStore,
  refusalOf,
  register,
  registrationHarness,
  send,
  storeWith,
  tokenFor,
  web
} from '../../support/servers/registration.ts'

let server: Harness
let app: Express
let keys: { readonly privateKey: CryptoKey; readonly jwk: JWK }
beforeAll(async () => {
  server = await registrationHarness()
  ;({ app } = server)
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  keys = { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: 'k1', use: 'sig' } }
})

describe('POST to the registration endpoint', () => {
  it('answers 201 with everything that was registered, the defaults too, and lets no cache keep it', async () => {
    const response = await send(app, web)
    expect(response.status).toBe(201)
    expect(response.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache'
    })
    const { client_id } = response.body
    expect(response.body).toEqual({
      client_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      client_id_issued_at: server.clock.now / 1000,
      client_secret: expect.stringMatching(/^[\w-]{43}$/),
      client_secret_expires_at: 0,
      registration_access_token: expect.stringMatching(/^[\w-]{43}$/),
      registration_client_uri: `${issuer}${endpoint}/${client_id}`,
      redirect_uris: [callback],
      application_type: 'web',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'RS256',
      scope: 'openid profile email address phone offline_access api:read api:write files:read'
    })
  })

  it('never takes addresses from the Host header', async () => {
    const response = await send(app, web).set('Host', 'evil.example').set('X-Forwarded-Host', 'evil.example')
    expect(JSON.stringify(response.body)).not.toContain('evil')
  })

  it('lets nobody choose identifier, secret or tokens, and keeps unknown members out', async () => {
    const chosen = {
      client_id: 'https://chosen.example',
      client_secret: 'chosen',
      client_secret_expires_at: 1,
      client_id_issued_at: 1,
      registration_access_token: 'chosen',
      registration_client_uri: 'https://chosen.example',
      assertion_audience: 'legacy',
      id_token_encrypted_response_alg: 'RSA-OAEP',
      something: 'chosen'
    }
    const client = await register(app, { ...web, ...chosen })
    expect(JSON.stringify(client)).not.toMatch(/chosen|legacy|OAEP/)
    expect(Object.keys(client)).not.toEqual(expect.arrayContaining(['assertion_audience']))
  })

  it('keeps what people read, in every language', async () => {
    const described = {
      client_name: 'Example',
      'client_name#de': 'Beispiel',
      'client_name#ja-Jpan-JP': 'クライアント名',
      client_uri: 'https://client.example.com/',
      logo_uri: 'https://client.example.com/logo.png',
      policy_uri: 'https://client.example.com/policy',
      'policy_uri#fr': 'https://client.example.com/politique',
      tos_uri: 'https://client.example.com/tos',
      contacts: ['ops@client.example.com'],
      software_id: '4NRB1-0XZABZI9E6-5SM3R',
      software_version: '2.1'
    }
    expect(await register(app, { ...web, ...described })).toMatchObject(described)
  })

  it('gives every client names of its own', async () => {
    const [a, b] = await Promise.all([register(app), register(app)])
    for (const member of ['client_id', 'client_secret', 'registration_access_token'] as const)
      expect(a[member]).not.toBe(b[member])
  })

  it.each(['get', 'put', 'delete', 'patch'] as const)('refuses %s with 405', async method => {
    const response = await request(app)[method](endpoint)
    expect(refusalOf(response)).toMatchObject({ status: 405, error: 'invalid_request' })
    expect(response.headers['allow']).toBe('POST')
  })

  it('stores neither secrets nor tokens', async () => {
    const { store, written } = recordingStore(memoryStore())
    const recorded = await registrationHarness({}, { store })
    const clients = await Promise.all(
      ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'].map(token_endpoint_auth_method =>
        register(recorded.app, { ...machine, token_endpoint_auth_method })
      )
    )
    expect(written).toHaveLength(3)
    for (const { client_secret, registration_access_token } of clients) {
      expect(written.join()).not.toContain(client_secret)
      expect(written.join()).not.toContain(registration_access_token)
    }
  })

  it('answers 503 while the store is away, and registers nothing', async () => {
    const failing = storeWith(memoryStore(), { add: () => Promise.reject(new Error('down')) })
    const { app } = await registrationHarness({}, { store: failing })
    const response = await send(app, web)
    expect(refusalOf(response)).toMatchObject({ status: 503, error: 'temporarily_unavailable' })
    expect(response.headers['retry-after']).toBeDefined()
  })
})

describe('a registered client', () => {
  it.each(['client_secret_basic', 'client_secret_post'])('authenticates with %s', async token_endpoint_auth_method => {
    const client = await register(app, { ...machine, token_endpoint_auth_method })
    const response = await tokenFor(app, client)
    expect(response.body).toMatchObject({ token_type: 'Bearer', scope: 'api:read' })
    expect((await tokenFor(app, { ...client, client_secret: `${client.client_secret}x` })).status).toBe(401)
    const other = await register(app, { ...machine, token_endpoint_auth_method })
    expect((await tokenFor(app, { ...client, client_secret: other.client_secret })).status).toBe(401)
  })

  it.each(['HS256', 'HS384', 'HS512'])('authenticates with client_secret_jwt by %s', async alg => {
    const method = { token_endpoint_auth_method: 'client_secret_jwt', token_endpoint_auth_signing_alg: alg }
    const client = await register(app, { ...machine, ...method })
    const assertion = await assertionOf(client.client_id, alg, new TextEncoder().encode(client.client_secret))
    expect((await withAssertion(assertion)).body).toMatchObject({ token_type: 'Bearer' })
    const wrong = await assertionOf(client.client_id, alg, new TextEncoder().encode(client.client_secret.replace(/.$/, '')))
    expect((await withAssertion(wrong)).status).toBe(401)
  })

  it('authenticates with private_key_jwt, and gets no secret', async () => {
    const client = await register(app, { ...machine, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [keys.jwk] } })
    expect(client).not.toHaveProperty('client_secret')
    expect(client).not.toHaveProperty('client_secret_expires_at')
    const assertion = await assertionOf(client.client_id, 'ES256', keys.privateKey)
    expect((await withAssertion(assertion)).body).toMatchObject({ token_type: 'Bearer' })
  })

  it('uses the method it registered, and no other', async () => {
    const client = await register(app, { ...machine, token_endpoint_auth_method: 'client_secret_post' })
    expect((await tokenFor(app, { ...client, token_endpoint_auth_method: 'client_secret_basic' })).status).toBe(401)
  })

  it('is public with none, and signs people in', async () => {
    const client = await register(app, { ...web, token_endpoint_auth_method: 'none', scope: 'openid profile' })
    expect(client).not.toHaveProperty('client_secret')
    const form = await codeForm(app, { client_id: client.client_id, scope: 'openid' })
    const response = await tokenFor(app, client, form)
    expect(response.body).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) })
  })

  it('is sent to its own redirect URIs only, and has its own scope only', async () => {
    const client = await register(app, { ...web, scope: 'openid' })
    const ask = (query: Record<string, string>) =>
      request(app)
        .get('/oauth2/authorize')
        .query({
          client_id: client.client_id,
          redirect_uri: callback,
          response_type: 'code',
          scope: 'openid',
          code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
          code_challenge_method: 'S256',
          ...query
        })
    expect(redirected(await ask({}))).toHaveProperty('code')
    expect((await ask({ redirect_uri: `${callback}/x` })).status).toBe(400)
    expect(redirected(await ask({ scope: 'openid api:read' }))).toMatchObject({ error: 'invalid_scope' })
  })

  it('may not use a grant it did not register', async () => {
    const client = await register(app, web)
    const response = await tokenFor(app, client)
    expect(refusalOf(response)).toMatchObject({ status: 400, error: 'unauthorized_client' })
  })

  it('loses its secret when that expires, and can have a new one before', async () => {
    const expiring = await registrationHarness({ clientSecretTtl: 1000 })
    const client = await register(expiring.app, machine)
    expect(client.client_secret_expires_at).toBe(expiring.clock.now / 1000 + 1000)
    const update = { ...machine, client_id: client.client_id }
    expect((await manage(expiring.app, 'put', client, update)).body).not.toHaveProperty('client_secret')
    expiring.clock.now += 600_000
    const renewed = (await manage(expiring.app, 'put', client, update)).body
    expect(renewed.client_secret_expires_at).toBe(expiring.clock.now / 1000 + 1000)
    for (const { client_secret } of [client, renewed])
      expect((await tokenFor(expiring.app, { ...client, client_secret })).status).toBe(200)
    expiring.clock.now += 400_000
    expect((await tokenFor(expiring.app, client)).status).toBe(401)
    expect((await tokenFor(expiring.app, { ...client, client_secret: renewed.client_secret })).status).toBe(200)
  })

  it('with a certificate is registered where connections carry certificates alone', async () => {
    const { app: mutual } = await registrationHarness({}, { certificateMethods: true })
    const { jwk, der } = makeCertificate({ subject: 'self-made' })
    const jwks = { keys: [{ ...jwk, x5c: [der.toString('base64')] }] }
    for (const method of [
      { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=client,O=Example' },
      { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks }
    ]) {
      expect(await register(mutual, { ...machine, ...method })).toMatchObject(method)
      expect(refusalOf(await send(app, { ...machine, ...method }))).toMatchObject({
        status: 400,
        error: 'invalid_client_metadata',
        error_description: expect.stringContaining('token_endpoint_auth_method must be one of client_secret_basic')
      })
    }
  })
})

describe('metadata', () => {
  it('names the endpoint, and its alias where there is a second listener', async () => {
    const { app } = await registrationHarness({}, { mtlsOrigin: 'https://as.example.com:8443' })
    const { body } = await request(app).get('/.well-known/oauth-authorization-server')
    expect(body).toMatchObject({
      registration_endpoint: `${issuer}${endpoint}`,
      mtls_endpoint_aliases: { registration_endpoint: `https://as.example.com:8443${endpoint}` }
    })
  })

  it.each([
    ['no one can register', undefined],
    ['no one can register any more', { access: 'closed' as const }]
  ])('says nothing of it where %s, and neither does the router', async (_, registration) => {
    const { app } = await registrationHarness({}, { registration, mtlsOrigin: 'https://as.example.com:8443' })
    const { body } = await request(app).get('/.well-known/oauth-authorization-server')
    expect(JSON.stringify(body)).not.toContain('regist')
    expect((await send(app, web)).status).toBe(404)
  })
})

const assertionOf = (client_id: string, alg: string, key: CryptoKey | Uint8Array): Promise<string> =>
  new SignJWT()
    .setProtectedHeader({ alg, ...(key instanceof Uint8Array ? {} : { kid: 'k1' }) })
    .setIssuer(client_id)
    .setSubject(client_id)
    .setAudience(issuer)
    .setJti(crypto.randomUUID())
    .setIssuedAt(server.clock.now / 1000)
    .setExpirationTime(server.clock.now / 1000 + 60)
    .sign(key)

const withAssertion = (client_assertion: string) =>
  request(app).post('/oauth2/token').type('application/x-www-form-urlencoded').send({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion
  })
