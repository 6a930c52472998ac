import { describe, expect, it } from '@jest/globals'
import { inspect } from 'node:util'
import { clientSecrets, toClient, type ClientCredential } from '../../lib/clients/client.ts'
import { credentialSet, mayUseMethod } from '../../lib/clients/credentials.ts'
import { makeCertificate } from '../support/certificates/certificates.ts'

const secret = { type: 'secret', id: 'a', value: 'the secret' } as const
const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k' }
const read = (...credentials: readonly unknown[]) =>
  toClient({ client_id: 'c', credentials: credentials as readonly ClientCredential[] })

it('a client shows none of its credentials', () => {
  const client = read(secret)
  expect(clientSecrets(client)).toMatchObject([{ id: 'a', value: 'the secret' }])
  expect(inspect(client, { depth: Infinity, showHidden: true }) + JSON.stringify(client)).not.toMatch(/the secret|credentials/)
})

it('a secret among them is all that a method of secrets needs; likewise keys, certificates and subjects', () => {
  expect(() => read(secret)).not.toThrow()
  const needs = (token_endpoint_auth_method: string, credential: ClientCredential) => () =>
    toClient({ client_id: 'c', token_endpoint_auth_method, credentials: [credential] })
  expect(needs('private_key_jwt', { type: 'key', id: 'k', jwk })).not.toThrow()
  expect(needs('self_signed_tls_client_auth', { type: 'certificate', id: 'c', certificate: makeCertificate().pem })).not.toThrow()
  expect(needs('tls_client_auth', { type: 'certificate', id: 's', tls_client_auth_san_dns: 'a.example' })).not.toThrow()
  expect(needs('private_key_jwt', secret)).toThrow('client.jwks')
  expect(needs('none', secret)).toThrow('client.credentials')
})

it('a method may be used within its dates', () => {
  const client = read(secret, { type: 'method', id: 'm', method: 'private_key_jwt', not_before: 10, expires_at: 20 })
  expect([9, 10, 19, 20].map(now => mayUseMethod(client, 'private_key_jwt', now))).toEqual([false, true, true, false])
  expect(mayUseMethod(client, 'client_secret_basic', 30)).toBe(true)
  expect(credentialSet(client).methods.map(({ credential }) => credential)).toEqual([
    'method:client_secret_basic',
    'method:private_key_jwt'
  ])
})

describe('what is refused, by its path', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({ ...secret, id: `s${index}` }))
  it.each<[string, readonly unknown[]]>([
    ['credentials', many],
    ['credentials[0]', [null]],
    ['credentials[0]', ['secret']],
    ['credentials[0].id', [{ ...secret, id: '' }]],
    ['credentials[0].id', [{ ...secret, id: 'a b' }]],
    ['credentials[0].id', [{ ...secret, id: 'jwks_uri' }]],
    ['credentials[0].id', [{ ...secret, id: '0123456789abcdef' }]],
    ['credentials[1].id', [secret, secret]],
    ['credentials[0].type', [{ ...secret, type: 'password' }]],
    ['credentials[0].value', [{ ...secret, value: 'x'.repeat(1_048_576) }]],
    ['credentials[0].value', [{ ...secret, hash: 'x' }]],
    ['credentials[0].value', [{ type: 'secret', id: 'a' }]],
    ['credentials[0].label', [{ ...secret, label: 'a\u0000b' }]],
    ['credentials[0].expires_at', [{ ...secret, expires_at: 'x' }]],
    ['credentials[0].expires_at', [{ ...secret, not_before: 20, expires_at: 20 }]],
    ['credentials[0].jwk', [{ type: 'key', id: 'a', jwk: { ...jwk, d: 'x' } }]],
    ['credentials[0].jwk', [{ type: 'key', id: 'a', jwk: { kty: 'oct', k: 'x' } }]],
    ['credentials[0].certificate', [{ type: 'certificate', id: 'a', certificate: 'x' }]],
    [
      'credentials[0].certificate',
      [{ type: 'certificate', id: 'a', tls_client_auth_san_dns: 'a', tls_client_auth_san_ip: '::1' }]
    ],
    ['credentials[0].method', [{ type: 'method', id: 'a', method: 'none' }]]
  ])('%s', (path, credentials) => {
    expect(() => read(...credentials)).toThrow(expect.objectContaining({ key: `client.${path}` }))
  })
})
