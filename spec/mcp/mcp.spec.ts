/** `clientele/mcp` in an application of one's own: what it serves with nothing configured, what it lets in, and what it says to the others. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import request from 'supertest'
import { ConfigurationError, memoryStore, type Account } from 'clientele'
import { mcpAuthorization, type McpAuthorization, type McpAuthorizationOptions } from 'clientele/mcp'
import { code_challenge, code_verifier, redirected, specKeys } from '../support/servers/authorization-server.ts'
import { documentServer, redirect_uri, type DocumentServer } from '../support/servers/document-server.ts'

const issuer = 'http://localhost:3000'
const resource = `${issuer}/mcp`
const resourceMetadataUrl = `${issuer}/.well-known/oauth-protected-resource/mcp`
let host: DocumentServer

beforeAll(async () => void (host = await documentServer()))
afterAll(() => host.close())

async function make(options: Partial<McpAuthorizationOptions> = {}): Promise<{ app: Express; mcp: McpAuthorization }> {
  const account: Account = { sub: 'alice', auth_time: Math.floor(Date.now() / 1000) - 10 }
  const mcp = mcpAuthorization({
    issuer,
    resource,
    scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
    required: ['notes:read'],
    clientDocuments: { hosts: ['*'], ca: host.ca },
    store: memoryStore(),
    keys: await specKeys(),
    interaction: { account: () => account, consented: () => true, prompt: (_req, res, { id }) => void res.json({ id }) },
    ...options
  })
  const app = express()
  app.use(mcp)
  app.all('/mcp', mcp.requireToken, (req, res) => void res.json((req as { auth?: unknown }).auth))
  app.post('/mcp/write', mcp.requireToken, (req, res) => {
    if (mcp.challenge(req, ['notes:write'])) res.json({ written: true })
  })
  app.post('/resume/:id', (req, res) => void mcp.server.resume(req, res, req.params.id, { consent: true }))
  return { app, mcp }
}

async function tokenOf(app: Express, client_id: string, change: Readonly<Record<string, string>> = {}): Promise<string> {
  const query = {
    client_id,
    redirect_uri,
    response_type: 'code',
    code_challenge,
    code_challenge_method: 'S256',
    resource,
    ...change
  }
  const asked = await request(app).get('/oauth2/authorize').query(query)
  const answer = asked.status === 200 ? await request(app).post(`/resume/${(asked.body as { id: string }).id}`) : asked
  const { code = '' } = redirected(answer)
  const form = { grant_type: 'authorization_code', client_id, code, redirect_uri, code_verifier }
  const { body } = await request(app).post('/oauth2/token').type('form').send(form)
  return (body as { access_token: string }).access_token
}

describe('an MCP server', () => {
  it('serves everything a client looks for', async () => {
    const { app } = await make()
    const { body } = await request(app).get('/.well-known/oauth-authorization-server')
    expect(body).toMatchObject({
      client_id_metadata_document_supported: true,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      scopes_supported: ['offline_access', 'notes:read', 'notes:write'],
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt'])
    })
    expect(body).not.toHaveProperty('registration_endpoint')
    expect((await request(app).get('/.well-known/oauth-protected-resource/mcp')).body).toMatchObject({ resource })
  })

  it('lets in a client with a document, and says who is calling as the SDK reads it', async () => {
    const { app, mcp } = await make()
    const client_id = host.put('mcp')
    const token = await tokenOf(app, client_id)
    const { body } = await request(app).post('/mcp').set('authorization', `Bearer ${token}`)
    const info = {
      token,
      clientId: client_id,
      scopes: ['notes:read'],
      expiresAt: expect.any(Number),
      extra: { sub: 'alice' },
      resourceMetadataUrl
    }
    expect(body).toEqual({ ...info, resource })
    expect(await mcp.verifier.verifyAccessToken(token)).toEqual({ ...info, resource: new URL(resource) })
  })

  it('asks for more from where more is needed, and lets in who has it', async () => {
    const { app } = await make()
    const client_id = host.put('mcp-more')
    const little = await tokenOf(app, client_id)
    const refused = await request(app).post('/mcp/write').set('authorization', `Bearer ${little}`)
    expect(refused.status).toBe(403)
    expect(refused.headers['www-authenticate']).toMatch(/error="insufficient_scope".*scope="notes:read notes:write"/)
    const enough = await tokenOf(app, client_id, { scope: 'notes:read notes:write' })
    expect((await request(app).post('/mcp/write').set('authorization', `Bearer ${enough}`)).body).toEqual({ written: true })
  })

  it('has a verifier that refuses as others want to be told', async () => {
    const { mcp } = await make()
    await expect(mcp.verifier.verifyAccessToken('nonsense')).rejects.toMatchObject({ code: 'invalid_token' })
    class Theirs extends Error {}
    const own = await make({ invalidToken: message => new Theirs(message) })
    await expect(own.mcp.verifier.verifyAccessToken('nonsense')).rejects.toBeInstanceOf(Theirs)
  })

  it.each<[string, object]>([
    ['scopes', { scopes: ['notes:read'] }],
    ['scopes.a b', { scopes: { 'a b': 'x', 'notes:read': 'y' } }],
    ['scopes.notes:read', { scopes: { 'notes:read': '' } }],
    ['required', { required: [] }],
    ['required', { required: ['notes:erase'] }],
    ['required', { required: 'notes:read' }],
    ['invalidToken', { invalidToken: 'no' }],
    ['clientDocuments.hosts', { clientDocuments: {} }],
    ['interactions', { interactions: {} }]
  ])('names %s where it is wrong', async (key, options) => {
    const made = make(options)
    await expect(made).rejects.toThrow(ConfigurationError)
    await expect(made).rejects.toThrow(expect.objectContaining({ key }))
  })
})
