/** Clients that sign what they send, and what they sign. */
import { randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, CompactSign, exportJWK, type CryptoKey, type JWK } from 'jose'
import type { ClientMetadata } from '../../../lib/index.ts'
import { callback, clients, code_challenge, issuer } from './authorization-server.ts'
import { keyPair } from '../keys/made-keys.ts'

/** What the clock of the harness reads at first: seconds since the epoch. */
export const now = 1_800_000_000

export interface Signer {
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export async function makeSigner(alg: string, kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await keyPair(alg)
  return { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid } }
}

/** The clients of the harness, one that signs with these keys (`signer`), and one that must (`strict`, PS256). */
export function signingClients(signers: readonly Signer[], change: Partial<ClientMetadata> = {}): readonly ClientMetadata[] {
  const jwks = { keys: signers.map(({ jwk }) => jwk) }
  const common = { redirect_uris: [callback], jwks, grant_types: ['authorization_code', 'refresh_token'] }
  return [
    ...clients,
    { ...common, client_id: 'signer', client_secret: 'secret of signer', ...change },
    {
      ...common,
      client_id: 'strict',
      client_secret: 'secret of strict',
      request_object_signing_alg: 'PS256',
      require_signed_request_object: true
    }
  ]
}

/** The claims of a good request object of `signer`; undefined leaves one out. */
export function requestClaims(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    iss: 'signer',
    aud: issuer,
    client_id: 'signer',
    redirect_uri: callback,
    response_type: 'code',
    scope: 'openid api:read',
    state: 'inside',
    code_challenge,
    code_challenge_method: 'S256',
    nbf: now,
    exp: now + 300,
    ...change
  }
}

export function signRequest(
  { alg, privateKey, jwk }: Signer,
  claims: unknown = requestClaims(),
  header: Readonly<Record<string, unknown>> = {}
): Promise<string> {
  const protectedHeader = { alg, typ: 'oauth-authz-req+jwt', kid: jwk.kid, ...header } as { alg: string }
  return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(protectedHeader).sign(privateKey)
}

/** A DPoP proof (RFC 9449 §4.2), and the thumbprint of its key. */
export async function dpopProof(signer: Signer, htu: string): Promise<{ proof: string; jkt: string }> {
  const { jwk } = signer
  const claims = { jti: randomUUID(), htm: 'POST', htu, iat: now }
  const proof = await new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: signer.alg, typ: 'dpop+jwt', jwk })
    .sign(signer.privateKey)
  return { proof, jkt: await calculateJwkThumbprint(jwk) }
}
