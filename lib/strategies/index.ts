/** The client authentication methods built in. The router, metadata and registration follow from this list. */
import type { AssertionDials } from '../assertions/assertion-dials.ts'
import { clientKeys, type ClientKeys } from '../client-keys/client-keys.ts'
import { guardedFetch, type FetchJson } from '../outbound/guarded-fetch.ts'
import type { AssertionAudience, ClientRegistry, ClientSource } from '../clients/client.ts'
import type { BasicEncoding } from '../credentials/secrets/client-secret.ts'
import type { Clock } from '../client-request.ts'
import type { Store } from '../stores/store.ts'
import { ClientSecretBasicStrategy } from './client-secret-basic.ts'
import { ClientSecretJwtStrategy } from './client-secret-jwt.ts'
import { ClientSecretPostStrategy } from './client-secret-post.ts'
import { NoneStrategy } from './none.ts'
import { PrivateKeyJwtStrategy } from './private-key-jwt.ts'
import { SelfSignedTlsClientAuthStrategy } from './self-signed-tls-client-auth.ts'
import type { ClientAuthenticationStrategy } from './strategy.ts'
import { TlsClientAuthStrategy } from './tls-client-auth.ts'

/** What every built-in method needs, together. */
export interface BuiltInStrategiesOptions {
  readonly clients: ClientSource | ClientRegistry
  readonly issuer: string
  readonly store: Store
  readonly assertionAudience?: AssertionAudience | undefined
  readonly legacyAudiences?: readonly string[] | undefined
  /** The signature algorithms client assertions may have. Default: all that can be verified. */
  readonly algorithms?: readonly string[] | undefined
  /** Which further rules about assertions are enforced, and which only reported. */
  readonly assertionDials?: AssertionDials | undefined
  /** What becomes of a client that does not form-encode its secret in the Authorization header. Default `report`. */
  readonly basicEncoding?: BasicEncoding | undefined
  /** True refuses `aud` of an assertion as a list (FAPI 2.0 §5.3.2.1). */
  readonly audienceAsStringOnly?: boolean | undefined
  readonly clock?: Clock | undefined
  readonly fetchJson?: FetchJson | undefined
  /** Finds clients' keys. Hand one over where something else verifies what clients sign: it holds the cache. */
  readonly clientKeys?: ClientKeys | undefined
  /** False leaves the two certificate methods out: for a server whose connections never carry a certificate. Default true. */
  readonly certificateMethods?: boolean | undefined
}

/** Every method built in, in the order metadata lists them; the JWT and certificate methods share one cache of client keys. */
export function builtInStrategies(options: BuiltInStrategiesOptions): readonly ClientAuthenticationStrategy[] {
  const { clients, issuer, store, clock, fetchJson } = options
  const { assertionAudience, legacyAudiences, assertionDials, algorithms, audienceAsStringOnly } = options
  const keys = options.clientKeys ?? clientKeys({ fetchJson: fetchJson ?? guardedFetch(), clock })
  const common = { clients, clock }
  const rules = { assertionAudience, legacyAudiences, assertionDials, algorithms, audienceAsStringOnly }
  const jwt = { ...common, issuer, store, ...rules, clientKeys: keys }
  return [
    new ClientSecretBasicStrategy({ ...common, basicEncoding: options.basicEncoding }),
    new ClientSecretPostStrategy(common),
    new ClientSecretJwtStrategy(jwt),
    new PrivateKeyJwtStrategy(jwt),
    ...(options.certificateMethods === false
      ? []
      : [new TlsClientAuthStrategy(common), new SelfSignedTlsClientAuthStrategy({ ...common, clientKeys: keys })]),
    new NoneStrategy(common)
  ]
}
