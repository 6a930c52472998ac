import { beforeAll, describe, expect, it } from '@jest/globals'
import type { JWK } from 'jose'
import { assertionAlgorithms, asymmetricAlgorithms, symmetricAlgorithms } from '../../lib/client-keys/algorithms.ts'
import {
  assemble,
  claims,
  keyClient,
  makeKey,
  makeKeys,
  now,
  policyOf,
  refusal,
  secret,
  secretClient,
  sign,
  verify,
  type SigningKey
} from './signing.ts'

let keyOf: (alg: string) => SigningKey

beforeAll(async () => {
  keyOf = await makeKeys(asymmetricAlgorithms.keys())
})

describe('alg', () => {
  const unknown = [
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'hs256',
    'es256',
    'ES256K',
    'RS1',
    'RSA-OAEP',
    'dir',
    'Ed448',
    'constructor'
  ]

  it.each(unknown)('%j is refused for either kind', async alg => {
    const assertion = assemble({ alg }, claims(), '')
    for (const client of [secretClient(), keyClient([keyOf('ES256').jwk])]) {
      expect(await refusal(() => verify({ assertion, client }))).toMatchObject({ check: 'algorithm' })
    }
  })

  it.each([[undefined], [null], [5], [['HS256']], [{}]])('%j is refused', async alg => {
    expect(await refusal(() => verify({ assertion: assemble({ alg }), client: secretClient() }))).toMatchObject({
      check: 'algorithm'
    })
  })

  it.each([...symmetricAlgorithms.keys()])('%s never verifies with a public key', async alg => {
    const { jwk } = keyOf('RS256')
    const assertion = await sign(Buffer.from(JSON.stringify(jwk)), { alg })
    const client = keyClient([jwk, { kty: 'oct', k: Buffer.from(secret).toString('base64url') }], { client_secret: secret })
    expect(await refusal(() => verify({ assertion, client }))).toMatchObject({ check: 'algorithm' })
  })

  it.each([...asymmetricAlgorithms.keys()])('%s never verifies for a client of client_secret_jwt', async alg => {
    const { privateKey, jwk } = keyOf(alg)
    const client = secretClient({ jwks: { keys: [jwk] } })
    const assertion = await sign(privateKey, { alg })
    expect(await refusal(() => verify({ assertion, client }))).toMatchObject({ check: 'algorithm' })
  })

  it('must be the registered one', async () => {
    const { privateKey, jwk } = keyOf('RS256')
    const client = keyClient([jwk], { token_endpoint_auth_signing_alg: 'PS256' })
    const check = await refusal(async () => verify({ assertion: await sign(privateKey, { alg: 'RS256' }), client }))
    expect(check).toMatchObject({ check: 'algorithm', expected: 'PS256', received: 'RS256' })
  })

  it("must be one of the server's, whatever the client registered", async () => {
    const { privateKey, jwk } = keyOf('RS256')
    const policy = policyOf({ algorithms: ['ES256', 'PS256'] })
    for (const metadata of [{}, { token_endpoint_auth_signing_alg: 'RS256' }]) {
      const client = keyClient([jwk], metadata)
      const check = await refusal(async () => verify({ assertion: await sign(privateKey, { alg: 'RS256' }), client, policy }))
      expect(check).toMatchObject({ check: 'algorithm' })
    }
  })

  it.each([
    ['EdDSA', 'Ed25519'],
    ['Ed25519', 'EdDSA']
  ])('%s may be used where %s is registered: they are one', async (alg, registered) => {
    const { privateKey, jwk } = keyOf(alg)
    const client = keyClient([{ ...jwk, alg: registered }], { token_endpoint_auth_signing_alg: registered })
    await verify({ assertion: await sign(privateKey, { alg }), client, policy: policyOf({ algorithms: [registered] }) })
  })

  it('knows neither none nor anything that encrypts', () => {
    expect(assertionAlgorithms).not.toContain('none')
    expect(assertionAlgorithms.filter(alg => symmetricAlgorithms.has(alg) && asymmetricAlgorithms.has(alg))).toEqual([])
  })
})

describe('the signature', () => {
  it('must be of the registered key', async () => {
    const { privateKey } = await makeKey('ES256')
    const assertion = await sign(privateKey, { alg: 'ES256', kid: 'k1' })
    const client = keyClient([{ ...keyOf('ES256').jwk, kid: 'k1' }])
    expect(await refusal(() => verify({ assertion, client }))).toMatchObject({ check: 'signature', expected: 'kid:k1' })
  })

  it('must be of the registered secret', async () => {
    const assertion = await sign(Buffer.alloc(32, 7), { alg: 'HS256' })
    expect(await refusal(() => verify({ assertion, client: secretClient() }))).toMatchObject({ check: 'signature' })
  })

  it.each(['ES256', 'RS256'])('must cover every byte of header and payload (%s)', async alg => {
    const { privateKey, jwk } = keyOf(alg)
    const client = keyClient([jwk])
    const [header = '', payload = '', signature = ''] = (await sign(privateKey, { alg })).split('.')
    const other = Buffer.from(JSON.stringify(claims({ exp: now + 61 }))).toString('base64url')
    const otherHeader = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url')
    for (const forged of [
      `${header}.${other}.${signature}`,
      `${otherHeader}.${payload}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(4)}`,
      `${header}.${payload}.${'A'.repeat(signature.length)}`
    ]) {
      expect(await refusal(() => verify({ assertion: forged, client }))).toMatchObject({ check: 'signature' })
    }
  })

  it('may be of any of several keys with one kid', async () => {
    const jwks: JWK[] = [...asymmetricAlgorithms.keys()].map(alg => ({ ...keyOf(alg).jwk, kid: 'same' }))
    for (const alg of asymmetricAlgorithms.keys()) {
      // RSA keys fit every RSA algorithm, and at most four candidates are tried: the right one goes first
      const own = { ...keyOf(alg).jwk, kid: 'same' }
      await verify({
        assertion: await sign(keyOf(alg).privateKey, { alg, kid: 'same' }),
        client: keyClient([...jwks.slice(6), own])
      })
    }
  })
})

describe('the secret', () => {
  it.each([
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64]
  ])('must be as long as the hash: %s, %d bytes', async (alg, needed) => {
    const outcomeOf = async (bytes: number) => {
      const client_secret = 'é'.repeat(Math.floor(bytes / 2)) + 'x'.repeat(bytes % 2)
      const client = secretClient({ client_secret })
      const input = { assertion: await sign(Buffer.from(client_secret), { alg }), client }
      if (bytes >= needed) return verify(input)
      return refusal(() => verify(input))
    }
    // one too short for every algorithm is no client's at all
    const least = 32
    await expect(outcomeOf(least - 1)).rejects.toThrow(/^client\.client_secret must be at least 32 bytes long/)
    for (const bytes of [least, needed - 1].filter(length => length < needed && length >= least))
      expect(await outcomeOf(bytes)).toMatchObject({ check: 'key', section: 'RFC 7518 §3.2', received: 'a shorter one' })
    expect(await outcomeOf(needed)).toEqual({ credential: 'secret:1' })
  })

  it('must not have expired', async () => {
    const live = secretClient({ client_secret_expires_at: now + 1 })
    await verify({ assertion: await sign(Buffer.from(secret), { alg: 'HS256' }), client: live })
    const expired = secretClient({ client_secret_expires_at: now })
    const assertion = await sign(Buffer.from(secret), { alg: 'HS256' })
    expect(await refusal(() => verify({ assertion, client: expired }))).toMatchObject({ check: 'key' })
  })
})
