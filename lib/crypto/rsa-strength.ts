/** The RSA keys that count, wherever they come from: as a JWK, or in a certificate. */

const shortestModulus = 2048
// what a verification costs grows with both numbers, and whoever sends a key chooses them
const longestModulus = 8192
const largestExponent = 2 ** 33

/**
 * Tells what is wrong with an RSA key, as "an RSA key …"; undefined where it is neither too weak nor too costly to
 * verify anything with.
 */
export function rsaProblem(bits: number, exponent: number | bigint): string | undefined {
  if (bits < shortestModulus) return `an RSA key of ${bits} bits, and at least ${shortestModulus} are needed (RFC 7518 §3.3)`
  if (bits > longestModulus) return `an RSA key of ${bits} bits, and at most ${longestModulus} are accepted`
  return exponentProblem(exponent)
}

/**
 * The same of the public exponent alone. An even one is none (RFC 8017 §3.1), with 1 everything is its own signature,
 * and nothing that makes keys makes larger ones than 2^33.
 */
export function exponentProblem(exponent: number | bigint): string | undefined {
  const e = Number(exponent)
  return e >= 3 && e < largestExponent && e % 2 === 1
    ? undefined
    : 'an RSA key whose public exponent is not an odd number of at least 3 and less than 2^33'
}
