/** DPoP proofs as clients make them, and as they should not. */
import { hash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, CompactSign, exportJWK, type CryptoKey, type JWK } from 'jose'
import { keyPair } from '../keys/made-keys.ts'

export interface DpopKey {
  readonly privateKey: CryptoKey
  readonly jwk: JWK
  readonly alg: string
  readonly jkt: string
}

export async function makeDpopKey(alg = 'ES256'): Promise<DpopKey> {
  const { privateKey, publicKey } = await keyPair(alg)
  const jwk = await exportJWK(publicKey)
  return { privateKey, jwk, alg, jkt: await calculateJwkThumbprint(jwk) }
}

export interface ProofParts {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  readonly access_token?: string
}

/** A proof for a request; `undefined` in the parts leaves a member out. */
export function prove(key: DpopKey, htm: string, htu: string, now: number, parts: ProofParts = {}): Promise<string> {
  const claims = {
    jti: randomUUID(),
    htm,
    htu,
    iat: Math.floor(now / 1000),
    ...(parts.access_token !== undefined && { ath: hash('sha256', parts.access_token, 'base64url') }),
    ...parts.claims
  }
  const header = { typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...parts.header }
  return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(header).sign(key.privateKey)
}
