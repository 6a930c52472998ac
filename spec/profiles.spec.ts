import { describe, expect, it } from '@jest/globals'
import type { ClientMetadata } from '../lib/clients/client.ts'
import { checkProfile, enforceProfile, type ProfiledOptions } from '../lib/profiles.ts'

const good: ClientMetadata = {
  client_id: 'bank',
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'PS256',
  id_token_signed_response_alg: 'ES256',
  dpop_bound_access_tokens: true,
  jwks: { keys: [] }
}
const options = (change: Partial<ProfiledOptions> = {}): ProfiledOptions => ({
  profile: 'fapi2-security',
  clients: [good],
  ...change
})

describe('the fapi2-security profile', () => {
  it.each<[string, Partial<ProfiledOptions>]>([
    ['private_key_jwt with DPoP', {}],
    [
      'certificates',
      {
        clients: [
          { client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', tls_client_certificate_bound_access_tokens: true }
        ]
      }
    ],
    [
      'Ed25519 under either name',
      { clients: [{ ...good, token_endpoint_auth_signing_alg: 'Ed25519', request_object_signing_alg: 'EdDSA' }] }
    ],
    ['clients that are looked up', { clients: () => undefined }],
    ['its own values', { assertionAudience: 'issuer', authorizationCodeTtl: 60, refreshTokenRotation: 'unbound' }]
  ])('has nothing against %s', (_name, change) => {
    expect(checkProfile(options(change))).toEqual([])
  })

  it.each<[string, Partial<ProfiledOptions>, string]>([
    [
      'a public client',
      { clients: [good, { ...good, token_endpoint_auth_method: 'none' }] },
      'clients[1].token_endpoint_auth_method'
    ],
    [
      'no method registered',
      { clients: [{ ...good, token_endpoint_auth_method: undefined }] },
      'clients[0].token_endpoint_auth_method'
    ],
    [
      'a secret',
      { clients: [{ ...good, token_endpoint_auth_method: 'client_secret_post' }] },
      'clients[0].token_endpoint_auth_method'
    ],
    [
      'a signed secret',
      { clients: [{ ...good, token_endpoint_auth_method: 'client_secret_jwt' }] },
      'clients[0].token_endpoint_auth_method'
    ],
    ['unbound tokens', { clients: [{ ...good, dpop_bound_access_tokens: false }] }, 'clients[0].dpop_bound_access_tokens'],
    [
      'RS256 assertions',
      { clients: [{ ...good, token_endpoint_auth_signing_alg: 'RS256' }] },
      'clients[0].token_endpoint_auth_signing_alg'
    ],
    [
      'RS256 ID Tokens',
      { clients: [{ ...good, id_token_signed_response_alg: 'RS256' }] },
      'clients[0].id_token_signed_response_alg'
    ],
    [
      'ES384 request objects',
      { clients: [{ ...good, request_object_signing_alg: 'ES384' }] },
      'clients[0].request_object_signing_alg'
    ],
    ["one client's wider audience", { clients: [{ ...good, assertion_audience: 'report' }] }, 'clients[0].assertion_audience'],
    ['a wider audience', { assertionAudience: 'report' }, 'assertionAudience'],
    ['long-lived codes', { authorizationCodeTtl: 61 }, 'authorizationCodeTtl'],
    ['RS256 for a resource', { resources: [{}, { signingAlgorithm: 'RS256' }] }, 'resources[1].signingAlgorithm'],
    ['rotation for everyone', { refreshTokenRotation: 'always' }, 'refreshTokenRotation'],
    ['a secret strategy', { strategies: [{ name: 'private_key_jwt' }, { name: 'client_secret_basic' }] }, 'strategies[1]']
  ])('names %s by its key and section', (_name, change, key) => {
    const [problem, ...others] = checkProfile(options(change))
    expect(others).toEqual([])
    expect(problem).toMatchObject({ key, section: expect.stringMatching(/^FAPI 2\.0 §5\./) })
    expect(() => enforceProfile(options(change))).toThrow(key)
  })

  it('lists every problem, and has none where another profile is chosen', () => {
    const everything = options({ clients: [{ client_id: 'a' }], assertionAudience: 'legacy', authorizationCodeTtl: 600 })
    expect(checkProfile(everything)).toHaveLength(4)
    expect(checkProfile({ ...everything, profile: 'oauth2' })).toEqual([])
    expect(() => enforceProfile({ ...everything, profile: 'oauth2' })).not.toThrow()
  })
})
