/** RSA keys that no library makes: a good modulus with whatever public exponent, and the private exponent that goes with it. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { importJWK, type CryptoKey, type JWK } from 'jose'
import { number, rsaJwk } from './rsa-numbers.mjs'

export interface RsaKey {
  readonly jwk: JWK
  readonly key: KeyObject
  /** Signs PS256. */
  readonly privateKey: CryptoKey
}

/** A working key pair of 2048 bits with this public exponent, which must have no divisor in common with the primes less one. */
export async function rsaKeyWithExponent(exponent: bigint): Promise<RsaKey> {
  for (;;) {
    const { p = '', q = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
    const whole = rsaJwk(number(p), number(q), exponent)
    if (whole === undefined) continue
    const { kty, n, e } = whole
    const secret: JWK = { ...whole }
    const privateKey = (await importJWK(secret, 'PS256')) as CryptoKey
    return { jwk: { kty, n, e }, key: createPrivateKey({ key: { ...whole }, format: 'jwk' }), privateKey }
  }
}
