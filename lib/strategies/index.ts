/** The client authentication methods built in. The router, metadata and registration follow from this list. */
import { clientKeys } from '../client-keys/client-keys.ts'
import { guardedFetch } from '../outbound/guarded-fetch.ts'
import { readOptions } from '../options.ts'
import { AttestJwtClientAuthDpopStrategy } from './attest-jwt-client-auth-dpop.ts'
import { AttestJwtClientAuthStrategy } from './attest-jwt-client-auth.ts'
import { builtInStrategiesChecks, type BuiltInStrategiesOptions } from './built-in-options.ts'
import { ClientSecretBasicStrategy } from './client-secret-basic.ts'
import { ClientSecretJwtStrategy } from './client-secret-jwt.ts'
import { ClientSecretPostStrategy } from './client-secret-post.ts'
import type { ReadWorkloads } from '../assertions/workloads/options.ts'
import { FederatedJwtStrategy, type FederatedJwtOptions } from './federated-jwt.ts'
import { NoneStrategy } from './none.ts'
import { PrivateKeyJwtStrategy } from './private-key-jwt.ts'
import { SelfSignedTlsClientAuthStrategy } from './self-signed-tls-client-auth.ts'
import { SpiffeJwtStrategy } from './spiffe-jwt.ts'
import { SpiffeX509Strategy } from './spiffe-x509.ts'
import type { ClientAuthenticationStrategy } from './strategy.ts'
import { TlsClientAuthStrategy } from './tls-client-auth.ts'

export { AttestJwtClientAuthDpopStrategy, type AttestJwtClientAuthDpopOptions } from './attest-jwt-client-auth-dpop.ts'
export { AttestJwtClientAuthStrategy } from './attest-jwt-client-auth.ts'
export type { AttestationStrategyOptions } from './attestation-strategy.ts'
export type { BuiltInStrategiesOptions } from './built-in-options.ts'
export { ClientSecretBasicStrategy, type ClientSecretBasicOptions } from './client-secret-basic.ts'
export { ClientSecretJwtStrategy, type ClientSecretJwtOptions } from './client-secret-jwt.ts'
export { ClientSecretPostStrategy, type ClientSecretPostOptions } from './client-secret-post.ts'
export { FederatedJwtStrategy, type FederatedJwtOptions } from './federated-jwt.ts'
export { NoneStrategy } from './none.ts'
export { PrivateKeyJwtStrategy, type PrivateKeyJwtOptions } from './private-key-jwt.ts'
export type { SecretHashOptions } from './secret-proof.ts'
export { SelfSignedTlsClientAuthStrategy, type SelfSignedTlsClientAuthOptions } from './self-signed-tls-client-auth.ts'
export { SpiffeJwtStrategy } from './spiffe-jwt.ts'
export { SpiffeX509Strategy } from './spiffe-x509.ts'
export { TlsClientAuthStrategy } from './tls-client-auth.ts'
export type { WorkloadStrategyOptions } from './workload-strategy.ts'

/**
 * Every method built in, in the order metadata lists them; the JWT and certificate methods share one cache of client
 * keys.
 *
 * @throws ConfigurationError naming the option that is wrong.
 */
export function builtInStrategies(options: BuiltInStrategiesOptions): readonly ClientAuthenticationStrategy[] {
  const {
    basicEncoding,
    secretHashes,
    onSecretUpgrade,
    certificateMethods,
    fetchJson,
    workloads,
    attestation,
    attestationSignal: supplementary,
    ...read
  } = readOptions(options, builtInStrategiesChecks)
  const { clients, clock, issuer, store } = read
  const keys = read.clientKeys ?? clientKeys({ fetchJson: fetchJson ?? guardedFetch(), clock })
  const common = { clients, clock }
  const hashed = { secretHashes, onSecretUpgrade }
  const jwt = { ...read, clientKeys: keys }
  return [
    new ClientSecretBasicStrategy({ ...common, ...hashed, basicEncoding }),
    new ClientSecretPostStrategy({ ...common, ...hashed }),
    new ClientSecretJwtStrategy(jwt),
    new PrivateKeyJwtStrategy(jwt),
    ...(workloads === undefined
      ? []
      : workloadStrategies({ clients, clock, issuer, store, workloads: workloads.given }, workloads, certificateMethods)),
    ...(certificateMethods
      ? [new TlsClientAuthStrategy(common), new SelfSignedTlsClientAuthStrategy({ ...common, clientKeys: keys })]
      : []),
    ...(attestation === undefined
      ? []
      : [
          new AttestJwtClientAuthStrategy({ ...common, attestation, supplementary }),
          new AttestJwtClientAuthDpopStrategy({ ...common, attestation, supplementary })
        ]),
    new NoneStrategy(common)
  ]
}

/** Each where there is somebody whose word it takes. */
function workloadStrategies(
  { store, ...options }: FederatedJwtOptions,
  { issuers, trustDomains }: ReadWorkloads,
  certificateMethods: boolean
): readonly ClientAuthenticationStrategy[] {
  return [
    ...(issuers.size > 0 ? [new FederatedJwtStrategy({ ...options, store })] : []),
    ...(trustDomains.size > 0 ? [new SpiffeJwtStrategy(options)] : []),
    ...(trustDomains.size > 0 && certificateMethods ? [new SpiffeX509Strategy(options)] : [])
  ]
}
