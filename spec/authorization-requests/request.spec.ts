import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import {
  api,
  authorizationQuery,
  authorize,
  authorizeByPost,
  callback,
  clients,
  code_challenge,
  files,
  harness,
  issuer,
  redeemed,
  redirected,
  token,
  code_verifier
} from '../support/servers/authorization-server.ts'

const post = authorizeByPost

/** What goes to the client in place of a code. */
const refusal = (error: string) => ({ error, error_description: expect.any(String), state: 's', iss: issuer })

describe('the authorization endpoint', () => {
  it.each(['GET', 'POST'])('answers %s with a code, state and iss by 303', async method => {
    const { app } = await harness()
    const response = await (method === 'GET' ? authorize(app, { state: 's' }) : post(app, authorizationQuery({ state: 's' })))
    expect(response.status).toBe(303)
    expect(redirected(response)).toEqual({ code: expect.stringMatching(/^[\w-]{22}\.[\w-]{43}$/), state: 's', iss: issuer })
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
    expect(response.text).toBe('')
  })

  it('gives every request a code of its own', async () => {
    const { app } = await harness()
    const codes = await Promise.all(Array.from({ length: 20 }, async () => redirected(await authorize(app))['code']))
    expect(new Set(codes).size).toBe(20)
  })

  it.each([
    ['absent', { response_type: undefined }, 'invalid_request'],
    ['token', { response_type: 'token' }, 'unsupported_response_type'],
    ['id_token', { response_type: 'id_token' }, 'unsupported_response_type'],
    ['hybrid', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['none', { response_type: 'none' }, 'unsupported_response_type'],
    ['code with a space', { response_type: 'code ' }, 'unsupported_response_type'],
    ['in another case', { response_type: 'CODE' }, 'unsupported_response_type'],
    ['for a web message', { response_mode: 'web_message' }, 'invalid_request'],
    ['an unsigned request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'invalid_request_object'],
    ['a scope nobody knows', { scope: 'openid nobody:knows' }, 'invalid_scope'],
    ['a malformed scope', { scope: 'openid  api:read' }, 'invalid_scope'],
    ['a scope of the server in another case', { scope: 'OpenID' }, 'invalid_scope'],
    ['a huge scope', { scope: 'x'.repeat(5_000) }, 'invalid_scope'],
    ['a huge nonce', { nonce: 'x'.repeat(2_001) }, 'invalid_request'],
    ['a huge login_hint', { login_hint: 'x'.repeat(2_001) }, 'invalid_request'],
    ['huge ui_locales', { ui_locales: 'x'.repeat(2_001) }, 'invalid_request'],
    ['huge acr_values', { acr_values: 'x'.repeat(2_001) }, 'invalid_request'],
    ['a resource nobody knows', { resource: 'https://evil.example' }, 'invalid_target'],
    ['a resource with a fragment', { resource: `${api}#a` }, 'invalid_target'],
    ['no PKCE method', { code_challenge_method: undefined }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a PKCE method in another case', { code_challenge_method: 's256' }, 'invalid_request'],
    ['a PKCE method nobody knows', { code_challenge_method: 'S512' }, 'invalid_request'],
    ['a method without a challenge', { code_challenge: undefined }, 'invalid_request'],
    ['an empty challenge', { code_challenge: '' }, 'invalid_request'],
    ['a short challenge', { code_challenge: code_challenge.slice(1) }, 'invalid_request'],
    ['a padded challenge', { code_challenge: `${code_challenge}=` }, 'invalid_request'],
    ['a challenge that is no base64url', { code_challenge: `${code_challenge.slice(1)}+` }, 'invalid_request'],
    ['prompt none and another', { prompt: 'none login' }, 'invalid_request'],
    ['a max_age that is no number', { max_age: 'soon' }, 'invalid_request'],
    ['a negative max_age', { max_age: '-1' }, 'invalid_request'],
    ['half a second of max_age', { max_age: '0.5' }, 'invalid_request'],
    ['a max_age in hex', { max_age: '0x10' }, 'invalid_request'],
    ['a max_age with an exponent', { max_age: '1e3' }, 'invalid_request'],
    ['a max_age of 11 digits', { max_age: '12345678901' }, 'invalid_request']
  ])('sends the client an error for a request that is or has %s', async (_, change, error) => {
    const { app } = await harness()
    for (const response of [
      await authorize(app, { state: 's', ...change }),
      await post(app, authorizationQuery({ state: 's', ...change }))
    ]) {
      expect([response.status, String(response.headers['location']).startsWith(`${callback}?`)]).toEqual([303, true])
      expect(redirected(response)).toEqual(refusal(error))
    }
  })

  it.each(['spa', 'native'])('requires PKCE of the public client %s', async client_id => {
    const { app } = await harness()
    const without = { client_id, code_challenge: undefined, code_challenge_method: undefined, state: 's' }
    expect(redirected(await authorize(app, without))).toEqual(refusal('invalid_request'))
  })

  it('requires PKCE of every client where it is to', async () => {
    const without = { code_challenge: undefined, code_challenge_method: undefined, state: 's' }
    expect(redirected(await authorize((await harness({ requirePkce: 'always' })).app, without))).toEqual(
      refusal('invalid_request')
    )
    expect(redirected(await authorize((await harness({ requirePkce: 'public' })).app, without))).toHaveProperty('code')
  })

  it.each([
    ['no response type', { client_id: 'mute', response_types: [] }],
    ['another response type', { client_id: 'mute', response_types: ['id_token'] }],
    ['another grant', { client_id: 'mute', grant_types: ['client_credentials'] }]
  ])('refuses a client registered for %s', async (_, client) => {
    const { app } = await harness({
      clients: [...clients, { ...client, client_secret: 's'.repeat(32), redirect_uris: [callback] }]
    })
    expect(redirected(await authorize(app, { client_id: 'mute', state: 's' }))).toEqual(refusal('unauthorized_client'))
  })

  it.each([
    'response_type',
    'scope',
    'nonce',
    'code_challenge',
    'code_challenge_method',
    'prompt',
    'max_age',
    'response_mode',
    'claims',
    'display'
  ])('refuses %s sent twice, alike or not', async name => {
    const { app } = await harness()
    for (const value of ['x', 'code']) {
      const query = `${authorizationQuery({ state: 's' })}&${name}=${value}&${name}=${value}`
      expect(redirected(await request(app).get(`/oauth2/authorize?${query}`))).toEqual(refusal('invalid_request'))
    }
  })

  it('returns no state where two were sent', async () => {
    const { app } = await harness()
    const answer = redirected(await request(app).get(`/oauth2/authorize?${authorizationQuery({ state: 'a' })}&state=b`))
    expect(answer).toEqual({ error: 'invalid_request', error_description: expect.any(String), iss: issuer })
  })

  it('ignores what it does not know, repeated or not, and what is empty', async () => {
    const { app } = await harness()
    const more = '&unknown=1&unknown=2&__proto__=x&constructor=y&claims_locales=&display=&max_age=&prompt=&nonce=&response_mode='
    expect(redirected(await request(app).get(`/oauth2/authorize?${authorizationQuery()}${more}`))).toHaveProperty('code')
    expect(
      redirected(await authorize(app, { prompt: 'nonsense', display: 'wall', ui_locales: 'tlh', acr_values: '9' }))
    ).toHaveProperty('code')
  })
})

describe('state', () => {
  it.each([
    ['1000 characters', 'x'.repeat(1000)],
    ['reserved characters', "&=+%#?/:;@$,!*'()[]"],
    ['a URL', 'https://evil.example/?a=b&c=d#e'],
    ['quotes and angles', '"<script>\'</script>\\'],
    ['spaces', ' a  b '],
    ['percent signs', '%41%00%zz%'],
    ['letters outside ASCII', 'ünï→😀'],
    ['2000 characters', 'x'.repeat(2000)],
    ['another code', 'x&code=stolen&iss=https://evil.example'],
    ['a number', '0'],
    ['a word', 'undefined']
  ])('comes back whole with %s', async (_, state) => {
    const { app } = await harness()
    for (const change of [{}, { scope: '"' }]) {
      const response = await authorize(app, { state, ...change })
      const location = new URL(String(response.headers['location']))
      expect(location.searchParams.getAll('state')).toEqual([state])
      expect(location.searchParams.getAll('iss')).toEqual([issuer])
      expect(location.searchParams.getAll('code').length + location.searchParams.getAll('error').length).toBe(1)
      expect(`${location.origin}${location.pathname}`).toBe(callback)
      expect(Object.keys(response.headers)).not.toContain('set-cookie')
    }
  })

  it('is not there where none was sent', async () => {
    const { app } = await harness()
    for (const state of [undefined, '']) expect(Object.keys(redirected(await authorize(app, { state })))).toEqual(['code', 'iss'])
  })
})

describe('scope and resource', () => {
  it('are what the client registered where it asks for none, and nothing where it registered none', async () => {
    const { app } = await harness()
    expect((await redeemed(app, 'web', { scope: undefined })).scope.split(' ')).toEqual(
      expect.arrayContaining(['openid', 'api:read', 'files:read'])
    )
    expect((await redeemed(app, 'es256', { scope: undefined })).scope).toBeUndefined()
  })

  it('may name one resource more than once, and up to twenty', async () => {
    const { app } = await harness()
    const asking = (resources: string[]) =>
      request(app).get(
        `/oauth2/authorize?${authorizationQuery({ state: 's' })}${resources.map(resource => `&resource=${resource}`).join('')}`
      )
    const { code = '' } = redirected(await asking([api, api]))
    const { body } = await token(app, 'web', { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier })
    expect((body as { access_token: string }).access_token).toMatch(/^eyJ/)
    expect(redirected(await asking([api, files]))).toHaveProperty('code')
    expect(redirected(await asking(Array.from({ length: 21 }, (_, index) => `https://r${index}.example`)))).toEqual(
      refusal('invalid_target')
    )
  })
})
