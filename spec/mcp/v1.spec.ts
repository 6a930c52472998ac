/** An application of the old SDK with its `mcpAuthRouter`, and the same application on `clientele/mcp`: what an old client does works at both. */
import { afterAll, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import express, { type Express, type RequestHandler } from 'express'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { requireBearerAuth as requireBearerAuthV2 } from '@modelcontextprotocol/express'
import { createMcpHandler, McpServer, OAuthError as OAuthErrorV2, OAuthErrorCode } from '@modelcontextprotocol/server'
import { memoryStore } from 'clientele'
import { mcpAuthorization } from 'clientele/mcp'
import { freePort } from '../example-app/running-server.ts'
import { keeping } from './kept.ts'
import { code_challenge, code_verifier, specKeys } from '../support/servers/authorization-server.ts'

const redirect_uri = 'http://localhost:7777/callback'
/** The types of the 1.x line need those of a browser, which nothing else here does. */
const untyped = (path: string): Promise<Record<string, never>> => import(`@modelcontextprotocol/sdk/${path}.js`) as never
const { mcpAuthRouter, getOAuthProtectedResourceMetadataUrl } = (await untyped('server/auth/router')) as unknown as {
  mcpAuthRouter: (options: object) => RequestHandler
  getOAuthProtectedResourceMetadataUrl: (url: URL) => string
}
const { requireBearerAuth } = (await untyped('server/auth/middleware/bearerAuth')) as unknown as {
  requireBearerAuth: (options: object) => RequestHandler
}
const { Client } = (await untyped('client/index')) as unknown as { Client: new (of: object) => OldClient }
const { StreamableHTTPClientTransport } = (await untyped('client/streamableHttp')) as unknown as {
  StreamableHTTPClientTransport: new (url: URL, options: object) => { finishAuth(code: string): Promise<void> }
}
const { OAuthError, InvalidTokenError } = (await untyped('server/auth/errors')) as unknown as {
  OAuthError: new (message: string) => Error
  InvalidTokenError: new (message: string) => Error
}

interface OldClient {
  connect(transport: unknown): Promise<void>
  callTool(call: object): Promise<unknown>
  close(): Promise<void>
}

/** As little of a provider as `mcpAuthRouter` takes: everybody is alice, and agrees. */
function oldProvider() {
  const [clients, codes, tokens] = [
    new Map<string, object>(),
    new Map<string, Record<string, unknown>>(),
    new Map<string, object>()
  ]
  const tokensFor = (clientId: string, scopes: readonly string[], resource: unknown) => {
    const [access_token, refresh_token] = [randomUUID(), randomUUID()]
    const info = { token: access_token, clientId, scopes, resource, expiresAt: Math.floor(Date.now() / 1000) + 3600 }
    tokens.set(access_token, info)
    tokens.set(refresh_token, info)
    return { access_token, token_type: 'Bearer', expires_in: 3600, refresh_token, scope: scopes.join(' ') }
  }
  return {
    clientsStore: {
      getClient: (id: string) => clients.get(id),
      registerClient: (given: object) => {
        const client = { client_id: randomUUID(), ...given } as { client_id: string }
        clients.set(client.client_id, client)
        return client
      }
    },
    authorize(client: { client_id: string }, params: Record<string, unknown>, res: express.Response) {
      const code = randomUUID()
      codes.set(code, { ...params, client_id: client.client_id })
      const to = new URL(String(params['redirectUri']))
      to.searchParams.set('code', code)
      if (typeof params['state'] === 'string') to.searchParams.set('state', params['state'])
      res.redirect(to.href)
    },
    challengeForAuthorizationCode: (_client: object, code: string) => codes.get(code)?.['codeChallenge'],
    exchangeAuthorizationCode: (client: { client_id: string }, code: string) => {
      const { scopes = [], resource } = (codes.get(code) ?? {}) as { scopes?: string[]; resource?: unknown }
      return tokensFor(client.client_id, scopes, resource)
    },
    exchangeRefreshToken: (client: { client_id: string }) => tokensFor(client.client_id, ['notes:read'], undefined),
    revokeToken: (_client: object, { token }: { token: string }) => void tokens.delete(token),
    verifyAccessToken: (token: string) => {
      const info = tokens.get(token)
      if (info === undefined) throw new InvalidTokenError('not known')
      return Promise.resolve(info)
    }
  }
}

const handleMcp = toNodeHandler(
  createMcpHandler(() => {
    const server = new McpServer({ name: 'notes', version: '1' })
    server.registerTool('hello', { description: 'Says hello.' }, () => ({ content: [{ type: 'text', text: 'hello' }] }))
    return server
  })
)
const answer: RequestHandler = (req, res, next) => {
  handleMcp(req, res, req.body).catch(next)
}

const apps: Readonly<Record<string, (app: Express, issuer: string) => Promise<void> | void>> = {
  'mcpAuthRouter, SDK 1.x'(app, issuer) {
    const provider = oldProvider()
    const resourceServerUrl = new URL(`${issuer}/mcp`)
    app.use(mcpAuthRouter({ provider, issuerUrl: new URL(issuer), resourceServerUrl, scopesSupported: ['notes:read'] }))
    const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(resourceServerUrl)
    app.all(
      '/mcp',
      requireBearerAuth({ verifier: provider, requiredScopes: ['notes:read'], resourceMetadataUrl }),
      express.json(),
      answer
    )
  },
  async 'clientele/mcp'(app, issuer) {
    const mcp = await ours(issuer)
    app.use(mcp, mcp.v1Paths())
    app.all('/mcp', mcp.requireToken, express.json(), answer)
  },
  async 'clientele/mcp, behind the requireBearerAuth of SDK 2.x'(app, issuer) {
    const mcp = await ours(issuer, message => new OAuthErrorV2(OAuthErrorCode.InvalidToken, message))
    app.use(mcp, mcp.v1Paths())
    const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(new URL(`${issuer}/mcp`))
    app.all(
      '/mcp',
      requireBearerAuthV2({ verifier: mcp.verifier, requiredScopes: ['notes:read'], resourceMetadataUrl }),
      express.json(),
      answer
    )
  },
  async 'clientele/mcp, behind the requireBearerAuth that was there'(app, issuer) {
    const mcp = await ours(issuer)
    app.use(mcp, mcp.v1Paths())
    const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(new URL(`${issuer}/mcp`))
    app.all(
      '/mcp',
      requireBearerAuth({ verifier: mcp.verifier, requiredScopes: ['notes:read'], resourceMetadataUrl }),
      express.json(),
      answer
    )
  }
}

const ours = async (issuer: string, invalidToken = (message: string): Error => new InvalidTokenError(message)) =>
  mcpAuthorization({
    issuer,
    resource: `${issuer}/mcp`,
    scopes: { 'notes:read': 'Read your notes' },
    required: ['notes:read'],
    registration: { access: 'open' },
    invalidToken,
    store: memoryStore(),
    keys: await specKeys(),
    interaction: {
      account: () => ({ sub: 'alice', auth_time: Math.floor(Date.now() / 1000) - 10 }),
      consented: () => true,
      prompt: (_req, res) => void res.status(500).end()
    }
  })

const servers: Server[] = []
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(name: string): Promise<string> {
  const issuer = `http://localhost:${await freePort()}`
  const app = express()
  await apps[name]?.(app, issuer)
  const server = createServer(app)
  servers.push(server)
  await new Promise<void>(done => server.listen(Number(new URL(issuer).port), 'localhost', done))
  return issuer
}

const post = (address: string, body: URLSearchParams | object) =>
  fetch(address, {
    method: 'POST',
    body: body instanceof URLSearchParams ? body : JSON.stringify(body),
    headers: body instanceof URLSearchParams ? {} : { 'content-type': 'application/json' }
  })

describe.each(Object.keys(apps))('an application on %s', name => {
  it('lets in the SDK’s own client of that time, which registers and signs in', async () => {
    const issuer = await serve(name)
    const kept: Record<string, unknown> = {}
    let code = ''
    const authProvider = {
      redirectUrl: redirect_uri,
      clientMetadata: { client_name: 'Old', redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' },
      ...keeping(kept),
      redirectToAuthorization: async (url: URL) => {
        const { headers } = await fetch(url, { redirect: 'manual' })
        code = new URL(headers.get('location') ?? '').searchParams.get('code') ?? ''
      }
    }
    const transport = () => new StreamableHTTPClientTransport(new URL(`${issuer}/mcp`), { authProvider })
    const first = transport()
    await expect(new Client({ name: 'old', version: '1' }).connect(first)).rejects.toThrow()
    await first.finishAuth(code)
    const client = new Client({ name: 'old', version: '1' })
    await client.connect(transport())
    expect(JSON.stringify(await client.callTool({ name: 'hello', arguments: {} }))).toContain('hello')
    await client.close()
  })

  it('lets in a client that looks for no metadata: /register, /authorize, /token, /revoke at the root', async () => {
    const issuer = await serve(name)
    const metadata = {
      redirect_uris: [redirect_uri],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token']
    }
    const registered = await post(`${issuer}/register`, metadata)
    expect(registered.status).toBe(201)
    const { client_id } = (await registered.json()) as { client_id: string }
    const asked = new URLSearchParams({
      client_id,
      redirect_uri,
      response_type: 'code',
      code_challenge,
      code_challenge_method: 'S256'
    })
    asked.set('scope', 'notes:read')
    asked.set('resource', `${issuer}/mcp`)
    const { headers } = await fetch(`${issuer}/authorize?${asked.toString()}`, { redirect: 'manual' })
    const code = new URL(headers.get('location') ?? '').searchParams.get('code') ?? ''
    const redeemed = await post(
      `${issuer}/token`,
      new URLSearchParams({ grant_type: 'authorization_code', client_id, code, redirect_uri, code_verifier })
    )
    const { access_token, refresh_token = '' } = (await redeemed.json()) as { access_token: string; refresh_token?: string }
    const call = (token: string) => fetch(`${issuer}/mcp`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    expect((await call(access_token)).status).not.toBe(401)
    const refreshed = await post(
      `${issuer}/token`,
      new URLSearchParams({ grant_type: 'refresh_token', client_id, refresh_token })
    )
    const { access_token: next } = (await refreshed.json()) as { access_token: string }
    const revoked = await post(`${issuer}/revoke`, new URLSearchParams({ client_id, token: next }))
    expect(revoked.status).toBe(200)
    expect((await call(next)).status).toBe(401)
    expect((await call('nonsense')).headers.get('www-authenticate')).toMatch(/^Bearer .*resource_metadata="/)
  })
})

it('the old SDK’s errors are what its middleware knows', () => {
  expect(new InvalidTokenError('x')).toBeInstanceOf(OAuthError)
})
