/** Another issuer, with keys of its own, and what it signs. */
import { randomUUID } from 'node:crypto'
import { CompactSign, exportJWK, type CompactJWSHeaderParameters, type CryptoKey, type JWK } from 'jose'
import { keyPair } from '../keys/made-keys.ts'

export interface ForeignIssuer {
  readonly issuer: string
  readonly privateKey: CryptoKey
  /** Its public key, with kid. */
  readonly jwk: JWK
  readonly alg: string
}

export async function makeIssuer(issuer = 'https://idp.example', alg = 'ES256'): Promise<ForeignIssuer> {
  const { privateKey, publicKey } = await keyPair(alg)
  return { issuer, privateKey, jwk: { ...(await exportJWK(publicKey)), kid: `${alg}-1` }, alg }
}

export interface JwtParts {
  readonly header?: Readonly<Record<string, unknown>>
  /** Over the claims of a good JWT; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly key?: CryptoKey | Uint8Array
}

/** Signs a JWT for `aud`, good for a minute from `now` (seconds since the epoch), changed as given. */
export function signAs(by: ForeignIssuer, aud: string, now: number, { header, claims, key }: JwtParts = {}): Promise<string> {
  const seconds = Math.floor(now)
  const payload = { iss: by.issuer, sub: 'u-alice', aud, jti: randomUUID(), iat: seconds, exp: seconds + 60, ...claims }
  const protectedHeader: CompactJWSHeaderParameters = {
    alg: by.alg,
    ...(by.jwk.kid !== undefined && { kid: by.jwk.kid }),
    ...header
  }
  return new CompactSign(Buffer.from(JSON.stringify(payload))).setProtectedHeader(protectedHeader).sign(key ?? by.privateKey)
}

/** Puts a JWS together by hand, for headers that no library signs. */
export function assembleJws(header: unknown, payload: unknown, signature = 'AAAA'): string {
  const part = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(payload)}.${signature}`
}
