import { beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { makeCertificate } from '../../support/certificates/certificates.ts'
import { invalid, read, refusal } from './rules.ts'

const web = { redirect_uris: ['https://client.example/cb'] }
const machine = { grant_types: ['client_credentials'] }

let jwk: JWK
let privateJwk: JWK
beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  jwk = { ...(await exportJWK(publicKey)), kid: 'k1' }
  privateJwk = await exportJWK(privateKey)
})

describe('a method that needs what was not registered', () => {
  const withKey = (change: object = {}) => ({
    ...machine,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...jwk, ...change }] }
  })

  it('private_key_jwt needs keys', () => {
    const sent = { ...machine, token_endpoint_auth_method: 'private_key_jwt' }
    expect(refusal(sent)).toEqual(invalid('jwks or jwks_uri must be given for private_key_jwt, with a key for RS256'))
    expect(refusal({ ...sent, jwks_uri: 'https://client.example/jwks' })).toBe('accepted')
    expect(refusal(withKey())).toBe('accepted')
  })

  it('private_key_jwt needs a key for its algorithm', () => {
    expect(refusal({ ...withKey(), token_endpoint_auth_signing_alg: 'RS256' })).toEqual(
      invalid('jwks or jwks_uri must be given for private_key_jwt, with a key for RS256')
    )
    expect(refusal({ ...withKey(), token_endpoint_auth_signing_alg: 'ES256' })).toBe('accepted')
    expect(refusal(withKey({ use: 'enc' }))).toEqual(invalid('jwks or jwks_uri'))
  })

  it.each([
    ['private_key_jwt', 'HS256'],
    ['client_secret_jwt', 'ES256'],
    ['client_secret_basic', 'none'],
    ['private_key_jwt', 'none']
  ])('%s does not go with %s', (token_endpoint_auth_method, token_endpoint_auth_signing_alg) => {
    const sent = { ...withKey(), token_endpoint_auth_method, token_endpoint_auth_signing_alg }
    expect(refusal(sent)).toEqual(invalid('token_endpoint_auth_signing_alg must be one of'))
  })

  it('tls_client_auth needs exactly one subject', () => {
    const sent = { ...machine, token_endpoint_auth_method: 'tls_client_auth' }
    const subject = { tls_client_auth_san_dns: 'client.example' }
    expect(refusal(sent)).toEqual(invalid('tls_client_auth_subject_dn or another of tls_client_auth_san_dns'))
    expect(refusal({ ...sent, ...subject })).toBe('accepted')
    expect(refusal({ ...sent, ...subject, tls_client_auth_san_ip: '192.0.2.1' })).toEqual(
      invalid('tls_client_auth_san_ip must be the only one')
    )
    expect(refusal({ ...machine, ...subject, tls_client_auth_san_ip: '192.0.2.1' })).toEqual(invalid('tls_client_auth_san_ip'))
  })

  it.each([
    ['tls_client_auth_subject_dn', 'no name'],
    ['tls_client_auth_subject_dn', 'CN=a\\'],
    ['tls_client_auth_san_ip', '192.0.2'],
    ['tls_client_auth_san_email', 'nobody']
  ])('tls_client_auth does not go with %s %s', (member, value) => {
    expect(refusal({ ...machine, token_endpoint_auth_method: 'tls_client_auth', [member]: value })).toEqual(invalid(member))
  })

  it('self_signed_tls_client_auth needs its certificate', () => {
    const { jwk: key, der } = makeCertificate({ subject: 'self-made' })
    const x5c = [der.toString('base64')]
    const sent = { ...machine, token_endpoint_auth_method: 'self_signed_tls_client_auth' }
    expect(refusal(sent)).toEqual(invalid('jwks or jwks_uri must be given for self_signed_tls_client_auth'))
    expect(refusal({ ...sent, jwks: { keys: [key] } })).toEqual(invalid('jwks or jwks_uri must be given'))
    expect(refusal({ ...sent, jwks_uri: 'https://client.example/jwks' })).toBe('accepted')
    expect(refusal({ ...sent, jwks: { keys: [{ ...key, x5c }] } })).toBe('accepted')
    expect(refusal({ ...sent, jwks: { keys: [{ ...jwk, x5c }] } })).toEqual(
      invalid('jwks.keys[0].x5c must begin with a certificate')
    )
    expect(refusal({ ...sent, jwks: { keys: [{ ...key, x5c: ['AAAA'] }] } })).toEqual(
      invalid('jwks.keys[0].x5c must begin with a certificate')
    )
    expect(refusal({ ...sent, jwks: { keys: [{ ...key, x5c: ['no base64!'] }] } })).toEqual(
      invalid('jwks.keys[0].x5c must be a list')
    )
  })

  it('certificate-bound tokens need connections that carry certificates', () => {
    const sent = { ...machine, tls_client_certificate_bound_access_tokens: true }
    expect(refusal(sent)).toBe('accepted')
    expect(refusal(sent, { certificateMethods: false })).toEqual(
      invalid('tls_client_certificate_bound_access_tokens must be false')
    )
    expect(refusal({ ...sent, tls_client_certificate_bound_access_tokens: false }, { certificateMethods: false })).toBe(
      'accepted'
    )
  })

  it('signed requests need a key', () => {
    for (const wish of [{ require_signed_request_object: true }, { request_object_signing_alg: 'ES256' }]) {
      expect(refusal({ ...web, ...wish })).toEqual(
        invalid('jwks or jwks_uri must be given, with a key that signs request objects')
      )
      expect(refusal({ ...web, ...wish, jwks: { keys: [jwk] } })).toBe('accepted')
    }
    expect(refusal({ ...web, request_object_signing_alg: 'RS256', jwks: { keys: [jwk] } })).toEqual(invalid('jwks'))
    expect(refusal({ ...web, request_object_signing_alg: 'none', jwks: { keys: [jwk] } })).toEqual(
      invalid('request_object_signing_alg')
    )
  })
})

describe('keys', () => {
  it('are given in one way', () => {
    expect(refusal({ ...web, jwks: { keys: [jwk] }, jwks_uri: 'https://client.example/jwks' })).toEqual(
      invalid('jwks_uri must not be given together with jwks')
    )
  })

  it.each<[string, () => unknown, string]>([
    ['private', () => privateJwk, 'must be a public key'],
    ['symmetric', () => ({ kty: 'oct', k: 'c2VjcmV0' }), 'must be a public key'],
    ['of no kind', () => ({ kid: 'a' }), 'must be a public key'],
    ['of a kind nobody knows', () => ({ kty: 'XYZ' }), 'must be a key that can be read'],
    ['not on its curve', () => ({ ...jwk, x: 'AAAA' }), 'must be a key that can be read'],
    ['a string', () => 'key', 'must be a key in JWK form'],
    ['a list', () => [], 'must be a key in JWK form'],
    ['null', () => null, 'must be a key in JWK form']
  ])('that are %s are refused', (_, key, problem) => {
    expect(refusal({ ...web, jwks: { keys: [jwk, key()] } })).toEqual(invalid(`jwks.keys[1] ${problem}`))
  })

  it('are kept by their registered members alone', () => {
    const sent = JSON.parse(
      JSON.stringify({ ...jwk, jku: 'https://evil.example', extra: { nested: true } }).replace('{', '{"__proto__":{"d":"x"},')
    )
    expect(read({ ...web, jwks: { keys: [sent] } }).jwks?.keys).toEqual([jwk])
  })

  it('are bounded in number', () => {
    expect(refusal({ ...web, jwks: { keys: Array.from({ length: 21 }, () => jwk) } })).toEqual(
      invalid('jwks must have at most 20 keys')
    )
  })

  it.each([
    'http://client.example/jwks',
    'ftp://client.example',
    'https://u:p@client.example',
    'https://client.example/#f',
    '/jwks',
    'http://localhost/jwks'
  ])('are not fetched from %s', jwks_uri => {
    expect(refusal({ ...web, jwks_uri })).toEqual(invalid('jwks_uri must be an https URL'))
  })

  it('are fetched from loopback where the server is on it', () => {
    expect(refusal({ ...web, jwks_uri: 'http://localhost:9/jwks' }, { loopback: true })).toBe('accepted')
    expect(refusal({ ...web, jwks_uri: 'http://client.example/jwks' }, { loopback: true })).toEqual(invalid('jwks_uri'))
  })
})
