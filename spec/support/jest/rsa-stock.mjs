/**
 * RSA keys for all specs. Finding the primes of one takes a fifth of a second of CPU, and a start of the example app takes
 * two keys: so primes are found once, before the first spec, and every two of them make another key, as real as any.
 */
import crypto, { createPrivateKey, createPublicKey } from 'node:crypto'
import { promisify } from 'node:util'
import { number, rsaJwk } from '../keys/rsa-numbers.mjs'

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
  crypto.generateKeyPairSync = (type, options) => take(type, options) ?? readAnew(type, options)
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

/**
 * On Node 20 a process can wait for itself for ever where it exports as a JWK what that function made; see
 * lib/crypto/key-pairs.ts.
 */
function readAnew(type, options = {}) {
  if ('publicKeyEncoding' in options || 'privateKeyEncoding' in options || type.startsWith('ml-'))
    return generateKeyPairSync(type, options)
  const { publicKey, privateKey } = generateKeyPairSync(type, {
    ...options,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  })
  return { publicKey: createPublicKey(publicKey), privateKey: createPrivateKey(privateKey) }
}

function keyOf([p, q]) {
  const privateKey = createPrivateKey({ key: rsaJwk(p, q, e), format: 'jwk' })
  return { privateKey, publicKey: createPublicKey(privateKey) }
}
