/** The linter over a running server: ours is in order, planted faults are found, nothing is changed, and nothing hostile hurts. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { memoryStore, type Key } from '../../lib/index.ts'
import { lintServer, LookError, type LintProfile } from '../../lib/lint/lint.ts'
import { json, key, listening, metadataOf, plantedServer, refuse, type Planted } from './planted-server.ts'
import { before, serve, type Serving } from '../example-app/in-process.ts'

const redirecting = (req: IncomingMessage, res: ServerResponse): void => {
  const to = new URL(req.url ?? '', 'http://x').searchParams.get('redirect_uri') ?? ''
  res.writeHead(302, { location: `${to}?error=unauthorized_client` }).end()
}

const faults: readonly (readonly [string, Planted, LintProfile?])[] = [
  ['issuer_mismatch', { metadata: { issuer: 'https://other.example' } }],
  ['endpoint_insecure', { metadata: { registration_endpoint: 'http://as.example/register' } }],
  ['metadata_member_missing', { metadata: { token_endpoint_auth_signing_alg_values_supported: undefined } }],
  ['documents_disagree', { second: { scopes_supported: ['x'], code_challenge_methods_supported: ['S256', 'S512'] } }],
  ['pkce_not_offered', { metadata: { code_challenge_methods_supported: undefined } }],
  ['pkce_plain_offered', { metadata: { code_challenge_methods_supported: ['S256', 'plain'] } }],
  ['implicit_offered', { metadata: { response_types_supported: ['code', 'token'] } }],
  ['password_grant_offered', { metadata: { grant_types_supported: ['password'] } }],
  ['issuer_not_in_responses', { metadata: { authorization_response_iss_parameter_supported: false } }],
  ['alg_none_offered', { metadata: { request_object_signing_alg_values_supported: ['none', 'ES256'] } }],
  ['only_secrets_offered', { metadata: { token_endpoint_auth_methods_supported: undefined } }],
  ['jwks_private', { keys: [{ ...key, d: 'x' }] }],
  ['jwks_weak', { keys: [{ kty: 'RSA', kid: 'r', alg: 'RS256', e: 'AQAB', n: Buffer.alloc(128, 0xff).toString('base64url') }] }],
  ['jwks_ambiguous', { keys: [{ ...key, alg: undefined }] }],
  [
    'unknown_client_not_refused',
    {
      token: (req, res) => (req.method === 'POST' ? json(res, { error: 'invalid_client' }, 400) : json(res, { error: 'x' }, 405))
    }
  ],
  [
    'refusal_without_challenge',
    {
      token: (req, res) => json(res, { error: req.method === 'POST' ? 'invalid_client' : 'x' }, req.method === 'POST' ? 401 : 405)
    }
  ],
  [
    'refusal_malformed',
    { token: (_req, res) => json(res, 'no', 401, { 'www-authenticate': 'Basic', 'content-type': 'text/plain' }) }
  ],
  [
    'token_answers_cacheable',
    { token: (_req, res) => json(res, { error: 'x' }, 401, { 'www-authenticate': 'Basic', 'cache-control': 'max-age=60' }) }
  ],
  ['token_endpoint_by_get', { token: (_req, res) => refuse(res) }],
  ['redirects_to_strangers', { authorize: redirecting }],
  ['pages_frameable', { authorize: (_req, res) => res.writeHead(400, { 'content-type': 'text/html' }).end('no') }],
  ['fapi_pushed_requests_optional', { metadata: { require_pushed_authorization_requests: undefined } }, 'fapi2'],
  ['fapi_methods_offered', { metadata: { token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'] } }, 'fapi2'],
  ['fapi_algorithms_offered', { metadata: { token_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256'] } }, 'fapi2'],
  ['fapi_tokens_unbound', { metadata: { dpop_signing_alg_values_supported: undefined } }, 'fapi2'],
  ['mcp_resource_unknown', { resource: null }, 'mcp'],
  ['mcp_resource_mismatch', { resource: { resource: 'https://other.example/mcp' } }, 'mcp'],
  ['mcp_authorization_server_unnamed', { resource: { authorization_servers: ['https://other.example'] } }, 'mcp'],
  ['mcp_refusal_without_challenge', { mcp: (_req, res) => json(res, {}, 403) }, 'mcp'],
  [
    'mcp_challenge_without_metadata',
    { mcp: (_req, res) => json(res, {}, 401, { 'www-authenticate': 'Bearer scope="x"' }) },
    'mcp'
  ],
  [
    'mcp_challenge_without_scope',
    {
      mcp: (req, res) =>
        json(res, {}, 401, {
          'www-authenticate': `Bearer resource_metadata="http://${String(req.headers.host)}/.well-known/oauth-protected-resource/mcp"`
        })
    },
    'mcp'
  ],
  ['mcp_client_documents_not_offered', { metadata: { client_id_metadata_document_supported: undefined } }, 'mcp']
]

describe('a server with a planted fault', () => {
  it('is in order without it, by each profile', async () => {
    const issuer = await plantedServer()
    for (const profile of ['oauth2.1', 'fapi2', 'mcp'] as const) expect(await lintServer(issuer, { profile })).toEqual([])
  })

  it.each(faults)('has %s, and nothing else', async (id, planted, profile = 'oauth2.1') => {
    const found = await lintServer(await plantedServer(planted), { profile })
    expect([...new Set(found.map(finding => finding.id))]).toEqual([id])
    for (const { where, message, fix } of found) expect([where, message, fix]).not.toContain('')
  })

  it('has implicit_offered only where access tokens come of it', async () => {
    const found = async (metadata: object) => (await lintServer(await plantedServer({ metadata }))).map(({ id }) => id)
    const grant_types_supported = ['authorization_code', 'implicit']
    // as oidc-provider has it: ID Tokens alone
    expect(await found({ grant_types_supported, response_types_supported: ['code', 'id_token', 'none'] })).toEqual([])
    expect(await found({ grant_types_supported, response_types_supported: undefined })).toContain('implicit_offered')
  })

  it('has no metadata_member_missing where platforms sign for its clients, and they do not', async () => {
    const metadata = {
      token_endpoint_auth_methods_supported: ['federated_jwt', 'spiffe_jwt'],
      token_endpoint_auth_signing_alg_values_supported: undefined
    }
    for (const profile of ['oauth2.1', 'fapi2'] as const)
      expect(await lintServer(await plantedServer({ metadata }), { profile })).toEqual([])
  })

  it('has jwks_unusable where there is no key set', async () => {
    const found = await lintServer(await plantedServer({ metadata: { jwks_uri: `${await plantedServer()}/nothing` } }))
    expect(found.map(({ id }) => id)).toEqual(['jwks_unusable'])
  })

  it('has mcp_metadata_not_readable where a browser may not read it', async () => {
    const closed = await listening((_req, res) =>
      res.writeHead(200).end(JSON.stringify(metadataOf(closed, { protected_resources: [] })))
    )
    expect((await lintServer(closed, { profile: 'mcp' })).map(({ id }) => id)).toContain('mcp_metadata_not_readable')
  })

  it('is held against the resource at its origin, where its issuer has a path and the resource names it', async () => {
    for (const [named, expected] of [
      [true, 'mcp_challenge_without_metadata'],
      [false, 'mcp_resource_unknown']
    ] as const) {
      const origin = await listening((req, res) => {
        const path = req.url?.split('?')[0] ?? ''
        const issuer = `${origin}/base`
        if (path === '/.well-known/oauth-authorization-server/base')
          json(res, metadataOf(issuer, { protected_resources: undefined }))
        else if (path === '/.well-known/oauth-protected-resource')
          json(res, { resource: `${origin}/mcp`, authorization_servers: [named ? issuer : 'https://other.example'] })
        else if (path === '/mcp') json(res, {}, 401, { 'www-authenticate': 'Bearer scope="x"' })
        else json(res, {}, 404)
      })
      expect((await lintServer(`${origin}/base`, { profile: 'mcp' })).map(({ id }) => id)).toContain(expected)
    }
  })

  it('is found by the address of its MCP server, and by that of its metadata', async () => {
    const planted = { metadata: { grant_types_supported: ['password'] } }
    const issuer = await plantedServer(planted)
    for (const address of [`${issuer}/mcp`, `${issuer}/.well-known/oauth-authorization-server`])
      expect((await lintServer(address, { profile: 'mcp' })).map(({ id }) => id)).toEqual(['password_grant_offered'])
  })
})

describe('a server of ours', () => {
  let serving: Serving
  const written: Key[] = []
  const store = before(memoryStore(), (writtenKey, writes) => {
    if (writes) written.push(writtenKey)
    return Promise.resolve()
  })
  beforeAll(async () => {
    serving = await serve(
      () => ({ mcp: {}, client_documents: {}, policy: { registration: 'token', initial_access_token: 'x'.repeat(40) } }),
      store
    )
  })
  afterAll(() => serving.close())

  it('is in order, and as an MCP server too', async () => {
    expect((await lintServer(serving.issuer)).filter(({ level }) => level !== 'note')).toEqual([])
    expect(await lintServer(`${serving.issuer}/mcp`, { profile: 'mcp' })).toEqual([])
  })

  it('is asked for documents, and for nothing that could be granted', async () => {
    const asked: string[] = []
    const proxy = await listening((req, res) => {
      asked.push(`${req.method ?? ''} ${req.url?.split('?')[0] ?? ''}`)
      const chunks: Buffer[] = []
      req
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          const method = req.method ?? 'GET'
          const headers = Object.fromEntries(
            ['authorization', 'content-type'].flatMap(name =>
              req.headers[name] === undefined ? [] : [[name, String(req.headers[name])]]
            )
          )
          const body = method === 'GET' ? null : Buffer.concat(chunks)
          void fetch(serving.issuer + (req.url ?? ''), { method, headers, body, redirect: 'manual' }).then(async answer => {
            const text = (await answer.text()).replaceAll(serving.issuer, proxy)
            res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(text)
          })
        })
    })
    written.length = 0
    await lintServer(proxy, { profile: 'mcp' })
    expect(asked.filter(request => !request.startsWith('GET '))).toEqual(['POST /oauth2/token'])
    expect(asked.length).toBeLessThan(15)
    // what is counted and kept of the one refused guess, and nothing else
    expect([...new Set(written.map(({ kind }) => kind))].filter(kind => !/guess|budget|decision/.test(kind))).toEqual([])
  })
})

describe('a hostile server', () => {
  const endless: RequestListener = (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    const block = Buffer.alloc(65_536, 0x20)
    const more = (): void => {
      let goesOn = true
      while (goesOn && !res.destroyed) goesOn = res.write(block)
      if (!res.destroyed) res.once('drain', more)
    }
    more()
  }

  it.each<[string, RequestListener, RegExp]>([
    ['hangs', () => undefined, /did not answer in time/],
    ['sends a head and hangs', (_req, res) => void res.writeHead(200).write('{'), /did not answer in time/],
    ['sends without an end', endless, /longer than/],
    ['redirects', (_req, res) => void res.writeHead(302, { location: '/elsewhere' }).end(), /redirects/],
    ['sends no JSON', (_req, res) => void res.end('<html>'), /no JSON object/],
    ['sends a list', (_req, res) => void res.end('[]'), /no JSON object/],
    ['has nothing', (_req, res) => void res.writeHead(404).end(), /no metadata/],
    ['cuts the connection', (_req, res) => void res.destroy(), /did not answer/]
  ])('that %s cannot be looked at', async (_name, handle, reason) => {
    const looking = lintServer(await listening(handle), { timeout: 500 })
    await expect(looking).rejects.toThrow(LookError)
    await expect(looking).rejects.toThrow(reason)
  })

  it.each<[string, object]>([
    [
      'numbers',
      { issuer: 1, token_endpoint: 2, jwks_uri: [], response_types_supported: 'code', grant_types_supported: { a: 1 } }
    ],
    [
      'addresses that are none',
      { token_endpoint: 'http://', authorization_endpoint: 'x:y', jwks_uri: '////', protected_resources: ['::'] }
    ],
    ['control characters', { issuer: '\u001b[2J', code_challenge_methods_supported: ['\n'] }]
  ])('whose metadata has %s is told of, and nothing breaks', async (_name, metadata) => {
    const found = await lintServer(await plantedServer({ metadata }), { profile: 'mcp' })
    expect(found.length).toBeGreaterThan(0)
  })

  it('that hangs later is told of', async () => {
    const found = await lintServer(await plantedServer({ authorize: () => undefined }), { timeout: 500 })
    expect(found.map(({ id }) => id)).toEqual(['unanswered'])
  })
})

it.each(['as.example', 'ftp://as.example', ''])('refuses the address "%s"', async address => {
  await expect(lintServer(address)).rejects.toThrow('address must be an http or https URL')
})
