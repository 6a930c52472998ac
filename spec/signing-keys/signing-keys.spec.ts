import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWK } from 'jose'
import { ConfigurationError } from '../../lib/options.ts'
import { generateKeys, signingAlgorithms } from '../../lib/signing-keys/generate-keys.ts'
import { halfHash, SigningKeys } from '../../lib/signing-keys/signing-keys.ts'
import { specKeys } from '../support/servers/authorization-server.ts'
import { anyCharacter } from '../support/checks/any-character.ts'

const set = await specKeys()
const keys = new SigningKeys(set)
const published = keys.publicKeys() as JSONWebKeySet
const keyFor = (alg: string): JWK => {
  const key = set.keys.find(jwk => jwk.alg === alg)
  if (key === undefined) throw new Error(`no key for ${alg}`)
  return key
}
const mac = keyFor('HS256')
const es256 = keyFor('ES256')
const rs256 = keyFor('RS256')

describe('SigningKeys', () => {
  it.each(signingAlgorithms)('signs %s so that others can verify it with the published keys', async alg => {
    const jws = await keys.sign(alg, 'JWT', { sub: 'ü', nothing: undefined })
    const { payload, protectedHeader } = await jwtVerify(jws, createLocalJWKSet(published), { algorithms: [alg] })
    expect(payload).toEqual({ sub: 'ü' })
    expect(protectedHeader).toEqual({ alg, typ: 'JWT', kid: published.keys.find(key => key.alg === alg)?.kid })
    expect(keys.verify(jws, 'JWT')).toEqual({ sub: 'ü' })
  })

  it('publishes one key for each algorithm, and nothing private', () => {
    expect(published.keys.map(({ alg }) => alg)).toEqual(signingAlgorithms)
    expect(new Set(published.keys.map(({ kid }) => kid)).size).toBe(published.keys.length)
    for (const key of published.keys) {
      expect(key.use).toBe('sig')
      expect(Object.keys(key).filter(name => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].includes(name))).toEqual([])
    }
    expect(published.keys.map(({ kty }) => kty)).toEqual(['EC', 'RSA', 'RSA', 'OKP', 'OKP'])
    expect(JSON.stringify(published)).not.toContain(mac.kid)
  })

  it('survives being kept as JSON', async () => {
    const restored = new SigningKeys(JSON.parse(JSON.stringify(set)))
    expect(restored.verify(await keys.sign('ES256', 'JWT', { a: 1 }), 'JWT')).toEqual({ a: 1 })
    expect(restored.mac('x', Buffer.from('y'))).toEqual(keys.mac('x', Buffer.from('y')))
  })

  it('signs with the first key of an algorithm and still verifies what further ones signed', async () => {
    const older = await generateKeys(['ES256'])
    const both = new SigningKeys({ keys: [...set.keys, ...older.keys] })
    expect(both.verify(await new SigningKeys(older).sign('ES256', 'JWT', { old: true }), 'JWT')).toEqual({ old: true })
    const jws = await both.sign('ES256', 'JWT', {})
    expect(keys.verify(jws, 'JWT')).toEqual({})
  })

  it('throws rather than sign with an algorithm it has no key for', async () => {
    await expect(new SigningKeys(await generateKeys(['ES256'])).sign('RS256', 'JWT', {})).rejects.toThrow(ConfigurationError)
    await expect(keys.sign('none', 'JWT', {})).rejects.toThrow(ConfigurationError)
    await expect(keys.sign('HS256', 'JWT', {})).rejects.toThrow(ConfigurationError)
  })
})

describe('SigningKeys.verify', () => {
  it('refuses another typ, key, algorithm and header', async () => {
    const jws = await keys.sign('RS256', 'at+jwt', { a: 1 })
    const [, payload, signature] = jws.split('.')
    const withHeader = (header: object) =>
      `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload ?? ''}.${signature ?? ''}`
    expect(keys.verify(jws, 'JWT')).toBeUndefined()
    expect(new SigningKeys(await generateKeys(['ES256'])).verify(jws, 'at+jwt')).toBeUndefined()
    for (const header of [
      { alg: 'none', typ: 'at+jwt', kid: rs256.kid },
      { alg: 'HS256', typ: 'at+jwt', kid: rs256.kid },
      { alg: 'PS256', typ: 'at+jwt', kid: rs256.kid },
      { alg: 'RS256', typ: 'at+jwt', kid: rs256.kid, jku: 'https://evil.example' },
      { alg: 'RS256', typ: 'at+jwt' }
    ])
      expect(keys.verify(withHeader(header), 'at+jwt')).toBeUndefined()
    expect(keys.verify(withHeader({ alg: 'RS256', typ: 'at+jwt', kid: rs256.kid }), 'at+jwt')).toEqual({ a: 1 })
  })

  it('knows a token by one spelling alone', async () => {
    for (const alg of signingAlgorithms) {
      const jws = await keys.sign(alg, 'JWT', { a: 1 })
      for (const spelling of [
        `${jws}=`,
        `${jws}==`,
        `${jws} `,
        ` ${jws}`,
        `${jws}!`,
        `${jws}.`,
        jws.replace(/\.([^.]*)$/, '.*$1')
      ])
        expect(keys.verify(spelling, 'JWT')).toBeUndefined()
      const last = jws.slice(-1)
      for (const other of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
        if (other !== last) expect(keys.verify(jws.slice(0, -1) + other, 'JWT')).toBeUndefined()
    }
  })

  it('never throws, and takes nothing it did not sign', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: anyCharacter }),
          fc.array(fc.base64String(), { maxLength: 5 }).map(parts => parts.join('.'))
        ),
        text => {
          expect(keys.verify(text, 'JWT')).toBeUndefined()
        }
      )
    )
  })
})

describe('the key set', () => {
  const publicOnly = { ...es256, d: undefined }
  const weak = { kty: 'oct', k: Buffer.alloc(31).toString('base64url') }

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'keys'],
    ['null', null, 'keys'],
    ['a list of keys', set.keys, 'keys'],
    ['no keys', { keys: [] }, 'keys'],
    ['keys that are no list', { keys: es256 }, 'keys'],
    ['a key that is null', { keys: [null, mac] }, 'keys.keys[0]'],
    ['a key that is text', { keys: [es256, 'key', mac] }, 'keys.keys[1]'],
    ['no key for MACs', { keys: [es256] }, 'keys'],
    ['no key to sign with', { keys: [mac] }, 'keys'],
    ['a short key for MACs', { keys: [es256, weak] }, 'keys'],
    ['a MAC key that is a number', { keys: [es256, { kty: 'oct', k: 5 }] }, 'keys'],
    ['a public key', { keys: [publicOnly, mac] }, 'keys.keys[0]'],
    ['no alg', { keys: [{ ...es256, alg: undefined }, mac] }, 'keys.keys[0].alg'],
    ['an alg it does not sign with', { keys: [mac, { ...es256, alg: 'ES512' }] }, 'keys.keys[1].alg'],
    ['an alg of another key type', { keys: [{ ...es256, alg: 'RS256' }, mac] }, 'keys.keys[0]'],
    ['an alg of another curve', { keys: [{ ...es256, alg: 'EdDSA' }, mac] }, 'keys.keys[0]'],
    ['no kid', { keys: [{ ...es256, kid: undefined }, mac] }, 'keys.keys[0].kid'],
    ['an empty kid', { keys: [{ ...es256, kid: '' }, mac] }, 'keys.keys[0].kid'],
    ['a kid that is a number', { keys: [{ ...es256, kid: 1 }, mac] }, 'keys.keys[0].kid'],
    ['two keys of one kid', { keys: [es256, { ...rs256, kid: es256.kid }, mac] }, 'keys.keys[1].kid'],
    ['a broken key', { keys: [{ ...es256, x: 'AA' }, mac] }, 'keys.keys[0]'],
    ['a key of no type', { keys: [{ alg: 'ES256', kid: 'a' }, mac] }, 'keys.keys[0]']
  ])('is refused with %s, naming the key and telling nothing of it', (_, given, key) => {
    const construct = () => new SigningKeys(given as { keys: JWK[] })
    expect(construct).toThrow(expect.objectContaining({ name: 'ConfigurationError', key }))
    expect(construct).not.toThrow(expect.objectContaining({ message: expect.stringContaining(String(es256.d)) }))
  })

  it('is refused with an RSA key of less than 2048 bits', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' }) as JWK
    expect(() => new SigningKeys({ keys: [{ ...small, alg: 'RS256', kid: 'small' }, mac] })).toThrow(
      'keys.keys[0] must be a key RS256 can sign with'
    )
  })
})

describe('SigningKeys.mac', () => {
  it('keeps purposes and data apart', () => {
    const one = keys.mac('refresh_token', Buffer.from('data'))
    expect(keys.verifyMac('refresh_token', Buffer.from('data'), one)).toBe(true)
    expect(keys.verifyMac('refresh_toke', Buffer.from('ndata'), one)).toBe(false)
    expect(keys.verifyMac('refresh_token', Buffer.from('datb'), one)).toBe(false)
    expect(keys.verifyMac('refresh_token', Buffer.from('data'), one.subarray(0, 31))).toBe(false)
    expect(keys.verifyMac('refresh_token', Buffer.from('data'), Buffer.alloc(0))).toBe(false)
  })
})

describe('halfHash', () => {
  it('is the example of OpenID Connect Core §A.3', () => {
    expect(halfHash('RS256', 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y')).toBe('77QmUPtjPfzWtF2AnpK9RQ')
  })
})
