/** Keys that nobody has the other half of: verifying with one takes as long as with a client's, and never succeeds. */
import { randomBytes } from 'node:crypto'
import type { JWK } from 'jose'
import { isSignedBy } from '../crypto/jws-signature.ts'
import { newKeyPair } from '../crypto/key-pairs.ts'
import { mlDsaKeyPair, type MlDsaAlgorithm } from '../crypto/ml-dsa.ts'
import { toClient, type Client } from '../clients/client.ts'
import { nobody } from '../clients/nobody.ts'
import { asymmetricAlgorithms, symmetricAlgorithms, type AsymmetricAlgorithm } from '../client-keys/algorithms.ts'
import type { CandidateKey, ClientKeys } from '../client-keys/client-keys.ts'
import { importPublicKey } from '../client-keys/public-keys.ts'
import { importSecret, liveSecrets } from '../client-keys/secret-keys.ts'
import type { UnverifiedJws } from './compact-jws.ts'

/** Clients, each with one public key, by what the key is good for. */
const keyHolders = new Map<string, Client>()

/**
 * A key that verifies this algorithm: drawn when it is first asked for, and the same from then on. Undefined for an
 * algorithm nobody verifies.
 */
async function nobodysKey(alg: string): Promise<CandidateKey | undefined> {
  const [secret] = symmetricAlgorithms.has(alg) ? liveSecrets(nobody, Date.now) : []
  if (secret !== undefined) return { key: await importSecret(secret, alg), credential: `secret:${secret.id}` }
  const [jwk] = keyHolder(alg)?.jwks?.keys ?? []
  return jwk && importPublicKey(jwk, alg)
}

/**
 * As much work as a signature, for a JWT that is refused before its own is looked at: time tells nothing of what a
 * client registered.
 */
export async function verifyInVain(jwt: string, jws: UnverifiedJws): Promise<void> {
  const alg = jws.outcome === 'read' ? jws.header['alg'] : undefined
  if (typeof alg !== 'string') return
  const found = await nobodysKey(alg)
  if (found !== undefined) await isSignedBy(jwt, found.key, alg)
}

/** Finds for any client what nobody has, the way those keys find what clients have: no step of it is left out. */
export function nobodysKeys(keys: Pick<ClientKeys, 'find'>): Pick<ClientKeys, 'find'> {
  return {
    find(_client, { alg }, decision) {
      const holder = keyHolder(alg)
      if (holder === undefined) throw decision.refuse('key')
      // whatever kid was sent, this is the key that is meant
      return keys.find(holder, { alg }, decision)
    }
  }
}

/** A client with one public key for this algorithm; undefined for one that nobody verifies. */
function keyHolder(alg: string): Client | undefined {
  const algorithm = asymmetricAlgorithms.get(alg)
  if (algorithm === undefined) return undefined
  // a key of type AKP is for one algorithm
  const name = algorithm.kty === 'AKP' ? alg : `${algorithm.kty} ${algorithm.crv ?? ''}`
  let holder = keyHolders.get(name)
  if (holder === undefined) {
    holder = toClient({
      client_id: 'nobody',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...draw(algorithm, alg), kid: 'nobody' }] }
    })
    keyHolders.set(name, holder)
  }
  return holder
}

function draw({ kty, crv = '' }: AsymmetricAlgorithm, alg: string): JWK {
  switch (kty) {
    case 'AKP':
      return mlDsaKeyPair(alg as MlDsaAlgorithm).publicKey.export({ format: 'jwk' })
    case 'RSA':
      return { kty, n: anyModulus(), e: 'AQAB' }
    case 'EC':
    case 'OKP':
      return newKeyPair(crv).publicKey.export({ format: 'jwk' })
  }
}

/**
 * 2048 bits, odd: whoever verifies does not ask for its factors, and finding two primes would take a request a second.
 */
function anyModulus(): string {
  const modulus = randomBytes(256)
  modulus[0] = (modulus[0] ?? 0) | 0x80
  modulus[255] = (modulus[255] ?? 0) | 1
  return modulus.toString('base64url')
}
