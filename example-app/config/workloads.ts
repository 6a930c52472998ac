/** Authorities on the workloads that clients are: the settings `workload_issuers` and `trust_domains`. */
import type { TrustDomain, WorkloadIssuer } from 'clientele'
import { ConfigError } from './config-error.ts'
import { jwksUriMustBe } from './clients.ts'
import type { IssuerSettings } from './schema.ts'

/** The library's options. */
export function workloadOptions({ workload_issuers, trust_domains }: Pick<IssuerSettings, 'workload_issuers' | 'trust_domains'>) {
  if (workload_issuers.length === 0 && trust_domains.length === 0) return {}
  const issuers = workload_issuers.map(({ max_lifetime: maxLifetime, use, ...rest }) => ({
    ...rest,
    maxLifetime,
    replay: use === 'once' ? 'once' : 'allow'
  })) as readonly WorkloadIssuer[]
  const trustDomains = trust_domains.map(({ trust_domain: trustDomain, bundle, bundle_endpoint: bundleEndpoint }) => ({
    ...{ trustDomain, bundle, bundleEndpoint }
  })) as readonly TrustDomain[]
  return { workloads: { issuers, trustDomains } }
}

/** Holds addresses to fetch from to the rule of `jwks_uri`. @throws ConfigError naming the setting that breaks it. */
export function checkWorkloads(
  { workload_issuers, trust_domains }: Pick<IssuerSettings, 'workload_issuers' | 'trust_domains'>,
  prefix: string,
  issuer: URL
): void {
  const check = (path: string, address: string | undefined): void => {
    const mustBe = address === undefined ? undefined : jwksUriMustBe(address, issuer)
    if (mustBe !== undefined) throw new ConfigError(`${prefix}${path}`, mustBe)
  }
  workload_issuers.forEach(({ issuer: name, jwks, jwks_uri }, index) => {
    check(`workload_issuers[${index}].jwks_uri`, jwks_uri)
    // its discovery document is fetched from there
    if (jwks === undefined && jwks_uri === undefined) check(`workload_issuers[${index}].issuer`, name)
  })
  trust_domains.forEach(({ bundle_endpoint }, index) => check(`trust_domains[${index}].bundle_endpoint`, bundle_endpoint))
}
