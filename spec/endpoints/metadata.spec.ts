import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import request from 'supertest'
import { authorizationCode, clientCredentials, ClientSecretBasicStrategy, NoneStrategy, refreshToken } from '../../lib/index.ts'
import { harness, issuer, registeredFor, specKeys, token } from '../support/servers/authorization-server.ts'

/** Registered at IANA, "OAuth Authorization Server Metadata", or by OpenID Connect Discovery. */
const registered = [
  'issuer',
  'authorization_endpoint',
  'token_endpoint',
  'jwks_uri',
  'userinfo_endpoint',
  'mtls_endpoint_aliases',
  'scopes_supported',
  'response_types_supported',
  'response_modes_supported',
  'grant_types_supported',
  'token_endpoint_auth_methods_supported',
  'token_endpoint_auth_signing_alg_values_supported',
  'tls_client_certificate_bound_access_tokens',
  'dpop_signing_alg_values_supported',
  'code_challenge_methods_supported',
  'subject_types_supported',
  'id_token_signing_alg_values_supported',
  'claims_supported',
  'claims_parameter_supported',
  'request_parameter_supported',
  'request_uri_parameter_supported',
  'authorization_response_iss_parameter_supported',
  'pushed_authorization_request_endpoint',
  'require_pushed_authorization_requests',
  'request_object_signing_alg_values_supported',
  'require_signed_request_object',
  'authorization_signing_alg_values_supported',
  'authorization_details_types_supported',
  'userinfo_signing_alg_values_supported',
  'introspection_endpoint',
  'introspection_endpoint_auth_methods_supported',
  'introspection_endpoint_auth_signing_alg_values_supported',
  'introspection_signing_alg_values_supported',
  'revocation_endpoint',
  'revocation_endpoint_auth_methods_supported',
  'revocation_endpoint_auth_signing_alg_values_supported',
  'acr_values_supported'
]

const rfc8414 = '/.well-known/oauth-authorization-server'
const openid = '/.well-known/openid-configuration'
const read = async (app: Express, path = rfc8414) => (await request(app).get(path)).body as Record<string, unknown>

describe('metadata', () => {
  it('says what is mounted, in registered members, alike at both addresses', async () => {
    const { app } = await harness()
    const document = await read(app)
    expect(document).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/oauth2/authorize`,
      token_endpoint: `${issuer}/oauth2/token`,
      userinfo_endpoint: `${issuer}/oauth2/userinfo`,
      jwks_uri: `${issuer}/oauth2/jwks`,
      scopes_supported: [
        'openid',
        'profile',
        'email',
        'address',
        'phone',
        'offline_access',
        'api:read',
        'api:write',
        'files:read'
      ],
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'],
      grant_types_supported: ['authorization_code', 'client_credentials', 'refresh_token'],
      token_endpoint_auth_methods_supported: [
        'client_secret_basic',
        'client_secret_post',
        'client_secret_jwt',
        'private_key_jwt',
        'none'
      ],
      code_challenge_methods_supported: ['S256'],
      subject_types_supported: ['public'],
      authorization_response_iss_parameter_supported: true
    })
    expect(Object.keys(document).filter(name => !registered.includes(name))).toEqual([])
    expect(await read(app, openid)).toEqual(document)
  })

  it('names what can sign, and no none', async () => {
    const { app } = await harness()
    const document = await read(app)
    expect([...(document['id_token_signing_alg_values_supported'] as string[])].sort()).toEqual([
      'ES256',
      'Ed25519',
      'EdDSA',
      'PS256',
      'RS256'
    ])
    for (const what of ['userinfo', 'authorization'])
      expect(document[`${what}_signing_alg_values_supported`]).toEqual(document['id_token_signing_alg_values_supported'])
    expect(document['token_endpoint_auth_signing_alg_values_supported']).toEqual(
      expect.arrayContaining(['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'])
    )
    expect(JSON.stringify(document)).not.toContain('"none","')
    expect(document).not.toHaveProperty('mtls_endpoint_aliases')
    expect(document).not.toHaveProperty('tls_client_certificate_bound_access_tokens')
  })

  it('follows the lists of strategies and token issuers', async () => {
    const some = registeredFor(['refresh_token', 'authorization_code']).filter(
      ({ token_endpoint_auth_method: method }) => method !== 'client_secret_post'
    )
    const { app } = await harness({
      clients: some,
      strategies: [new NoneStrategy({ clients: some }), new ClientSecretBasicStrategy({ clients: some })],
      tokenIssuers: [
        refreshToken(),
        authorizationCode(),
        { grant_type: 'urn:example:voucher', issue: () => Promise.reject(new Error('no')) }
      ]
    })
    const document = await read(app)
    expect(document).toMatchObject({
      grant_types_supported: ['refresh_token', 'authorization_code', 'urn:example:voucher'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic']
    })
    expect(document).not.toHaveProperty('token_endpoint_auth_signing_alg_values_supported')
  })

  it('has no authorization endpoint where no code could be redeemed, and there is none', async () => {
    const { app } = await harness({ tokenIssuers: [clientCredentials()], scopes: [], resources: [] })
    const document = await read(app)
    for (const name of [
      'authorization_endpoint',
      'code_challenge_methods_supported',
      'response_modes_supported',
      'scopes_supported'
    ])
      expect(document).not.toHaveProperty(name)
    expect(document['response_types_supported']).toEqual([])
    expect((await request(app).get('/oauth2/authorize?client_id=web')).status).toBe(404)
    expect((await token(app, 'narrow', { grant_type: 'client_credentials' })).status).toBe(200)
  })

  it('names the certificate methods and the other listener where there is one', async () => {
    const { app } = await harness({ mtlsOrigin: 'https://as.example.com:8443' })
    const document = await read(app)
    expect(document['token_endpoint_auth_methods_supported']).toEqual(
      expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth'])
    )
    expect(document).toMatchObject({
      tls_client_certificate_bound_access_tokens: true,
      mtls_endpoint_aliases: {
        token_endpoint: 'https://as.example.com:8443/oauth2/token',
        userinfo_endpoint: 'https://as.example.com:8443/oauth2/userinfo'
      }
    })
    expect(document['mtls_endpoint_aliases']).not.toHaveProperty('authorization_endpoint')
    for (const name of Object.keys(document['mtls_endpoint_aliases'] as object)) expect(document).toHaveProperty(name)
  })

  it('stands where RFC 8414 §3.1 and OpenID Connect Discovery §4 put it for an issuer with a path, and either way round', async () => {
    const { app } = await harness({ issuer: `${issuer}/acme/banking` })
    for (const path of [rfc8414, openid].flatMap(name => [`${name}/acme/banking`, `/acme/banking${name}`])) {
      expect(await read(app, path)).toMatchObject({
        issuer: `${issuer}/acme/banking`,
        token_endpoint: `${issuer}/acme/banking/oauth2/token`,
        jwks_uri: `${issuer}/acme/banking/oauth2/jwks`
      })
    }
    for (const path of [rfc8414, openid, `/acme${rfc8414}/banking`, `${openid}/acme`, '/oauth2/token', '/acme/oauth2/token'])
      expect((await request(app).get(path)).status).toBe(404)
  })

  it.each([rfc8414, openid, '/oauth2/jwks'])('%s may be read from anywhere, by GET and HEAD', async path => {
    const { app } = await harness()
    const response = await request(app).get(`${path}?x=1`).set('Origin', 'https://elsewhere.example')
    expect(response.status).toBe(200)
    expect(response.headers).toMatchObject({ 'access-control-allow-origin': '*', 'content-type': 'application/json' })
    expect(response.headers).not.toHaveProperty('access-control-allow-credentials')
    expect((await request(app).head(path)).status).toBe(200)
    for (const method of ['post', 'put', 'delete'] as const) {
      const refused = await request(app)[method](path)
      expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD'])
    }
  })

  it.each([rfc8414, openid, '/oauth2/jwks'])('%s answers what a browser asks before it reads it', async path => {
    const { app } = await harness()
    const response = await request(app)
      .options(path)
      .set('Origin', 'https://elsewhere.example')
      .set('Access-Control-Request-Method', 'GET')
      .set('Access-Control-Request-Headers', 'mcp-protocol-version')
    expect([response.status, response.text]).toEqual([204, ''])
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD',
      'access-control-allow-headers': '*'
    })
    expect(response.headers).not.toHaveProperty('access-control-allow-credentials')
  })

  it('is readable cross-origin where nothing else is', async () => {
    const { app } = await harness()
    for (const path of ['/oauth2/authorize?client_id=web', '/oauth2/authorize'])
      expect((await request(app).get(path).set('Origin', 'https://elsewhere.example')).headers).not.toHaveProperty(
        'access-control-allow-origin'
      )
  })

  it.each([
    { Host: 'evil.example' },
    { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http', Forwarded: 'host=evil.example' },
    { Host: '' }
  ])('is the same whatever the request says of the host: %o', async headers => {
    const { app } = await harness()
    app.set('trust proxy', true)
    const document = await read(app)
    for (const path of [rfc8414, openid]) expect((await request(app).get(path).set(headers)).body).toEqual(document)
  })
})

describe('the published keys', () => {
  it('are the public ones, each with one alg', async () => {
    const { app } = await harness()
    const { keys } = (await request(app).get('/oauth2/jwks')).body as { keys: Record<string, string>[] }
    expect(keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'])
    for (const key of keys) {
      expect(key).toMatchObject({ kid: expect.any(String), use: 'sig', kty: expect.stringMatching(/^(?:RSA|EC|OKP)$/) })
      for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(name)
    }
    const secret = (await specKeys()).keys.map(({ d, k }) => d ?? k ?? '')
    for (const value of secret) expect(JSON.stringify(keys)).not.toContain(value)
  })
})
