import { describe, expect, it } from '@jest/globals'
import express, { json, urlencoded } from 'express'
import request from 'supertest'
import { assertionHarness, bearerGrant, exchangeGrant, tokenType } from '../support/servers/assertion-grants.ts'
import { api, basic, codeForm, redeemed, token, type Form } from '../support/servers/authorization-server.ts'
import { badValues, countingStore, encode, replaced, wrongTypes } from '../support/checks/bad-values.ts'

/** Registered for every grant. */
const client = 'agent'
const exchangeParameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'scope',
  'resource',
  'audience'
]
const formType = 'application/x-www-form-urlencoded'

/** A good request of each grant, and what in it can be made bad. */
async function goodRequests(before: express.Express = express()) {
  const { store, counted } = countingStore(() => 1_800_000_000_000)
  const { app, sign } = await assertionHarness({ server: { store, jsonBody: true } }, before)
  const { refresh_token, access_token } = await redeemed(app, client)
  const requests: Record<string, Form> = {
    authorization_code: { ...(await codeForm(app, { client_id: client })), resource: api },
    client_credentials: { grant_type: 'client_credentials', scope: 'api:read', resource: api },
    refresh_token: { grant_type: 'refresh_token', refresh_token, scope: 'openid', resource: api },
    [bearerGrant]: { grant_type: bearerGrant, assertion: await sign(), scope: 'api:read', resource: api },
    [exchangeGrant]: {
      grant_type: exchangeGrant,
      subject_token: access_token,
      subject_token_type: tokenType('access_token'),
      actor_token: access_token,
      actor_token_type: tokenType('access_token'),
      requested_token_type: tokenType('access_token'),
      scope: 'api:read',
      resource: api,
      audience: api
    }
  }
  return { app, counted, requests }
}

describe.each([
  ['authorization_code', ['grant_type', 'code', 'redirect_uri', 'code_verifier', 'resource']],
  ['client_credentials', ['grant_type', 'scope', 'resource']],
  ['refresh_token', ['grant_type', 'refresh_token', 'scope', 'resource']],
  [bearerGrant, ['grant_type', 'assertion', 'scope', 'resource']],
  [exchangeGrant, ['grant_type', ...exchangeParameters]]
])('bad parameters of %s', (grant, names) => {
  it.each(names)('%s: each is invalid_request, and changes nothing', async name => {
    const { app, counted, requests } = await goodRequests()
    const form = requests[grant] ?? {}
    const changes = counted.changes
    for (const [what, sent] of badValues(name, form[name] ?? '')) {
      const response = await token(app, client, replaced(form, name, sent))
      expect([what, response.status, response.body]).toEqual([
        what,
        400,
        { error: 'invalid_request', error_description: expect.any(String) }
      ])
      expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' })
    }
    for (const [what, value] of wrongTypes(name)) {
      const response = await request(app)
        .post('/oauth2/token')
        .set('Authorization', basic(client))
        .send({ ...form, [name]: value })
      expect([what, response.status, (response.body as { error: string }).error]).toEqual([what, 400, 'invalid_request'])
    }
    const huge = await token(app, client, replaced(form, name, `${name}=${'x'.repeat(70_000)}`))
    expect([huge.status, (huge.body as { error: string }).error]).toEqual([413, 'invalid_request'])
    expect(counted.changes).toBe(changes)
    expect((await token(app, client, form)).status).toBe(200)
  })

  it('lists and objects as query-string libraries write them are no parameters at all', async () => {
    const { app, counted, requests } = await goodRequests()
    const form = requests[grant] ?? {}
    const changes = counted.changes
    for (const written of ['grant_type[]', 'grant_type[0]', 'grant_type[a]', 'grant_type.a', 'GRANT_TYPE', ' grant_type']) {
      const response = await token(app, client, replaced(form, 'grant_type', `${encodeURIComponent(written)}=${grant}`))
      expect([response.status, response.body]).toEqual([
        400,
        { error: 'invalid_request', error_description: 'grant_type is missing' }
      ])
    }
    expect(counted.changes).toBe(changes)
  })

  it('lists and objects from a body parser before us are refused', async () => {
    const { app, counted, requests } = await goodRequests(express().use(urlencoded({ extended: true }), json()))
    const form = requests[grant] ?? {}
    const changes = counted.changes
    // a list of resources is one
    for (const name of names.filter(name => name !== 'resource')) {
      for (const written of [`${name}[]=x`, `${name}[a]=x`, `${name}[a][b]=x`, `${name}=x&${name}=y`]) {
        const response = await token(app, client, replaced(form, name, written))
        expect([written, response.status, (response.body as { error: string }).error]).toEqual([written, 400, 'invalid_request'])
      }
    }
    expect(counted.changes).toBe(changes)
    expect((await token(app, client, form)).status).toBe(200)
  })
})

describe('missing parameters', () => {
  it.each([
    ['authorization_code', 'code'],
    ['refresh_token', 'refresh_token'],
    [bearerGrant, 'assertion'],
    [exchangeGrant, 'subject_token'],
    [exchangeGrant, 'subject_token_type'],
    ['client_credentials', 'grant_type']
  ])('%s without %s is invalid_request, absent or empty', async (grant, name) => {
    const { app, requests } = await goodRequests()
    for (const by of ['', `${name}=`, name]) {
      const response = await token(app, client, replaced(requests[grant] ?? {}, name, by))
      expect([response.status, response.body]).toEqual([
        400,
        { error: 'invalid_request', error_description: `${name} is missing` }
      ])
    }
  })

  it('treats an empty optional parameter as absent, and ignores what it does not know', async () => {
    const { app } = await goodRequests()
    const more = '&resource=&unknown=1&__proto__=x&constructor=y&toString=z&hasOwnProperty=1'
    const response = await token(app, client, `grant_type=client_credentials&scope=${more}`)
    expect([response.status, (response.body as { scope: string }).scope]).toEqual([200, 'api:read api:write files:read'])
  })

  it('refuses a hundred parameters and one', async () => {
    const { app } = await goodRequests()
    const many = (count: number) => Array.from({ length: count }, (_, index) => `&a${index}=1`).join('')
    expect((await token(app, client, `grant_type=client_credentials${many(99)}`)).status).toBe(200)
    expect((await token(app, client, `grant_type=client_credentials${many(100)}`)).body).toMatchObject({
      error: 'invalid_request'
    })
  })

  it('refuses a credential in the address, and never repeats a value', async () => {
    const { app, requests } = await goodRequests()
    for (const name of ['client_secret', 'code', 'refresh_token', 'code_verifier', 'assertion', 'subject_token', 'actor_token']) {
      const response = await request(app)
        .post(`/oauth2/token?${name}=s3cr3t`)
        .set('Authorization', basic(client))
        .type(formType)
        .send(encode(requests['client_credentials'] ?? {}))
      expect([response.status, (response.body as { error: string }).error]).toEqual([400, 'invalid_request'])
      expect(response.text).not.toContain('s3cr3t')
    }
  })
})
