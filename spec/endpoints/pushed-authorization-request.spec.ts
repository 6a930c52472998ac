import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import { decodeJwt } from 'jose'
import request from 'supertest'
import { memoryStore, type Key, type Store } from '../../lib/index.ts'
import {
  authorizationQuery,
  authorizeByPost,
  basic,
  breakableStore,
  callback,
  clients,
  code_verifier,
  harness,
  issuer,
  redirected,
  token
} from '../support/servers/authorization-server.ts'
import { form, open, par, push, pushed, type Change } from '../support/servers/pushed-requests.ts'
import { dpopProof, makeSigner, now } from '../support/servers/signed-requests.ts'

describe('a pushed authorization request', () => {
  it('becomes a request_uri for a minute, which becomes a code, which becomes tokens', async () => {
    const { app } = await harness()
    const response = await push(app, { nonce: 'n' })
    expect([response.status, response.body]).toEqual([
      201,
      { request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]{32}$/), expires_in: 60 }
    ])
    expect(response.headers['cache-control']).toBe('no-store')
    const answer = redirected(await open(app, (response.body as { request_uri: string }).request_uri))
    expect(answer).toEqual({ code: expect.any(String), state: 'pushed', iss: issuer })
    const redeemed = await token(app, 'web', {
      grant_type: 'authorization_code',
      code: answer['code'] ?? '',
      redirect_uri: callback,
      code_verifier
    })
    expect(redeemed.status).toBe(200)
    expect(decodeJwt((redeemed.body as { id_token: string }).id_token)).toMatchObject({ nonce: 'n' })
  })

  it('is all that counts: what stands beside the request_uri is ignored', async () => {
    const { app } = await harness()
    const outside = {
      redirect_uri: 'https://evil.example/',
      state: 'outside',
      nonce: 'outside',
      scope: 'nobody:knows',
      response_type: 'token',
      response_mode: 'fragment',
      prompt: 'login'
    }
    const response = await open(app, await pushed(app), outside)
    expect(response.headers['location']).toMatch(`${callback}?`)
    expect(redirected(response)).toEqual({ code: expect.any(String), state: 'pushed', iss: issuer })
    const stateless = await open(app, await pushed(app, { state: undefined }), { state: 'outside' })
    expect(redirected(stateless)).toEqual({ code: expect.any(String), iss: issuer })
  })

  it('may be posted to the authorization endpoint too', async () => {
    const { app } = await harness()
    const query = new URLSearchParams({ client_id: 'web', request_uri: await pushed(app), state: 'outside' })
    const response = await authorizeByPost(app, query.toString())
    expect(redirected(response)).toHaveProperty('code')
  })

  it('takes public clients, long values, and a client_id that only the credentials name', async () => {
    const { app } = await harness()
    const [state, nonce] = ['s'.repeat(1000), 'n'.repeat(384)]
    const request_uri = await pushed(app, { state, nonce }, 'spa')
    expect(redirected(await open(app, request_uri, { client_id: 'spa' }))).toMatchObject({ state })
  })

  it('leaves no request_uri in the store', async () => {
    const written: string[] = []
    const behind = memoryStore({ clock: () => now * 1000 })
    const store = new Proxy(behind, {
      get:
        (target, name: keyof Store) =>
        (key: Key, ...given: never[]) => {
          written.push(JSON.stringify([key, ...given]))
          return Reflect.apply(Reflect.get(target, name) as (...all: unknown[]) => unknown, target, [key, ...given])
        }
    })
    const { app } = await harness({ store })
    const request_uri = await pushed(app)
    expect(written.join()).toContain('pushed_authorization_request')
    expect(written.join()).not.toContain(request_uri.slice(-32))
    expect(redirected(await open(app, request_uri))).toHaveProperty('code')
  })
})

describe('the pushed authorization request endpoint refuses', () => {
  it.each<[string, Change, string, string?]>([
    ['a request_uri', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'invalid_request'],
    ['no redirect_uri', { redirect_uri: undefined }, 'invalid_request'],
    ['an unregistered redirect_uri', { redirect_uri: `${callback}/more` }, 'invalid_request'],
    ['no response_type', { response_type: undefined }, 'invalid_request'],
    ['response_type token', { response_type: 'token' }, 'unsupported_response_type'],
    ['response_type code id_token', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['a response_mode nobody knows', { response_mode: 'carrier_pigeon' }, 'invalid_request'],
    ['no PKCE of a public client', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request', 'spa'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['an unknown scope', { scope: 'nobody:knows' }, 'invalid_scope'],
    ['an unknown resource', { resource: 'https://nobody.example' }, 'invalid_target'],
    ['a short dpop_jkt', { dpop_jkt: 'short' }, 'invalid_request'],
    ['claims that are no JSON', { claims: '{' }, 'invalid_request'],
    ['an unsigned request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'invalid_request_object'],
    ['a client without codes', {}, 'unauthorized_client', 'codeless']
  ])('%s', async (_, change, error, client_id = 'web') => {
    const codeless = {
      client_id: 'codeless',
      client_secret: 'secret of codeless',
      grant_types: ['client_credentials'],
      redirect_uris: [callback]
    }
    const { app } = await harness({ clients: [...clients, codeless] })
    const response = await push(app, change, client_id)
    expect([response.status, response.body]).toEqual([400, { error, error_description: expect.any(String) }])
    expect(response.headers['cache-control']).toBe('no-store')
  })

  it('other methods than POST, bodies that are too large, parameters that come twice', async () => {
    const { app } = await harness()
    for (const method of ['get', 'put', 'delete'] as const) {
      const response = await request(app)[method](par).set('Authorization', basic('web'))
      expect([response.status, response.headers['allow']]).toEqual([405, 'POST'])
    }
    expect((await push(app, { state: 's'.repeat(70_000) })).status).toBe(413)
    const twice = await token(app, 'web', `${form()}&state=again`, par)
    expect([twice.status, twice.body]).toMatchObject([400, { error: 'invalid_request' }])
  })

  it('clients that do not authenticate, or as somebody else', async () => {
    const { app } = await harness()
    const post = () => request(app).post(par).type('form')
    expect((await post().send(form())).status).toBe(401)
    const wrong = await post().set('Authorization', basic('web', 'wrong')).send(form())
    expect([wrong.status, wrong.body]).toMatchObject([401, { error: 'invalid_client' }])
    expect((await post().send(`${form()}&client_id=web`)).body).toMatchObject({ error: 'invalid_client' })
    expect((await post().set('Authorization', basic('web')).send(`${form()}&client_id=other`)).status).toBe(400)
  })

  it('everything while the store does not answer', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const { app } = await harness({ store })
    broken.set('set', 'rejects')
    expect((await push(app)).status).toBe(503)
  })
})

describe('requests that have to be pushed', () => {
  const plain = (app: Express, client_id = 'web') =>
    request(app).get(`/oauth2/authorize?${authorizationQuery({ client_id, state: 's' })}`)

  it.each<[string, object]>([
    ['of all clients', { requirePushedAuthorizationRequests: true }],
    ['of this client', { clients: clients.map(client => ({ ...client, require_pushed_authorization_requests: true })) }]
  ])('%s: others go back with invalid_request', async (_, options) => {
    const { app } = await harness(options)
    expect(redirected(await plain(app))).toMatchObject({ error: 'invalid_request', state: 's', iss: issuer })
    expect(redirected(await open(app, await pushed(app)))).toHaveProperty('code')
  })

  it('are named in the metadata, with the alias of the mutual-TLS listener', async () => {
    const read = async (options: object) =>
      (await request((await harness(options)).app).get('/.well-known/oauth-authorization-server')).body as Record<string, unknown>
    expect(await read({})).toMatchObject({
      pushed_authorization_request_endpoint: `${issuer}${par}`,
      require_pushed_authorization_requests: false
    })
    expect(await read({ requirePushedAuthorizationRequests: true, mtlsOrigin: 'https://as.example.com:8443' })).toMatchObject({
      require_pushed_authorization_requests: true,
      mtls_endpoint_aliases: { pushed_authorization_request_endpoint: `${issuer}:8443${par}` }
    })
  })
})

describe('a DPoP key', () => {
  const redeem = (app: Express, code = '', proof?: string) => {
    const sent = token(app, 'web', { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier })
    return proof === undefined ? sent : sent.set('DPoP', proof)
  }
  const tokenEndpoint = `${issuer}/oauth2/token`

  it.each(['as dpop_jkt', 'in a proof', 'in both'])('sent %s binds the code', async how => {
    const { app } = await harness()
    const [key, thief] = await Promise.all([makeSigner('ES256', 'k'), makeSigner('ES256', 't')])
    const { proof, jkt } = await dpopProof(key, `${issuer}${par}`)
    const sent = push(app, how === 'in a proof' ? {} : { dpop_jkt: jkt })
    const response = await (how === 'as dpop_jkt' ? sent : sent.set('DPoP', proof))
    const { request_uri } = response.body as { request_uri: string }
    const { code } = redirected(await open(app, request_uri))
    const stolen = await redeem(app, code, (await dpopProof(thief, tokenEndpoint)).proof)
    expect([stolen.status, stolen.body]).toMatchObject([400, { error: 'invalid_grant' }])
    const again = redirected(await open(app, await pushed(app, { dpop_jkt: jkt })))['code']
    expect((await redeem(app, again, (await dpopProof(key, tokenEndpoint)).proof)).body).toMatchObject({ token_type: 'DPoP' })
  })

  it('that differs from the proof’s is refused, as is a bad proof', async () => {
    const { app } = await harness()
    const key = await makeSigner('ES256', 'k')
    const { proof } = await dpopProof(key, `${issuer}${par}`)
    const differing = await push(app, { dpop_jkt: 'A'.repeat(43) }).set('DPoP', proof)
    expect([differing.status, differing.body]).toMatchObject([400, { error: 'invalid_request' }])
    const elsewhere = await push(app).set('DPoP', (await dpopProof(key, tokenEndpoint)).proof)
    expect([elsewhere.status, elsewhere.body]).toMatchObject([400, { error: 'invalid_dpop_proof' }])
  })
})
