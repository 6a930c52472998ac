import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import request from 'supertest'
import { api, clients, issuer, redeemed, userinfo } from '../support/servers/authorization-server.ts'
import { now } from '../support/servers/signed-requests.ts'
import { ask, backends, bodyOf, jwtAnswer, start } from './introspecting.ts'

describe('a signed answer (RFC 9701)', () => {
  const signedFor = async (app: Express, client_id: string, about: string) => {
    const response = await ask(app, client_id, about).set('Accept', jwtAnswer).buffer(true)
    expect([response.status, response.headers['content-type']]).toEqual([200, jwtAnswer])
    expect(response.headers['cache-control']).toBe('no-store')
    const jwks = (await request(app).get('/oauth2/jwks')).body as JSONWebKeySet
    return jwtVerify(response.text, createLocalJWKSet(jwks), { currentDate: new Date(now * 1000) })
  }

  it.each([undefined, 'RS256', 'PS256', 'ES256', 'EdDSA'])('is signed as the client registered: %s', async alg => {
    const backend = { ...backends[0], client_id: 'api-backend', ...(alg && { introspection_signed_response_alg: alg }) }
    const { app } = await start({ clients: [...clients, backend] })
    const { access_token } = await redeemed(app, 'web', { resource: api })
    const plain = await bodyOf(app, 'api-backend', access_token)
    const { payload, protectedHeader } = await signedFor(app, 'api-backend', access_token)
    expect(protectedHeader).toEqual({ alg: alg ?? 'RS256', typ: 'token-introspection+jwt', kid: expect.any(String) })
    expect(payload).toEqual({ iss: issuer, aud: 'api-backend', iat: now, token_introspection: plain })
    const { payload: inactive } = await signedFor(app, 'api-backend', 'unknown')
    expect(inactive).toEqual({ iss: issuer, aud: 'api-backend', iat: now, token_introspection: { active: false } })
  })

  it('is signed PS256 where that is the default, and metadata says what there is', async () => {
    const { app } = await start({ idTokenAlgorithms: ['PS256', 'ES256'] })
    expect((await signedFor(app, 'web', 'unknown')).protectedHeader.alg).toBe('PS256')
    const { body } = await request(app).get('/.well-known/oauth-authorization-server')
    expect(body).toMatchObject({ introspection_signing_alg_values_supported: ['PS256', 'ES256'] })
  })

  it('is no access token', async () => {
    const { app } = await start()
    const { access_token } = await redeemed(app, 'web', { resource: api })
    const { text } = await ask(app, 'web', access_token).set('Accept', jwtAnswer).buffer(true)
    expect(decodeProtectedHeader(text).typ).not.toBe('at+jwt')
    expect((await userinfo(app, text)).status).toBe(401)
  })

  it.each([
    [jwtAnswer, true],
    [jwtAnswer.toUpperCase(), true],
    [`text/html, ${jwtAnswer}`, true],
    [`${jwtAnswer}, application/json`, true],
    [`application/json;q=0.5, ${jwtAnswer}`, true],
    [`application/json, ${jwtAnswer};q=0.5`, false],
    ['application/json', false],
    ['application/jwt', false],
    ['*/*', false],
    ['text/html', false],
    ['', false],
    [`${jwtAnswer};q=0`, false],
    [',;=/'.repeat(200), false]
  ])('Accept: %.60s → %j', async (accept, isSigned) => {
    const { app } = await start()
    const { headers } = await ask(app, 'web', 'unknown').set('Accept', accept)
    expect(headers['content-type']).toBe(isSigned ? jwtAnswer : 'application/json')
  })

  it('is no way to hear of an error other than as JSON', async () => {
    const { app } = await start()
    const response = await ask(app, 'spa', 'unknown').set('Accept', jwtAnswer)
    expect([response.status, response.headers['content-type']]).toEqual([401, 'application/json'])
  })
})
