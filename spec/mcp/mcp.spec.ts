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

  it('takes its address in any spelling, and says it as it is configured', async () => {
    const { app, mcp } = await make()
    const client_id = host.put('mcp-spelt')
    for (const spelt of ['http://localhost:3000/mcp/', 'HTTP://LOCALHOST:3000/mcp', resource]) {
      const token = await tokenOf(app, client_id, { resource: spelt })
      expect((await mcp.verifier.verifyAccessToken(token)).resource.href).toBe(resource)
      expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({ aud: resource })
    }
    for (const other of [
      'http://localhost:3000/MCP',
      'http://localhost:3000/mcp?x=1',
      'http://localhost:3000/',
      'http://localhost:3000/mcp#'
    ]) {
      const query = {
        client_id,
        redirect_uri,
        response_type: 'code',
        code_challenge,
        code_challenge_method: 'S256',
        resource: other
      }
      expect(redirected(await request(app).get('/oauth2/authorize').query(query))).toMatchObject({ error: 'invalid_target' })
    }
  })

  it.each([
    'http://localhost:3000/mcp/',
    'http://localhost:3000/mcp?tenant=a',
    'http://localhost:3000/',
    'http://localhost:3000'
  ])('may have the address %s', async given => {
    const { app, mcp } = await make({ resource: given })
    app.all('/any', mcp.requireToken)
    const refused = await request(app).post('/any')
    const { href, search } = new URL(/resource_metadata="([^"]+)"/.exec(String(refused.headers['www-authenticate']))?.[1] ?? '')
    expect(search).toBe(new URL(given).search)
    const { body } = await request(app).get(href.replace(issuer, ''))
    expect(body).toMatchObject({ resource: given, authorization_servers: [issuer] })
    const token = await tokenOf(app, host.put('mcp-address'), { resource: new URL(given).href })
    expect((await mcp.verifier.verifyAccessToken(token)).clientId).toContain('mcp-address')
  })

  it('is called by scripts of the origins that are listed, and no others', async () => {
    const { app } = await make({ allowedOrigins: ['https://app.example.com'], registration: { access: 'open' } })
    const preflight = (path: string, origin: string) =>
      request(app).options(path).set('origin', origin).set('access-control-request-method', 'POST')
    for (const path of ['/mcp', '/oauth2/token', '/oauth2/register', '/oauth2/revoke']) {
      const good = await preflight(path, 'https://app.example.com')
      expect([good.status, good.headers['access-control-allow-origin'], good.headers['vary']]).toEqual([
        204,
        'https://app.example.com',
        'Origin'
      ])
      const other = await preflight(path, 'https://other.example.com')
      expect([other.headers['access-control-allow-origin'], other.headers['access-control-allow-methods']]).toEqual([
        undefined,
        undefined
      ])
      const posted = await request(app).post(path).set('origin', 'https://other.example.com')
      expect([posted.headers['access-control-allow-origin'], posted.headers['vary']]).toEqual([undefined, 'Origin'])
    }
    const metadata = await request(app).get('/.well-known/oauth-authorization-server').set('origin', 'https://other.example.com')
    expect(metadata.headers['access-control-allow-origin']).toBe('*')
  })

  it('answers no script of another origin, and those of its own', async () => {
    const { app } = await make({ allowedOrigins: ['https://app.example.com'] })
    const token = await tokenOf(app, host.put('mcp-origins'))
    const status = async (origin: string | undefined) => {
      const call = request(app).post('/mcp').set('authorization', `Bearer ${token}`)
      return (await (origin === undefined ? call : call.set('origin', origin))).status
    }
    for (const origin of [undefined, 'https://app.example.com', issuer])
      expect([origin, await status(origin)]).toEqual([origin, 200])
    for (const origin of ['https://other.example.com', 'null', 'http://localhost:3001', ''])
      expect([origin, await status(origin)]).toEqual([origin, 403])
    // with no list every origin is let in
    const open = await make()
    const other = await tokenOf(open.app, host.put('mcp-origins'))
    const answer = await request(open.app)
      .post('/mcp')
      .set('authorization', `Bearer ${other}`)
      .set('origin', 'https://other.example.com')
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, '*'])
  })

  it('on loopback answers to the names of this machine alone', async () => {
    const { app } = await make()
    const token = await tokenOf(app, host.put('mcp-names'))
    const call = (name: string) => request(app).post('/mcp').set('host', name)
    const status = async (name: string) => (await call(name).set('authorization', `Bearer ${token}`)).status
    for (const name of ['localhost:3000', 'LOCALHOST', '127.0.0.1:8080', '127.0.0.2', '[::1]:3000'])
      expect([name, await status(name)]).toEqual([name, 200])
    const others = [
      'evil.example',
      'evil.example:3000',
      'localhost.evil.example',
      '127.0.0.1.nip.example',
      'evil.example@localhost'
    ]
    for (const name of [...others, 'localhost:3000@evil.example', '0.0.0.0:3000', '10.0.0.1', '[fd00::1]:3000', '[::1', ''])
      expect([name, await status(name)]).toEqual([name, 403])
    // whatever it is called: where a token is to be had
    const { status: refused, headers } = await call('evil.example')
    expect([refused, headers['www-authenticate']]).toEqual([401, expect.stringContaining(resourceMetadataUrl)])
  })

  it('that is not on loopback answers to whatever its proxies call it', async () => {
    const elsewhere = 'https://mcp.example.com'
    const client_secret = 'a-machine-secret-of-some-length'
    const clients = [{ client_id: 'machine', client_secret, grant_types: ['client_credentials'] }]
    const { app } = await make({ issuer: elsewhere, resource: `${elsewhere}/mcp`, clients })
    const form = { grant_type: 'client_credentials', resource: `${elsewhere}/mcp` }
    const { body } = await request(app).post('/oauth2/token').auth('machine', client_secret).type('form').send(form)
    const authorization = `Bearer ${(body as { access_token: string }).access_token}`
    expect((await request(app).post('/mcp').set({ authorization, host: 'upstream:8080' })).status).toBe(200)
  })

  it('is told by the SDK’s own scope challenge where its metadata is', async () => {
    const { app } = await make()
    const token = await tokenOf(app, host.put('mcp-sdk'))
    const { body } = await request(app).post('/mcp').set('authorization', `Bearer ${token}`)
    expect(body).toMatchObject({ resourceMetadataUrl })
  })
})
