import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { clientSecrets, isPublic, toClient, type ClientMetadata } from '../../lib/clients/client.ts'
import { ConfigurationError } from '../../lib/options.ts'

const billing: ClientMetadata = { client_id: 'billing', client_secret: 'hunter2-hunter2' }
const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }

/** What is wrong with metadata that types would not let through. */
const wrong = (members: Record<string, unknown>) => ({ ...billing, ...members }) as ClientMetadata

describe('toClient', () => {
  it('applies the defaults of RFC 7591 §2', () => {
    expect(toClient(wrong({}))).toEqual({
      client_id: 'billing',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: []
    })
  })

  it('keeps what was registered, members it does not know included', () => {
    const metadata = {
      client_id: 'jobs',
      client_name: 'Jobs',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key] },
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: ['https://jobs.example/cb'],
      scope: 'read',
      tenant: { id: 7 }
    }
    expect(toClient(metadata)).toEqual(metadata)
  })

  it('is immutable, and made once of the same metadata', () => {
    const metadata = wrong({})
    const client = toClient(metadata)
    expect(Object.isFrozen(client)).toBe(true)
    expect(toClient(metadata)).toBe(client)
    expect(toClient({ ...metadata })).not.toBe(client)
  })

  it('does not change with the metadata it was made of', () => {
    const redirect_uris = ['https://jobs.example/cb']
    const client = toClient(wrong({ redirect_uris }))
    redirect_uris.push('https://evil.example/cb')
    expect(client.redirect_uris).toEqual(['https://jobs.example/cb'])
    for (const list of [client.redirect_uris, client.grant_types, client.response_types]) expect(Object.isFrozen(list)).toBe(true)
  })

  it.each([
    ['client_secret_basic', { client_secret: 's' }],
    ['client_secret_post', { client_secret: 's' }],
    ['client_secret_jwt', { client_secret: 's'.repeat(32) }],
    ['private_key_jwt', { jwks: { keys: [key] } }],
    ['private_key_jwt', { jwks_uri: 'https://jobs.example/jwks' }],
    ['self_signed_tls_client_auth', { jwks: { keys: [key] } }],
    ['tls_client_auth', { tls_client_auth_san_dns: 'jobs.example' }],
    ['none', {}],
    ['a_method_of_ones_own', {}]
  ])('takes %s with what it needs: %j', (token_endpoint_auth_method, members) => {
    expect(toClient({ client_id: 'jobs', token_endpoint_auth_method, ...members })).toMatchObject({
      client_id: 'jobs',
      token_endpoint_auth_method
    })
  })

  describe('names the member that is wrong', () => {
    it.each<[string, string, Record<string, unknown>]>([
      ['client_id', 'must be a non-empty string', { client_id: undefined }],
      ['client_id', 'must be a non-empty string', { client_id: '' }],
      ['client_id', 'must be a non-empty string', { client_id: 7 }],
      ...[
        'client_name',
        'client_secret',
        'token_endpoint_auth_method',
        'token_endpoint_auth_signing_alg',
        'scope',
        'id_token_signed_response_alg',
        'tls_client_auth_subject_dn',
        'tls_client_auth_san_dns',
        'tls_client_auth_san_uri',
        'tls_client_auth_san_ip',
        'tls_client_auth_san_email'
      ].flatMap(member =>
        ['', 7, ['a']].map((value): [string, string, Record<string, unknown>] => [
          member,
          'must be a non-empty string',
          { [member]: value }
        ])
      ),
      ...[
        '',
        '/cb',
        'jobs.example/cb',
        'https://',
        'https://jobs.example/cb#',
        'https://jobs.example/cb#x',
        'javascript:alert(1)',
        'JavaScript:alert(1)',
        'data:text/html,x',
        'file:///etc/passwd',
        'https://例え.example/cb',
        'https://jobs.example/a b',
        'https:jobs.example',
        'http:localhost/cb',
        'https://jobs.example/%zz',
        'https://jobs.example/%',
        'https://jobs.example/cb\r\nset-cookie:a=b'
      ].map((uri): [string, string, Record<string, unknown>] => [
        'redirect_uris[1]',
        'must ',
        { redirect_uris: ['https://jobs.example/cb', uri] }
      ]),
      ...['grant_types', 'response_types', 'redirect_uris'].flatMap(member =>
        ['a', 7, {}, true].map((value): [string, string, Record<string, unknown>] => [
          member,
          'must be a list of strings',
          { [member]: value }
        ])
      ),
      ...[-1, 1.5, NaN, Infinity, '2026'].map((value): [string, string, Record<string, unknown>] => [
        'client_secret_expires_at',
        'must be seconds since the epoch, or 0 for never',
        { client_secret_expires_at: value }
      ]),
      ...['keys', [], {}, { keys: 'all' }].map((value): [string, string, Record<string, unknown>] => [
        'jwks',
        'must be an object with a list "keys"',
        { jwks: value }
      ]),
      ['jwks_uri', 'must not be given together with jwks', { jwks: { keys: [] }, jwks_uri: 'https://a.example/jwks' }],
      ['client_secret', 'must be given for client_secret_basic', { client_secret: undefined }],
      [
        'client_secret',
        'must be given for client_secret_post',
        { client_secret: undefined, token_endpoint_auth_method: 'client_secret_post' }
      ],
      [
        'client_secret',
        'must be given for client_secret_jwt',
        { client_secret: undefined, token_endpoint_auth_method: 'client_secret_jwt' }
      ],
      ['jwks', 'or jwks_uri must be given for private_key_jwt', { token_endpoint_auth_method: 'private_key_jwt' }],
      [
        'jwks',
        'or jwks_uri must be given for self_signed_tls_client_auth',
        { token_endpoint_auth_method: 'self_signed_tls_client_auth' }
      ],
      ['tls_client_auth_subject_dn', 'or another of tls_client_auth_san_dns', { token_endpoint_auth_method: 'tls_client_auth' }],
      [
        'tls_client_auth_san_ip',
        'must be the only one',
        {
          token_endpoint_auth_method: 'tls_client_auth',
          tls_client_auth_san_dns: 'a.example',
          tls_client_auth_san_ip: '192.0.2.1'
        }
      ],
      ...['issue'].map((value): [string, string, Record<string, unknown>] => [
        'assertion_audience',
        'must be one of issuer, report, legacy',
        { assertion_audience: value }
      ])
    ])('%s %s: %j', (member, mustBe, members) => {
      const attempt = () => toClient(wrong(members), 'clients[3]')
      expect(attempt).toThrow(ConfigurationError)
      expect(attempt).toThrow(`clients[3].${member} ${mustBe}`)
      expect(attempt).toThrow(expect.objectContaining({ key: `clients[3].${member}` }))
    })

    it.each([null, undefined, 'billing', 7])('metadata as a whole: %p', metadata => {
      const attempt = () => toClient(metadata as unknown as ClientMetadata, 'clients[0]')
      expect(attempt).toThrow(ConfigurationError)
      expect(attempt).toThrow('clients[0] must be an object of client metadata')
    })

    it('under the path "client" where none is given', () => {
      expect(() => toClient(wrong({ client_id: '' }))).toThrow(expect.objectContaining({ key: 'client.client_id' }))
    })

    it('without repeating a value, which might be a secret', () => {
      expect(() => toClient(wrong({ client_secret: ['hunter2-hunter2'] }))).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining('hunter2') })
      )
    })
  })
})

describe('clientSecrets', () => {
  it('gives the secret with its expiry, and never where that is 0 or absent', () => {
    const secret = { id: '1', value: 'hunter2-hunter2' }
    expect(clientSecrets(toClient(wrong({})))).toEqual([{ ...secret, expires_at: undefined }])
    expect(clientSecrets(toClient(wrong({ client_secret_expires_at: 0 })))).toEqual([{ ...secret, expires_at: undefined }])
    expect(clientSecrets(toClient(wrong({ client_secret_expires_at: 2_000_000_000 })))).toEqual([
      { ...secret, expires_at: 2_000_000_000 }
    ])
  })

  it('gives none for a client that has none', () => {
    expect(clientSecrets(toClient({ client_id: 'spa', token_endpoint_auth_method: 'none' }))).toEqual([])
  })

  it('is the only way to a secret: no print of a client shows it', () => {
    const client = toClient(wrong({}))
    const prints = [
      JSON.stringify(client),
      inspect(client, { showHidden: true, depth: Infinity }),
      JSON.stringify({ ...client }),
      JSON.stringify(Reflect.ownKeys(client))
    ]
    for (const print of prints) expect(print).not.toMatch(/hunter2|client_secret"/)
  })
})

describe('isPublic', () => {
  it('is a client registered for none, whatever else it has', () => {
    expect(isPublic(toClient(wrong({ token_endpoint_auth_method: 'none' })))).toBe(true)
    expect(isPublic(toClient(wrong({})))).toBe(false)
  })
})
