/**
 * RSA keys for all specs. Finding the primes of one takes a fifth of a second of CPU, and a start of the example app takes
 * two keys: so primes are found once, before the first spec, and every two of them make another key, as real as any.
 */
import crypto, { createPrivateKey, createPublicKey } from 'node:crypto'
import { promisify } from 'node:util'

/** Finds the primes of this many keys. */
const found = 10
const e = 65537n
const { generateKeyPair, generateKeyPairSync } = crypto

/** Before the first spec: the workers inherit it. */
export async function findPrimes() {
  if (process.env.SPEC_RSA_PRIMES !== undefined) return
  const generate = promisify(generateKeyPair)
  const pairs = await Promise.all(Array.from({ length: found }, () => generate('rsa', { modulusLength: 2048 })))
  const jwks = pairs.map(({ privateKey }) => privateKey.export({ format: 'jwk' }))
  process.env.SPEC_RSA_PRIMES = jwks.flatMap(({ p, q }) => [p, q]).join(' ')
}

/**
 * Has Node take ordinary RSA keys from the stock; those of another size, exponent or encoding it makes as ever, and what the
 * stock has no more.
 *
 * @param from how many are left to others.
 * @returns what fills it up again: no spec file gets the same key twice.
 */
export function stockKeys(from = 0) {
  const primes = (process.env.SPEC_RSA_PRIMES ?? '').split(' ').map(number)
  const pairs = primes.flatMap((p, index) => primes.slice(index + 1).map(q => [p, q]))
  let taken = from
  const take = (type, options) => {
    const isOrdinary = type === 'rsa' && Object.keys(options).join() === 'modulusLength' && options.modulusLength === 2048
    return isOrdinary && taken < pairs.length ? keyOf(pairs[taken++]) : undefined
  }
  crypto.generateKeyPairSync = (type, options) => take(type, options) ?? generateKeyPairSync(type, options)
  crypto.generateKeyPair = (type, options, callback) => {
    const pair = take(type, options)
    if (pair === undefined) generateKeyPair(type, options, callback)
    else setImmediate(callback, null, pair.publicKey, pair.privateKey)
  }
  crypto.generateKeyPair[promisify.custom] = async (type, options) =>
    take(type, options) ?? promisify(generateKeyPair)(type, options)
  return () => {
    taken = from
  }
}

/** The key of two primes (RFC 8017, section 3). */
function keyOf([p, q]) {
  const d = inverse(e, (p - 1n) * (q - 1n))
  const values = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  const jwk = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, base64url(value)]))
  const privateKey = createPrivateKey({ key: { kty: 'RSA', ...jwk }, format: 'jwk' })
  return { privateKey, publicKey: createPublicKey(privateKey) }
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
  return ((x % modulus) + modulus) % modulus
}

function number(text) {
  return BigInt(`0x${Buffer.from(text, 'base64url').toString('hex') || '0'}`)
}

function base64url(value) {
  const digits = value.toString(16)
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex').toString('base64url')
}
