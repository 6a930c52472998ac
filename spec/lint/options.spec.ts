/** The linter over options: every planted weakness is found by its name, and what is in order is left alone. */
import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { lintOptions, lintRules, type LintedOptions } from '../../lib/lint/lint.ts'

const secret = 'Zx8Q2mV7rT4kLp9sWd3nHy6uJb1cFg5e'
const key = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM'
}
const shortKey = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(128, 0xff).toString('base64url') }

const bound = { dpop_bound_access_tokens: true }
const machine = { client_id: 'machine', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] }, ...bound }
const worker = { ...machine, grant_types: ['client_credentials'], response_types: [], scope: 'api:read' }
const web = {
  ...machine,
  client_id: 'web',
  jwks: { keys: [] },
  grant_types: ['authorization_code'],
  redirect_uris: ['https://web.example/cb']
}
const desktop = { client_id: 'desktop', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/cb'] }

const strict: LintedOptions = { issuer: 'https://as.example', requirePkce: 'always', clients: [worker, web, desktop] }
const withClient = (change: object): LintedOptions => ({ ...strict, clients: [worker, { ...web, ...change }] })
const soon = Date.now() + 86_400_000

const planted: readonly (readonly [string, string, LintedOptions])[] = [
  ['pkce_optional', 'requirePkce', { ...strict, requirePkce: 'public' }],
  [
    'guesses_unlimited',
    'guessProtection',
    { ...withClient({ token_endpoint_auth_method: 'client_secret_post' }), guessProtection: false }
  ],
  ['assertion_audience_wide', 'assertionAudience', { ...strict, assertionAudience: 'legacy' }],
  ['development_errors', 'developmentErrors', { ...strict, developmentErrors: true }],
  ['json_body', 'jsonBody', { ...strict, jsonBody: true }],
  [
    'open_registration',
    'registration.access',
    { ...strict, registration: { access: 'open', grantTypes: ['authorization_code'] } }
  ],
  ['open_registration_grants', 'registration.grantTypes', { ...strict, registration: { access: 'open' } }],
  [
    'weak_initial_access_token',
    'registration.initialAccessTokens[1]',
    { ...strict, registration: { access: 'token', initialAccessTokens: [secret, 'let-me-in'] } }
  ],
  [
    'private_use_scheme',
    'registration.schemes[0]',
    { ...strict, registration: { access: 'token', schemes: ['cursor', 'com.example.app'] } }
  ],
  ['documents_of_anyone', 'clientDocuments.hosts', { ...strict, clientDocuments: {} }],
  ['long_access_tokens', 'accessTokenTtl', { ...strict, accessTokenTtl: 86_401 }],
  ['long_authorization_codes', 'authorizationCodeTtl', { ...strict, authorizationCodeTtl: 600 }],
  ['long_refresh_tokens', 'refreshTokenTtl', { ...strict, refreshTokenTtl: 31_536_000 }],
  ['long_refresh_retries', 'refreshRetryWindow', { ...strict, refreshRetryWindow: 300 }],
  [
    'scope_of_several_resources',
    'resources[1].scopes',
    {
      ...strict,
      resources: [
        { resource: 'a', scopes: ['x', 'y'] },
        { resource: 'b', scopes: ['x'] }
      ]
    }
  ],
  [
    'tokens_without_audience',
    'defaultResource',
    { ...strict, resources: [{ resource: 'a', scopes: ['x'] }], defaultResource: 'none' }
  ],
  ['tokens_unbound', 'clients', { ...strict, clients: [{ ...worker, dpop_bound_access_tokens: false }] }],
  [
    'redirect_uri_insecure',
    'clients[1].redirect_uris[1]',
    withClient({ redirect_uris: ['https://web.example/cb', 'http://web.example/cb'] })
  ],
  ['redirect_uri_pattern', 'clients[1].redirect_uris[0]', withClient({ redirect_uris: ['https://*.example/cb'] })],
  ['redirect_uri_localhost', 'clients[1].redirect_uris[0]', withClient({ redirect_uris: ['http://localhost:8080/cb'] })],
  [
    'weak_secret',
    'clients[1].client_secret',
    withClient({ token_endpoint_auth_method: 'client_secret_basic', client_secret: 'my-client-secret-1' })
  ],
  [
    'weak_secret',
    'clients[1].credentials[0].value',
    withClient({ credentials: [{ type: 'secret', id: 's', value: 'hunter2' }] })
  ],
  [
    'shared_secret',
    'clients[1].client_secret',
    {
      ...strict,
      clients: [
        { ...worker, client_secret: secret },
        { ...web, client_secret: secret }
      ]
    }
  ],
  [
    'secret_expired',
    'clients[1].client_secret_expires_at',
    withClient({ client_secret: secret, client_secret_expires_at: 1_500_000_000 })
  ],
  ['shared_key', 'clients[1].jwks.keys[0]', withClient({ jwks: { keys: [{ ...key, kid: 'other' }] } })],
  ['weak_key', 'clients[1].jwks.keys[0]', withClient({ jwks: { keys: [shortKey] } })],
  [
    'secret_on_the_wire',
    'clients[1].token_endpoint_auth_method',
    withClient({ token_endpoint_auth_method: null, client_secret: secret })
  ],
  ['client_assertion_audience_wide', 'clients[1].assertion_audience', withClient({ assertion_audience: 'report' })],
  ['removed_grant', 'clients[1].grant_types[1]', withClient({ grant_types: ['authorization_code', 'password'] })],
  ['removed_response_type', 'clients[1].response_types[0]', withClient({ response_types: ['id_token token'] })],
  ['scope_unlimited', 'clients[1].scope', withClient({ grant_types: ['client_credentials'] })],
  [
    'workload_subject_wide',
    'clients[1].federated_credentials[0]',
    withClient({ federated_credentials: [{ issuer: 'https://ci.example', subject: 'repo:acme/*' }] })
  ],
  [
    'certificates_unverified',
    'clients[1].token_endpoint_auth_method',
    { ...withClient({ token_endpoint_auth_method: 'tls_client_auth' }), deployment: {} }
  ],
  [
    'everyone_is_a_proxy',
    'client_certificate_header.trusted_proxies[0]',
    { ...strict, deployment: { trustedProxies: ['0.0.0.0/0', '10.0.0.0/8'] } }
  ],
  ['certificate_expiring', 'tls.cert', { ...strict, deployment: { certificates: [{ where: 'tls.cert', expires: soon }] } }],
  ['trusts_itself', 'trusted_issuers[0].issuer', { ...strict, deployment: { trustedIssuers: ['https://as.example'] } }],
  [
    'setting_without_effect',
    'clients[0].foo',
    { ...strict, deployment: { warnings: [{ where: 'clients[0].foo', message: 'is not known' }] } }
  ]
]

describe('the linter', () => {
  it.each(planted)('finds %s at %s, and nothing else', (id, where, options) => {
    const found = lintOptions(options)
    expect(found.filter(finding => finding.id === id).map(finding => finding.where)).toEqual([where])
    const expected = new Set([id, 'secret_on_the_wire', ...(id === 'open_registration_grants' ? ['open_registration'] : [])])
    expect(found.filter(finding => !expected.has(finding.id))).toEqual([])
  })

  it.each<[string, LintedOptions]>([
    ['machines and people', strict],
    ['a function that finds clients', { issuer: 'https://as.example', clients: () => undefined }],
    [
      'everything at its bound',
      {
        ...strict,
        ...{ accessTokenTtl: 86_400, authorizationCodeTtl: 300, refreshTokenTtl: 90 * 86_400, refreshRetryWindow: 60 },
        guessProtection: { attempts: 20, window: 60 },
        registration: { access: 'token', initialAccessTokens: [secret], schemes: ['com.example.app'] },
        resources: [
          { resource: 'a', scopes: ['x'] },
          { resource: 'b', scopes: ['y'] }
        ],
        clientDocuments: { hosts: ['claude.ai'] },
        deployment: {
          hasClientAuthorities: true,
          trustedProxies: ['10.0.0.0/8', '::1'],
          trustedIssuers: ['https://idp.example'],
          warnings: []
        }
      }
    ]
  ])('finds nothing in %s', (_name, options) => {
    expect(lintOptions(options)).toEqual([])
  })

  it('never repeats a secret', () => {
    const options = {
      ...strict,
      clients: [
        { ...worker, client_secret: 'hunter2' },
        { ...web, client_secret: 'hunter2' }
      ]
    }
    expect(JSON.stringify(lintOptions(options))).not.toContain('hunter2')
  })

  it('puts the worst first', () => {
    const levels = lintOptions({ ...strict, jsonBody: true, requirePkce: 'public', assertionAudience: 'legacy' }).map(
      ({ level }) => level
    )
    expect(levels).toEqual(['error', 'warning', 'note'])
  })

  it('holds options against FAPI 2.0 by the rules that start it', () => {
    const options = {
      ...strict,
      clients: [desktop, { ...worker, token_endpoint_auth_signing_alg: 'RS256' }],
      assertionAudience: 'report'
    }
    expect(
      lintOptions(options, { profile: 'fapi2' }).flatMap(({ id, where }) => (id.startsWith('fapi_') ? [[id, where]] : []))
    ).toEqual([
      ['fapi_assertion_audience', 'assertionAudience'],
      ['fapi_public_client', 'clients[0].token_endpoint_auth_method'],
      ['fapi_bound_tokens', 'clients[0].dpop_bound_access_tokens'],
      ['fapi_algorithm', 'clients[1].token_endpoint_auth_signing_alg']
    ])
    expect(lintOptions({ ...strict, clients: [worker] }, { profile: 'fapi2' })).toEqual([])
  })

  it.each<[string, LintedOptions]>([
    ['mcp_no_resource', { ...strict, clientDocuments: {} }],
    ['mcp_unknown_clients', { ...strict, resources: [{ resource: 'a', scopes: ['x'] }] }],
    [
      'mcp_no_public_clients',
      { ...strict, resources: [{ resource: 'a', scopes: ['x'] }], clientDocuments: {}, strategies: [{ name: 'private_key_jwt' }] }
    ]
  ])('finds %s for MCP, and not otherwise', (id, options) => {
    expect(lintOptions(options, { profile: 'mcp' }).map(finding => finding.id)).toEqual([id])
    expect(lintOptions(options).map(finding => finding.id)).not.toContain(id)
  })

  it('finds nothing for MCP where strangers can connect', () => {
    const options = { ...strict, resources: [{ resource: 'a', scopes: ['x'] }], clientDocuments: {} }
    expect(lintOptions(options, { profile: 'mcp' })).toEqual([])
  })
})

describe('the pages', () => {
  const folder = new URL('../../docs/lint/', import.meta.url)

  it('are those of the rules', () => {
    expect(
      readdirSync(folder)
        .filter(name => name !== 'README.md')
        .sort()
    ).toEqual(lintRules.map(({ id }) => `${id}.md`).sort())
    expect(new Set(lintRules.map(({ id }) => id)).size).toBe(lintRules.length)
  })

  it('have the name, the section and the fix of their rule, and a row in the list', () => {
    const list = readFileSync(new URL('README.md', folder), 'utf8').replace(/ +/g, ' ')
    for (const { id, level, section, fix } of lintRules) {
      const page = readFileSync(new URL(`${id}.md`, folder), 'utf8').replace(/\\/g, '')
      expect(page).toMatch(new RegExp(`^# \`${id}\`\n`))
      expect([...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual(['Why it matters', 'What to do'])
      expect(page).toContain(`It is a${level === 'error' ? 'n' : ''} ${level}.`)
      expect(page.replaceAll('`', '')).toContain(fix.replaceAll('`', ''))
      if (section !== 'options') expect(page).toContain(section)
      expect(list).toContain(`| [\`${id}\`](${id}.md) | ${level} |`)
    }
  })
})
