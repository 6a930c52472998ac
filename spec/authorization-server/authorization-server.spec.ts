import { describe, expect, it } from '@jest/globals'
import express from 'express'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import request from 'supertest'
import { authorizationServer, memoryStore, type AuthorizationServerOptions, type Store } from '../../lib/index.ts'
import {
  api,
  authorize,
  basic,
  breakableStore,
  clients,
  codeForm,
  harness,
  issuer,
  redeemed,
  redirected,
  specKeys,
  token,
  userinfo
} from '../support/servers/authorization-server.ts'

const keys = await specKeys()
const interaction = { account: () => undefined, consented: () => false, prompt: () => undefined }
const good: AuthorizationServerOptions = { issuer, clients, store: memoryStore(), keys, interaction }
const invalidGrant = { status: 400, body: { error: 'invalid_grant' } }

describe('options of authorizationServer()', () => {
  it('are enough with five', () => {
    expect(() => authorizationServer(good)).not.toThrow()
  })

  it.each<[string, unknown, string]>([
    ['issuer', undefined, 'issuer'],
    ['issuer', 'as.example.com', 'issuer'],
    ['issuer', 'http://as.example.com', 'issuer'],
    ['issuer', `${issuer}/`, 'issuer'],
    ['issuer', `${issuer}?tenant=1`, 'issuer'],
    ['issuer', `${issuer}#a`, 'issuer'],
    ['issuer', 'https://user@as.example.com', 'issuer'],
    ['issuer', 'https://AS.example.com', 'issuer'],
    ['issuer', 'https://as.example.com:443', 'issuer'],
    ['issuer', `${issuer}/a/../b`, 'issuer'],
    ['issuer', [issuer], 'issuer'],
    ['clients', undefined, 'clients'],
    ['clients', {}, 'clients'],
    ['clients', [{}], 'clients[0].client_id'],
    ['clients', [clients[0], clients[0]], 'clients[1].client_id'],
    ['store', undefined, 'store'],
    ['store', { get: () => undefined }, 'store'],
    ['keys', undefined, 'keys'],
    ['keys', { keys: [] }, 'keys'],
    ['interaction', undefined, 'clients[0].grant_types[0]'],
    ['interaction', null, 'interaction.account'],
    ['interaction', { ...interaction, consented: true }, 'interaction.consented'],
    ['interaction', { ...interaction, prompt: undefined }, 'interaction.prompt'],
    ['requirePkce', 'never', 'requirePkce'],
    ['requirePkce', true, 'requirePkce'],
    ['claims', {}, 'claims'],
    ['mtlsOrigin', 'http://as.example.com:8443', 'mtlsOrigin'],
    ['mtlsOrigin', 'https://as.example.com:8443/', 'mtlsOrigin'],
    ['mtlsOrigin', 'https://as.example.com:8443/path', 'mtlsOrigin'],
    ['scopes', 'openid email', 'scopes'],
    ['scopes', ['openid email'], 'scopes'],
    ['scopes', [1], 'scopes'],
    ['resources', [{ resource: 'api' }], 'resources[0].resource'],
    ['accessTokenTtl', 0, 'accessTokenTtl'],
    ['accessTokenTtl', '3600', 'accessTokenTtl'],
    ['accessTokenTtl', NaN, 'accessTokenTtl'],
    ['accessTokenTtl', null, 'accessTokenTtl'],
    ['authorizationCodeTtl', 601, 'authorizationCodeTtl'],
    ['authorizationCodeTtl', -1, 'authorizationCodeTtl'],
    ['refreshTokenTtl', 1.5, 'refreshTokenTtl'],
    ['refreshTokenRotation', 'sometimes', 'refreshTokenRotation'],
    ['refreshRetryWindow', -1, 'refreshRetryWindow'],
    ['refreshRetryWindow', 3601, 'refreshRetryWindow'],
    ['clock', 1_800_000_000_000, 'clock'],
    ['random', 'random', 'random'],
    ['onDecision', 'log', 'onDecision'],
    ['onError', 'log', 'onError']
  ])('%s: %j is refused by name', (name, value, key) => {
    const construct = () => authorizationServer({ ...good, [name]: value })
    expect(construct).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', key, message: expect.stringMatching(/^\S+ \S/) })
    )
  })

  it.each([
    ['requirePKCE', 'requirePkce'],
    ['acessTokenTtl', 'accessTokenTtl'],
    ['Issuer', 'issuer'],
    ['interactions', 'interaction'],
    ['refreshRetryWindw', 'refreshRetryWindow']
  ])('%s is guessed to be %s', (misspelt, meant) => {
    expect(() => authorizationServer({ ...good, [misspelt]: 1 })).toThrow(
      `${misspelt} is not a known option; did you mean ${meant}?`
    )
  })

  it('are refused where nobody reads them, without a guess', () => {
    expect(() => authorizationServer({ ...good, ...{ tokenEndpoints: [] } })).toThrow('tokenEndpoints is not a known option')
    expect(() => authorizationServer({ ...good, ...{ colour: 'blue' } })).toThrow(/^colour is not a known option$/)
  })
})

/** Three issuers on one app, one store and one key set, with the same clients: as alike as they can be. */
async function threeIssuers() {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwks = { keys: [await exportJWK(publicKey)] }
  const robot = { client_id: 'robot', token_endpoint_auth_method: 'private_key_jwt', grant_types: ['client_credentials'], jwks }
  const store: Store = memoryStore()
  const app = express()
  const paths = ['', '/acme', '/acme/banking']
  const servers = []
  for (const path of paths) {
    const options = { issuer: issuer + path, store, clients: [...clients, robot], clock: Date.now }
    servers.push((await harness(options, app)).server)
  }
  const assertion = (path: string, jti: string) =>
    new SignJWT({ jti })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('robot')
      .setSubject('robot')
      .setAudience(issuer + path)
      .setIssuedAt()
      .setExpirationTime('1 minute')
      .sign(privateKey)
  return { app, store, servers, assertion, paths }
}

const others = (paths: readonly string[], path: string) => paths.filter(other => other !== path)

describe('several issuers on one app, one store and one key set', () => {
  it('answer each at its own path', async () => {
    const { app, paths } = await threeIssuers()
    for (const path of paths) {
      const { body } = await request(app).get(`${path}/.well-known/openid-configuration`)
      expect(body).toMatchObject({ issuer: issuer + path, token_endpoint: `${issuer}${path}/oauth2/token` })
      expect(redirected(await authorize(app, {}, `${path}/oauth2/authorize`))['iss']).toBe(issuer + path)
    }
    expect((await request(app).get('/acme/other/.well-known/openid-configuration')).status).toBe(404)
  })

  it("refuse one another's codes, and spend none", async () => {
    const { app, paths } = await threeIssuers()
    for (const path of paths) {
      const form = await codeForm(app, {}, `${path}/oauth2/authorize`)
      for (const other of others(paths, path))
        expect(await token(app, 'web', form, `${other}/oauth2/token`)).toMatchObject(invalidGrant)
      expect((await token(app, 'web', form, `${path}/oauth2/token`)).status).toBe(200)
    }
  })

  it.each([
    ['opaque', {}],
    ['JWT', { resource: api }]
  ])("refuse one another's %s access tokens and refresh tokens, and end none", async (_, resource) => {
    const { app, servers, paths } = await threeIssuers()
    for (const [index, path] of paths.entries()) {
      const form = { ...(await codeForm(app, {}, `${path}/oauth2/authorize`)), ...resource }
      const { access_token, refresh_token } = (await token(app, 'web', form, `${path}/oauth2/token`)).body as {
        access_token: string
        refresh_token: string
      }
      for (const other of others(paths, path)) {
        const refused = await request(app).get(`${other}/oauth2/userinfo`).set('Authorization', `Bearer ${access_token}`)
        expect(refused.status).toBe(401)
        expect(await token(app, 'web', { grant_type: 'refresh_token', refresh_token }, `${other}/oauth2/token`)).toMatchObject(
          invalidGrant
        )
      }
      for (const [at, server] of servers.entries())
        expect((await server.verifyAccessToken(access_token)) !== undefined).toBe(at === index)
      expect((await token(app, 'web', { grant_type: 'refresh_token', refresh_token }, `${path}/oauth2/token`)).status).toBe(200)
    }
  })

  it("know nothing of one another's interactions", async () => {
    const { app, paths, servers } = await threeIssuers()
    const { id } = (await authorize(app, { prompt: 'login' }, '/acme/oauth2/authorize')).body as { id: string }
    app.get('/prompts', async (req, res) => void res.json(await Promise.all(servers.map(server => server.interaction(req, id)))))
    const found = (await request(app).get('/prompts')).body as ({ name: string } | null)[]
    expect(found.map(prompt => prompt?.name)).toEqual(paths.map(path => (path === '/acme' ? 'login' : undefined)))
  })

  it('take assertions made for them alone, and count each jti apart', async () => {
    const { app, assertion, paths } = await threeIssuers()
    const ask = async (path: string, client_assertion: string) =>
      request(app).post(`${path}/oauth2/token`).type('form').send({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion
      })
    for (const path of paths) {
      for (const other of others(paths, path)) expect((await ask(other, await assertion(path, 'one'))).status).toBe(401)
    }
    for (const path of paths) {
      expect((await ask(path, await assertion(path, 'one'))).status).toBe(200)
      expect((await ask(path, await assertion(path, 'one'))).status).toBe(401)
    }
  })

  it('know their own clients alone', async () => {
    const store = memoryStore()
    const app = express()
    await harness({ store, clients: [{ client_id: 'web', client_secret: 'one', grant_types: ['client_credentials'] }] }, app)
    await harness(
      {
        store,
        issuer: `${issuer}/b`,
        clients: [{ client_id: 'web', client_secret: 'two', grant_types: ['client_credentials'] }]
      },
      app
    )
    const ask = (path: string, secret: string) =>
      request(app).post(path).set('Authorization', basic('web', secret)).type('form').send({ grant_type: 'client_credentials' })
    expect((await ask('/oauth2/token', 'one')).status).toBe(200)
    expect((await ask('/oauth2/token', 'two')).status).toBe(401)
    expect((await ask('/b/oauth2/token', 'two')).status).toBe(200)
    expect((await ask('/b/oauth2/token', 'one')).status).toBe(401)
  })
})

describe('a store that does not answer', () => {
  it.each(['take', 'set'] as const)('rejecting %s when a code is redeemed: 503, no token', async operation => {
    const { store, broken } = breakableStore(memoryStore({ clock: () => 1_800_000_000_000 }))
    const { app } = await harness({ store })
    const form = await codeForm(app)
    broken.set(operation, 'rejects')
    const response = await token(app, 'web', form)
    expect([response.status, response.headers['retry-after'], response.body]).toEqual([
      503,
      expect.any(String),
      { error: 'temporarily_unavailable', error_description: 'the server cannot answer at the moment' }
    ])
  })

  it.each(['get', 'swap', 'set'] as const)(
    'rejecting %s when a token is refreshed: 503, and the token works later',
    async operation => {
      const { store, broken } = breakableStore(memoryStore({ clock: () => 1_800_000_000_000 }))
      const { app } = await harness({ store })
      const { refresh_token } = await redeemed(app)
      broken.set(operation, 'rejects')
      expect((await token(app, 'web', { grant_type: 'refresh_token', refresh_token })).status).toBe(503)
      broken.clear()
      expect((await token(app, 'web', { grant_type: 'refresh_token', refresh_token })).status).toBe(200)
    }
  )

  it('is told to userinfo, the client and the person', async () => {
    const { store, broken } = breakableStore(memoryStore({ clock: () => 1_800_000_000_000 }))
    const { app, server } = await harness({ store })
    const { access_token } = await redeemed(app)
    broken.set('get', 'rejects').set('set', 'throws')
    expect(await userinfo(app, access_token)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
    await expect(server.verifyAccessToken(access_token)).rejects.toMatchObject({ error: 'temporarily_unavailable' })
    expect(redirected(await authorize(app, { state: 's' }))).toMatchObject({
      error: 'temporarily_unavailable',
      state: 's',
      iss: issuer
    })
    expect((await request(app).post('/resume/x').send({ consent: true })).status).toBe(503)
  })
})
