/** The example app's MCP server, as callers without the SDK meet it; the official clients are in spec/mcp/. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { request as rawRequest } from 'node:http'
import { memoryStore } from 'clientele'
import { Browser } from './browser.ts'
import { serve, type Serving } from './in-process.ts'
import { alice, open, pageName, redeem, redirect_uri, through, type Tokens } from './visit.ts'

let serving: Serving
let issuer: string
let mcp: string
const bob = { username: 'bob', password: 'builder' }

beforeAll(async () => {
  serving = await serve(
    () => ({
      clients: [
        {
          client_id: 'web',
          token_endpoint_auth_method: 'none',
          redirect_uris: [redirect_uri],
          grant_types: ['authorization_code', 'refresh_token']
        },
        { client_id: 'machine', client_secret: 'm4chine-s3cret-of-some-length', grant_types: ['client_credentials'] }
      ],
      accounts: [
        { sub: 'u-alice', ...alice },
        { sub: 'u-bob', ...bob }
      ],
      resources: [{ resource: 'https://api.example.com', scopes: ['api:read'] }],
      mcp: {},
      policy: { registration: 'open' }
    }),
    memoryStore()
  )
  issuer = serving.issuer
  mcp = `${issuer}/mcp`
})
afterAll(() => serving.close())

async function tokens(scope: string | undefined, person = alice, resource: string | null = mcp): Promise<Tokens> {
  const { answer } = await through(new Browser(), issuer, { scope, resource: resource ?? undefined }, person)
  return redeem(issuer, answer)
}

const rpc = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params })
const listNotes = rpc('tools/call', { name: 'list_notes', arguments: {} })
const addNote = (text: unknown) => rpc('tools/call', { name: 'add_note', arguments: { text } })

function call(body: unknown, access_token?: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(mcp, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(access_token !== undefined && { authorization: `Bearer ${access_token}` }),
      ...headers
    },
    body: typeof body === 'string' ? body : JSON.stringify(body)
  })
}

/** The challenges of an answer, one a line. */
async function refusal(response: Response) {
  const challenge = response.headers.get('www-authenticate') ?? ''
  const [bearer = '', dpop = ''] = challenge.split(/, (?=DPoP )/)
  const read = Object.fromEntries([...bearer.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]))
  await response.text()
  return { status: response.status, scheme: bearer.split(' ')[0], dpop: dpop.startsWith('DPoP '), ...read }
}

const metadata = () => `${issuer}/.well-known/oauth-protected-resource/mcp`

describe('a call', () => {
  it.each<[string, () => Promise<string | undefined>]>([
    ['without a token', () => Promise.resolve(undefined)],
    ['with nonsense', () => Promise.resolve('nonsense')],
    ['with a token for another resource', async () => (await tokens('api:read', alice, 'https://api.example.com')).access_token],
    ['with a token for none', async () => (await tokens('openid', alice, null)).access_token]
  ])('%s is told where to get one, and what for', async (_, token) => {
    const answer = await refusal(await call(listNotes, await token()))
    expect(answer).toEqual({
      ...{ status: 401, scheme: 'Bearer', dpop: true, error: 'invalid_token', scope: 'notes:read' },
      resource_metadata: metadata(),
      error_description: expect.not.stringMatching(/scope=|error=/)
    })
  })

  it('with too little scope is told everything it needs', async () => {
    const { access_token } = await tokens('notes:read')
    for (const body of [addNote('x'), [listNotes, addNote('x')]])
      expect(await refusal(await call(body, access_token))).toMatchObject({
        ...{ status: 403, scheme: 'Bearer', error: 'insufficient_scope', scope: 'notes:read notes:write' },
        resource_metadata: metadata()
      })
  })

  it('keeps notes for each person', async () => {
    const { access_token } = await tokens('notes:read notes:write')
    const added = await call(addNote('milk & honey'), access_token)
    expect([added.status, await added.text()]).toEqual([200, expect.stringContaining('milk & honey')])
    expect(await (await call(listNotes, access_token)).text()).toContain('milk & honey')
    const other = await tokens('notes:read', bob)
    expect(await (await call(listNotes, other.access_token)).text()).not.toContain('milk')
  })

  it.each<[string, unknown]>([
    ['a call without params', { jsonrpc: '2.0', id: 1, method: 'tools/call' }],
    ['a note that is no text', addNote({ $gt: '' })],
    ['a tool nobody has', rpc('tools/call', { name: 'no_such_tool', arguments: {} })]
  ])('of %s is no fault of the server', async (_, body) => {
    const { access_token } = await tokens('notes:read notes:write')
    expect((await call(body, access_token)).status).toBeLessThan(500)
  })

  it.each<[string, string, number, Record<string, string>?]>([
    ['half an object', '{', 400],
    ['null', 'null', 400],
    ['too much', JSON.stringify(addNote('x'.repeat(70_000))), 413],
    ['an odd charset', '{}', 415, { 'content-type': 'application/json; charset=latin9' }]
  ])('that cannot be read is answered as JSON-RPC answers: %s', async (_, body, status, headers = {}) => {
    const answer = await call(body, (await tokens('notes:read')).access_token, headers)
    const error = { code: -32_700, message: expect.any(String) }
    expect([answer.status, await answer.json()]).toEqual([status, { jsonrpc: '2.0', error, id: null }])
  })

  it('may come from a script of any origin, which may read what it has to', async () => {
    const preflight = await fetch(mcp, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization'
      }
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/Mcp-Session-Id.*Authorization/)
    const refused = await call(listNotes, undefined, { origin: 'https://app.example' })
    expect(refused.headers.get('access-control-expose-headers')).toMatch(/WWW-Authenticate.*DPoP-Nonce.*Mcp-Session-Id/)
  })
})

it('a page whose name leads to this machine is not answered, even with a token', async () => {
  const { access_token } = await tokens('notes:read')
  const { port } = new URL(issuer)
  const status = (name: string) =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${access_token}`,
        'content-type': 'application/json',
        host: name,
        origin: `http://${name}`
      }
      const accept = 'application/json, text/event-stream'
      const sent = rawRequest(
        { port, host: 'localhost', path: '/mcp', method: 'POST', headers: { ...headers, accept } },
        answer => {
          answer.resume().once('end', () => resolve(answer.statusCode))
        }
      )
      sent.once('error', reject).end(JSON.stringify(listNotes))
    })
  expect([await status(`evil.example:${port}`), await status(`localhost:${port}`)]).toEqual([403, 200])
})

describe('the authorization server behind it', () => {
  it('is named by the metadata, below the path and at the root', async () => {
    for (const address of [metadata(), `${issuer}/.well-known/oauth-protected-resource`]) {
      const response = await fetch(address)
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(await response.json()).toMatchObject({
        resource: mcp,
        authorization_servers: [issuer],
        scopes_supported: ['notes:read']
      })
    }
  })

  it('gives what is required where no scope is named, and a refresh token without offline_access', async () => {
    const { scope, refresh_token } = await tokens(undefined)
    expect(scope).toBe('notes:read')
    const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'web', refresh_token: refresh_token ?? '' })
    const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body })
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ scope: 'notes:read' })])
    expect(await tokens('api:read', alice, 'https://api.example.com')).not.toHaveProperty('refresh_token')
  })

  it('does not hold a client to the scope it registered', async () => {
    const registered = await fetch(`${issuer}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none', scope: 'notes:read' })
    })
    const { client_id } = (await registered.json()) as { client_id: string }
    const asked = { client_id, scope: 'notes:read notes:write', resource: mcp }
    expect(pageName(await open(new Browser(), issuer, asked))).toBe('login')
    const beyond = await through(new Browser(), issuer, { ...asked, scope: 'api:read' }).catch((error: unknown) => String(error))
    expect(typeof beyond === 'string' ? beyond : beyond.answer.get('error')).toMatch(/invalid_scope/)
  })

  it.each(['token', 'register', 'revoke'])('lets scripts of any origin call %s', async endpoint => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    const preflight = await fetch(`${issuer}/oauth2/${endpoint}`, { method: 'OPTIONS', headers })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    const answer = await fetch(`${issuer}/oauth2/${endpoint}`, { method: 'POST', headers: { origin: 'https://app.example' } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/WWW-Authenticate, DPoP-Nonce/)
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  })
})
