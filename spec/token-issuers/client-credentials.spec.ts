import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { api, files, harness, token, userinfo } from '../support/servers/authorization-server.ts'

const grant_type = 'client_credentials'

describe('the client credentials grant', () => {
  it('gives the client a token of its own, and nothing about a person', async () => {
    const { app, server } = await harness()
    const response = await token(app, 'web', { grant_type, scope: 'api:read' })
    expect([response.status, response.body]).toEqual([
      200,
      { access_token: expect.stringMatching(/^[\w-]{43}$/), token_type: 'Bearer', expires_in: 3600, scope: 'api:read' }
    ])
    const { access_token } = response.body as { access_token: string }
    expect(await server.verifyAccessToken(access_token)).toMatchObject({ sub: 'web', client_id: 'web', scope: ['api:read'] })
    expect((await userinfo(app, access_token)).status).toBe(403)
  })

  it.each(['spa', 'native'])('refuses the public client %s, whatever it is registered for', async client_id => {
    const { app } = await harness()
    expect(await token(app, client_id, { grant_type })).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
  })

  it('refuses a client that is not registered for it', async () => {
    const { app } = await harness()
    expect(await token(app, 'codes-only', { grant_type })).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
  })

  it.each([
    ['what the client registered, less what is about people', 'web', undefined, 'api:read api:write files:read'],
    ['nothing, where the client registered none', 'es256', undefined, undefined],
    ['what is asked for', 'web', 'files:read api:read', 'files:read api:read'],
    ['each value once', 'web', 'api:read api:read', 'api:read'],
    ['anything of the server, where the client registered none', 'es256', 'api:write', 'api:write']
  ])('grants %s', async (_, client_id, scope, granted) => {
    const { app } = await harness()
    const response = await token(app, client_id, { grant_type, ...(scope !== undefined && { scope }) })
    expect([response.status, (response.body as { scope?: string }).scope]).toEqual([200, granted])
    expect(response.body).not.toHaveProperty('refresh_token')
    expect(response.body).not.toHaveProperty('id_token')
  })

  it.each([
    ['openid', 'web', 'openid'],
    ['offline_access', 'web', 'offline_access api:read'],
    ['profile', 'web', 'api:read profile'],
    ['a value nobody knows', 'web', 'api:admin'],
    ['a value in another case', 'web', 'API:READ'],
    ['a value the client did not register', 'narrow', 'api:write'],
    ['two spaces', 'web', 'api:read  api:write'],
    ['a space at the end', 'web', 'api:read '],
    ['a quote', 'web', 'api:"read"'],
    ['a letter outside ASCII', 'web', 'äpi'],
    ['a prototype member', 'es256', '__proto__'],
    ['50000 characters', 'web', 'x'.repeat(50_000)]
  ])('refuses a scope with %s', async (_, client_id, scope) => {
    const { app } = await harness()
    const response = await token(app, client_id, { grant_type, scope })
    expect(response).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
    expect(response.text.length).toBeLessThan(300)
  })

  it('makes the token for the resource named, with the scope that resource understands', async () => {
    const { app } = await harness()
    const jwt = await token(app, 'web', { grant_type, resource: api, scope: 'api:read files:read' })
    expect(jwt.body).toMatchObject({ scope: 'api:read', expires_in: 3600 })
    expect(decodeJwt((jwt.body as { access_token: string }).access_token)).toMatchObject({
      aud: api,
      sub: 'web',
      client_id: 'web',
      scope: 'api:read'
    })
    const opaque = await token(app, 'web', { grant_type, resource: files })
    expect(opaque.body).toMatchObject({ scope: 'files:read', expires_in: 120 })
  })

  it.each(['https://evil.example', `${api}/`, `${api}#fragment`, `${api}?a=b`, 'api', '*', '__proto__', `${api}, ${files}`])(
    'refuses the resource %s',
    async resource => {
      const { app } = await harness()
      expect(await token(app, 'web', { grant_type, resource })).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
    }
  )
})
