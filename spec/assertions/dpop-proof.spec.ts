import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { exportJWK } from 'jose'
import { dpopNonces } from '../../lib/assertions/dpop-nonces.ts'
import { dpopAlgorithms, verifyDpopProof, type DpopPolicy } from '../../lib/assertions/dpop-proof.ts'
import { InvalidDpopProofError, TemporarilyUnavailableError, UseDpopNonceError } from '../../lib/errors.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { makeDpopKey, prove, type DpopKey, type ProofParts } from '../support/clients/dpop.ts'
import { assemble } from './signing.ts'

const now = 1_800_000_000_000
const address = 'https://as.example.com/oauth2/token'
const access_token = 'the-access-token'
let key: DpopKey
let other: DpopKey

beforeAll(async () => {
  key = await makeDpopKey()
  other = await makeDpopKey()
})

const policyAt = (change: Partial<DpopPolicy> = {}): DpopPolicy => ({
  issuer: 'https://as.example.com',
  store: memoryStore({ clock: () => now }),
  clock: () => now,
  algorithms: dpopAlgorithms,
  nonces: undefined,
  ...change
})

const verify = (proof: string, change: { policy?: DpopPolicy; access_token?: string; addresses?: readonly string[] } = {}) =>
  verifyDpopProof({ proof, method: 'POST', addresses: [address], policy: policyAt(), ...change })

const seconds = now / 1000

describe('a good proof', () => {
  it.each(dpopAlgorithms)('signed %s gives the thumbprint of its key', async alg => {
    const signer = await makeDpopKey(alg)
    await expect(verify(await prove(signer, 'POST', address, now))).resolves.toEqual({ jkt: signer.jkt })
  })

  it.each<[string, ProofParts]>([
    ['a clock 8 s ahead', { claims: { iat: seconds + 8 } }],
    ['ten seconds old', { claims: { iat: seconds - 10 } }],
    ['nbf and exp that hold', { claims: { nbf: seconds, exp: seconds + 60 } }],
    ['unknown claims', { claims: { custom: { deep: [1] } } }],
    ['an unknown header member', { header: { custom: 'x' } }],
    ['query and fragment in htu', { claims: { htu: `${address}?a=b#c` } }],
    ['scheme and host in upper case', { claims: { htu: 'HTTPS://AS.EXAMPLE.COM/oauth2/token' } }],
    ['the default port', { claims: { htu: 'https://as.example.com:443/oauth2/token' } }]
  ])('is accepted with %s', async (_name, parts) => {
    await expect(verify(await prove(key, 'POST', address, now, parts))).resolves.toEqual({ jkt: key.jkt })
  })

  it('is good for any of the addresses the server has', async () => {
    const alias = 'https://mtls.example.com/oauth2/token'
    await expect(verify(await prove(key, 'POST', alias, now), { addresses: [address, alias] })).resolves.toEqual({ jkt: key.jkt })
  })

  it('names the access token it stands beside', async () => {
    await expect(verify(await prove(key, 'POST', address, now, { access_token }), { access_token })).resolves.toEqual({
      jkt: key.jkt
    })
  })
})

describe('a bad proof', () => {
  it.each<[string, ProofParts]>([
    ['typ is missing', { header: { typ: undefined } }],
    ['typ is JWT', { header: { typ: 'JWT' } }],
    ['jwk is missing', { header: { jwk: undefined } }],
    ['jwk is a string', { header: { jwk: 'key' } }],
    ['crit is there', { header: { crit: ['b64'], b64: true } }],
    ['jti is missing', { claims: { jti: undefined } }],
    ['jti is empty', { claims: { jti: '' } }],
    ['jti is a number', { claims: { jti: 7 } }],
    ['jti is huge', { claims: { jti: 'x'.repeat(513) } }],
    ['htm is missing', { claims: { htm: undefined } }],
    ['htm is another method', { claims: { htm: 'PUT' } }],
    ['htm is in lower case', { claims: { htm: 'post' } }],
    ['htu is missing', { claims: { htu: undefined } }],
    ['htu is no URL', { claims: { htu: '/oauth2/token' } }],
    ['htu has another path', { claims: { htu: `${address}/x` } }],
    ['htu has another host', { claims: { htu: 'https://evil.example/oauth2/token' } }],
    ['htu has another port', { claims: { htu: 'https://as.example.com:8443/oauth2/token' } }],
    ['htu has user info', { claims: { htu: 'https://user@as.example.com/oauth2/token' } }],
    ['iat is missing', { claims: { iat: undefined } }],
    ['iat is a string', { claims: { iat: String(seconds) } }],
    ['iat is an hour ahead', { claims: { iat: seconds + 3600 } }],
    ['iat is 62 s ahead', { claims: { iat: seconds + 62 } }],
    ['iat is an hour ago', { claims: { iat: seconds - 3600 } }],
    ['nbf is ahead', { claims: { nbf: seconds + 120 } }],
    ['exp has passed', { claims: { exp: seconds - 60 } }],
    ['exp is a string', { claims: { exp: 'never' } }]
  ])('is refused when %s', async (_name, parts) => {
    await expect(verify(await prove(key, 'POST', address, now, parts))).rejects.toThrow(InvalidDpopProofError)
  })

  it.each<[string, ProofParts]>([
    ['missing', { claims: { ath: undefined } }],
    ['of another token', { access_token: 'another' }]
  ])('is refused when ath is %s', async (_name, parts) => {
    await expect(verify(await prove(key, 'POST', address, now, parts), { access_token })).rejects.toThrow(InvalidDpopProofError)
  })

  it('is refused with a key that did not sign it', async () => {
    await expect(verify(await prove(key, 'POST', address, now, { header: { jwk: other.jwk } }))).rejects.toThrow(
      InvalidDpopProofError
    )
  })

  it('is refused with a private key in its header', async () => {
    const jwk = await exportJWK(key.privateKey)
    await expect(verify(await prove(key, 'POST', address, now, { header: { jwk } }))).rejects.toThrow(InvalidDpopProofError)
  })

  it('is refused with an algorithm that is not accepted', async () => {
    await expect(verify(await prove(await makeDpopKey('RS256'), 'POST', address, now))).rejects.toThrow(InvalidDpopProofError)
  })

  it('is refused unsigned', async () => {
    const claims = { jti: 'a', htm: 'POST', htu: address, iat: seconds }
    await expect(verify(assemble({ typ: 'dpop+jwt', alg: 'none', jwk: key.jwk }, claims, ''))).rejects.toThrow(
      InvalidDpopProofError
    )
  })

  it('is refused when it is no proof at all', async () => {
    const proof = await prove(key, 'POST', address, now)
    const arbitrary = fc.oneof(fc.string(), fc.constantFrom('', '.', '..', `${proof}, ${proof}`, `${proof}x.y`))
    await fc.assert(
      fc.asyncProperty(arbitrary, async text => {
        await expect(verify(text)).rejects.toThrow(InvalidDpopProofError)
      })
    )
  })
})

describe('a proof used twice', () => {
  it('has one winner among fifty at once', async () => {
    const policy = policyAt()
    const proof = await prove(key, 'POST', address, now)
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => verify(proof, { policy })))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('is not used up by a request it was no good for', async () => {
    const policy = policyAt()
    const proof = await prove(key, 'POST', address, now)
    await expect(verify(proof, { policy, addresses: ['https://other.example/token'] })).rejects.toThrow(InvalidDpopProofError)
    await expect(verify(proof, { policy })).resolves.toEqual({ jkt: key.jkt })
  })

  it('shares its jti with the proofs of no other key', async () => {
    const policy = policyAt()
    const same = { claims: { jti: 'the same' } }
    await verify(await prove(key, 'POST', address, now, same), { policy })
    await expect(verify(await prove(other, 'POST', address, now, same), { policy })).resolves.toEqual({ jkt: other.jkt })
  })

  it('is never taken for unused while the store does not answer', async () => {
    const store = memoryStore()
    await store.close()
    await expect(verify(await prove(key, 'POST', address, now), { policy: policyAt({ store }) })).rejects.toThrow(
      TemporarilyUnavailableError
    )
  })
})

describe('nonces', () => {
  const mac = (data: Uint8Array) => Buffer.concat([Buffer.from(data), Buffer.alloc(24, 7)])

  it('are asked for, and then accepted', async () => {
    const policy = policyAt({ nonces: dpopNonces(mac, 'https://as.example.com', () => now) })
    const error = await verify(await prove(key, 'POST', address, now), { policy }).then(
      () => undefined,
      (thrown: unknown) => thrown
    )
    expect(error).toBeInstanceOf(UseDpopNonceError)
    const nonce = (error as UseDpopNonceError).headers['DPoP-Nonce']
    await expect(verify(await prove(key, 'POST', address, now, { claims: { nonce } }), { policy })).resolves.toEqual({
      jkt: key.jkt
    })
  })
})
