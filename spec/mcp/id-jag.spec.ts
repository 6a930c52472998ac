/** Enterprise-managed authorization: an ID-JAG of the company's identity provider, used by a client that has a document and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { authorizationCode, jwtBearer, memoryStore, refreshToken } from 'clientele'
import { mcpAuthorization } from 'clientele/mcp'
import { specKeys, type Form } from '../support/servers/authorization-server.ts'
import { documentServer, type DocumentServer } from '../support/servers/document-server.ts'
import { makeIssuer, signAs, type JwtParts } from '../support/servers/trusted-issuer.ts'

const issuer = 'http://localhost:3000'
const resource = `${issuer}/mcp`
const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const header = { typ: 'oauth-id-jag+jwt' }
let host: DocumentServer

beforeAll(async () => void (host = await documentServer()))
afterAll(() => host.close())

async function make(trusting = true, audTenant?: string) {
  const idp = await makeIssuer()
  const rule = { issuer: idp.issuer, jwks: { keys: [idp.jwk] } }
  const mcp = mcpAuthorization({
    issuer,
    resource,
    scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
    required: ['notes:read'],
    clients: [{ client_id: 'configured', token_endpoint_auth_method: 'none', redirect_uris: ['https://app.example/cb'] }],
    clientDocuments: { hosts: ['*'], ca: host.ca },
    tokenIssuers: [
      authorizationCode(),
      refreshToken(),
      jwtBearer({ trustedIssuers: trusting ? [rule] : [], subject: ({ sub }) => sub, audTenant })
    ],
    store: memoryStore(),
    keys: await specKeys(),
    interaction: { account: () => undefined, consented: () => false, prompt: () => undefined }
  })
  const app = express()
  app.use(mcp)
  const sign = (parts: JwtParts) => signAs(idp, issuer, Date.now() / 1000, parts)
  const post = (form: Form) =>
    request(app)
      .post('/oauth2/token')
      .type('form')
      .send({ grant_type, ...form })
  return { app, sign, post, mcp }
}

const documented = () => host.put('enterprise', { grant_types: ['authorization_code', grant_type] })

describe('an ID-JAG', () => {
  it('buys a public client with a document a token for the resource it names, within the scope that there is', async () => {
    const { sign, post, mcp } = await make()
    const client_id = documented()
    const claims = { client_id, resource, scope: 'notes:read unknown' }
    const { status, body } = await post({ client_id, assertion: await sign({ header, claims }) })
    expect([status, body]).toEqual([200, expect.objectContaining({ scope: 'notes:read', resource })])
    expect(body).not.toHaveProperty('refresh_token')
    const info = await mcp.verifier.verifyAccessToken((body as { access_token: string }).access_token)
    expect(info).toMatchObject({ clientId: client_id, extra: { sub: 'u-alice' } })
  })

  it('for another client, or another server, is no grant', async () => {
    const { sign, post } = await make()
    const client_id = documented()
    for (const claims of [
      { client_id: 'configured', resource },
      { client_id, resource: 'https://elsewhere.example' }
    ])
      expect((await post({ client_id, assertion: await sign({ header, claims }) })).body).toMatchObject({
        error: 'invalid_grant'
      })
  })

  it('is the only assertion such a client may use, and other public clients may use none', async () => {
    const { sign, post } = await make()
    const client_id = documented()
    expect((await post({ client_id, assertion: await sign({ claims: { resource } }) })).body).toMatchObject({
      error: 'unauthorized_client'
    })
    const claims = { client_id: 'configured', resource }
    const configured = await post({ client_id: 'configured', assertion: await sign({ header, claims }) })
    expect(configured.body).toMatchObject({ error: 'unauthorized_client' })
  })

  it('names the tenant this server is, or none', async () => {
    const client_id = documented()
    const outcome = async (here: string | undefined, aud_tenant: unknown) => {
      const { sign, post } = await make(true, here)
      return (await post({ client_id, assertion: await sign({ header, claims: { client_id, resource, aud_tenant } }) })).status
    }
    expect(await Promise.all([outcome('acme', 'acme'), outcome('acme', undefined), outcome(undefined, undefined)])).toEqual([
      200, 200, 200
    ])
    expect(await Promise.all([outcome('acme', 'other'), outcome(undefined, 'acme'), outcome('acme', ['acme'])])).toEqual([
      400, 400, 400
    ])
  })

  it('for this server’s address in another spelling is for this server', async () => {
    const { sign, post } = await make()
    const client_id = documented()
    const claims = { client_id, resource: `${resource}/` }
    expect((await post({ client_id, assertion: await sign({ header, claims }) })).body).toMatchObject({ resource })
  })

  it('is told of in metadata where somebody is trusted', async () => {
    const path = '/.well-known/oauth-authorization-server'
    const { app } = await make()
    const profiles = ['urn:ietf:params:oauth:grant-profile:id-jag']
    expect((await request(app).get(path)).body).toHaveProperty('authorization_grant_profiles_supported', profiles)
    const nobody = await make(false)
    expect((await request(nobody.app).get(path)).body).not.toHaveProperty('authorization_grant_profiles_supported')
  })
})
