/** Endpoints that stand where the application says. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { tenants, type EndpointPaths } from '../../lib/index.ts'
import { pathsOf } from '../../lib/http/endpoint-paths.ts'
import {
  authorize,
  clients,
  codeForm,
  harness,
  issuer,
  redeemed,
  specKeys,
  token,
  userinfo
} from '../support/servers/authorization-server.ts'
import { memoryStore } from '../../lib/index.ts'

const paths: EndpointPaths = { token: '/token', authorization: '/auth', jwks: '/.keys/v1', registration: '/clients' }
const wellKnown = '/.well-known/oauth-authorization-server'

describe('paths', () => {
  it('are where endpoints answer, and what metadata says of them; the others stay', async () => {
    const { app } = await harness({ paths, mtlsOrigin: 'https://mtls.example.com' })
    const { body: metadata } = await request(app).get(wellKnown)
    expect(metadata).toMatchObject({
      token_endpoint: `${issuer}/token`,
      authorization_endpoint: `${issuer}/auth`,
      jwks_uri: `${issuer}/.keys/v1`,
      userinfo_endpoint: `${issuer}/oauth2/userinfo`,
      mtls_endpoint_aliases: { token_endpoint: 'https://mtls.example.com/token' }
    })
    const form = await codeForm(app, {}, '/auth')
    expect((await token(app, 'web', form, '/token')).status).toBe(200)
    expect((await token(app, 'web', form)).status).toBe(404)
    expect((await authorize(app)).status).toBe(404)
    expect((await request(app).get('/.keys/v1')).status).toBe(200)
    await request(app).get('/oauth2/jwks').expect(404)
  })

  it('are as they were where none are given', async () => {
    const { app } = await harness({ paths: {} })
    const { access_token } = await redeemed(app)
    await userinfo(app, access_token).expect(200)
  })

  it('are below an issuer that has a path, and tell tenants apart', async () => {
    const keys = await specKeys()
    const resolve = (path: string) => (path.includes('nobody') ? undefined : { clients, keys, store: memoryStore(), interaction })
    const interaction = { account: () => undefined, consented: () => false, prompt: () => undefined }
    const app = express().use(tenants({ issuer, resolve, paths: { ...paths, introspection: '/v2/tokens/introspect' } }))
    for (const tenant of ['/acme', '/acme/banking', '/v2']) {
      const { body: metadata } = await request(app).get(`${wellKnown}${tenant}`).expect(200)
      expect(metadata.introspection_endpoint).toBe(`${issuer}${tenant}/v2/tokens/introspect`)
      expect((await token(app, 'web', { grant_type: 'client_credentials' }, `${tenant}/token`)).status).toBe(200)
      expect((await token(app, 'web', { token: 'none' }, `${tenant}/v2/tokens/introspect`)).body).toEqual({ active: false })
    }
    expect((await token(app, 'web', { grant_type: 'client_credentials' }, '/nobody/oauth2/token')).status).toBe(404)
    expect((await token(app, 'web', { grant_type: 'client_credentials' }, '/nobody/token')).status).toBe(404)
  })

  it('are given to all tenants at once', async () => {
    const keys = await specKeys()
    const errors: unknown[] = []
    const resolve = () => ({ clients: [], keys, store: memoryStore(), paths }) as never
    const app = express().use(tenants({ issuer, resolve, onError: error => errors.push(error) }))
    await request(app).get(`${wellKnown}/acme`).expect(500)
    expect(errors).toEqual([expect.objectContaining({ name: 'ConfigurationError', key: 'paths' })])
  })

  it.each<[unknown, string]>([
    [{ token: 'token' }, 'paths.token must be a path'],
    [{ token: '/token/' }, 'paths.token must be a path'],
    [{ token: '/a/../token' }, 'paths.token must be a path'],
    [{ token: '/to ken' }, 'paths.token must be a path'],
    [{ token: '/token?a' }, 'paths.token must be a path'],
    [{ token: '//token' }, 'paths.token must be a path'],
    [{ token: 1 }, 'paths.token must be a path'],
    [{ tokens: '/token' }, 'paths.tokens is not a known option; did you mean token?'],
    [{ token: '/oauth2/jwks' }, 'paths.token must be another path than /oauth2/jwks, where jwks stands'],
    [{ token: '/t', jwks: '/t' }, 'paths.jwks must be another path than /t, where token stands'],
    [{ token: wellKnown }, `paths.token must be another path than ${wellKnown}, where the metadata stands`]
  ])('%j is refused by name', async (given, message) => {
    await expect(harness({ paths: given as EndpointPaths })).rejects.toThrow(message)
  })

  it('can change places', () => {
    expect(pathsOf({ token: '/oauth2/jwks', jwks: '/oauth2/token' })).toMatchObject({
      token_endpoint: '/oauth2/jwks',
      jwks_uri: '/oauth2/token'
    })
  })
})
