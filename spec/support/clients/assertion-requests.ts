/** A client that signs and one that computes a MAC, and what they send to a server of the harness. */
import { randomUUID } from 'node:crypto'
import type { Express } from 'express'
import { CompactSign, exportJWK, generateKeyPair, type CryptoKey } from 'jose'
import request from 'supertest'
import type { ClientMetadata } from '../../../lib/index.ts'
import { issuer } from '../servers/authorization-server.ts'

const secret = 'a secret of sixty-four bytes, which is enough for every HMAC hash'

export interface Parties {
  readonly clients: readonly ClientMetadata[]
  readonly keys: { readonly signs: CryptoKey; readonly macs: Uint8Array }
}

export async function makeParties(): Promise<Parties> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const shared = { grant_types: ['client_credentials'] }
  const jwks = { keys: [await exportJWK(publicKey)] }
  return {
    clients: [
      { client_id: 'signs', token_endpoint_auth_method: 'private_key_jwt', jwks, ...shared },
      { client_id: 'macs', token_endpoint_auth_method: 'client_secret_jwt', client_secret: secret, ...shared }
    ],
    keys: { signs: privateKey, macs: Buffer.from(secret) }
  }
}

/** The claims of a good assertion, changed as given. @param now seconds since the epoch. */
export function assertionClaims(client_id: string, now: number, change: object = {}): object {
  return { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 60, ...change }
}

/** The parameters of an assertion over these claims. */
export async function signAssertion({ keys }: Parties, client: 'signs' | 'macs', claims: object, header: object = {}) {
  const alg = client === 'signs' ? 'ES256' : 'HS256'
  const signed = new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg, ...header })
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return { client_assertion_type, client_assertion: await signed.sign(keys[client]) }
}

/** A token request with an assertion over these claims. */
export async function askWith(app: Express, parties: Parties, client: 'signs' | 'macs', claims: object, header: object = {}) {
  const { client_assertion_type, client_assertion } = await signAssertion(parties, client, claims, header)
  return request(app)
    .post('/oauth2/token')
    .type('form')
    .send({
      ...{ grant_type: 'client_credentials', client_assertion_type, client_assertion }
    })
}
