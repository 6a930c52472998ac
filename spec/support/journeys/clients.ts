/** One client of every method: what is registered at the server, and what the client itself holds. */
import { randomBytes } from 'node:crypto'
import type { ClientMetadata } from 'clientele'
import { exportJWK, type CryptoKey } from 'jose'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../certificates/certificates.ts'
import { keyPair } from '../keys/made-keys.ts'

export const callback = 'https://client.example/callback'
export const api = 'https://api.example'

interface Registered {
  readonly client_id: string
  readonly metadata: ClientMetadata
}

type SecretParty = Registered & {
  readonly method: 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt'
  readonly secret: string
}

export type KeyParty = Registered & {
  readonly method: 'private_key_jwt'
  readonly key: { readonly key: CryptoKey; readonly kid: string }
}

export type CertificateParty = Registered & {
  readonly method: 'tls_client_auth' | 'self_signed_tls_client_auth'
  readonly certificate: MadeCertificate
}

export type ConfidentialParty = SecretParty | KeyParty | CertificateParty
export type Party = ConfidentialParty | (Registered & { readonly method: 'none' })

/** The CA whose client certificates the server believes. */
export const clientAuthority = makeAuthority({ subject: 'client authority' })

const grants = ['authorization_code', 'refresh_token', 'client_credentials']

function register(client_id: string, method: Party['method'], more: Partial<ClientMetadata>): Registered {
  const token_endpoint_auth_method = method
  return {
    client_id,
    metadata: { client_id, token_endpoint_auth_method, grant_types: grants, redirect_uris: [callback], ...more }
  }
}

/** A client with a secret; of full length and strange letters where none is given. */
export function secretParty(
  method: SecretParty['method'],
  client_id: string,
  secret = `%41+:ü ${randomBytes(32).toString('base64')}`
): SecretParty {
  return { ...register(client_id, method, { client_secret: secret }), method, secret }
}

export async function keyParty(client_id: string, alg = 'ES256'): Promise<KeyParty> {
  const { publicKey, privateKey } = await keyPair(alg)
  const kid = `${client_id}-1`
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }] }
  const metadata = { jwks, token_endpoint_auth_signing_alg: alg }
  return { ...register(client_id, 'private_key_jwt', metadata), method: 'private_key_jwt', key: { key: privateKey, kid } }
}

/** A certificate of {@link clientAuthority}, known by its DN, which the registration writes as RFC 4514 does. */
export function authorityParty(client_id: string): CertificateParty {
  const subject = [['C', 'DE'] as const, ['O', 'Journeys, Inc.'] as const, ['CN', client_id] as const]
  const metadata = { tls_client_auth_subject_dn: `CN=${client_id}, O=Journeys\\, Inc., C=DE` }
  const certificate = makeCertificate({ subject, issuer: clientAuthority })
  return { ...register(client_id, 'tls_client_auth', metadata), method: 'tls_client_auth', certificate }
}

/** A certificate nobody vouches for, registered as it is. */
export function selfSignedParty(client_id: string): CertificateParty {
  const certificate = makeCertificate({ subject: client_id })
  const jwks = { keys: [{ ...certificate.jwk, x5c: [certificate.der.toString('base64')] }] }
  const method = 'self_signed_tls_client_auth'
  return { ...register(client_id, method, { jwks }), method, certificate }
}

export function publicParty(client_id: string): Party {
  const grant_types = ['authorization_code', 'refresh_token']
  return { ...register(client_id, 'none', { grant_types }), method: 'none' }
}

/** One of each confidential method. The client_ids have letters in them that each place spells in its own way. */
export async function confidentialParties(prefix = 'client'): Promise<readonly ConfidentialParty[]> {
  return [
    secretParty('client_secret_basic', `${prefix}/basic: 100%+ü`),
    secretParty('client_secret_post', `${prefix}/post: 100%+ü`),
    secretParty('client_secret_jwt', `${prefix}-secret-jwt`),
    await keyParty(`${prefix}-key-jwt`),
    authorityParty(`${prefix}-tls`),
    selfSignedParty(`${prefix}-self-signed-tls`)
  ]
}
