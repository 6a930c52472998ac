import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { JWK } from 'jose'
import { clientKeys } from '../../lib/client-keys/client-keys.ts'
import { GuardedFetchError } from '../../lib/outbound/guarded-fetch.ts'
import { isPublicKey, unsuitable } from '../../lib/client-keys/public-keys.ts'
import { toClient } from '../../lib/clients/client.ts'
import { DecisionBuilder } from '../../lib/decisions/builder.ts'
import { keyClient, makeKey, refusal } from '../assertions/signing.ts'

let es256: JWK
let rs256: JWK
let ed25519: JWK
const keys = clientKeys()

beforeAll(async () => {
  es256 = (await makeKey('ES256')).jwk
  rs256 = (await makeKey('RS256')).jwk
  ed25519 = (await makeKey('EdDSA')).jwk
})

async function find(jwks: readonly JWK[], header: { alg: string; kid?: string }): Promise<string[]> {
  const found = await keys.find(keyClient(jwks), header, new DecisionBuilder('token'))
  return found.map(({ credential }) => credential)
}

/** The same of a set that was fetched, which nobody checked before. */
async function findFetched(jwks: readonly unknown[], header: { alg: string }): Promise<string[]> {
  const fetching = clientKeys({ fetchJson: () => Promise.resolve({ json: { keys: jwks } }) })
  const found = await fetching.find(
    keyClient([], { jwks: undefined, jwks_uri: 'https://client.example/jwks' }),
    header,
    new DecisionBuilder('token')
  )
  return found.map(({ credential }) => credential)
}

describe('find', () => {
  it('chooses by what the key is before it chooses by kid', async () => {
    const same = [rs256, es256, ed25519].map(jwk => ({ ...jwk, kid: 'same' }))
    expect(await find(same, { alg: 'ES256', kid: 'same' })).toEqual(['kid:same'])
    expect(await find([...same, { ...es256, kid: 'other' }], { alg: 'ES256' })).toEqual(['kid:same', 'kid:other'])
    expect(await find([...same, { ...es256, kid: 'other' }], { alg: 'ES256', kid: 'other' })).toEqual(['kid:other'])
  })

  it.each([
    [{ use: 'sig' }],
    [{ use: undefined, key_ops: ['verify'] }],
    [{ key_ops: ['verify', 'sign'] }],
    [{ alg: 'ES256' }],
    [{ ext: false }],
    [{ x5c: ['AAAA'], custom: 1 }]
  ])('takes a key with %j', async members => {
    expect(await find([{ ...es256, kid: 'k', ...members } as JWK], { alg: 'ES256' })).toEqual(['kid:k'])
  })

  it('takes at most four candidates', async () => {
    const many = Array.from({ length: 9 }, (_, index) => ({ ...es256, kid: `k${index}` }))
    expect(await find(many, { alg: 'ES256' })).toEqual(['kid:k0', 'kid:k1', 'kid:k2', 'kid:k3'])
  })

  it('passes over keys that are malformed', async () => {
    const broken = [
      null,
      5,
      'key',
      [],
      {},
      { kty: 'EC' },
      { ...es256, x: 5 },
      { ...es256, x: '', y: '' },
      { ...es256, x: es256.y }
    ]
    const fetched = (...found: unknown[]) => findFetched(found, { alg: 'ES256' })
    expect(await fetched(...broken, { ...es256, kid: 'k' })).toEqual(['kid:k'])
    for (const jwk of broken) expect(await refusal(() => fetched(jwk))).toMatchObject({ check: 'key' })
  })

  it('imports a key once', async () => {
    const client = keyClient([es256])
    const [first] = await keys.find(client, { alg: 'ES256' }, new DecisionBuilder('token'))
    const [second] = await clientKeys().find(client, { alg: 'ES256' }, new DecisionBuilder('token'))
    expect(second?.key).toBe(first?.key)
  })

  it.each([
    ['no keys', [], { alg: 'ES256' }, /add the new key/],
    ['an unknown kid', [{ kid: 'a' }, { kid: 'b' }], { alg: 'ES256', kid: 'c' }, /add the new key/],
    ['the kid in another case', [{ kid: 'a' }], { alg: 'ES256', kid: 'A' }, /add the new key/],
    ['a key for encryption', [{ use: 'enc' }], { alg: 'ES256' }, /use other than/],
    ['a key that may not verify', [{ key_ops: ['sign'] }], { alg: 'ES256' }, /key_ops/],
    ['key_ops that are no list', [{ key_ops: 'verify' }], { alg: 'ES256' }, /key_ops/],
    ['a key for another alg', [{ alg: 'ES384' }], { alg: 'ES256' }, /another alg/],
    ['a key of another curve', [{}], { alg: 'ES384' }, /another crv/],
    ['a key of another type', [{}], { alg: 'RS256' }, /another kty/],
    ['a private key', [{ d: 'AAAA' }], { alg: 'ES256' }, /private or symmetric/],
    ['a symmetric key', [{ kty: 'oct', k: 'AAAA' }], { alg: 'ES256' }, /private or symmetric/],
    ['an unknown alg', [{}], { alg: 'HS256' }, /cannot be used with HS256/]
  ])('refuses %s', async (_, members, header, fix) => {
    const jwks = members.map(member => ({ ...es256, ...member }) as JWK)
    const check = await refusal(() => find(jwks, header))
    expect(check).toMatchObject({ check: 'key', fix: expect.stringMatching(fix) })
  })

  it('names the kids there are', async () => {
    const jwks = [{ ...es256, kid: 'a' }, es256]
    const check = await refusal(() => find(jwks, { alg: 'ES256', kid: 'new' }))
    expect(check).toMatchObject({ expected: 'one of a, (no kid)', received: 'ES256 with kid new' })
  })

  it('refuses a client without any keys', async () => {
    const client = toClient({ client_id: 'a', client_secret: 'b' })
    expect(await refusal(() => keys.find(client, { alg: 'ES256' }, new DecisionBuilder('token')))).toMatchObject({ check: 'key' })
  })
})

describe('unsuitable', () => {
  it.each([1024, 2047])('refuses RSA keys of %d bits', modulusLength => {
    const jwk = generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' }) as JWK
    expect(unsuitable(jwk, 'RS256')).toMatch(`of ${modulusLength} bits`)
  })

  it.each([
    ['leading zeros', `AAAA${'_'.repeat(170)}`],
    ['nothing', ''],
    ['zero', 'AAAA'],
    ['a number', 5],
    ['too much', '_'.repeat(1367)]
  ])('is not deceived by a modulus of %s', (_, n) => {
    expect(unsuitable({ kty: 'RSA', n, e: 'AQAB' }, 'RS256')).toMatch(/bits|modulus/)
  })

  it('accepts 2048 bits', () => {
    expect(unsuitable(rs256, 'PS256')).toBeUndefined()
  })
})

describe('isPublicKey', () => {
  it.each([[null], [undefined], ['key'], [{}], [{ kty: 'oct', k: 'a' }], [{ kty: 'RSA', d: '' }], [{ kty: 'EC', k: 'a' }]])(
    '%j is not',
    jwk => {
      expect(isPublicKey(jwk)).toBe(false)
    }
  )
})

describe('a jwks_uri', () => {
  const client = toClient({
    client_id: 'a',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: 'https://client.example/jwks'
  })

  it('is where keys come from', async () => {
    const urls: string[] = []
    const remote = clientKeys({
      fetchJson: url => {
        urls.push(url)
        return Promise.resolve({ json: { keys: [{ ...es256, kid: 'k' }] } })
      }
    })
    const [found] = await remote.find(client, { alg: 'ES256', kid: 'k' }, new DecisionBuilder('token'))
    expect(found?.credential).toBe('kid:k')
    expect(await remote.match(client, jwk => jwk.kid === 'k', new DecisionBuilder('token'))).toHaveLength(1)
    expect(await remote.match(client, jwk => jwk.kid === 'other', new DecisionBuilder('token'))).toHaveLength(0)
    expect(urls).toEqual(['https://client.example/jwks'])
  })

  it('that fails refuses the client and says why', async () => {
    const remote = clientKeys({ fetchJson: () => Promise.reject(new GuardedFetchError('timeout', 'there was no answer')) })
    for (const attempt of [
      () => remote.find(client, { alg: 'ES256' }, new DecisionBuilder('token')),
      () => remote.match(client, () => true, new DecisionBuilder('token'))
    ]) {
      expect(await refusal(attempt)).toMatchObject({ check: 'key', fix: expect.stringContaining('there was no answer') })
    }
  })

  it.each(['freshnes', 'fetch'])('is not governed by an unknown option %s', option => {
    expect(() => clientKeys({ [option]: 5 })).toThrow(expect.objectContaining({ key: option }))
  })
})
