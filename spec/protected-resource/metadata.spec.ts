import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { api, harness } from '../support/servers/authorization-server.ts'

async function published(resource: string, options: object = {}) {
  const { app, server } = await harness(options, express())
  app.use(server.protectedResourceMetadata({ resource, scopes: ['api:read'], resourceName: 'Files' }))
  return app
}

describe('protected resource metadata', () => {
  it.each([
    [api, '/.well-known/oauth-protected-resource'],
    [`${api}/`, '/.well-known/oauth-protected-resource'],
    [`${api}/files/v1`, '/.well-known/oauth-protected-resource/files/v1'],
    [`${api}/files/`, '/.well-known/oauth-protected-resource/files/'],
    // clients leave the last slash out
    [`${api}/files/`, '/.well-known/oauth-protected-resource/files'],
    [`${api}/files?tenant=1&v=2`, '/.well-known/oauth-protected-resource/files?tenant=1&v=2'],
    [`${api}/files/?tenant=1`, '/.well-known/oauth-protected-resource/files/?tenant=1'],
    [`${api}?tenant=1`, '/.well-known/oauth-protected-resource?tenant=1'],
    [`${api}/?tenant=1`, '/.well-known/oauth-protected-resource?tenant=1'],
    [`${api}/files`, '/.well-known/oauth-protected-resource/files?cache=no']
  ])('of %s stands at %s, for any origin', async (resource, path) => {
    const app = await published(resource)
    const response = await request(app).get(path).set('Host', 'evil.example')
    expect(response.status).toBe(200)
    expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'access-control-allow-origin': '*' })
    expect(response.body).toEqual({
      resource,
      authorization_servers: ['https://as.example.com'],
      scopes_supported: ['api:read'],
      bearer_methods_supported: ['header'],
      resource_name: 'Files',
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'PS256'])
    })
  })

  it.each([
    [`${api}/files`, '/files/'],
    [`${api}/files/`, '/files//'],
    [`${api}/files/`, ''],
    [`${api}/files?tenant=1`, '/files'],
    [`${api}/files?tenant=1`, '/files?tenant=2'],
    [`${api}/files?tenant=1`, '/files?tenant=1&more'],
    [`${api}?tenant=1`, '']
  ])('of %s does not stand at %s', async (resource, path) => {
    const app = await published(resource)
    expect((await request(app).get(`/.well-known/oauth-protected-resource${path}`)).status).toBe(404)
  })

  it('of resources that differ in their query alone are told apart', async () => {
    const { app, server } = await harness({}, express())
    for (const query of ['?a', '?b']) app.use(server.protectedResourceMetadata({ resource: `${api}/files${query}` }))
    const { body } = await request(app).get('/.well-known/oauth-protected-resource/files?b')
    expect(body).toMatchObject({ resource: `${api}/files?b` })
  })

  it('stands at the root too where that is asked for', async () => {
    const { app, server } = await harness({}, express())
    app.use(server.protectedResourceMetadata({ resource: `${api}/files/?x`, root: true }))
    for (const path of ['', '?cache=no', '/files?x'])
      expect((await request(app).get(`/.well-known/oauth-protected-resource${path}`)).body.resource).toBe(`${api}/files/?x`)
  })

  it('answers what a browser asks before it reads it', async () => {
    const app = await published(`${api}/files`)
    const response = await request(app).options('/.well-known/oauth-protected-resource/files').set('Origin', 'https://x.example')
    expect([response.status, response.headers['access-control-allow-origin']]).toEqual([204, '*'])
  })

  it('says where certificates bind tokens', async () => {
    const app = await published(api, { certificateMethods: true })
    const { body } = await request(app).get('/.well-known/oauth-protected-resource')
    expect(body).toMatchObject({ tls_client_certificate_bound_access_tokens: true })
  })

  it('answers GET and HEAD there, and leaves every other path to the application', async () => {
    const app = await published(`${api}/files`)
    app.get('/other', (_req, res) => void res.send('ours'))
    expect((await request(app).head('/.well-known/oauth-protected-resource/files')).status).toBe(200)
    const post = await request(app).post('/.well-known/oauth-protected-resource/files')
    expect([post.status, post.headers['allow']]).toEqual([405, 'GET, HEAD'])
    expect((await request(app).get('/.well-known/oauth-protected-resource')).status).toBe(404)
    expect((await request(app).get('/other')).text).toBe('ours')
  })

  it('is pointed to by the challenge', async () => {
    const { app, server } = await harness({}, express())
    const resourceMetadata = `${api}/.well-known/oauth-protected-resource`
    app.get('/api', server.requireAccessToken({ resourceMetadata }), (_req, res) => void res.json({}))
    for (const authorization of [undefined, 'Bearer wrong']) {
      const get = request(app).get('/api')
      const { headers } = await (authorization === undefined ? get : get.set('Authorization', authorization))
      expect(headers['www-authenticate']).toMatch(new RegExp(`^Bearer .*resource_metadata="${resourceMetadata}", DPoP `))
    }
  })

  it.each([
    ['resource', { resource: '/api' }],
    ['resource', { resource: `${api}#x` }],
    ['resource', {}],
    ['root', { resource: api, root: 'yes' }],
    ['scope', { resource: api, scope: [] }]
  ])('is not built with a wrong %s', async (key, options) => {
    const { server } = await harness({}, express())
    expect(() => server.protectedResourceMetadata(options as { resource: string })).toThrow(new RegExp(`^${key} `))
  })
})
