/** Keys that nobody has the other half of: verifying with one takes as long as with a client's, and never succeeds. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { CryptoKey, JWK } from 'jose'
import { asymmetricAlgorithms, symmetricAlgorithms, type AsymmetricAlgorithm } from './algorithms.ts'
import { importPublicKey } from './public-keys.ts'
import { importSecret } from './secret-keys.ts'

const publicKeys = new Map<string, JWK>()
const secret = { id: '', key: Uint8Array.from(randomBytes(64)) }

/** A key for this algorithm, drawn when it is first asked for and the same from then on; undefined for an algorithm nobody verifies. */
export async function nobodysKey(alg: string): Promise<CryptoKey | undefined> {
  if (symmetricAlgorithms.has(alg)) return importSecret(secret, alg)
  const algorithm = asymmetricAlgorithms.get(alg)
  if (algorithm === undefined) return undefined
  const name = `${algorithm.kty} ${algorithm.crv ?? ''}`
  const jwk = publicKeys.get(name) ?? draw(algorithm)
  publicKeys.set(name, jwk)
  return (await importPublicKey(jwk, alg))?.key
}

function draw({ kty, crv = '' }: AsymmetricAlgorithm): JWK {
  switch (kty) {
    case 'RSA':
      return { kty, n: anyModulus(), e: 'AQAB' }
    case 'EC':
      return generateKeyPairSync('ec', { namedCurve: crv }).publicKey.export({ format: 'jwk' }) as JWK
    case 'OKP':
      return generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as JWK
  }
}

/** 2048 bits, odd: whoever verifies does not ask for its factors, and finding two primes would take a request a second. */
function anyModulus(): string {
  const modulus = randomBytes(256)
  modulus[0] = (modulus[0] ?? 0) | 0x80
  modulus[255] = (modulus[255] ?? 0) | 1
  return modulus.toString('base64url')
}
