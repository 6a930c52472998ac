/** Attesters, instances of clients, and what they send: as they should, and as they should not. */
import { randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, CompactSign, exportJWK, importPKCS8, type CryptoKey, type JWK } from 'jose'
import { extendedKeyUsage, keyUsage } from '../certificates/extensions.ts'
import { makeAuthority, makeCertificate } from '../certificates/certificates.ts'
import { keyPair } from '../keys/made-keys.ts'
import { prove, type DpopKey } from './dpop.ts'

interface Signer {
  readonly privateKey: CryptoKey | Uint8Array
  readonly alg: string
  /** What the header of what it signs has beside alg and typ. */
  readonly header: Readonly<Record<string, unknown>>
  /** The public key. */
  readonly jwk: JWK
}

export async function makeSigner(alg = 'ES256', kid = 'attester-1'): Promise<Signer> {
  const { privateKey, publicKey } = await keyPair(alg)
  return { privateKey, alg, header: { kid }, jwk: { ...(await exportJWK(publicKey)), kid } }
}

/** For clocks of specs, whatever the time. */
export const longValid = { notBefore: new Date('2020-01-01'), notAfter: new Date('2040-01-01') }

/** The authority an attester's certificate is from. */
export const attesterCa = makeAuthority({ subject: 'Attester CA', ...longValid })

/** A signer whose certificate comes as `x5c`. */
export async function certifiedSigner(issuer = attesterCa, more: Parameters<typeof makeCertificate>[0] = {}): Promise<Signer> {
  // a purpose of the attester's own trade, which no TLS client has
  const extensions = [keyUsage('digitalSignature'), extendedKeyUsage('1.0.18013.5.1.2')]
  const leaf = makeCertificate({ subject: 'attester', extensions, ...longValid, issuer, ...more })
  const privateKey = await importPKCS8(leaf.keyPem, 'ES256')
  return { privateKey, alg: 'ES256', header: { x5c: [leaf.der.toString('base64')] }, jwk: leaf.jwk }
}

/** An instance of a client: software on one device, with a key of its own. */
export interface Instance extends DpopKey {
  readonly client_id: string
}

export async function makeInstance(client_id = 'wallet', alg = 'ES256'): Promise<Instance> {
  const { privateKey, publicKey } = await keyPair(alg)
  const jwk = await exportJWK(publicKey)
  return { client_id, privateKey, jwk, alg, jkt: await calculateJwkThumbprint(jwk) }
}

/** Members of a header or payload to replace; `undefined` leaves one out. */
export interface Parts {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  /** Signs with this instead. */
  readonly key?: CryptoKey | Uint8Array
}

const sign = (key: CryptoKey | Uint8Array, header: object, claims: object): Promise<string> =>
  new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(header as { alg: string }).sign(key)

/** A Client Attestation JWT of an instance. @param now seconds since the epoch. */
export function attest(signer: Signer, instance: Instance, now: number, { header, claims, key }: Parts = {}): Promise<string> {
  return sign(
    key ?? signer.privateKey,
    { typ: 'oauth-client-attestation+jwt', alg: signer.alg, ...signer.header, ...header },
    { sub: instance.client_id, iat: now - 60, exp: now + 3600, cnf: { jwk: instance.jwk }, ...claims }
  )
}

/** A Client Attestation PoP JWT. */
export function pop(instance: Instance, aud: string, now: number, { header, claims, key }: Parts = {}): Promise<string> {
  return sign(
    key ?? instance.privateKey,
    { typ: 'oauth-client-attestation-pop+jwt', alg: instance.alg, ...header },
    { aud, jti: randomUUID(), iat: now, ...claims }
  )
}

export type Headers = Record<string, string>

/** The two headers of a good request, each with parts of it replaced. */
export async function attested(
  signer: Signer,
  instance: Instance,
  {
    aud,
    now,
    attestation,
    proof
  }: { readonly aud: string; readonly now: number; readonly attestation?: Parts; readonly proof?: Parts }
): Promise<Headers> {
  return {
    'OAuth-Client-Attestation': await attest(signer, instance, now, attestation),
    'OAuth-Client-Attestation-PoP': await pop(instance, aud, now, proof)
  }
}

/** The same in combined mode. */
export async function combined(
  signer: Signer,
  instance: Instance,
  request: { readonly htu: string; readonly now: number; readonly nonce?: string | undefined; readonly by?: DpopKey }
): Promise<Headers> {
  const { htu, now, nonce, by = instance } = request
  return {
    'OAuth-Client-Attestation': await attest(signer, instance, now),
    DPoP: await prove(by, 'POST', htu, now * 1000, { claims: { nonce } })
  }
}
