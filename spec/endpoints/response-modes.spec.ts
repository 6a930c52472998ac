import { describe, expect, it } from '@jest/globals'
import { hash } from 'node:crypto'
import type { Express } from 'express'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import request, { type Response } from 'supertest'
import {
  authorize,
  authorizationQuery,
  callback,
  clients,
  harness,
  issuer,
  redirected
} from '../support/servers/authorization-server.ts'

const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }
const unescapeHtml = (text: string) => text.replace(/&(?:amp|lt|gt|quot|#39);/g, entity => entities[entity] ?? '')

/** What a browser would post, and where. */
function readForm({ text }: Response): { action: string; fields: Record<string, string> } {
  const action = unescapeHtml(/<form method="post" action="([^"]*)">/.exec(text)?.[1] ?? '')
  const inputs = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
  return {
    action,
    fields: Object.fromEntries(inputs.map(([, name = '', value = '']) => [unescapeHtml(name), unescapeHtml(value)]))
  }
}

/** The parameters of an answer, wherever they are; that they are nowhere else. */
function parametersOf(response: Response, carrier: string): Record<string, string> {
  if (carrier === 'form_post') {
    expect([response.status, response.headers['location']]).toEqual([200, undefined])
    const { action, fields } = readForm(response)
    expect(action).toBe(callback)
    return fields
  }
  expect(response.status).toBe(303)
  const location = new URL(String(response.headers['location']))
  expect(carrier === 'fragment' ? location.search : location.hash).toBe('')
  return Object.fromEntries(carrier === 'fragment' ? new URLSearchParams(location.hash.slice(1)) : location.searchParams)
}

async function verified(app: Express, jwt: string, now: number, client_id = 'web') {
  const jwks = (await request(app).get('/oauth2/jwks')).body as JSONWebKeySet
  return jwtVerify(jwt, createLocalJWKSet(jwks), {
    issuer,
    audience: client_id,
    currentDate: new Date(now),
    requiredClaims: ['exp']
  })
}

const modes = [
  ['query', 'query'],
  ['fragment', 'fragment'],
  ['form_post', 'form_post']
] as const
const signedModes = [
  ['jwt', 'query'],
  ['query.jwt', 'query'],
  ['fragment.jwt', 'fragment'],
  ['form_post.jwt', 'form_post']
] as const

describe('response_mode', () => {
  it.each(modes)('%s carries codes and errors, state and iss', async (response_mode, carrier) => {
    const { app, person } = await harness()
    expect(parametersOf(await authorize(app, { response_mode, state: 's' }), carrier)).toEqual({
      code: expect.any(String),
      state: 's',
      iss: issuer
    })
    const error = parametersOf(await authorize(app, { response_mode, state: 's', scope: 'nobody:knows' }), carrier)
    expect(error).toEqual({ error: 'invalid_scope', error_description: expect.any(String), state: 's', iss: issuer })
    person.consented = false
    const { id } = (await authorize(app, { response_mode })).body as { id: string }
    const denied = await request(app).post(`/resume/${id}`).send({ error: 'access_denied' })
    expect(parametersOf(denied, carrier)).toMatchObject({ error: 'access_denied', iss: issuer })
  })

  it.each(signedModes)('%s signs codes and errors for the client', async (response_mode, carrier) => {
    const { app, clock } = await harness()
    for (const [change, answer] of [
      [{}, { code: expect.any(String) }],
      [
        { prompt: 'none', max_age: '0' },
        { error: 'login_required', error_description: expect.any(String) }
      ]
    ] as const) {
      const parameters = parametersOf(await authorize(app, { response_mode, state: 's', ...change }), carrier)
      expect(Object.keys(parameters)).toEqual(['response'])
      const { payload } = await verified(app, parameters['response'] ?? '', clock.now)
      expect(payload).toEqual({ ...answer, state: 's', iss: issuer, aud: 'web', exp: expect.any(Number) })
      const lifetime = (payload.exp ?? 0) - clock.now / 1000
      expect(lifetime).toBeGreaterThan(10)
      expect(lifetime).toBeLessThanOrEqual(600)
    }
  })

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'])('jwt is signed %s where the client registered it', async alg => {
    const { app, clock } = await harness({
      clients: clients.map(client => ({ ...client, authorization_signed_response_alg: alg }))
    })
    const { response = '' } = redirected(await authorize(app, { response_mode: 'jwt' }))
    expect(decodeProtectedHeader(response)).toMatchObject({ alg, kid: expect.any(String) })
    expect((await verified(app, response, clock.now)).payload).not.toHaveProperty('state')
  })

  it('jwt is RS256 unless registered; a client of an algorithm there is no key for is not one of this server’s', async () => {
    expect(
      decodeProtectedHeader(redirected(await authorize((await harness()).app, { response_mode: 'jwt' }))['response'] ?? '').alg
    ).toBe('RS256')
    // a list with such a client is refused at start; one that is looked up is met here
    const looked = clients.map(client => ({ ...client, authorization_signed_response_alg: 'HS256' }))
    const { app } = await harness({ clients: client_id => looked.find(client => client.client_id === client_id) })
    const response = await authorize(app, { response_mode: 'jwt' })
    expect([response.status, response.headers['location']]).toEqual([400, undefined])
    expect(response.text).toContain('invalid_request')
  })

  it.each(['web_message', 'QUERY', 'query ', 'none', 'jwt.query', 'constructor', 'x'.repeat(1000)])(
    '%.20s is not known',
    async response_mode => {
      const { app } = await harness()
      expect(redirected(await authorize(app, { response_mode, state: 's' }))).toMatchObject({
        error: 'invalid_request',
        state: 's',
        iss: issuer
      })
    }
  )

  it('sent twice is refused, in the query', async () => {
    const { app } = await harness()
    const response = await request(app).get(
      `/oauth2/authorize?${authorizationQuery({ response_mode: 'fragment' })}&response_mode=form_post`
    )
    expect(redirected(response)).toMatchObject({ error: 'invalid_request' })
  })

  it('leaves the registered query of a redirect URI as it is', async () => {
    const redirect_uri = `${callback}?dummy1=lorem&dummy2=ipsum`
    const { app } = await harness({ clients: clients.map(client => ({ ...client, redirect_uris: [redirect_uri] })) })
    expect((await authorize(app, { redirect_uri })).headers['location']).toMatch(`${redirect_uri}&code=`)
    expect((await authorize(app, { redirect_uri, response_mode: 'fragment' })).headers['location']).toMatch(
      `${redirect_uri}#code=`
    )
    expect(readForm(await authorize(app, { redirect_uri, response_mode: 'form_post' })).action).toBe(redirect_uri)
  })

  it('is in the metadata', async () => {
    const { app } = await harness()
    expect((await request(app).get('/.well-known/oauth-authorization-server')).body).toMatchObject({
      response_modes_supported: [...modes, ...signedModes].map(([mode]) => mode),
      authorization_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']
    })
  })
})

describe('the page of form_post', () => {
  it('runs its own script and no other, has a button, and cannot be framed or kept', async () => {
    const { app } = await harness()
    const response = await authorize(app, { response_mode: 'form_post' })
    const policy = String(response.headers['content-security-policy'])
    const [, script = ''] = /<script>(.*)<\/script>/.exec(response.text) ?? []
    const [, style = ''] = /<style>(.*)<\/style>/.exec(response.text) ?? []
    expect(policy).toContain(`script-src 'sha256-${hash('sha256', script, 'base64')}'`)
    expect(policy).toContain(`style-src 'sha256-${hash('sha256', style, 'base64')}'`)
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(response.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'content-type': 'text/html; charset=utf-8'
    })
    expect(response.text).toContain('<button>')
  })

  it.each([
    '"><script>alert(1)</script>',
    "' onfocus='alert(1)",
    '</form><form action=https://evil.example>',
    '&quot;&#34;&amp;',
    '日本語 🙂'
  ])('says %s as it was sent', async state => {
    const { app } = await harness()
    const response = await authorize(app, { response_mode: 'form_post', state })
    expect(readForm(response).fields['state']).toBe(state)
    expect(response.text.match(/<script>/g)).toHaveLength(1)
    expect(response.text.match(/<form /g)).toHaveLength(1)
  })

  it.each(['com.example.app:/callback', 'urn:ietf:wg:oauth:2.0:oob'])('is not for %s', async redirect_uri => {
    const { app } = await harness({ clients: clients.map(client => ({ ...client, redirect_uris: [redirect_uri] })) })
    for (const response_mode of ['form_post', 'form_post.jwt']) {
      const response = await authorize(app, { redirect_uri, response_mode })
      expect([response.status, response.headers['location']]).toEqual([303, expect.stringContaining('error=invalid_request')])
    }
  })
})
