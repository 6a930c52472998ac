import { beforeAll, describe, expect, it } from '@jest/globals'
import { checkConfig } from '../../example-app/config/config.ts'
import { configFile, failedStart, node, npm, type Outcome, run } from './running-server.ts'

const issuer = 'http://localhost:4010'
const client = { client_id: 'a', client_secret: 's3cr3t' }
const person = { sub: 'u-1', username: 'one', password: 'pw' }

function lineFor(settings: unknown): string {
  try {
    checkConfig(settings, '.')
    return 'accepted'
  } catch (error) {
    return (error as Error).message
  }
}

describe('settings', () => {
  it('have the defaults of the contract', () => {
    const { settings } = checkConfig({ issuer }, '.')
    expect(settings).toMatchObject({ clients: [], accounts: [], resources: [], trusted_issuers: [], tenants: [] })
    expect(settings.scopes).toEqual(['openid', 'profile', 'email', 'offline_access', 'api:read', 'api:write'])
    expect(settings.policy).toMatchObject({
      require_pkce: 'public',
      access_token_ttl: 3600,
      authorization_code_ttl: 60,
      refresh_token_ttl: 1_209_600,
      refresh_retry_window: 10
    })
    expect(settings.policy.grant_types).toHaveLength(7)
  })

  it.each([
    ['clients without redirect_uris', { clients: [{ ...client, grant_types: ['client_credentials'] }] }],
    [
      'a tls_client_auth client with jwks',
      {
        clients: [
          {
            client_id: 'a',
            token_endpoint_auth_method: 'tls_client_auth',
            tls_client_auth_subject_dn: 'CN=a',
            jwks: { keys: [] }
          }
        ]
      }
    ],
    [
      'redirect URIs that differ by their query',
      { clients: [{ ...client, redirect_uris: ['https://c.example/cb', 'https://c.example/cb?dummy1=lorem'] }] }
    ],
    [
      'redirect URIs on loopback and of an app',
      { clients: [{ ...client, redirect_uris: ['http://127.0.0.1:1/cb', 'http://[::1]/cb', 'com.example.app:/cb'] }] }
    ],
    [
      'a jwks_uri on localhost beside a loopback issuer',
      { clients: [{ client_id: 'a', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://localhost:9/jwks' }] }
    ],
    [
      'the clients that are workloads',
      {
        workload_issuers: [{ issuer: 'https://platform.example', jwks: { keys: [] } }],
        trust_domains: [{ trust_domain: 'prod.example', bundle: { keys: [] } }],
        clients: [
          {
            client_id: 'job',
            token_endpoint_auth_method: 'federated_jwt',
            federated_credentials: [{ issuer: 'https://platform.example', subject: 'job' }]
          },
          { client_id: 'x', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://prod.example/x' },
          { client_id: 'y', token_endpoint_auth_method: 'spiffe_x509', spiffe_id: 'spiffe://prod.example/y' }
        ]
      }
    ],
    ['no scopes at all', { scopes: [] }],
    ['every grant type', { policy: { grant_types: ['urn:openid:params:grant-type:ciba'] } }],
    ['a trusted issuer', { trusted_issuers: [{ issuer: 'https://idp.example', jwks: { keys: [] } }] }],
    [
      'resource readers',
      {
        resources: [
          { resource: 'https://api.example', scopes: ['x'], access_token_format: 'opaque', introspection_clients: ['a'] }
        ]
      }
    ],
    ['tenants below tenants', { tenants: [{ path: '/acme' }, { path: '/acme/banking' }] }]
  ])('accept %s', (_name, settings) => {
    expect(lineFor({ issuer, ...settings })).toBe('accepted')
  })

  it.each<[string, unknown]>([
    ['issuer', {}],
    ['issuer', { issuer: 'ftp://x' }],
    ['issuer', { issuer: 'http://as.example.com' }],
    ['issuer', { issuer: `${issuer}/` }],
    ['issuer', { issuer: `${issuer}?a=b` }],
    ['issuer', { issuer: 'http://LOCALHOST:4010' }],
    ['issuer', { issuer: 'http://localhost:0' }],
    ['issuers', { issuer, issuers: [] }],
    ['tls', { issuer: 'https://localhost:4010' }],
    ['tls.port', { issuer, tls: { key: 'k', cert: 'c' } }],
    ['tls.port', { issuer, tls: { port: 4010, key: 'k', cert: 'c' } }],
    ['tls.port', { issuer, tls: { port: 0, key: 'k', cert: 'c' } }],
    ['tls.key', { issuer, tls: { port: 4443, key: 'absent.key', cert: 'c' } }],
    ['tls.cert', { issuer, tls: { port: 4443, key: 'package.json', cert: 'absent.crt' } }],
    ['tls.ca', { issuer, tls: { port: 4443, key: 'k', cert: 'c', ca: [] } }],
    ['clients', { issuer, clients: {} }],
    ['clients[0]', { issuer, clients: ['a'] }],
    ['clients[0].client_id', { issuer, clients: [{}] }],
    ['clients[1].token_endpoint_auth_method', { issuer, clients: [client, { client_id: 'b', token_endpoint_auth_method: 5 }] }],
    ['clients[0].redirect_uris[1]', { issuer, clients: [{ ...client, redirect_uris: ['https://c.example/cb', '/cb'] }] }],
    ['clients[0].redirect_uris[0]', { issuer, clients: [{ ...client, redirect_uris: ['https://c.example/cb#'] }] }],
    ['clients[0].redirect_uris[0]', { issuer, clients: [{ ...client, redirect_uris: ['http://c.example/cb'] }] }],
    ['clients[0].redirect_uris[0]', { issuer, clients: [{ ...client, redirect_uris: ['javascript:alert(1)'] }] }],
    [
      'clients[3].jwks_uri',
      { issuer, clients: [client, client, client, { client_id: 'd', jwks_uri: 'http://keys.example/jwks' }] }
    ],
    [
      'clients[0].jwks_uri',
      {
        issuer: 'https://as.example',
        tls: { key: 'k', cert: 'c' },
        clients: [{ client_id: 'd', jwks_uri: 'http://localhost/jwks' }]
      }
    ],
    ['accounts[0].password', { issuer, accounts: [{ sub: 'u', username: 'u' }] }],
    ['accounts[0].role', { issuer, accounts: [{ ...person, role: 'x' }] }],
    ['accounts[1].username', { issuer, accounts: [person, { ...person, sub: 'u-2' }] }],
    ['accounts[1].sub', { issuer, accounts: [person, { ...person, username: 'two' }] }],
    ['scopes[0]', { issuer, scopes: ['api read'] }],
    ['resources[0].resource', { issuer, resources: [{ resource: 'api', scopes: [] }] }],
    [
      'resources[0].access_token_format',
      { issuer, resources: [{ resource: 'https://api.example', scopes: [], access_token_format: 'saml' }] }
    ],
    ['trusted_issuers[0].jwks', { issuer, trusted_issuers: [{ issuer: 'https://idp.example' }] }],
    [
      'trusted_issuers[0].jwks_uri',
      { issuer, trusted_issuers: [{ issuer: 'https://idp.example', jwks_uri: 'http://idp.example/jwks' }] }
    ],
    ['clients[0].redirect_uri', { issuer, clients: [{ ...client, redirect_uri: 'https://a.example/' }] }],
    [
      'clients[0].client_id',
      { issuer, clients: [{ ...client, client_id: 'u-1' }], accounts: [{ sub: 'u-1', username: 'a', password: 'b' }] }
    ],
    ['policy.pkce', { issuer, policy: { pkce: true } }],
    ['policy.require_pkce', { issuer, policy: { require_pkce: 'never' } }],
    ['policy.grant_types[0]', { issuer, policy: { grant_types: ['password'] } }],
    ['policy.json_body', { issuer, policy: { json_body: 'yes' } }],
    ['policy.assertion_audience', { issuer, policy: { assertion_audience: 'any' } }],
    ['policy.access_token_ttl', { issuer, policy: { access_token_ttl: 0 } }],
    ['policy.access_token_ttl', { issuer, policy: { access_token_ttl: '3600' } }],
    ['policy.refresh_retry_window', { issuer, policy: { refresh_retry_window: -1 } }],
    ['policy.initial_access_token', { issuer, policy: { registration: 'token' } }],
    ['policy.registration', { issuer, policy: { registration: 'open', profile: 'fapi2-security' } }],
    ['policy.failure_budget', { issuer, policy: { failure_budget: 'on' } }],
    ['policy.failure_budget.attempts', { issuer, policy: { failure_budget: { attempts: 0, window: 60 } } }],
    ['policy.failure_budget.minutes', { issuer, policy: { failure_budget: { attempts: 1, window: 60, minutes: 1 } } }],
    [
      'client_certificate_header.format',
      { issuer, client_certificate_header: { name: 'x', format: 'pem', trusted_proxies: ['::1'] } }
    ],
    [
      'client_certificate_header.trusted_proxies',
      { issuer, client_certificate_header: { name: 'x', format: 'rfc9440', trusted_proxies: [] } }
    ],
    ['tenants[0].path', { issuer, tenants: [{ path: 'acme' }] }],
    ['tenants[0].path', { issuer, tenants: [{ path: '/acme/' }] }],
    ['tenants[0].path', { issuer, tenants: [{ path: '/oauth2/token' }] }],
    ['tenants[1].path', { issuer, tenants: [{ path: '/acme' }, { path: '/acme/login' }] }],
    ['tenants[1].path', { issuer, tenants: [{ path: '/acme' }, { path: '/acme' }] }],
    ['tenants[0].tls', { issuer, tenants: [{ path: '/acme', tls: {} }] }],
    [
      'tenants[0].clients[0].jwks_uri',
      { issuer, tenants: [{ path: '/acme', clients: [{ client_id: 'a', jwks_uri: 'ftp://x' }] }] }
    ]
  ])('name what is wrong: %s', (path, settings) => {
    const line = lineFor(settings)
    expect(line.split(' ')[0]).toBe(path)
    expect(line).toMatch(/ must /)
    expect(line).not.toMatch(/\n|s3cr3t/)
  })

  it('warn of members nobody reads', () => {
    const { warnings } = checkConfig(
      {
        issuer,
        clients: [
          { ...client, shoe_size: 43 },
          { client_id: 'b', client_secret: 's', require_pushed_authorization_requests: true, color: 'red' }
        ]
      },
      '.'
    )
    expect(warnings).toEqual([
      'clients[0].shoe_size is not known and has no effect',
      'clients[1].color is not known and has no effect'
    ])
  })
})

describe('a wrong setting ends the start with one line and exit code 1', () => {
  const broken = '{"issuer": "http://localhost:4010", "clients": [{"client_secret": "s3cr3t" "x"}]}'
  const cases: [path: string, name: string, settings: unknown, env: Record<string, string>, command?: readonly string[]][] = [
    ['CONFIG', 'a missing file', {}, { CONFIG: '/nowhere/server.json' }, node],
    ['CONFIG', 'broken JSON', broken, {}],
    ['LOG_LEVEL', 'an unknown level', { issuer }, { LOG_LEVEL: 'loud' }],
    ['STORE_URL', 'no store there is', { issuer }, { STORE_URL: 'mysql://localhost' }],
    ['policy.initial_access_token', 'a wrong setting', { issuer, policy: { registration: 'token' } }, {}],
    ['clients[0].client_secret', 'what the library refuses', { issuer, clients: [{ client_id: 'a' }] }, {}],
    [
      'tenants[0].clients[0].client_secret',
      'the same of a tenant',
      { issuer, tenants: [{ path: '/acme', clients: [{ client_id: 'a' }] }] },
      {}
    ],
    ['policy.require_pkce', 'a wrong setting, through npm', { issuer, policy: { require_pkce: 1 } }, {}, npm]
  ]
  let starts: readonly Promise<Outcome>[]

  beforeAll(() => {
    starts = cases.map(([, , settings, more, command]) => {
      const env = { CONFIG: configFile(settings), ...more }
      return command === undefined ? failedStart(env) : run(command, env).ended
    })
  })

  it.each(cases.map(([path, name], index) => [path, name, index] as const))('%s: %s', async (path, _name, index) => {
    const { code, stdout, stderr } = (await starts[index]) ?? { code: 0, stdout: '', stderr: '' }
    expect({ code, lines: stderr.trimEnd().split('\n').length, first: stderr.split(' ')[0] }).toEqual({
      code: 1,
      lines: 1,
      first: path
    })
    expect(stderr + stdout).not.toMatch(/ready|s3cr3t/)
  })
})
