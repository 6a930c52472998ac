/** Keys for specs. RSA keys come from a stock (spec/support/jest/rsa-stock.mjs). */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'

/** The keys of a server. */
export { generateKeys as serverKeys } from '../../../lib/signing-keys/generate-keys.ts'

/** An RSA key of 2048 bits, private. */
export function rsaKey(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
}

/** As jose's `generateKeyPair`, with keys that can be exported. */
export async function keyPair(alg: string): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey }> {
  if (!/^[RP]S/.test(alg)) return generateKeyPair(alg, { extractable: true })
  const key = rsaKey()
  const [privateKey, publicKey] = await Promise.all(
    [key, createPublicKey(key)].map(half => importJWK(half.export({ format: 'jwk' }) as JWK, alg, { extractable: true }))
  )
  return { privateKey, publicKey } as { privateKey: CryptoKey; publicKey: CryptoKey }
}
