/** Pairs of keys made at once, without waiting. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'

/** A private key and the public one that belongs to it. */
interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const publicKeyEncoding = { type: 'spki', format: 'pem' } as const
const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const

/**
 * A new pair of keys on a curve, which may be exported as JWKs.
 *
 * On Node 20 a process can wait for itself for ever where a key that `generateKeyPairSync` made is exported as a JWK:
 * the export holds the key's lock, and a collector that runs meanwhile takes it to end the job that made the key. These
 * are read anew from what that job wrote, and share no lock with it.
 *
 * @param crv `Ed25519`, or a curve of ECDSA by its JWK name.
 */
export function newKeyPair(crv: string): KeyPair {
  const { privateKey, publicKey } = encodedPair(crv)
  return { privateKey: createPrivateKey(privateKey), publicKey: createPublicKey(publicKey) }
}

function encodedPair(crv: string): { readonly privateKey: string; readonly publicKey: string } {
  if (crv === 'Ed25519') return generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding })
  return generateKeyPairSync('ec', { namedCurve: crv, publicKeyEncoding, privateKeyEncoding })
}
