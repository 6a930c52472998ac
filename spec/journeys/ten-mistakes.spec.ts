/** The mistakes everybody makes once: each is told where one looks, by a line that names its cause. */
import { describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import request from 'supertest'
import { authorizationServer, memoryStore, type AuthorizationServerOptions } from '../../lib/index.ts'
import { linesOf } from '../support/checks/stderr.ts'
import { api, basic, callback, files, issuer, specKeys } from '../support/servers/authorization-server.ts'

const keys = await specKeys()
const { privateKey, publicKey } = await generateKeyPair('ES256')
const now = Math.floor(Date.now() / 1000)
const grant_types = ['client_credentials']
const interaction = { account: () => undefined, consented: () => false, prompt: () => undefined }
const good: AuthorizationServerOptions = {
  ...{ issuer, keys, interaction, store: memoryStore() },
  clients: [
    {
      client_id: 'web',
      client_secret: 'secret of web',
      redirect_uris: [callback],
      grant_types: [...grant_types, 'authorization_code']
    },
    { client_id: 'late', client_secret: 'secret of late', client_secret_expires_at: now - 60, grant_types },
    {
      client_id: 'signs',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [await exportJWK(publicKey)] },
      grant_types
    }
  ],
  resources: [
    { resource: api, scopes: ['api:read'] },
    { resource: files, scopes: ['files:read'] }
  ]
}
const development = { NODE_ENV: 'development', DEBUG: undefined }

/** What stderr has after a server was asked something. */
function told(
  ask: (app: Express) => Promise<unknown>,
  options: Partial<AuthorizationServerOptions> = {}
): Promise<readonly string[]> {
  return linesOf(development, async () => {
    const server = authorizationServer({ ...good, store: memoryStore(), ...options })
    const app = express().use(express.json()).use(server)
    app.get('/files', server.requireAccessToken({ resources: [files] }), (_req, res) => void res.json({}))
    await ask(app)
  })
}

const post = (app: Express) => request(app).post('/oauth2/token').type('form')
const asked = (app: Express, client_id: string, secret?: string) =>
  post(app).set('Authorization', basic(client_id, secret)).send({ grant_type: 'client_credentials' })

async function asserted(app: Express, claims: { aud?: string; iat?: number; exp?: number }) {
  const assertion = { iss: 'signs', sub: 'signs', aud: issuer, iat: now, exp: now + 60, jti: crypto.randomUUID(), ...claims }
  const client_assertion = await new SignJWT(assertion).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return post(app).send({ grant_type: 'client_credentials', client_assertion, client_assertion_type })
}

describe('at start, an error that ends the process names the option', () => {
  it.each<[string, object, string]>([
    ['a misspelt option', { requirePKCE: 'always' }, 'requirePKCE is not a known option; did you mean requirePkce?'],
    ['no store', { store: undefined }, 'store must implement the Store contract'],
    [
      'an issuer without TLS',
      { issuer: 'http://as.example.com' },
      'issuer must be an https URL (http only on localhost, 127.0.0.1 or [::1])'
    ],
    ['no keys', { keys: undefined }, 'keys must be'],
    [
      'a client without keys',
      { clients: [{ client_id: 'signs', token_endpoint_auth_method: 'private_key_jwt', grant_types }] },
      'clients[0].jwks or jwks_uri must be given for private_key_jwt'
    ]
  ])('%s', (_what, wrong, message) => {
    expect(() => authorizationServer({ ...good, ...wrong })).toThrow(message)
  })
})

describe('while it runs, a line on stderr names the cause', () => {
  it.each<[string, (app: Express) => Promise<unknown>, string]>([
    [
      'a proxy that Express does not trust',
      app => asked(app, 'web', 'wrong').set('X-Forwarded-For', '203.0.113.7'),
      'It came with X-Forwarded-For, and Express trusts no proxy'
    ],
    [
      'JSON at the token endpoint',
      app => request(app).post('/oauth2/token').set('Authorization', basic('web')).send({ grant_type: 'client_credentials' }),
      'the request body must be application/x-www-form-urlencoded (the Content-Type is of another type; JSON is read only where jsonBody is on)'
    ],
    [
      'a redirect URI that is not registered',
      app =>
        request(app)
          .get('/oauth2/authorize')
          .query({ client_id: 'web', redirect_uri: `${callback}/`, response_type: 'code' }),
      `client "web": this redirect_uri is not registered for the client (asked for ${callback}/, registered ${callback})`
    ],
    [
      'the aud of an assertion',
      app => asserted(app, { aud: `${issuer}/oauth2/token` }),
      `client "signs": the check audience failed: expected "${issuer}", received "${issuer}/oauth2/token".`
    ],
    [
      'the aud of an access token',
      async app => {
        const { body } = await post(app)
          .set('Authorization', basic('web'))
          .send({ grant_type: 'client_credentials', resource: api })
        await request(app).get('/files').set('Authorization', `Bearer ${body.access_token}`)
      },
      `GET /files: the access token is not valid (for another resource: expected ${files}, received ${api})`
    ],
    ['a secret that has expired', app => asked(app, 'late'), 'client "late": the check secret_expiry failed: received "secret:'],
    [
      'a clock that is ahead',
      app => asserted(app, { iat: now + 600, exp: now + 660 }),
      'client "signs": the check issued_at failed:'
    ],
    [
      'a clock that is behind',
      app => asserted(app, { iat: now - 660, exp: now - 600 }),
      'client "signs": the check expiry failed:'
    ]
  ])('%s', async (_what, ask, cause) => {
    expect(await told(ask)).toEqual([expect.stringContaining(cause)])
  })

  it('keys of a client that cannot be fetched', async () => {
    const jwks_uri = 'https://signs.example/jwks'
    const clients = [{ client_id: 'signs', token_endpoint_auth_method: 'private_key_jwt', jwks_uri, grant_types }]
    const fetchJson = () => Promise.reject(new Error('getaddrinfo ENOTFOUND signs.example'))
    const lines = await told(app => asserted(app, {}), { clients, fetchJson, interaction: undefined })
    expect(lines).toEqual([expect.stringContaining("the check key failed. Make the client's jwks_uri answer with its key set")])
  })

  it('and is the only one, with a page to read on', async () => {
    const [line = ''] = await told(app => asked(app, 'late'))
    expect(line).toMatch(
      new RegExp(`The secret is right, but its client_secret_expires_at has passed.* See ${issuer}/errors/secret_expiry \\(trace`)
    )
  })
})
