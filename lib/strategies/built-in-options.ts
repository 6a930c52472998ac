/** The options of the built-in methods, together. */
import { clientAttestationCheck, type ClientAttestation } from '../assertions/attestation/attestation.ts'
import { assertionOptionChecks, type AssertionOptions } from '../assertions/assertion-policy.ts'
import { workloadsCheck, type WorkloadsOptions } from '../assertions/workloads/options.ts'
import type { ClientKeys } from '../client-keys/client-keys.ts'
import { clientsCheck, type ClientRegistry, type ClientSource } from '../clients/client.ts'
import type { BasicEncoding } from '../credentials/secrets/client-secret.ts'
import { flag, fn, type Checks } from '../options.ts'
import type { FetchJson } from '../outbound/guarded-fetch.ts'
import { clientKeysCheck } from './attempt.ts'
import { basicEncodingCheck } from './client-secret-basic.ts'
import { secretHashChecks, type SecretHashOptions } from './secret-proof.ts'

/** The options of `builtInStrategies()`: what every built-in method needs, together. */
export interface BuiltInStrategiesOptions extends AssertionOptions, SecretHashOptions {
  /** The registered clients: a list of metadata, or a function that finds one by its client_id. */
  readonly clients: ClientSource | ClientRegistry
  /** Treatment of clients that do not form-encode their secret in the Authorization header. Default `report`. */
  readonly basicEncoding?: BasicEncoding | undefined
  /** Fetches a client's `jwks_uri`, where `clientKeys` is not given. Default: https only, to public addresses. */
  readonly fetchJson?: FetchJson | undefined
  /** Finds clients' keys. Hand one over where something else verifies what clients sign: it holds the cache. */
  readonly clientKeys?: ClientKeys | undefined
  /**
   * Platforms and domains whose word about workloads is taken: adds `federated_jwt`, `spiffe_jwt` and `spiffe_x509`,
   * each where there is somebody to take it from.
   */
  readonly workloads?: WorkloadsOptions | undefined
  /**
   * The attesters and challenges of the two methods of attestation, which are left out without it; what
   * `clientAttestation()` makes.
   */
  readonly attestation?: ClientAttestation | undefined
  /**
   * True where clients of other methods may send an attestation too, and whoever mounts the strategies verifies it.
   * Default false.
   */
  readonly attestationSignal?: boolean | undefined
  /**
   * False leaves the certificate methods out: for a server whose connections never carry a certificate. Default true.
   */
  readonly certificateMethods?: boolean | undefined
}

/** Checks of these options. */
export const builtInStrategiesChecks = {
  ...assertionOptionChecks,
  ...secretHashChecks,
  clients: clientsCheck,
  basicEncoding: basicEncodingCheck,
  fetchJson: fn<FetchJson>(),
  clientKeys: clientKeysCheck,
  workloads: workloadsCheck,
  attestation: clientAttestationCheck,
  attestationSignal: flag(false),
  certificateMethods: flag(true)
} satisfies Checks<BuiltInStrategiesOptions>
