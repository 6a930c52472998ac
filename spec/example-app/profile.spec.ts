import { afterAll, describe, expect, it } from '@jest/globals'
import { lintServer } from '../../lib/lint/lint.ts'
import { configFile, failedStart, freePort, type HostedServer, startServer, stop } from './running-server.ts'

const good = {
  client_id: 'bank',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [] },
  dpop_bound_access_tokens: true,
  redirect_uris: ['https://bank.example/cb']
}
const fapi = { profile: 'fapi2-security' }
let server: HostedServer | undefined
afterAll(() => stop(server))

describe('policy.profile fapi2-security', () => {
  it.each<[string, object]>([
    ['clients[0].token_endpoint_auth_method', { clients: [{ ...good, token_endpoint_auth_method: 'none' }] }],
    [
      'clients[1].token_endpoint_auth_method',
      { clients: [good, { ...good, client_id: 'b', token_endpoint_auth_method: 'client_secret_basic', client_secret: 's' }] }
    ],
    ['clients[0].dpop_bound_access_tokens', { clients: [{ ...good, dpop_bound_access_tokens: false }] }],
    ['clients[0].id_token_signed_response_alg', { clients: [{ ...good, id_token_signed_response_alg: 'RS256' }] }],
    ['policy.assertion_audience', { policy: { ...fapi, assertion_audience: 'legacy' } }],
    ['policy.authorization_code_ttl', { policy: { ...fapi, authorization_code_ttl: 120 } }],
    [
      'tenants[0].clients[0].token_endpoint_auth_method',
      { tenants: [{ path: '/acme', policy: fapi, clients: [{ client_id: 'a', client_secret: 's' }] }] }
    ]
  ])('refuses to start: %s', async (path, settings) => {
    const issuer = `http://localhost:${await freePort()}`
    const { code, stderr } = await failedStart({ CONFIG: configFile({ issuer, policy: fapi, ...settings }), LOG_LEVEL: 'silent' })
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^${path.replace(/[[\].]/g, '\\$&')} .*must be .*FAPI 2.0`))
    ])
  })

  it('publishes what it allows and nothing else', async () => {
    const issuer = `http://localhost:${await freePort()}`
    server = await startServer({ issuer, clients: [{ ...good, id_token_signed_response_alg: 'Ed25519' }], policy: fapi })
    const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()
    expect(metadata).toMatchObject({
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: expect.not.arrayContaining(['RS256', 'HS256']),
      id_token_signing_alg_values_supported: ['PS256', 'ES256', 'EdDSA', 'Ed25519'],
      dpop_signing_alg_values_supported: expect.not.arrayContaining(['RS256'])
    })
  })

  it('offers to clients what they may sign with, whatever the platforms sign with that it trusts', async () => {
    const issuer = `http://localhost:${await freePort()}`
    const deployer = {
      client_id: 'deployer',
      token_endpoint_auth_method: 'federated_jwt',
      federated_credentials: [{ issuer: 'https://ci.example', subject: 'repo:acme/app' }],
      grant_types: ['client_credentials'],
      dpop_bound_access_tokens: true
    }
    const workload_issuers = [{ issuer: 'https://ci.example', jwks: { keys: [] } }]
    server = await startServer({ issuer, clients: [good, deployer], workload_issuers, policy: fapi })
    const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()
    expect(metadata).toMatchObject({
      token_endpoint_auth_methods_supported: ['private_key_jwt', 'federated_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['PS256', 'ES256', 'EdDSA', 'Ed25519'],
      introspection_endpoint_auth_signing_alg_values_supported: ['PS256', 'ES256', 'EdDSA', 'Ed25519'],
      revocation_endpoint_auth_signing_alg_values_supported: ['PS256', 'ES256', 'EdDSA', 'Ed25519']
    })
    expect(await lintServer(issuer, { profile: 'fapi2' })).toEqual([])
  })
})
