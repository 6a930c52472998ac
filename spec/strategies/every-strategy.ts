/** All built-in strategies behind one `authenticateClient()`, a client of each method, and a good request of each. */
import type { RequestHandler } from 'express'
import { authenticateClient, type AuthenticateClientOptions } from '../../lib/authentication/authenticate-client.ts'
import type { ClientMetadata } from '../../lib/clients/client.ts'
import type { Decision } from '../../lib/decisions/decision.ts'
import { builtInStrategies } from '../../lib/strategies/index.ts'
import type { ClientAuthenticationStrategy } from '../../lib/strategies/strategy.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { makeCertificate } from '../support/certificates/certificates.ts'
import { appOf, basic, issuer, secret, type AppUnderTest } from '../support/servers/strategy-app.ts'
import { carrying, claimsOf, makeKey, sign } from './assertions.ts'
import { authority } from './tls-requests.ts'

export const key = await makeKey('ES256', { kid: 'k' })
export const certified = makeCertificate({ issuer: authority, sans: { dns: ['billing.example'] } })
export const selfSigned = makeCertificate()

export const clients: ClientMetadata[] = [
  { client_id: 'basic', client_secret: secret },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'hmac', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' },
  { client_id: 'keys', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } },
  { client_id: 'tls', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'billing.example' },
  { client_id: 'self-signed', token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [selfSigned.jwk] } },
  { client_id: 'app', token_endpoint_auth_method: 'none' },
  { client_id: 'future', token_endpoint_auth_method: 'x_future', client_secret: secret }
]

export function every(): readonly ClientAuthenticationStrategy[] {
  return builtInStrategies({ clients, issuer, store: memoryStore() })
}

/** An application that selects among all built-in strategies, or those of the given names. */
export function selecting(
  only?: readonly string[],
  options: Partial<AuthenticateClientOptions> = {},
  before: readonly RequestHandler[] = []
): AppUnderTest {
  const decisions: Decision[] = []
  const strategies = every().filter(({ name }) => only?.includes(name) !== false)
  return appOf(
    [...before, authenticateClient({ clients, strategies, onDecision: decision => decisions.push(decision), ...options })],
    decisions
  )
}

export const hmac = (client_id = 'hmac', with_ = secret) => sign(with_, { alg: 'HS256' }, claimsOf(client_id))
export const signed = (client_id = 'keys') => sign(key.privateKey, { alg: 'ES256' }, claimsOf(client_id))

export interface Sent {
  readonly form: Record<string, string>
  readonly headers?: Record<string, string>
}
/** A good request of each mechanism. */
export const mechanisms: Readonly<Record<string, () => Promise<Sent> | Sent>> = {
  authorization_header: () => ({ form: {}, headers: basic('basic', secret) }),
  body_secret: () => ({ form: { client_id: 'post', client_secret: secret } }),
  assertion: async () => ({ form: carrying(await signed()) })
}
