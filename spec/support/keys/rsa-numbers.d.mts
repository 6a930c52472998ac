interface PrivateRsaJwk extends Readonly<Record<'n' | 'e' | 'd' | 'p' | 'q' | 'dp' | 'dq' | 'qi', string>> {
  readonly kty: 'RSA'
}

/** The private JWK of two primes; undefined where the exponent has a divisor in common with the primes less one. */
export function rsaJwk(p: bigint, q: bigint, e: bigint): PrivateRsaJwk | undefined
export function number(text: string): bigint
export function base64url(value: bigint): string
