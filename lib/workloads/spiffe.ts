/** SPIFFE: workloads with an identity of their trust domain. */
import type { TrustDomain } from '../assertions/workloads/options.ts'
import type { FederatedCredential } from '../clients/federated-credential.ts'
import { parseSpiffeId } from '../clients/spiffe-id.ts'
import { readOptions, required, textLike, type Checks } from '../options.ts'
import { credential, isHttps, presetChecks, refusing, type PresetOptions } from './preset.ts'

/** Which workload, and who vouches for it in tokens that have an `iss`. */
export interface SpiffeOptions extends PresetOptions {
  /** The address of the trust domain's OIDC discovery provider, which is the `iss` of its JWT-SVIDs. */
  readonly issuer: string
  /** The workload, such as `spiffe://prod.example/deployer`. */
  readonly spiffeId: string
}

/** The settings of a trust domain. */
export interface SpiffeTrustDomainOptions extends Omit<TrustDomain, 'trustDomain' | 'bundle' | 'bundleEndpoint'> {
  /** The trust domain's bundle, or the https address where it is. */
  readonly bundle: string | NonNullable<TrustDomain['bundle']>
}

export const spiffeChecks = {
  ...presetChecks,
  issuer: required(textLike('an https URL', isHttps)),
  spiffeId: required(
    textLike('the SPIFFE ID of a workload, such as spiffe://prod.example/deployer', id => (parseSpiffeId(id)?.path ?? '') !== '')
  )
} satisfies Checks<SpiffeOptions>

const refuse = refusing('spiffe')

/** See {@link spiffe}. */
export interface Spiffe {
  /** @throws ConfigurationError naming the option that is wrong, or missing. */
  (options: SpiffeOptions): FederatedCredential
  /**
   * A trust domain, for `workloads.trustDomains`; its workloads are clients of `spiffe_jwt` and `spiffe_x509` by their
   * `spiffe_id`.
   *
   * @param trustDomain its name, such as `prod.example`.
   * @throws ConfigurationError naming the option that is wrong.
   */
  trustDomain(trustDomain: string, options: SpiffeTrustDomainOptions): TrustDomain
}

/**
 * The credential of a SPIFFE workload for the method `federated_jwt`, where its trust domain has an OIDC discovery
 * provider and its tokens an `iss`. Where it has not, or to use certificates, the client has a `spiffe_id` instead, and
 * the server the trust domain.
 *
 * @example
 * authorizationServer({ workloads: { trustDomains: [spiffe.trustDomain('prod.example', { bundle: 'https://spire.example/bundle' })] }, … })
 */
export const spiffe: Spiffe = Object.assign(
  (options: SpiffeOptions): FederatedCredential => {
    const { spiffeId, ...read } = readOptions(options, spiffeChecks, 'spiffe.')
    return credential(read, { issuer: read.issuer, subject: spiffeId, claims: {} }, refuse)
  },
  {
    trustDomain(trustDomain: string, { bundle, ...settings }: SpiffeTrustDomainOptions): TrustDomain {
      if (parseSpiffeId(`spiffe://${trustDomain}`)?.path !== '')
        refuse('trustDomain', 'must be the name of a trust domain, such as prod.example, without spiffe://')
      if (typeof bundle === 'string') return { ...settings, trustDomain, bundleEndpoint: bundle }
      return { ...settings, trustDomain, bundle }
    }
  }
)
