import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import request from 'supertest'
import type { ClientMetadata } from '../../lib/index.ts'
import { isRedirectUriOf } from '../../lib/authorization-requests/redirect.ts'
import { toClient } from '../../lib/clients/client.ts'
import { authorize, clients, code_verifier, harness, redirected, token } from '../support/servers/authorization-server.ts'
import { expectPage, open, par, form as pushForm } from '../support/servers/pushed-requests.ts'
import { makeSigner, requestClaims, signingClients, signRequest } from '../support/servers/signed-requests.ts'
import { register, registrationHarness } from '../support/servers/registration.ts'
import { anyCharacter } from '../support/checks/any-character.ts'

const registered = [
  'http://127.0.0.1/callback',
  'http://[::1]/callback',
  'http://localhost/callback',
  'http://127.0.0.1:49152/with-port',
  'http://127.0.0.1/query?a=1&b=2',
  'http://localhost',
  'https://client.example.com/cb',
  'com.example.app:/callback',
  'http://127.0.0.2/other'
]
const native = { client_id: 'cli', token_endpoint_auth_method: 'none', redirect_uris: registered } as const

/** What is asked for, of a client that registered all of the above. */
const taken = [
  'http://127.0.0.1:51004/callback',
  'http://127.0.0.1:1/callback',
  'http://127.0.0.1:65535/callback',
  'http://127.0.0.1:80/callback',
  'http://[::1]:51004/callback',
  'http://localhost:51004/callback',
  'http://127.0.0.1/with-port',
  'http://127.0.0.1:51004/with-port',
  'http://127.0.0.1:51004/query?a=1&b=2',
  'http://localhost:51004',
  ...registered
]
const refused = [
  'http://127.0.0.1:65536/callback',
  'http://127.0.0.1:99999/callback',
  'http://127.0.0.1:0/callback',
  'http://127.0.0.1:00080/callback',
  'http://127.0.0.1:/callback',
  'http://127.0.0.1:-1/callback',
  'http://127.0.0.1:+1/callback',
  'http://127.0.0.1:5e3/callback',
  'http://127.0.0.1:51004/callback/',
  'http://127.0.0.1:51004/Callback',
  'http://127.0.0.1:51004/x/../callback',
  'http://127.0.0.1:51004/callback?a=1',
  'http://127.0.0.1:51004/callback#',
  'http://127.0.0.1:51004/callback#a',
  'http://127.0.0.1:51004',
  'http://127.0.0.1:51004/',
  'http://localhost:51004/',
  'http://127.0.0.1:51004/query',
  'http://127.0.0.1:51004/query?b=2&a=1',
  'http://127.0.0.2:51004/other',
  'http://127.0.0.2/callback',
  'http://127.1:51004/callback',
  'http://2130706433:51004/callback',
  'http://0x7f000001:51004/callback',
  'http://127.0.0.1.:51004/callback',
  'http://localhost.:51004/callback',
  'http://LOCALHOST:51004/callback',
  'HTTP://127.0.0.1:51004/callback',
  'https://127.0.0.1:51004/callback',
  'http://[0:0:0:0:0:0:0:1]:51004/callback',
  'http://[::ffff:127.0.0.1]:51004/callback',
  'http://127.0.0.1:51004@evil.example/callback',
  'http://127.0.0.1@evil.example:51004/callback',
  'http://user@127.0.0.1:51004/callback',
  'http://127.0.0.1:51004\\@evil.example/callback',
  'http://127.0.0.1.evil.example:51004/callback',
  'http://localhost.evil.example:51004/callback',
  'http://127.0.0.1:51004/callback ',
  ' http://127.0.0.1:51004/callback',
  'https://client.example.com:51004/cb',
  'com.example.app:51004/callback'
]

describe('a loopback redirect URI of a public client', () => {
  const client = toClient(native)

  it.each(taken)('takes any port: %s', uri => {
    expect(isRedirectUriOf(client, uri)).toBe(true)
  })

  it.each(refused)('is loose in nothing else: %s', async uri => {
    expect(isRedirectUriOf(client, uri)).toBe(false)
    const { app } = await harness({ clients: [...clients, native] })
    expectPage(await authorize(app, { client_id: 'cli', scope: undefined, redirect_uri: uri }), 'invalid_request')
  })

  it('is compared as it is written but for the port, whatever is put into it', () => {
    const one = toClient({ ...native, client_id: 'one', redirect_uris: ['http://127.0.0.1/callback'] })
    const port = fc.integer({ min: 1, max: 65_535 })
    const anything = fc.string({ unit: anyCharacter, maxLength: 4 })
    fc.assert(
      fc.property(port, anything, fc.nat({ max: 40 }), (number, by, at) => {
        const good = `http://127.0.0.1:${number}/callback`
        const changed = good.slice(0, at) + by + good.slice(at)
        const isGood = /^http:\/\/127\.0\.0\.1:[1-9]\d{0,4}\/callback$/.exec(changed) !== null
        expect([isRedirectUriOf(one, good), isRedirectUriOf(one, changed) && !isGood]).toEqual([true, false])
      })
    )
  })

  it('is exact, port and all, for a confidential client', () => {
    const confidential = toClient({ client_id: 'conf', client_secret: 'a secret of the specs', redirect_uris: registered })
    expect(registered.every(uri => isRedirectUriOf(confidential, uri))).toBe(true)
    for (const uri of taken.filter(uri => !(registered as readonly string[]).includes(uri)))
      expect(isRedirectUriOf(confidential, uri)).toBe(false)
  })
})

describe('a port that is chosen late', () => {
  const redirect_uri = 'http://127.0.0.1:51004/callback'
  const cli = { client_id: 'cli', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/callback'] }
  const build = (more: readonly ClientMetadata[] = []) => harness({ clients: [...clients, cli, ...more] })
  const redeem = (app: Parameters<typeof request>[0], client_id: string, code: string, uri: string) => {
    const form = { grant_type: 'authorization_code', client_id, code, redirect_uri: uri, code_verifier }
    return request(app).post('/oauth2/token').type('form').send(form)
  }

  it('works at the authorization endpoint, and the code is bound to it', async () => {
    const { app } = await build()
    const response = await authorize(app, { client_id: 'cli', scope: undefined, redirect_uri })
    expect(String(response.headers['location']).startsWith(`${redirect_uri}?code=`)).toBe(true)
    const { code = '' } = redirected(response)
    expect((await redeem(app, 'cli', code, redirect_uri)).status).toBe(200)
    const { code: other = '' } = redirected(await authorize(app, { client_id: 'cli', scope: undefined, redirect_uri }))
    expect((await redeem(app, 'cli', other, 'http://127.0.0.1:51005/callback')).body).toMatchObject({ error: 'invalid_grant' })
  })

  it('works in a pushed request, which is judged again when it is opened', async () => {
    const { app } = await build()
    const sent = `${pushForm({ redirect_uri, scope: undefined })}&client_id=cli`
    const response = await request(app).post(par).type('form').send(sent)
    const { request_uri } = response.body as { request_uri: string }
    expect(redirected(await open(app, request_uri, { client_id: 'cli' }))).toHaveProperty('code')
  })

  it('works in a request object', async () => {
    const signer = await makeSigner('ES256', 'k')
    const own = { ...cli, client_id: 'signing-cli', jwks: { keys: [signer.jwk] } }
    const { app } = await harness({ clients: [...signingClients([signer]), own] })
    const claims = requestClaims({ iss: own.client_id, client_id: own.client_id, redirect_uri, scope: undefined })
    const query = new URLSearchParams({ client_id: own.client_id, request: await signRequest(signer, claims) })
    expect(redirected(await request(app).get(`/oauth2/authorize?${query.toString()}`))).toHaveProperty('code')
  })

  it.each(['native', undefined])('works for a client that registered itself with application_type %s', async application_type => {
    const { app } = await registrationHarness()
    const { client_id } = await register(app, { ...cli, client_id: undefined, application_type })
    const response = await authorize(app, { client_id, scope: undefined, redirect_uri })
    expect(String(response.headers['location']).startsWith(`${redirect_uri}?code=`)).toBe(true)
  })

  it('does not work for a client with a secret', async () => {
    const { app } = await build([
      { ...cli, client_id: 'conf', token_endpoint_auth_method: undefined, client_secret: 'of the specs' }
    ])
    expectPage(await authorize(app, { client_id: 'conf', scope: undefined, redirect_uri }), 'invalid_request')
    expect((await token(app, 'web', pushForm({ redirect_uri }), par)).status).toBe(400)
  })
})
