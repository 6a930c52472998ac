/** Every mistake of a configuration is told at once, and nothing else is. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { memoryStore } from 'clientele'
import { createApp } from '../../example-app/app.ts'
import { checkConfig } from '../../example-app/config/config.ts'
import { everyMistake } from '../../example-app/config/mistakes.ts'
import { createLog } from '../../example-app/log.ts'
import { configFile, node, run } from './running-server.ts'

const issuer = 'http://localhost:4010'
const store = memoryStore()
const log = createLog('silent')

async function mistakesOf(settings: unknown): Promise<readonly string[]> {
  const { errors } = await everyMistake(settings, input => createApp({ config: checkConfig(input, '.'), store, log }))
  return errors.map(({ path }) => path)
}

const client = { client_id: 'good', client_secret: 's3cr3t', grant_types: ['client_credentials'] }
const federated = {
  client_id: 'job',
  token_endpoint_auth_method: 'federated_jwt',
  federated_credentials: [{ issuer: 'https://platform.example', subject: 'job' }],
  grant_types: ['client_credentials']
}
const certified = {
  client_id: 'certified',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=certified',
  grant_types: ['client_credentials']
}
const person = { sub: 'u-1', username: 'one', password: 'pw' }

/** By the path of each; what is wrong in the file's own words, across files, and in the library's eyes. */
const twenty = {
  issuer,
  listen: { port: 'http' },
  trust_proxy: ['everybody'],
  unknown_setting: 1,
  clients: [
    client,
    { client_id: 'no-secret' },
    'a string',
    { ...client, client_id: 'wrong-method', token_endpoint_auth_method: 'basic' },
    { ...client, client_id: 'wrong-uris', redirect_uris: ['https://c.example/cb', '/cb', 'http://c.example/'] },
    { client_id: 'keys', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://keys.example/jwks' },
    { ...client, client_id: 'misspelt', redirect_uri: 'https://a.example/' },
    { ...client, client_id: 'wrong-grant', grant_types: ['password'] },
    { ...client, client_id: 'good' }
  ],
  accounts: [
    person,
    { ...person, sub: 'u-2' },
    { sub: 'u-3', username: 'three' },
    { ...person, sub: 'u-4', username: 'four', role: 'x' }
  ],
  scopes: ['openid', 'api read'],
  resources: [{ resource: 'api', scopes: [] }],
  policy: { require_pkce: 'never', access_token_ttl: 0, registration: 'token', failure_budget: { attempts: 0, window: 60 } },
  tenants: [{ path: '/login' }, { path: '/acme', clients: [{ client_id: 'teller' }] }]
}

const paths = [
  'listen.port',
  'trust_proxy[0]',
  'unknown_setting',
  'clients[1].client_secret',
  'clients[2]',
  'clients[3].token_endpoint_auth_method',
  'clients[4].redirect_uris[1]',
  'clients[4].redirect_uris[2]',
  'clients[5].jwks_uri',
  'clients[6].redirect_uri',
  'clients[7].grant_types[0]',
  'clients[8].client_id',
  'accounts[1].username',
  'accounts[2].password',
  'accounts[3].role',
  'scopes[1]',
  'resources[0].resource',
  'policy.require_pkce',
  'policy.access_token_ttl',
  'policy.initial_access_token',
  'policy.failure_budget.attempts',
  'tenants[0].path',
  'tenants[1].clients[0].client_secret'
]

describe('everyMistake', () => {
  it('finds them all, by the places they have in the file', async () => {
    expect([...(await mistakesOf(twenty))].sort()).toEqual([...paths].sort())
  })

  it('finds none where there is none, and leaves the input as it is', async () => {
    const good = { issuer, clients: [client], accounts: [person] }
    expect(await mistakesOf(good)).toEqual([])
    const before = structuredClone(twenty)
    await mistakesOf(twenty)
    expect(twenty).toEqual(before)
  })

  it.each<[unknown, readonly string[]]>([
    [null, ['CONFIG']],
    [[], ['CONFIG']],
    ['{}', ['CONFIG']],
    [{}, ['issuer']],
    [{ issuer: 7, tls: { key: 'absent', cert: 'absent', port: 1 } }, ['issuer', 'tls.key']],
    [{ issuer: 'ftp://x', clients: {} }, ['issuer', 'clients']],
    [{ issuer: 'https://as.example' }, ['tls']],
    [{ issuer, clients: [{}, {}, {}] }, ['clients[0].client_id', 'clients[1].client_id', 'clients[2].client_id']],
    [{ issuer, policy: 'strict', mcp: { path: '/oauth2' } }, ['policy', 'mcp.path']],
    // what a setting that is wrong would have let clients have is no mistake of theirs
    [{ issuer, clients: [client], policy: { grant_types: [null, 'refresh_token'] } }, ['policy.grant_types[0]']],
    [
      {
        issuer,
        policy: { grant_types: [7, 'client_credentials'], registration: 'open', registration_grant_types: ['refresh_token'] }
      },
      ['policy.grant_types[0]']
    ],
    [{ issuer, clients: [federated], workload_issuers: -1 }, ['workload_issuers']],
    [{ issuer, clients: [federated], workload_issuers: [] }, ['clients[0].token_endpoint_auth_method']],
    [{ issuer, tls: 7, tenants: [{ path: '/acme', clients: [certified] }] }, ['tls']],
    [
      {
        issuer,
        tenants: [
          { path: '/a', workload_issuers: 'x' },
          { path: '/b', clients: [federated] }
        ]
      },
      ['tenants[0].workload_issuers', 'tenants[1].clients[0].token_endpoint_auth_method']
    ],
    [{ issuer: 'https://as.example/', tls: { key: 'absent', cert: 'absent' } }, ['issuer', 'tls.key']],
    [{ issuer: 'http://localhost:0' }, ['issuer']]
  ])('ends for %j', async (settings, expected) => {
    expect([...(await mistakesOf(settings))].sort()).toEqual([...expected].sort())
  })

  it('ends for whatever JSON there is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ issuer: fc.constant(issuer), clients: fc.jsonValue(), policy: fc.jsonValue(), tenants: fc.jsonValue() }),
        async settings => {
          const { errors } = await everyMistake(settings, input => checkConfig(input, '.'))
          for (const { message } of errors) expect(message).toMatch(/ (must|or) /)
        }
      ),
      { numRuns: 50 }
    )
  })
})

it('a start tells of all of them, a line each, and of the environment too', async () => {
  const { code, stdout, stderr } = await run(node, { CONFIG: configFile(twenty), STORE_URL: 'mysql://x', LOG_LEVEL: 'loud' })
    .ended
  const told = stderr.trimEnd().split('\n')
  expect(code).toBe(1)
  expect(told.map(line => line.split(' ')[0]).sort()).toEqual([...paths, 'STORE_URL', 'LOG_LEVEL'].sort())
  expect(stdout + stderr).not.toMatch(/"ready"|s3cr3t/)
})
