/** Keys for specs. The RSA ones were made before the first spec; no spec file gets the same one twice. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'
import {
  generateKeys,
  signingAlgorithms,
  type PrivateKeySet,
  type SigningAlgorithm
} from '../../../lib/signing-keys/generate-keys.ts'

const made = JSON.parse(process.env['SPEC_RSA_KEYS'] ?? '[]') as JWK[]

/** An RSA key of 2048 bits, private. */
export function rsaKey(): KeyObject {
  const next = made.shift()
  if (next === undefined) return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  return createPrivateKey({ key: next, format: 'jwk' })
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

/** As `generateKeys()`. */
export async function serverKeys(algorithms: readonly SigningAlgorithm[] = signingAlgorithms): Promise<PrivateKeySet> {
  const { keys: fresh } = await generateKeys(algorithms.filter(alg => !/^[RP]S/.test(alg)))
  const signing = algorithms.map(async alg => fresh.find(key => key.alg === alg) ?? rsaSigningKey(alg))
  return { keys: [...(await Promise.all(signing)), ...fresh.filter(({ kty }) => kty === 'oct')] }
}

async function rsaSigningKey(alg: string): Promise<JWK> {
  const jwk = rsaKey().export({ format: 'jwk' }) as JWK
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' }
}
