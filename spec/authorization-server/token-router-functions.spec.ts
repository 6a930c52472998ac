/** A token router in an application that has the rest: what its result is good for beside the token endpoint. */
import { describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import * as oauth from 'openid-client'
import request from 'supertest'
import { clientCredentials, memoryStore, tokenRouter, type CodeRequest, type TokenRouterOptions } from '../../lib/index.ts'
import {
  api,
  atApi,
  basic,
  callback,
  clients,
  code_challenge,
  code_verifier,
  issuer,
  listening,
  redirected,
  registeredFor,
  specKeys,
  token
} from '../support/servers/authorization-server.ts'

const keys = await specKeys()
const account = { sub: 'alice', auth_time: 1_800_000_000 }

function appWith(options: Partial<TokenRouterOptions> = {}) {
  const errors: unknown[] = []
  const router = tokenRouter({
    issuer,
    clients,
    keys,
    store: memoryStore(),
    scopes: ['openid', 'offline_access', 'api:read'],
    resources: [{ resource: api }],
    guessProtection: false,
    onError: error => errors.push(error),
    ...options
  })
  const app = express().use('/oauth2', router)
  app.get('/oauth2/jwks', router.jwks).get('/.well-known/oauth-authorization-server', router.metadata)
  app.all('/oauth2/introspect', router.introspection).all('/oauth2/revoke', router.revocation)
  app.get('/any-api', router.requireAccessToken({ scope: ['api:read'] }), (req, res) => void res.json(req.accessToken))
  return { app, router, errors }
}

const asking = (app: Express, path: string, parameters: object) =>
  request(app).post(path).set('Authorization', basic('web')).type('form').send(parameters)

describe('what a token router returns', () => {
  it('checks, describes and ends the tokens it issued', async () => {
    const { app, router } = appWith()
    const { access_token } = (await token(app, 'web', { grant_type: 'client_credentials', scope: 'api:read' })).body
    await atApi(app, access_token).expect(200)
    expect(await router.verifyAccessToken(access_token)).toMatchObject({ client_id: 'web', scope: ['api:read'] })
    const { body: active } = await asking(app, '/oauth2/introspect', { token: access_token }).expect(200)
    expect(active).toMatchObject({ active: true, client_id: 'web', iss: issuer })
    await asking(app, '/oauth2/revoke', { token: access_token }).expect(200)
    expect((await asking(app, '/oauth2/introspect', { token: access_token })).body).toEqual({ active: false })
    expect(await router.verifyAccessToken(access_token)).toBeUndefined()
    await atApi(app, access_token).expect(401)
  })

  it('publishes keys and metadata of what is there, and of nothing else', async () => {
    const { app } = appWith({ tokenIssuers: [clientCredentials()], clients: registeredFor(['client_credentials']) })
    const { body: jwks } = await request(app).get('/oauth2/jwks').expect(200)
    expect(jwks.keys.length).toBeGreaterThan(0)
    const { body } = await request(app).get('/.well-known/oauth-authorization-server').expect(200)
    expect(body).toMatchObject({
      issuer,
      token_endpoint: `${issuer}/oauth2/token`,
      jwks_uri: `${issuer}/oauth2/jwks`,
      introspection_endpoint: `${issuer}/oauth2/introspect`,
      revocation_endpoint: `${issuer}/oauth2/revoke`,
      grant_types_supported: ['client_credentials'],
      response_types_supported: []
    })
    expect(Object.keys(body)).not.toContain('authorization_endpoint')
    expect(Object.keys(body)).not.toContain('userinfo_endpoint')
  })

  it('names the endpoints where `paths` and `tokenEndpoints` say they are', async () => {
    const tokenEndpoints = ['https://tokens.example.com/token']
    const { app } = appWith({ paths: { authorization: '/authorize', jwks: '/keys' }, tokenEndpoints })
    expect((await request(app).get('/.well-known/oauth-authorization-server')).body).toMatchObject({
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: tokenEndpoints[0],
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ['code'],
      authorization_response_iss_parameter_supported: true
    })
  })

  it('answers what is refused as RFC 6749 §5.2 says, wherever a handler is mounted', async () => {
    const { app, errors } = appWith()
    const refused = await request(app).post('/oauth2/introspect').set('Authorization', basic('web', 'wrong')).expect(401)
    expect(refused.body).toEqual({ error: 'invalid_client', error_description: 'client authentication failed' })
    expect((await request(app).get('/oauth2/revoke')).status).toBe(405)
    expect((await request(app).post('/oauth2/jwks')).status).toBe(404)
    expect(errors).toHaveLength(2)
  })
})

describe('codes for an authorization page of one’s own', () => {
  const good: CodeRequest = {
    client_id: 'web',
    redirect_uri: callback,
    account,
    scope: ['openid', 'api:read'],
    state: 'a state',
    code_challenge,
    nonce: 'a nonce'
  }
  const form = (code: string) => ({ grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier })

  it('are answers a certified client takes, and good for the tokens that were agreed to', async () => {
    const app = express()
    await listening(app, async address => {
      const { router } = appWith({ issuer: address, paths: { authorization: '/sign-in' } })
      app.use('/oauth2', router).get('/oauth2/jwks', router.jwks)
      app.get('/.well-known/oauth-authorization-server', router.metadata)
      app.get('/sign-in', async ({ query }, res) => {
        const { client_id, redirect_uri, scope, state, nonce, code_challenge } = query as Record<string, string>
        const asked = { client_id, redirect_uri, state, nonce, code_challenge, scope: scope?.split(' ') } as CodeRequest
        res.redirect(303, (await router.issueCode({ ...asked, account })).redirect_to)
      })
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- the server is on this machine
      const options = { execute: [oauth.allowInsecureRequests], algorithm: 'oauth2' as const }
      const config = await oauth.discovery(
        new URL(address),
        'web',
        'secret of web',
        oauth.ClientSecretBasic('secret of web'),
        options
      )
      const sent = {
        redirect_uri: callback,
        scope: 'openid api:read',
        state: 'one',
        nonce: 'two',
        code_challenge,
        code_challenge_method: 'S256'
      }
      const response = await fetch(oauth.buildAuthorizationUrl(config, sent), { redirect: 'manual' })
      const checks = { pkceCodeVerifier: code_verifier, expectedState: 'one', expectedNonce: 'two' }
      const tokens = await oauth.authorizationCodeGrant(config, new URL(response.headers.get('location') ?? ''), checks)
      expect([tokens.claims()?.sub, tokens.scope]).toEqual(['alice', 'openid api:read'])
    })
  })

  it('lead where the client is registered, with state and iss', async () => {
    const { app, router } = appWith()
    const { code, redirect_to } = await router.issueCode(good)
    expect(redirect_to.startsWith(`${callback}?`)).toBe(true)
    expect(redirected({ status: 303, headers: { location: redirect_to } })).toEqual({ code, state: 'a state', iss: issuer })
    expect((await token(app, 'other', form(code))).status).toBe(400)
    expect((await token(app, 'web', form(code))).body).toMatchObject({ scope: 'openid api:read', id_token: expect.any(String) })
    expect((await token(app, 'web', form(code))).body.error).toBe('invalid_grant')
  })

  it.each<[string, Partial<CodeRequest>, object]>([
    ['a client nobody knows', { client_id: 'nobody' }, { error: 'invalid_request', message: 'this client is not known here' }],
    [
      'a redirect URI of another',
      { redirect_uri: 'https://evil.example/cb' },
      { error: 'invalid_request', reason: expect.stringContaining(callback) }
    ],
    ['a client without the grant', { client_id: 'narrow' }, { error: 'unauthorized_client' }],
    ['a scope value it may not have', { scope: ['api:write'] }, { error: 'invalid_scope' }],
    ['a resource there is not', { resources: ['https://nowhere.example'] }, { error: 'invalid_target' }],
    [
      'no challenge of a public client',
      { client_id: 'spa', code_challenge: undefined },
      { error: 'invalid_request', message: expect.stringContaining('PKCE') }
    ],
    ['a challenge that is none', { code_challenge: 'plain' }, { error: 'invalid_request' }],
    ['a key that is none', { dpop_jkt: 'key' }, { error: 'invalid_request' }],
    ['a state of megabytes', { state: 'x'.repeat(10_000) }, { error: 'invalid_request' }],
    ['claims of megabytes', { claims: { id_token: Array(1000).fill('name of a claim') } }, { error: 'invalid_request' }],
    ['no person', { account: undefined as never }, { key: 'account.sub' }],
    ['a person without a name', { account: { ...account, sub: '' } }, { key: 'account.sub' }],
    ['a sign-in without a time', { account: { sub: 'alice' } as never }, { key: 'account.auth_time' }]
  ])('are not issued for %s', async (_name, change, refusal) => {
    const { router } = appWith()
    await expect(router.issueCode({ ...good, ...change })).rejects.toMatchObject(refusal)
  })

  it('are not issued by a router that takes none, or while clients cannot be looked up', async () => {
    const without = appWith({ tokenIssuers: [clientCredentials()], clients: registeredFor(['client_credentials']) })
    await expect(without.router.issueCode(good)).rejects.toMatchObject({ name: 'ConfigurationError', key: 'tokenIssuers' })
    const down = appWith({ clients: () => Promise.reject(new Error('ECONNREFUSED')) })
    await expect(down.router.issueCode(good)).rejects.toMatchObject({ status: 503 })
  })
})
