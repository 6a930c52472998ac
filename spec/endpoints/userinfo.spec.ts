import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import request from 'supertest'
import { alice, codeForm, harness, redeemed, token, userinfo } from '../support/servers/authorization-server.ts'

describe('the userinfo endpoint', () => {
  it.each([
    ['openid', {}],
    ['openid profile', { name: 'Alice' }],
    ['openid email', { email: 'alice@example.com', email_verified: true }],
    ['openid phone', { phone_number: '+49 30 1' }],
    ['openid address', { address: { country: 'DE' } }],
    ['openid api:read', {}],
    ['openid profile email phone address', { ...alice.claims, sub: undefined, secret_note: undefined }]
  ])('tells what %s stands for, and nothing else', async (scope, claims) => {
    const { app } = await harness()
    const { access_token } = await redeemed(app, 'web', { scope })
    const response = await userinfo(app, access_token)
    expect([response.status, response.body]).toEqual([200, { sub: 'alice', ...JSON.parse(JSON.stringify(claims)) }])
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' })
  })

  it('answers HEAD as it answers GET, without a body', async () => {
    const { app } = await harness()
    const { access_token } = await redeemed(app)
    const response = await request(app).head('/oauth2/userinfo').set('Authorization', `Bearer ${access_token}`)
    expect([response.status, response.headers['content-type']]).toEqual([200, 'application/json'])
    expect((await request(app).head('/oauth2/userinfo')).status).toBe(401)
  })

  it('answers POST as it answers GET', async () => {
    const { app } = await harness()
    const { access_token } = await redeemed(app)
    const response = await request(app).post('/oauth2/userinfo').set('Authorization', `Bearer ${access_token}`)
    expect([response.status, response.body]).toEqual([200, { sub: 'alice' }])
  })

  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('takes the scheme as %s', async scheme => {
    const { app } = await harness()
    const { access_token } = await redeemed(app)
    expect((await request(app).get('/oauth2/userinfo').set('Authorization', `${scheme} ${access_token}`)).status).toBe(200)
  })

  it('asks for a token where there is none, without an error code in the challenge', async () => {
    const { app } = await harness()
    const response = await request(app).get('/oauth2/userinfo')
    expect(response.status).toBe(401)
    expect(response.headers['www-authenticate']).toMatch(/^Bearer/)
    expect(response.headers['www-authenticate']).not.toContain('error')
    expect(response.headers['cache-control']).toBe('no-store')
  })

  it.each([
    ['in the query', (app: Express, access_token: string) => request(app).get(`/oauth2/userinfo?access_token=${access_token}`)],
    [
      'as a cookie',
      (app: Express, access_token: string) => request(app).get('/oauth2/userinfo').set('Cookie', `access_token=${access_token}`)
    ],
    [
      'of another scheme',
      (app: Express, access_token: string) => request(app).get('/oauth2/userinfo').set('Authorization', `Basic ${access_token}`)
    ],
    [
      'without a scheme',
      (app: Express, access_token: string) => request(app).get('/oauth2/userinfo').set('Authorization', access_token)
    ],
    [
      'after a tab',
      (app: Express, access_token: string) => request(app).get('/oauth2/userinfo').set('Authorization', `Bearer\t${access_token}`)
    ],
    [
      'twice',
      (app: Express, access_token: string) =>
        request(app).get('/oauth2/userinfo').set('Authorization', `Bearer ${access_token} ${access_token}`)
    ],
    [
      'as DPoP without a proof',
      (app: Express, access_token: string) => request(app).get('/oauth2/userinfo').set('Authorization', `DPoP ${access_token}`)
    ]
  ])('takes no token %s', async (_, send) => {
    const { app } = await harness()
    const { access_token } = await redeemed(app)
    const response = await send(app, access_token)
    expect([response.status, response.headers['www-authenticate']]).toEqual([401, expect.stringContaining('Bearer')])
    expect(response.text).not.toContain('alice@')
  })

  it.each([
    ['short', 'x'],
    ['unsigned', 'eyJhbGciOiJub25lIn0.e30.'],
    ['of 10000 characters', 'a'.repeat(10_000)],
    ['all dots', '....'],
    ['all padding', '=']
  ])('refuses a token that is %s with a challenge', async (_, wrong) => {
    const { app } = await harness()
    const response = await userinfo(app, wrong)
    expect(response.status).toBe(401)
    expect(response.headers['www-authenticate']).toContain('Bearer')
    if (/^[A-Za-z0-9\-._~+/]+=*$/.test(wrong)) expect(response.headers['www-authenticate']).toContain('error="invalid_token"')
    expect(response.text).not.toContain(wrong)
  })

  it('refuses everything that is no access token, and an access token whose time is over', async () => {
    const { app, clock } = await harness()
    const { code } = await codeForm(app)
    const { access_token, refresh_token, id_token } = await redeemed(app)
    for (const wrong of [code, refresh_token, id_token]) expect((await userinfo(app, wrong)).status).toBe(401)
    clock.now += 3600_000
    const expired = await userinfo(app, access_token)
    expect([expired.status, expired.headers['www-authenticate']]).toEqual([401, expect.stringContaining('error="invalid_token"')])
  })

  it('is forbidden without openid', async () => {
    const { app } = await harness()
    for (const access_token of [
      (await redeemed(app, 'web', { scope: 'api:read' })).access_token,
      ((await token(app, 'web', { grant_type: 'client_credentials' })).body as { access_token: string }).access_token
    ]) {
      const response = await userinfo(app, access_token)
      expect([response.status, (response.body as { error: string }).error, response.headers['www-authenticate']]).toEqual([
        403,
        'insufficient_scope',
        expect.stringContaining('error="insufficient_scope"')
      ])
    }
  })

  it.each(['put', 'delete', 'patch'] as const)('refuses %s', async method => {
    const { app } = await harness()
    const response = await request(app)[method]('/oauth2/userinfo')
    expect([response.status, response.headers['allow']]).toEqual([405, 'GET, HEAD, POST'])
  })

  it('tells the sub alone of a person nobody has claims about, and nothing of what failed', async () => {
    const gone = await harness({ claims: () => undefined })
    expect((await userinfo(gone.app, (await redeemed(gone.app, 'web', { scope: 'openid profile' })).access_token)).body).toEqual({
      sub: 'alice'
    })
    const failing = await harness({ claims: () => Promise.reject(new Error('hunter2')) })
    const response = await userinfo(failing.app, (await redeemed(failing.app, 'web', { scope: 'openid profile' })).access_token)
    expect([response.status, response.body]).toEqual([
      500,
      { error: 'server_error', error_description: 'the server met an error' }
    ])
  })
})
