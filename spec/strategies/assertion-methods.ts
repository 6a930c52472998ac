/** The two assertion methods side by side: a client of each, and a clock that stands still. */
import type { ClientMetadata } from '../../lib/clients/client.ts'
import { ClientSecretJwtStrategy } from '../../lib/strategies/client-secret-jwt.ts'
import type { JwtStrategyOptions } from '../../lib/strategies/jwt-strategy.ts'
import { PrivateKeyJwtStrategy } from '../../lib/strategies/private-key-jwt.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { issuer, secret, withMiddleware, withPassport, type Mount, type StrategySetup } from '../support/servers/strategy-app.ts'
import { claimsOf, makeKey, now, sign } from './assertions.ts'

/** What the clock reads: seconds since the epoch. */
export const at = now()
export const clock = (): number => at * 1000
export const key = await makeKey('ES256', { kid: 'first' })
const keyed = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } }
const clients: ClientMetadata[] = [
  { client_id: 'billing', ...keyed },
  { client_id: 'reported', ...keyed, assertion_audience: 'report' },
  { client_id: 'moved', ...keyed, assertion_audience: 'issuer' },
  { client_id: 'hmac', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' },
  {
    client_id: 'hmac-reported',
    client_secret: secret,
    token_endpoint_auth_method: 'client_secret_jwt',
    assertion_audience: 'report'
  }
]

export interface Method {
  readonly name: string
  readonly client_id: string
  readonly sign: (claims: unknown, header?: Record<string, unknown>) => Promise<string>
  readonly make: (options: Partial<JwtStrategyOptions>) => PrivateKeyJwtStrategy | ClientSecretJwtStrategy
}
export const required = { clients, issuer, store: memoryStore(), clock }
export const methods: readonly [Method, Method] = [
  {
    name: 'private_key_jwt',
    client_id: 'billing',
    sign: (claims, header) => sign(key.privateKey, { alg: 'ES256', ...header }, claims),
    make: options => new PrivateKeyJwtStrategy({ ...required, ...options })
  },
  {
    name: 'client_secret_jwt',
    client_id: 'hmac',
    sign: (claims, header) => sign(secret, { alg: 'HS256', ...header }, claims),
    make: options => new ClientSecretJwtStrategy({ ...required, ...options })
  }
]
export const mounts: readonly Mount[] = [withPassport(), withMiddleware()]

export function setupOf(method: Method, options: Partial<JwtStrategyOptions> = {}): StrategySetup {
  return { clients, strategy: given => method.make({ ...given, store: memoryStore(), ...options }) }
}

/** Claims of a good assertion at that time. */
export function claimsAt(client_id: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return claimsOf(client_id, { iat: at, exp: at + 60, ...changes })
}
