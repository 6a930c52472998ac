/** A small authorization server with an MCP server beside it, in order but for the faults that are planted in it. */
import { afterAll } from '@jest/globals'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

const servers: Server[] = []
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

export async function listening(handle: RequestListener): Promise<string> {
  const server = createServer(handle)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export const key = {
  kty: 'EC',
  crv: 'P-256',
  kid: 'k',
  alg: 'ES256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM'
}

/** A server that is in order but for what is planted in it. */
export interface Planted {
  readonly metadata?: object
  readonly second?: object
  readonly keys?: readonly object[]
  readonly token?: (req: IncomingMessage, res: ServerResponse) => void
  readonly authorize?: (req: IncomingMessage, res: ServerResponse) => void
  readonly mcp?: (req: IncomingMessage, res: ServerResponse) => void
  readonly resource?: object | null
}

export function metadataOf(issuer: string, change: object = {}): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
    require_pushed_authorization_requests: true,
    dpop_signing_alg_values_supported: ['ES256'],
    client_id_metadata_document_supported: true,
    protected_resources: [`${issuer}/mcp`],
    ...change
  }
}

export function json(res: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  res.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
    ...headers
  })
  res.end(JSON.stringify(body))
}

export const refuse = (res: ServerResponse): void =>
  json(res, { error: 'invalid_client' }, 401, { 'www-authenticate': 'Basic realm="x"' })

export async function plantedServer(planted: Planted = {}): Promise<string> {
  const issuer = await listening((req, res) => {
    const path = req.url?.split('?')[0] ?? ''
    const challenge = `Bearer resource_metadata="${issuer}/.well-known/oauth-protected-resource/mcp", scope="notes:read"`
    const resource = { resource: `${issuer}/mcp`, authorization_servers: [issuer], ...planted.resource }
    if (path === '/.well-known/oauth-authorization-server') json(res, metadataOf(issuer, planted.metadata))
    else if (path === '/.well-known/openid-configuration')
      json(res, metadataOf(issuer, { ...planted.metadata, ...planted.second }))
    else if (path === '/jwks') json(res, { keys: planted.keys ?? [key] })
    else if (path === '/token' && planted.token !== undefined) planted.token(req, res)
    else if (path === '/token' && req.method === 'POST') refuse(res)
    else if (path === '/token') json(res, { error: 'invalid_request' }, 405)
    else if (path === '/authorize' && planted.authorize !== undefined) planted.authorize(req, res)
    else if (path === '/authorize')
      res.writeHead(400, { 'content-type': 'text/html', 'x-frame-options': 'DENY' }).end('<p>no</p>')
    else if (path === '/mcp' && planted.mcp !== undefined) planted.mcp(req, res)
    else if (path === '/mcp') json(res, {}, 401, { 'www-authenticate': challenge })
    else if (path === '/.well-known/oauth-protected-resource/mcp' && planted.resource !== null) json(res, resource)
    else json(res, {}, 404)
  })
  return issuer
}
