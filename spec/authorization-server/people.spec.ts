/** A server that has to do with nobody but its clients. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import {
  authorizationCode,
  authorizationServer,
  clientCredentials,
  deviceCode,
  memoryStore,
  type AuthorizationServerOptions
} from '../../lib/index.ts'
import { basic, issuer, specKeys } from '../support/servers/authorization-server.ts'

const keys = await specKeys()

describe('a server without interaction', () => {
  const robot = { client_id: 'robot', client_secret: 'secret of robot', grant_types: ['client_credentials'], scope: 'api:read' }
  const some = { issuer, keys, store: memoryStore(), clients: [robot], scopes: ['api:read'] }
  const needed = 'interaction must be an object with the functions account, consented and prompt, as'

  it('is for clients that act for themselves: metadata names no endpoint for people, and a token opens its API', async () => {
    const server = authorizationServer(some)
    const app = express().use(server)
    app.get('/api', server.requireAccessToken({ scope: ['api:read'] }), (req, res) => void res.json(req.accessToken?.client_id))
    const { body: metadata } = await request(app).get('/.well-known/oauth-authorization-server')
    expect(metadata).toMatchObject({ grant_types_supported: ['client_credentials'], response_types_supported: [] })
    expect(metadata).not.toHaveProperty('authorization_endpoint')
    await request(app).get('/oauth2/authorize').expect(404)
    const { body } = await request(app)
      .post('/oauth2/token')
      .set('Authorization', basic('robot'))
      .type('form')
      .send({ grant_type: 'client_credentials' })
      .expect(200)
    await request(app).get('/api').set('Authorization', `Bearer ${body.access_token}`).expect(200, '"robot"')
  })

  it.each<[string, Partial<AuthorizationServerOptions>, string]>([
    [
      'the grant',
      { tokenIssuers: [authorizationCode(), clientCredentials()] },
      `${needed} authorizationCode() is among tokenIssuers`
    ],
    ['logout', { logout: { signOut: () => undefined } }, `${needed} logout ends the sessions of people`],
    ['a scope value', { scopes: ['api:read', 'openid'] }, `${needed} the scope value openid is about people`],
    [
      'a client',
      { clients: [{ client_id: 'web', client_secret: 'secret of web', redirect_uris: ['https://web.example/cb'] }] },
      'clients[0].grant_types[0] must be one of client_credentials: authorization_code needs the option interaction'
    ]
  ])('is refused where %s asks for people', (_name, options, message) => {
    expect(() => authorizationServer({ ...some, ...options })).toThrow(message)
  })

  it('may have people who sign in elsewhere', () => {
    const devices = { tokenIssuers: [deviceCode()], deviceAuthorization: { verificationUri: `${issuer}/device` } }
    const tv = { client_id: 'tv', token_endpoint_auth_method: 'none', grant_types: [deviceCode().grant_type] }
    expect(() => authorizationServer({ ...some, ...devices, scopes: ['openid'], clients: [tv] })).not.toThrow()
  })
})
