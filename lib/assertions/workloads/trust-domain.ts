/** A SPIFFE trust domain: its bundle, given or fetched, as keys of JWT-SVIDs and as what verifies X.509-SVIDs. */
import type { JWK } from 'jose'
import { chainVerifier, type ChainVerifier } from '../../certificates/x509/chain.ts'
import { GuardedFetchError, type FetchJson } from '../../outbound/guarded-fetch.ts'
import { keptDocument } from '../../outbound/kept-document.ts'
import type { IssuerKeys } from '../trusted-jwt.ts'
import { readBundle, type Bundle } from './bundle.ts'
import type { TrustDomainRule } from './options.ts'

/** A trust domain, with the keys and the certificates it vouches with. */
export interface SpiffeDomain {
  readonly rule: TrustDomainRule
  /** The keys of its JWT-SVIDs, found by the domain and never by what a token says of its issuer. */
  readonly jwtKeys: IssuerKeys
  /**
   * Finds the verifier of paths to its certificates, and to no others; undefined where it has none. Asks for a newer
   * bundle, where that is possible and not too soon, where there is none but `unlike`, which a path was not found by.
   * `problem`: why its bundle could not be had. Never rejects.
   */
  certificates(
    unlike?: ChainVerifier
  ): Promise<{ readonly verifier: ChainVerifier | undefined; readonly problem: string | undefined }>
}

/** @param clock milliseconds since the epoch. */
export function spiffeDomain(
  rule: TrustDomainRule,
  { fetchJson, clock }: { readonly fetchJson: FetchJson; readonly clock: () => number }
): SpiffeDomain {
  const bundles = bundleSource(rule, fetchJson, clock)
  const of = `the trust domain ${rule.trustDomain}`
  return {
    rule,
    jwtKeys: {
      of,
      async find(satisfied: (keys: readonly JWK[]) => boolean) {
        const { value, problem } = await bundles(({ jwtKeys }) => satisfied(jwtKeys))
        return { keys: value?.jwtKeys ?? [], problem }
      }
    },
    async certificates(unlike) {
      const { value, problem } = await bundles(bundle => {
        const verifier = verifierOf(bundle)
        return verifier !== undefined && verifier !== unlike
      })
      return { verifier: value && verifierOf(value), problem }
    }
  }
}

type BundleSource = (
  satisfied: (bundle: Bundle) => boolean
) => Promise<{ readonly value: Bundle | undefined; readonly problem: string | undefined }>

function bundleSource(
  { bundle, bundleEndpoint, staleLimit }: TrustDomainRule,
  fetchJson: FetchJson,
  clock: () => number
): BundleSource {
  if (bundleEndpoint === undefined) {
    const given = Promise.resolve({ value: bundle, problem: undefined })
    return () => given
  }
  const document = keptDocument<Bundle>({
    clock,
    staleLimit,
    load: async previous => {
      const { json } = await fetchJson(bundleEndpoint)
      const value = readBundle(json)
      if (value === undefined) throw new GuardedFetchError('unacceptable', 'the answer was not a SPIFFE bundle')
      checkSequence(previous, value)
      // a bundle that does not say which it is leaves the last that said so in force
      const sequence = value.sequence ?? previous?.sequence
      return { value: { ...value, sequence }, freshFor: value.refreshHint }
    }
  })
  return satisfied => document.get(satisfied)
}

/** An older bundle may have keys in it that were taken back. */
function checkSequence(previous: Bundle | undefined, { sequence }: Bundle): void {
  const before = previous?.sequence
  if (before !== undefined && sequence !== undefined && sequence < before)
    throw new GuardedFetchError('unacceptable', `the spiffe_sequence of the answer went back from ${before} to ${sequence}`)
}

const verifiers = new WeakMap<Bundle, ChainVerifier>()

/**
 * One for each version of a bundle: what it found of a certificate is good for as long as these are the authorities.
 */
function verifierOf(bundle: Bundle): ChainVerifier | undefined {
  const known = verifiers.get(bundle)
  if (known !== undefined || bundle.certificates.length === 0) return known
  const verifier = chainVerifier({ ca: bundle.certificates })
  verifiers.set(bundle, verifier)
  return verifier
}
