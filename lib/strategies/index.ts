/** The client authentication methods built in. The router, metadata and registration follow from this list. */
import { assertionOptionChecks, type AssertionOptions } from '../assertions/assertion-policy.ts'
import { clientKeys, type ClientKeys } from '../client-keys/client-keys.ts'
import { guardedFetch, type FetchJson } from '../outbound/guarded-fetch.ts'
import { clientsCheck, type ClientRegistry, type ClientSource } from '../clients/client.ts'
import type { BasicEncoding } from '../credentials/secrets/client-secret.ts'
import { flag, fn, readOptions, type Checks } from '../options.ts'
import { clientKeysCheck } from './attempt.ts'
import { basicEncodingCheck, ClientSecretBasicStrategy } from './client-secret-basic.ts'
import { ClientSecretJwtStrategy } from './client-secret-jwt.ts'
import { ClientSecretPostStrategy } from './client-secret-post.ts'
import { NoneStrategy } from './none.ts'
import { PrivateKeyJwtStrategy } from './private-key-jwt.ts'
import { SelfSignedTlsClientAuthStrategy } from './self-signed-tls-client-auth.ts'
import type { ClientAuthenticationStrategy } from './strategy.ts'
import { TlsClientAuthStrategy } from './tls-client-auth.ts'

/** What every built-in method needs, together. */
export interface BuiltInStrategiesOptions extends AssertionOptions {
  /** The registered clients: a list of metadata, or a function that finds one by its client_id. */
  readonly clients: ClientSource | ClientRegistry
  /** What becomes of a client that does not form-encode its secret in the Authorization header. Default `report`. */
  readonly basicEncoding?: BasicEncoding | undefined
  /** Fetches a client's `jwks_uri`, where `clientKeys` is not given. Default: https only, to public addresses. */
  readonly fetchJson?: FetchJson | undefined
  /** Finds clients' keys. Hand one over where something else verifies what clients sign: it holds the cache. */
  readonly clientKeys?: ClientKeys | undefined
  /** False leaves the two certificate methods out: for a server whose connections never carry a certificate. Default true. */
  readonly certificateMethods?: boolean | undefined
}

export const builtInStrategiesChecks = {
  ...assertionOptionChecks,
  clients: clientsCheck,
  basicEncoding: basicEncodingCheck,
  fetchJson: fn<FetchJson>(),
  clientKeys: clientKeysCheck,
  certificateMethods: flag(true)
} satisfies Checks<BuiltInStrategiesOptions>

/**
 * Every method built in, in the order metadata lists them; the JWT and certificate methods share one cache of client keys.
 *
 * @throws ConfigurationError naming the option that is wrong.
 */
export function builtInStrategies(options: BuiltInStrategiesOptions): readonly ClientAuthenticationStrategy[] {
  const { basicEncoding, certificateMethods, fetchJson, ...read } = readOptions(options, builtInStrategiesChecks)
  const { clients, clock } = read
  const keys = read.clientKeys ?? clientKeys({ fetchJson: fetchJson ?? guardedFetch(), clock })
  const common = { clients, clock }
  const jwt = { ...read, clientKeys: keys }
  return [
    new ClientSecretBasicStrategy({ ...common, basicEncoding }),
    new ClientSecretPostStrategy(common),
    new ClientSecretJwtStrategy(jwt),
    new PrivateKeyJwtStrategy(jwt),
    ...(certificateMethods
      ? [new TlsClientAuthStrategy(common), new SelfSignedTlsClientAuthStrategy({ ...common, clientKeys: keys })]
      : []),
    new NoneStrategy(common)
  ]
}
