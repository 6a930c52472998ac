/** Keys that nobody has the other half of: verifying with one takes as long as with a client's, and never succeeds. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { JWK } from 'jose'
import { toClient, type Client } from '../clients/client.ts'
import { asymmetricAlgorithms, symmetricAlgorithms, type AsymmetricAlgorithm } from '../client-keys/algorithms.ts'
import type { CandidateKey, ClientKeys } from '../client-keys/client-keys.ts'
import { importPublicKey } from '../client-keys/public-keys.ts'
import { importSecret, liveSecrets } from '../client-keys/secret-keys.ts'

const publicKeys = new Map<string, JWK>()

/** A client whose secret nobody has. */
export const nobody: Client = toClient({
  client_id: 'nobody',
  client_secret: randomBytes(48).toString('base64url'),
  token_endpoint_auth_method: 'client_secret_jwt'
})

/** A key that verifies this algorithm: drawn when it is first asked for, and the same from then on. Undefined for an algorithm nobody verifies. */
export async function nobodysKey(alg: string): Promise<CandidateKey | undefined> {
  const [secret] = symmetricAlgorithms.has(alg) ? liveSecrets(nobody, Date.now) : []
  if (secret !== undefined) return { key: await importSecret(secret, alg), credential: `secret:${secret.id}` }
  const algorithm = asymmetricAlgorithms.get(alg)
  if (algorithm === undefined) return undefined
  const name = `${algorithm.kty} ${algorithm.crv ?? ''}`
  const jwk = publicKeys.get(name) ?? draw(algorithm)
  publicKeys.set(name, jwk)
  return importPublicKey(jwk, alg)
}

/** Finds for any client what nobody has. */
export const nobodysKeys: Pick<ClientKeys, 'find'> = {
  async find(_client, { alg }, decision) {
    const key = await nobodysKey(alg)
    if (key === undefined) throw decision.refuse('key')
    return [key]
  }
}

function draw({ kty, crv = '' }: AsymmetricAlgorithm): JWK {
  switch (kty) {
    case 'RSA':
      return { kty, n: anyModulus(), e: 'AQAB' }
    case 'EC':
      return generateKeyPairSync('ec', { namedCurve: crv }).publicKey.export({ format: 'jwk' })
    case 'OKP':
      return generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  }
}

/** 2048 bits, odd: whoever verifies does not ask for its factors, and finding two primes would take a request a second. */
function anyModulus(): string {
  const modulus = randomBytes(256)
  modulus[0] = (modulus[0] ?? 0) | 0x80
  modulus[255] = (modulus[255] ?? 0) | 1
  return modulus.toString('base64url')
}
