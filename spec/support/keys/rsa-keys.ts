/** RSA keys that no library makes: a good modulus with whatever public exponent, and the private exponent that goes with it. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { importJWK, type CryptoKey, type JWK } from 'jose'

export interface RsaKey {
  readonly jwk: JWK
  readonly key: KeyObject
  /** Signs PS256. */
  readonly privateKey: CryptoKey
}

const number = (base64url: string | undefined) => BigInt(`0x${Buffer.from(base64url ?? '', 'base64url').toString('hex')}`)

export function base64url(value: bigint): string {
  const digits = value.toString(16)
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex').toString('base64url')
}

/** A working key pair of 2048 bits with this public exponent, which must have no divisor in common with the primes less one. */
export async function rsaKeyWithExponent(exponent: bigint): Promise<RsaKey> {
  for (;;) {
    const whole = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
    const p = number(whole.p)
    const q = number(whole.q)
    const d = inverse(exponent, (p - 1n) * (q - 1n))
    if (d === undefined) continue
    const jwk = { kty: 'RSA', n: whole.n ?? '', e: base64url(exponent) }
    const { p: first = '', q: second = '', qi = '' } = whole
    const secret = { d: base64url(d), p: first, q: second, dp: base64url(d % (p - 1n)), dq: base64url(d % (q - 1n)), qi }
    const privateJwk = { ...jwk, ...secret }
    const privateKey = (await importJWK(privateJwk, 'PS256')) as CryptoKey
    return { jwk, key: createPrivateKey({ key: privateJwk, format: 'jwk' }), privateKey }
  }
}

function inverse(value: bigint, modulus: bigint): bigint | undefined {
  let [a, b] = [value % modulus, modulus]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a % b]
    ;[x, y] = [y, x - quotient * y]
  }
  return a === 1n ? ((x % modulus) + modulus) % modulus : undefined
}
