/** Every verdict beside that of jose, which nobody here wrote. */
import { createPrivateKey, generateKeyPairSync, webcrypto, type KeyObject } from 'node:crypto'
import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { CompactSign, compactVerify, importJWK, type CryptoKey, type JWK } from 'jose'
import { asymmetricAlgorithms, assertionAlgorithms, symmetricAlgorithms } from '../../lib/client-keys/algorithms.ts'
import { isSignedBy } from '../../lib/crypto/jws-signature.ts'
import { mlDsaKeyPair, type MlDsaAlgorithm } from '../../lib/crypto/ml-dsa.ts'
import { runs } from '../support/checks/runs.ts'

jest.setTimeout(60_000)

interface Signer {
  readonly alg: string
  readonly key: CryptoKey
  sign(payload: Uint8Array): Promise<string>
}

async function signer(alg: string): Promise<Signer> {
  const secret = symmetricAlgorithms.get(alg)
  const privateKey = secret === undefined ? drawn(alg) : webcrypto.getRandomValues(new Uint8Array(secret.shortestKey))
  const key =
    secret === undefined ? await publicKey(privateKey as KeyObject, alg) : await macKey(privateKey as Uint8Array, secret.hash)
  return { alg, key, sign: payload => new CompactSign(payload).setProtectedHeader({ alg }).sign(privateKey) }
}

function drawn(alg: string): KeyObject {
  const { kty, crv } = asymmetricAlgorithms.get(alg) ?? {}
  if (kty === 'RSA') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  if (kty === 'EC') return generateKeyPairSync('ec', { namedCurve: crv ?? '' }).privateKey
  return kty === 'OKP' ? generateKeyPairSync('ed25519').privateKey : mlDsaKeyPair(alg as MlDsaAlgorithm).privateKey
}

async function publicKey(privateKey: KeyObject, alg: string): Promise<CryptoKey> {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, priv: _priv, ...jwk } = privateKey.export({ format: 'jwk' })
  return (await importJWK({ ...jwk, alg }, alg)) as CryptoKey
}

const macKey = (bytes: Uint8Array, hash: string): Promise<CryptoKey> =>
  webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash }, false, ['verify'])

const jose = ({ key }: Pick<Signer, 'key'>, alg: string, jws: string): Promise<boolean> =>
  compactVerify(jws, key, { algorithms: [alg] }).then(
    () => true,
    () => false
  )

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const withSignature = (jws: string, change: (signature: string) => string): string => {
  const end = jws.lastIndexOf('.') + 1
  return jws.slice(0, end) + change(jws.slice(end))
}
const octets = (change: (bytes: Buffer) => Buffer) => (signature: string) =>
  change(Buffer.from(signature, 'base64url')).toString('base64url')

/** A signature that was good, and what became of it. */
const changes: Readonly<Record<string, (signature: string) => string>> = {
  'as it was': signature => signature,
  none: () => '',
  'one letter short': signature => signature.slice(0, -1),
  'two letters short': signature => signature.slice(0, -2),
  'half of it': signature => signature.slice(0, signature.length / 2),
  'an octet more': octets(bytes => Buffer.concat([bytes, Buffer.of(0)])),
  'an octet more before': octets(bytes => Buffer.concat([Buffer.of(0), bytes])),
  twice: octets(bytes => Buffer.concat([bytes, bytes])),
  zeros: octets(bytes => Buffer.alloc(bytes.length)),
  ones: octets(bytes => Buffer.alloc(bytes.length, 0xff)),
  'a bit changed at its start': octets(bytes => (bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0), bytes)),
  'a bit changed at its end': octets(bytes => (bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1), bytes)),
  // bits that stand for nothing
  'its last letter the next one': signature =>
    signature.slice(0, -1) + String(alphabet[(alphabet.indexOf(signature.slice(-1)) + 1) % alphabet.length]),
  'in hexadecimal': signature => Buffer.from(signature, 'base64url').toString('hex')
}

const signers = await Promise.all(assertionAlgorithms.map(signer))
const payload = Buffer.from('{"sub":"s6BhdRkqt3"}')

describe.each(signers.map(one => [one.alg, one] as const))('isSignedBy: %s', (alg, own) => {
  it.each(Object.entries(changes))('says what jose says of a signature that is %s', async (name, change) => {
    const jws = withSignature(await own.sign(payload), change)
    const verdict = await isSignedBy(jws, own.key, alg)
    expect(verdict).toBe(await jose(own, alg, jws))
    if (name === 'as it was') expect(verdict).toBe(true)
  })

  it('says no of another payload and of another header', async () => {
    const [header = '', , signature = ''] = (await own.sign(payload)).split('.')
    const other = Buffer.from('{"sub":"somebody"}').toString('base64url')
    expect(await isSignedBy(`${header}.${other}.${signature}`, own.key, alg)).toBe(false)
    const [, signed = ''] = (await own.sign(payload)).split('.')
    const typed = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url')
    expect(await isSignedBy(`${typed}.${signed}.${signature}`, own.key, alg)).toBe(false)
  })

  it('says no with a key of any other, by its own algorithm and by that of the key', async () => {
    const jws = await own.sign(payload)
    for (const other of [...signers.filter(one => one.key !== own.key), await signer(alg)]) {
      expect([other.alg, await isSignedBy(jws, other.key, alg)]).toEqual([other.alg, false])
      const claimed = await isSignedBy(jws, own.key, other.alg)
      // Ed25519 is EdDSA under its other name
      expect([other.alg, claimed]).toEqual([other.alg, isSame(alg, other.alg)])
    }
  })
})

const isSame = (one: string, other: string): boolean =>
  one === other || (['EdDSA', 'Ed25519'].includes(one) && ['EdDSA', 'Ed25519'].includes(other))

describe('isSignedBy', () => {
  it('says no for algorithms that are none', async () => {
    const first = await signer('HS256')
    const jws = await first.sign(payload)
    for (const alg of ['none', '', 'HS1', 'rs256', 'RS256 ', 'constructor', '__proto__', 'ES256K'])
      expect(isSignedBy(jws, first.key, alg)).toBe(false)
  })

  it('says no with a private key, a key that encrypts and one that only signs', async () => {
    const jwk = createPrivateKey(
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
    ).export({ format: 'jwk' })
    const jws = await new CompactSign(payload).setProtectedHeader({ alg: 'RS256' }).sign(await importJWK(jwk as JWK, 'RS256'))
    expect(isSignedBy(jws, (await importJWK(jwk as JWK, 'RS256')) as CryptoKey, 'RS256')).toBe(false)
    const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...bare } = jwk
    expect(isSignedBy(jws, (await importJWK(bare as JWK, 'RSA-OAEP-256')) as CryptoKey, 'RS256')).toBe(false)
    expect(isSignedBy(jws, (await importJWK(bare as JWK, 'RS384')) as CryptoKey, 'RS256')).toBe(false)
    expect(await isSignedBy(jws, (await importJWK(bare as JWK, 'RS256')) as CryptoKey, 'RS256')).toBe(true)
  })

  it.each([
    [2048, 65_537, 'boolean'],
    [3072, 65_537, 'boolean'],
    [3072, 0x1_0003, 'object'],
    [2048, 0x7fff_ffff, 'object'],
    [4096, 65_537, 'object']
  ])('keeps nobody waiting for an RSA key of %i bits and the exponent %i', async (modulusLength, publicExponent, answer) => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent })
    for (const alg of ['RS256', 'PS256']) {
      const jws = await new CompactSign(payload).setProtectedHeader({ alg }).sign(privateKey)
      const key = await publicKey(privateKey, alg)
      const verdict = isSignedBy(jws, key, alg)
      // a promise: another thread has the work
      expect(typeof verdict).toBe(answer)
      expect(await verdict).toBe(true)
      expect(
        await isSignedBy(
          withSignature(
            jws,
            octets(bytes => Buffer.alloc(bytes.length, 1))
          ),
          key,
          alg
        )
      ).toBe(false)
    }
  })

  it('never says yes where jose says no, and never throws', async () => {
    const good = await Promise.all(signers.map(async one => [one, await one.sign(payload)] as const))
    const letters = fc.stringMatching(/^[A-Za-z0-9_-]{0,120}$/)
    const change = fc.oneof(
      letters.map(other => () => other),
      fc.tuple(fc.nat(), fc.nat(63)).map(([at, letter]) => (signature: string) => {
        const place = at % Math.max(signature.length, 1)
        return signature.slice(0, place) + String(alphabet[letter]) + signature.slice(place + 1)
      }),
      fc.nat(80).map(length => (signature: string) => signature.slice(0, length))
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...good), fc.constantFrom(...signers), change, async ([from, jws], to, how) => {
        const changed = withSignature(jws, how)
        const [ours, theirs] = [await isSignedBy(changed, to.key, from.alg), await jose(to, from.alg, changed)]
        expect(ours).toBe(theirs)
      }),
      { numRuns: runs(1500) }
    )
  })
})
