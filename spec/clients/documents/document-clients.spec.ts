/** Clients with documents of their own, over real HTTPS, through a whole server: what lets them in, what does not, and what is kept. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import request from 'supertest'
import type { AuthorizationServerOptions } from '../../../lib/index.ts'
import { harness, redirected, type Form } from '../../support/servers/authorization-server.ts'
import { documentServer, redirect_uri, type DocumentServer } from '../../support/servers/document-server.ts'
import { agree, ask, codeForm, post, serveDocuments } from './serving.ts'

const issuer = 'http://localhost:3000'
let host: DocumentServer
let key: CryptoKey
let jwk: JWK

beforeAll(async () => {
  host = await documentServer()
  const pair = await generateKeyPair('ES256')
  key = pair.privateKey
  jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1' }
})
afterAll(() => host.close())

const serve = (options: Partial<AuthorizationServerOptions> = {}) => serveDocuments(host, options)

let sent = 0
async function assertion(client_id: string, signer = key, iat = 1_800_000_000): Promise<Form> {
  const claims = { iss: client_id, sub: client_id, aud: issuer, jti: `j${(sent += 1)}`, iat, exp: iat + 60 }
  const client_assertion = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(signer)
  return { client_id, client_assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }
}

describe('a client with a document', () => {
  it('gets its tokens, with a port of its own, and refreshes them', async () => {
    const { app, events } = await serve()
    const client_id = host.put('flow', { grant_types: ['authorization_code', 'refresh_token', 'urn:unknown'] })
    const answer = await agree(app, client_id)
    const { status, body } = await post(app, codeForm(answer, client_id))
    expect(status).toBe(200)
    expect(body).toMatchObject({ scope: 'openid offline_access api:read', refresh_token: expect.any(String) })
    const { refresh_token } = body as { refresh_token: string }
    expect((await post(app, { grant_type: 'refresh_token', refresh_token, client_id })).status).toBe(200)
    expect(host.asked('flow')).toBe(1)
    expect(host.lastHeaders()['accept']).toBe('application/json')
    expect(events.find(({ type }) => type === 'client_document.fetched')).toMatchObject({ client_id, expires_in: 300 })
    const elsewhere = await ask(app, client_id, { redirect_uri: redirect_uri.replace('7777', '51004') })
    expect(elsewhere.headers['location']).toMatch(/^http:\/\/127\.0\.0\.1:51004\/callback\?code=/)
  })

  it('is told in metadata, and only where there are any', async () => {
    const path = '/.well-known/oauth-authorization-server'
    const { app } = await serve()
    expect((await request(app).get(path)).body).toHaveProperty('client_id_metadata_document_supported', true)
    const without = await harness({ issuer })
    expect((await request(without.app).get(path)).body).not.toHaveProperty('client_id_metadata_document_supported')
  })

  it('needs PKCE, even where it has a key', async () => {
    const { app } = await serve()
    const client_id = host.put('pkce', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } })
    const change = { code_challenge: undefined, code_challenge_method: undefined }
    expect(redirected(await ask(app, client_id, change))).toMatchObject({ error: 'invalid_request' })
  })

  it('offers a choice of methods, of which a wrong assertion is none', async () => {
    const { app, decisions } = await serve()
    const list = ['private_key_jwt', 'none', 'client_secret_basic']
    const grant_types = ['authorization_code', 'client_credentials']
    const client_id = host.put('choice', { token_endpoint_auth_methods_supported: list, jwks: { keys: [jwk] }, grant_types })
    expect((await post(app, codeForm(await agree(app, client_id), client_id))).status).toBe(200)
    const signed = { ...codeForm(await agree(app, client_id), client_id), ...(await assertion(client_id)) }
    expect((await post(app, signed)).status).toBe(200)
    const { privateKey } = await generateKeyPair('ES256')
    const wrong = { ...codeForm(await agree(app, client_id), client_id), ...(await assertion(client_id, privateKey)) }
    expect((await post(app, wrong)).body).toMatchObject({ error: 'invalid_client' })
    expect(decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')?.check).toBe('signature')
    const machine = { grant_type: 'client_credentials', scope: 'api:read', client_id }
    expect((await post(app, machine)).body).toMatchObject({ error: 'unauthorized_client' })
    expect((await post(app, { ...machine, ...(await assertion(client_id)) })).status).toBe(200)
  })

  it('is the configured client of that id where there is one, and nothing is fetched', async () => {
    const client_id = host.put('configured')
    const clients = [{ client_id, token_endpoint_auth_method: 'none', redirect_uris: ['https://configured.example/cb'] }]
    const { app } = await serve({ clients })
    expect((await ask(app, client_id)).status).toBe(400)
    expect((await ask(app, client_id, { redirect_uri: 'https://configured.example/cb', scope: 'openid' })).status).toBe(303)
    expect(host.asked('configured')).toBe(0)
  })

  it('is asked for once, however many come at the same time', async () => {
    const { app } = await serve()
    const client_id = host.put('once')
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(app, client_id)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(host.asked('once')).toBe(1)
  })
})

describe('what is kept', () => {
  it.each([
    ['max-age=5', 300],
    ['no-store', 300],
    ['max-age=7200', 7200],
    ['max-age=999999', 86_400]
  ])('%s keeps a document %d seconds', async (control, seconds) => {
    const name = `kept-${control.replace('=', '')}`
    const client_id = host.put(name, {}, { 'cache-control': control })
    const { app, clock } = await serve()
    await ask(app, client_id)
    clock.now += 1000 * seconds - 1
    await ask(app, client_id)
    expect(host.asked(name)).toBe(1)
    clock.now += 2
    await ask(app, client_id)
    expect(host.asked(name)).toBe(2)
  })

  it('serves the token endpoint for an hour where the document is gone, and nothing new', async () => {
    const { app, clock, person } = await serve()
    const client_id = host.put('gone', { grant_types: ['authorization_code', 'refresh_token'] })
    const first = await post(app, codeForm(await agree(app, client_id), client_id))
    host.answer('gone', (_req, res) => void res.writeHead(500).end())
    clock.now += 400_000
    person.account = { sub: 'alice', auth_time: clock.now / 1000 - 10 }
    expect((await ask(app, client_id)).status).toBe(400)
    const refresh = (refresh_token: string) => post(app, { grant_type: 'refresh_token', refresh_token, client_id })
    const second = await refresh((first.body as { refresh_token: string }).refresh_token)
    expect(second.status).toBe(200)
    clock.now += 3_600_000
    expect((await refresh((second.body as { refresh_token: string }).refresh_token)).body).toMatchObject({
      error: 'invalid_client'
    })
    host.put('gone', { grant_types: ['authorization_code', 'refresh_token'] })
    expect((await ask(app, client_id)).status).toBe(303)
  })

  it('has ten failures a minute of one host, and those at once among them', async () => {
    const { app, clock } = await serve()
    const bad = Array.from({ length: 30 }, (_, index) =>
      host.answer(`bad-${index}`, (_req, res) => void res.writeHead(404).end())
    )
    await Promise.all(bad.map(client_id => ask(app, client_id)))
    const asked = () => bad.filter((_, index) => host.asked(`bad-${index}`) > 0).length
    expect(asked()).toBe(10)
    const good = host.put('good-later')
    expect((await ask(app, good)).status).toBe(400)
    clock.now += 60_001
    expect((await ask(app, good)).status).toBe(200)
  })
})

describe('consent', () => {
  it.each<[string, object]>([
    ['client_name', { client_name: 'Other notes' }],
    ['redirect_uris', { redirect_uris: [redirect_uri, 'https://other.example/cb'] }],
    [
      'token_endpoint_auth_method',
      { token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'], jwks_uri: 'https://localhost/jwks' }
    ],
    ['jwks', { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'eA', y: 'eQ' }] } }]
  ])('is asked again when %s is another', async (member, change) => {
    const { app, clock, events, person } = await serve()
    const client_id = host.put(`change-${member}`)
    await agree(app, client_id)
    expect((await ask(app, client_id)).status).toBe(303)
    host.put(`change-${member}`, change)
    clock.now += 301_000
    person.account = { sub: 'alice', auth_time: clock.now / 1000 - 10 }
    const again = await ask(app, client_id)
    expect(again.status).toBe(200)
    const { id } = again.body as { id: string }
    const { body } = await request(app).get(`/interaction/${id}`)
    expect((body as { prompt: object }).prompt).toMatchObject({
      client_origin: 'document',
      document: { host: new URL(client_id).host, redirect_host: '127.0.0.1:7777', changed: expect.arrayContaining([member]) }
    })
    expect(events.find(({ type }) => type === 'client_document.changed')).toMatchObject({
      members: expect.arrayContaining([member])
    })
    expect(redirected(await request(app).post(`/resume/${id}`).send({ consent: true }))).toHaveProperty('code')
    expect((await ask(app, client_id)).status).toBe(303)
  })

  it('given to a page that showed another document is none', async () => {
    const { app, clock, person } = await serve()
    const client_id = host.put('swapped')
    const { id } = (await ask(app, client_id)).body as { id: string }
    host.put('swapped', { client_name: 'Your bank' })
    clock.now += 301_000
    person.account = { sub: 'alice', auth_time: clock.now / 1000 - 10 }
    const answer = await request(app).post(`/resume/${id}`).send({ consent: true })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ name: 'consent' })
    expect(redirected(await request(app).post(`/resume/${id}`).send({ consent: true }))).toHaveProperty('code')
  })
})

describe('a document that changes between the authorization and the token request', () => {
  it.each<[string, object, object, string | undefined]>([
    [
      'takes the method away',
      {},
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://localhost/jwks' },
      'invalid_client'
    ],
    ['is nobody’s any more', {}, { client_secret: 'a' }, undefined],
    [
      'takes the grant away',
      {},
      { grant_types: ['client_credentials'], jwks_uri: 'https://localhost/jwks' },
      'unauthorized_client'
    ]
  ])('%s', async (name, before, after, error) => {
    const { app, clock, person } = await serve()
    const path = `between-${encodeURIComponent(name)}`
    const client_id = host.put(path, before)
    await agree(app, client_id)
    clock.now += 299_000
    person.account = { sub: 'alice', auth_time: clock.now / 1000 - 10 }
    const answer = await agree(app, client_id)
    host.put(path, after)
    clock.now += 2000
    const { body } = await post(app, codeForm(answer, client_id))
    // of one that is nobody's any more the last good copy finishes what was begun
    if (error === undefined) expect(body).toHaveProperty('access_token')
    else expect(body).toMatchObject({ error })
  })

  it('has another key: what the old one signed is worth nothing', async () => {
    const { app, clock } = await serve()
    const method = { token_endpoint_auth_method: 'private_key_jwt' }
    const client_id = host.put('between-keys', { ...method, jwks: { keys: [jwk] } })
    const answer = await agree(app, client_id)
    const other = await generateKeyPair('ES256')
    host.put('between-keys', { ...method, jwks: { keys: [{ ...(await exportJWK(other.publicKey)), kid: 'k1' }] } })
    const early = { ...codeForm(answer, client_id), ...(await assertion(client_id, key, clock.now / 1000)) }
    expect((await post(app, early)).status).toBe(200)
    clock.now += 301_000
    const outcome = async (signer: CryptoKey) => {
      const refresh = {
        grant_type: 'refresh_token',
        refresh_token: 'x',
        ...(await assertion(client_id, signer, clock.now / 1000))
      }
      return ((await post(app, refresh)).body as { error: string }).error
    }
    // the grant is not the client's, but the client is who it says
    expect([await outcome(key), await outcome(other.privateKey)]).toEqual(['invalid_client', 'unauthorized_client'])
  })
})
