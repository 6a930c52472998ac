/** Client assertions as real clients make them, and as none should. */
import { randomUUID } from 'node:crypto'
import { CompactSign, exportJWK, type CryptoKey, type JWK } from 'jose'
import { jwtBearerAssertionType } from '../../lib/assertions/client-assertion.ts'
import { issuer } from '../support/servers/strategy-app.ts'
import { keyPair } from '../support/keys/made-keys.ts'

export interface SigningKey {
  readonly privateKey: CryptoKey
  /** The public key. */
  readonly jwk: JWK
}

export async function makeKey(alg: string, members: JWK = {}): Promise<SigningKey> {
  const { privateKey, publicKey } = await keyPair(alg)
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), ...members } }
}

export const now = (): number => Math.floor(Date.now() / 1000)

/** The claims of a good assertion; `undefined` leaves one out. */
export function claimsOf(client_id: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat: now(), exp: now() + 60, ...changes }
}

/** Signs claims with a private key, or with a secret. */
export function sign(
  key: CryptoKey | Uint8Array | string,
  header: { readonly alg: string; readonly [parameter: string]: unknown },
  claims: unknown
): Promise<string> {
  const payload = Buffer.from(typeof claims === 'string' ? claims : JSON.stringify(claims))
  return new CompactSign(payload).setProtectedHeader(header).sign(typeof key === 'string' ? new TextEncoder().encode(key) : key)
}

/** Puts a JWS together by hand, for headers that no library signs. */
export function assemble(header: unknown, claims: unknown, signature = 'AAAA'): string {
  const part = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.${signature}`
}

/** The body of a request that carries an assertion. */
export function carrying(client_assertion: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { scope: 'jobs', client_assertion_type: jwtBearerAssertionType, client_assertion, ...more }
}
