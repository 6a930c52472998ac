import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import request, { type Response } from 'supertest'
import {
  authorizationQuery,
  authorize,
  authorizeByPost,
  callback,
  clients,
  harness,
  issuer,
  redirected,
  token,
  code_verifier
} from '../support/servers/authorization-server.ts'

const withQuery = 'https://client.example.com/cb?tenant=a%20b&x=1&x=2'
const registered = [
  callback,
  withQuery,
  'http://127.0.0.1:49152/cb',
  'com.example.app:/callback',
  'https://xn--bcher-kva.example/cb',
  'https://client.example.com/a%2Fb'
]
const picky = { client_id: 'picky', client_secret: 'secret of picky', redirect_uris: registered }
const build = () => harness({ clients: [...clients, picky] })

/** A page for the person, and nothing anywhere else. */
function expectPage(response: Response, status = 400, code = 'invalid_request') {
  expect([response.status, response.headers['location'], response.headers['content-type']]).toEqual([
    status,
    undefined,
    'text/html; charset=utf-8'
  ])
  expect(response.text).toContain(`<code>${code}</code>`)
  expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
  expect(response.headers['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(response.headers).not.toHaveProperty('access-control-allow-origin')
}

describe('redirect_uri', () => {
  it.each(registered)('%s is taken as it was registered, its query included', async redirect_uri => {
    const { app } = await build()
    const response = await authorize(app, { client_id: 'picky', redirect_uri, state: 's' })
    expect(response.status).toBe(303)
    const location = String(response.headers['location'])
    expect(location.startsWith(`${redirect_uri}${redirect_uri.includes('?') ? '&' : '?'}code=`)).toBe(true)
    expect(location.endsWith(`&state=s&iss=${encodeURIComponent(issuer)}`)).toBe(true)
    const form = { grant_type: 'authorization_code', code: redirected(response)['code'] ?? '', redirect_uri, code_verifier }
    expect((await token(app, 'picky', form)).status).toBe(200)
  })

  it.each([
    'https://client.example.com/cb/',
    'https://client.example.com/cb#',
    'https://client.example.com/cb#@evil.example',
    'https://client.example.com/cb?',
    'https://client.example.com/cb?next=https://evil.example',
    'https://client.example.com/cb&x=1',
    'https://client.example.com/cbx',
    'https://client.example.com/cb/../evil',
    'https://client.example.com/x/../cb',
    'https://client.example.com/./cb',
    'https://client.example.com/%2e%2e/cb',
    'https://client.example.com/cb/..;/evil',
    'https://client.example.com/cb/.',
    'https://client.example.com//cb',
    'https://client.example.com/CB',
    'https://client.example.com/c%62',
    'https://client.example.com/cb%00',
    'https://client.example.com/cb%0d%0aSet-Cookie:a=b',
    'https://client.example.com/cb\r\nLocation: https://evil.example',
    'https://client.example.com/cb ',
    ' https://client.example.com/cb',
    'https://client.example.com\\cb',
    'https://client.example.com\\.evil.example/cb',
    'https:\\\\client.example.com\\cb',
    'https://client.example.com/\\cb',
    'https://evil.example\\@client.example.com/cb',
    'https:/client.example.com/cb',
    'https:client.example.com/cb',
    '//client.example.com/cb',
    '/cb',
    'client.example.com/cb',
    'http://client.example.com/cb',
    'HTTPS://client.example.com/cb',
    'https://CLIENT.example.com/cb',
    'https://client.example.com./cb',
    'https://client.example.com:443/cb',
    'https://client.example.com:8443/cb',
    'https://client.example.com:0443/cb',
    'https://client.example.com:/cb',
    'https://client.example.com@evil.example/cb',
    'https://client.example.com:@evil.example/cb',
    'https://client.example.com%40evil.example/cb',
    'https://client.example.com#@evil.example/cb',
    'https://@client.example.com/cb',
    'https://evil.example@client.example.com/cb',
    'https://user:pass@client.example.com/cb',
    'https://evil.example/cb',
    'https://evil.client.example.com/cb',
    'https://client.example.com.evil.example/cb',
    'https://clíent.example.com/cb',
    'https://client。example.com/cb',
    'https://bücher.example/cb',
    'https://BÜCHER.example/cb',
    'https://client.example.com/cｂ',
    'https://client.example.com/cb\u200b',
    'https://client.example.com/\u202ecb',
    'https://cl\u0456ent.example.com/cb',
    'https://client.example.com/c\tb',
    'https://client.example.com/a/b',
    'https://client.example.com/a%2fb',
    'https://client.example.com/cb?x=2&x=1&tenant=a%20b',
    'https://client.example.com/cb?tenant=a+b&x=1&x=2',
    'https://client.example.com/cb?tenant=a%20b&x=1&x=2&y=3',
    'http://127.0.0.1:49153/cb',
    'http://localhost:49152/cb',
    'http://[::1]:49152/cb',
    'com.example.app://callback',
    'com.example.app:/callback/',
    'javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'urn:ietf:wg:oauth:2.0:oob',
    '*',
    'null'
  ])('%j is nobody’s: the person sees a page', async redirect_uri => {
    const { app, errors } = await build()
    for (const change of [{}, { prompt: 'none' }, { response_type: 'nonsense' }, { scope: '"' }])
      expectPage(await authorize(app, { client_id: 'picky', redirect_uri, ...change }))
    expect(errors).toHaveLength(4)
  })

  it('is compared as a string, whatever is done to it', async () => {
    const { app } = await build()
    const change = fc.tuple(fc.nat({ max: callback.length }), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2 }))
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async ([at, by], instead) => {
        const redirect_uri = callback.slice(0, at) + by + callback.slice(at + (instead ? by.length : 0))
        fc.pre(redirect_uri !== callback)
        const response = await authorize(app, { redirect_uri })
        expect([response.status, response.headers['location']]).toEqual([400, undefined])
      }),
      { numRuns: 60 }
    )
  })

  it.each([
    ['no redirect_uri', { redirect_uri: undefined }],
    ['an empty redirect_uri', { redirect_uri: '' }],
    ['no client_id', { client_id: undefined }],
    ['an empty client_id', { client_id: '' }],
    ['an unknown client_id', { client_id: 'nobody' }],
    ['a client_id in another case', { client_id: 'WEB' }],
    ['a client_id that is a prototype member', { client_id: '__proto__' }],
    ['a client without redirect URIs', { client_id: 'bare' }],
    ['a huge client_id', { client_id: 'x'.repeat(5_000) }]
  ])('%s: a page', async (_, change) => {
    const { app } = await harness({ clients: [...clients, { client_id: 'bare', client_secret: 'secret of bare' }] })
    expectPage(await authorize(app, change))
    expectPage(await authorizeByPost(app, authorizationQuery(change)))
  })

  it.each(['redirect_uri', 'client_id'])('%s sent twice: a page, whichever way round', async name => {
    const { app } = await build()
    for (const other of ['https://evil.example', callback, 'web']) {
      for (const query of [`${authorizationQuery()}&${name}=${other}`, `${name}=${other}&${authorizationQuery()}`])
        expectPage(await request(app).get(`/oauth2/authorize?${query}`))
    }
  })

  it('is no list and no object', async () => {
    const { app } = await build()
    for (const written of ['redirect_uri[]', 'redirect_uri[0]', 'redirect_uri[a]'])
      expectPage(
        await request(app).get(`/oauth2/authorize?${authorizationQuery({ redirect_uri: undefined })}&${written}=${callback}`)
      )
  })
})

describe('the error page', () => {
  it('shows nothing a request brought, escaped or not', async () => {
    const { app } = await build()
    for (const attack of [
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "'+alert(1)+'",
      '{{7*7}}',
      '&lt;b&gt;'
    ]) {
      const queries = [
        authorizationQuery({ client_id: attack }),
        authorizationQuery({ redirect_uri: attack }),
        `${authorizationQuery({ redirect_uri: undefined })}&${encodeURIComponent(attack)}=1`,
        authorizationQuery({ redirect_uri: 'https://evil.example', state: attack, scope: attack, login_hint: attack })
      ]
      for (const query of queries) {
        const response = await request(app).get(`/oauth2/authorize?${query}`)
        expectPage(response)
        expect(response.text).not.toContain(attack)
        expect(response.text).not.toContain('alert(1)')
      }
    }
  })

  it.each(['put', 'patch', 'delete', 'options'] as const)('answers %s with 405', async method => {
    const { app } = await build()
    const response = await request(app)[method](`/oauth2/authorize?${authorizationQuery()}`)
    expect([response.status, response.headers['allow'], response.headers['location']]).toEqual([
      405,
      'GET, HEAD, POST',
      undefined
    ])
  })

  it('can be the application’s own', async () => {
    const interaction = {
      account: () => undefined,
      consented: () => false,
      prompt: () => undefined,
      error: (_req: unknown, res: { json(body: object): unknown }, details: object) => void res.json({ ours: details })
    }
    const { app } = await harness({ interaction })
    const response = await authorize(app, { redirect_uri: 'https://evil.example' })
    expect([response.status, response.body]).toEqual([
      400,
      { ours: { error: 'invalid_request', error_description: expect.any(String) } }
    ])
  })

  it('is a 503 where clients cannot be looked up', async () => {
    const { app } = await harness({ clients: () => Promise.reject(new Error('hunter2')) })
    const response = await authorize(app)
    expectPage(response, 503, 'temporarily_unavailable')
    expect([response.headers['retry-after'], response.text.includes('hunter2')]).toEqual(['5', false])
  })

  it('appears even where the operator’s listener fails', async () => {
    for (const onError of [
      () => Promise.reject(new Error('log')),
      () => {
        throw new Error('log')
      }
    ]) {
      const { app } = await harness({ onError })
      expectPage(await authorize(app, { redirect_uri: 'https://evil.example' }))
      expect(redirected(await authorize(app, { scope: '"' }))).toMatchObject({ error: 'invalid_scope' })
      expectPage(await request(app).post('/resume/unknown').send({ consent: true }))
    }
  })
})
