/** `clientele lint` over configuration files and modules: what it finds, how it writes it, and what it ends with. */
import { afterAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Finding } from '../../lib/lint/lint.ts'
import { clientele } from './terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'clientele-lint-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function file(content: unknown, extension = 'json'): string {
  const path = join(folder, `${++files}.${extension}`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

async function lint(content: unknown, ...more: string[]): Promise<{ code: number; findings: readonly Finding[] }> {
  const { code, out } = await clientele(['lint', file(content), '--format', 'json', ...more])
  return { code, findings: (JSON.parse(out) as { findings: Finding[] }).findings }
}

const places = (findings: readonly Finding[], id?: string): string[] =>
  findings.filter(finding => id === undefined || finding.id === id).map(({ where }) => where)

const key = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM'
}
const secret = 'Zx8Q2mV7rT4kLp9sWd3nHy6uJb1cFg5e'
const worker = {
  client_id: 'worker',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key] },
  grant_types: ['client_credentials'],
  response_types: [],
  scope: 'api:read',
  dpop_bound_access_tokens: true
}
const clean = { issuer: 'http://localhost:4010', clients: [worker], policy: { require_pkce: 'always' } }

describe('a configuration in order', () => {
  it.each<[string, object, string[]]>([
    ['with one client', clean, []],
    ['of an empty server', { issuer: 'http://localhost:4010' }, []],
    ['under FAPI 2.0', { ...clean, policy: { profile: 'fapi2-security' } }, ['--profile', 'fapi2']],
    ['with an MCP server', { ...clean, mcp: {}, client_documents: {} }, ['--profile', 'mcp']]
  ])('%s has no findings, and ends with 0', async (_name, settings, more) => {
    expect(await lint(settings, ...more)).toEqual({ code: 0, findings: [] })
  })

  it('may have warnings and notes, and ends with 0', async () => {
    const { code, findings } = await lint({ ...clean, policy: { json_body: true, access_token_ttl: 100_000 } })
    expect(code).toBe(0)
    expect(findings.map(({ id, level, where }) => [id, level, where])).toEqual([
      ['long_access_tokens', 'warning', 'policy.access_token_ttl'],
      ['json_body', 'note', 'policy.json_body']
    ])
  })
})

describe('a configuration that is weak', () => {
  it('is told where, by the names of the file, tenants too', async () => {
    const weak = { client_id: 'old', client_secret: 'secret', redirect_uris: ['https://old.example/cb'] }
    const { code, findings } = await lint({
      ...clean,
      clients: [worker, weak],
      policy: { assertion_audience: 'legacy', failure_budget: 'off', registration: 'open' },
      resources: [
        { resource: 'https://a.example', scopes: ['x'] },
        { resource: 'https://b.example', scopes: ['x'] }
      ],
      tenants: [{ path: '/acme', clients: [weak] }]
    })
    expect(code).toBe(1)
    expect(findings.filter(({ level }) => level === 'error').map(({ id, where }) => [id, where])).toEqual([
      ['guesses_unlimited', 'policy.failure_budget'],
      ['assertion_audience_wide', 'policy.assertion_audience'],
      ['open_registration_grants', 'policy.registration_grant_types'],
      ['weak_secret', 'clients[1].client_secret'],
      ['weak_secret', 'tenants[0].clients[0].client_secret']
    ])
    expect(places(findings, 'scope_of_several_resources')).toEqual(['resources[1].scopes'])
    expect(places(findings, 'pkce_optional')).toEqual(['policy.require_pkce', 'tenants[0].policy.require_pkce'])
  })

  it('is held against FAPI 2.0 though it does not ask for it', async () => {
    const { code, findings } = await lint(
      { ...clean, clients: [{ ...worker, dpop_bound_access_tokens: false }] },
      '--profile',
      'fapi2'
    )
    expect([code, places(findings, 'fapi_bound_tokens')]).toEqual([1, ['clients[0].dpop_bound_access_tokens']])
  })

  it('is held against MCP', async () => {
    const { code, findings } = await lint(clean, '--profile', 'mcp')
    expect([code, findings.map(({ id }) => id)]).toEqual([1, ['mcp_no_resource', 'mcp_unknown_clients']])
  })
})

describe('a configuration that would not start', () => {
  it('gives everything that is wrong with it, and 1', async () => {
    const { code, findings } = await lint({
      issuer: 'http://as.example.com',
      clients: [
        { ...worker, jwks: undefined },
        { ...worker, client_id: 'second', jwks_uri: 'ftp://keys', jwks: undefined },
        { ...worker, client_id: 'third', token_endpoint_auth_method: 'magic', dpop_bound_access_tokens: 'yes' },
        { ...worker, client_id: 'fourth' },
        { ...worker, client_id: 'fourth' },
        { client_id: 'fifth', client_secret: secret, redirect_uris: ['javascript:alert(1)', 'http://fifth.example/cb'] }
      ],
      accounts: [{ sub: 'a', username: 'a', password: '' }],
      policy: { grant_types: ['client_credentials'], access_token_ttl: -1, nonsense: true },
      tenants: [{ path: 'acme' }, { path: '/demo' }],
      extra: 1
    })
    expect(code).toBe(1)
    expect(places(findings, 'invalid_setting').sort()).toEqual(
      [
        'issuer',
        'clients[0].jwks',
        'clients[1].jwks_uri',
        'clients[2].token_endpoint_auth_method',
        'clients[2].dpop_bound_access_tokens',
        'clients[4].client_id',
        'clients[5].redirect_uris[0]',
        'clients[5].redirect_uris[1]',
        'accounts[0].password',
        'policy.access_token_ttl',
        'policy.nonsense',
        'tenants[0].path',
        'tenants[1].path',
        'extra'
      ].sort()
    )
    for (const { level, message, fix, section } of findings) expect([level, message, fix, section]).not.toContain('')
  })

  it('because of its profile, is told every rule of it once', async () => {
    const settings = {
      issuer: 'http://localhost:4010',
      clients: [
        { client_id: 'a', client_secret: secret, grant_types: ['client_credentials'] },
        { client_id: 'b', token_endpoint_auth_method: 'none', redirect_uris: ['https://b.example/cb'] }
      ],
      policy: { profile: 'fapi2-security', assertion_audience: 'report', authorization_code_ttl: 120 }
    }
    const { code, findings } = await lint(settings)
    expect(code).toBe(1)
    expect(findings.filter(({ level }) => level === 'error').map(({ id, where }) => [id, where])).toEqual([
      ['fapi_assertion_audience', 'policy.assertion_audience'],
      ['fapi_code_lifetime', 'policy.authorization_code_ttl'],
      ['fapi_method', 'clients[0].token_endpoint_auth_method'],
      ['fapi_bound_tokens', 'clients[0].dpop_bound_access_tokens'],
      ['fapi_public_client', 'clients[1].token_endpoint_auth_method'],
      ['fapi_bound_tokens', 'clients[1].dpop_bound_access_tokens']
    ])
  })

  it.each<[string, unknown]>([
    ['no JSON', '{ "issuer": '],
    ['a list', []],
    ['nothing', {}],
    ['null', 'null']
  ])('because it is %s, says so', async (_name, content) => {
    const { code, findings } = await lint(content)
    expect([code, findings.map(({ id }) => id)]).toEqual([1, ['invalid_setting']])
  })
})

describe('a module', () => {
  const module = (options: string) => file(`export default ${options}`, 'mjs')
  const json = async (path: string) => clientele(['lint', path, '--format', 'json'])

  it('is judged by the options it exports', async () => {
    const { code, out } = await json(module(`{ clients: [], developmentErrors: true, clientz: 1 }`))
    expect(code).toBe(1)
    const found = (JSON.parse(out) as { findings: Finding[] }).findings.map(({ id, where }) => [id, where])
    expect(found).toEqual(
      expect.arrayContaining([
        ['development_errors', 'developmentErrors'],
        ['invalid_setting', 'clientz']
      ])
    )
  })

  it.each([
    ['{', 'cannot be loaded'],
    ['1', 'must export the options']
  ])('that exports %s cannot be looked at', async (content, reason) => {
    const { code, out, err } = await json(module(content))
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(reason)
  })
})

describe('the command', () => {
  it.each([
    [[join(folder, 'nowhere.json')], 'is neither a file nor'],
    [[folder], 'must be the path of a readable file'],
    [['ftp://as.example'], 'is neither a file nor'],
    [['http://127.0.0.1:1'], 'could not look at http://127.0.0.1:1: it did not answer'],
    [['x', '--profile', 'fapi'], '--profile must be oauth2.1 or fapi2 or mcp'],
    [['x', '--format', 'xml'], '--format must be text or json or sarif'],
    [[], 'FILE|URL must be given']
  ])('ends with 2 for %j', async (given, reason) => {
    const { code, out, err } = await clientele(['lint', ...given])
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(reason)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
  })

  it('writes text where nothing else is asked for, and SARIF where that is', async () => {
    const path = file(clean)
    expect(await clientele(['lint', path])).toEqual({ code: 0, out: `${path}: nothing found\n`, err: '' })
    expect(JSON.parse((await clientele(['lint', path, '--format', 'sarif'])).out)).toMatchObject({ version: '2.1.0' })
  })
})
