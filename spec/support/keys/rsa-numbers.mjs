/** The arithmetic of RSA keys (RFC 8017, section 3). */

/** The private JWK of two primes; undefined where the exponent has a divisor in common with the primes less one. */
export function rsaJwk(p, q, e) {
  const d = inverse(e, (p - 1n) * (q - 1n))
  if (d === undefined) return undefined
  const values = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  return { kty: 'RSA', ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, base64url(value)])) }
}

/** Euclid's algorithm, extended. */
function inverse(value, modulus) {
  let [a, b] = [value % modulus, modulus]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a % b]
    ;[x, y] = [y, x - quotient * y]
  }
  return a === 1n ? ((x % modulus) + modulus) % modulus : undefined
}

export function number(text) {
  return BigInt(`0x${Buffer.from(text, 'base64url').toString('hex') || '0'}`)
}

export function base64url(value) {
  const digits = value.toString(16)
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex').toString('base64url')
}
