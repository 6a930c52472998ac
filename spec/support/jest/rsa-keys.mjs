/** RSA keys for all specs: making one takes a fifth of a second, and most spec files need two or more. */
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'

const generate = promisify(generateKeyPair)

export default async function makeRsaKeys() {
  if (process.env.SPEC_RSA_KEYS !== undefined) return
  const pairs = await Promise.all(Array.from({ length: 8 }, () => generate('rsa', { modulusLength: 2048 })))
  process.env.SPEC_RSA_KEYS = JSON.stringify(pairs.map(({ privateKey }) => privateKey.export({ format: 'jwk' })))
}
