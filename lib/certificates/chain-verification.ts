/** Certificates whose chains this library verifies, whoever ended TLS. */
import { chainVerifier, type CertificateInput } from './x509/chain.ts'
import { revocationLists, type RevocationProblem } from './x509/revocation-lists.ts'
import { oneOf, valueLike, type Check, type Checks } from '../options.ts'
import type { PresentedCertificate } from '../client-request.ts'

export interface ChainVerificationOptions {
  /** The CAs whose clients are accepted for `tls_client_auth`. */
  readonly ca: CertificateInput
  /** CAs between those and the clients, for clients that do not send them along. */
  readonly intermediates?: CertificateInput | undefined
  /** Files with revocation lists, PEM or DER, read again when they change. */
  readonly crl?: string | readonly string[] | undefined
  /**
   * Treatment of a certificate no current list tells about: `refuse` (default) answers 503; `accept` takes it as not
   * revoked.
   */
  readonly unknownRevocation?: 'refuse' | 'accept' | undefined
}

/** Certificates, as far as it can be told without reading them. */
export const certificateInput = (): Check<CertificateInput | undefined> =>
  valueLike<CertificateInput>('certificates in PEM or DER: one text or buffer, or a list of them', value =>
    [value].flat().every(one => typeof one === 'string' || one instanceof Uint8Array)
  )

/** Those of verifying chains; whether `ca` is needed says who reads them. */
export const chainChecks = {
  ca: certificateInput(),
  intermediates: certificateInput(),
  crl: valueLike<string | readonly string[]>('the path of a file, or a list of paths', value =>
    [value].flat().every(one => typeof one === 'string')
  ),
  unknownRevocation: oneOf(['refuse', 'accept'])
} satisfies Checks<ChainVerificationOptions>

/** A certificate, and what was sent along with it, as one whose chain is verified when somebody asks. */
export type PresentChain = (der: Uint8Array, chain: readonly Uint8Array[]) => PresentedCertificate

/** @throws ConfigurationError naming the option that is wrong. */
export function chainVerification(options: ChainVerificationOptions, report: (problem: RevocationProblem) => void): PresentChain {
  const { ca, intermediates, crl, unknownRevocation = 'refuse' } = options
  const revocation = crl === undefined ? undefined : revocationLists({ crl, unknownRevocation, onReport: report })
  const verifier = chainVerifier({ ca, intermediates, revocation })
  return (der, chain) => ({
    der,
    chain,
    verified: false,
    reason: 'the chain is still to be verified',
    verify: async now => {
      const { verified, reason } = await verifier(der, chain, now)
      return { verified, ...(reason !== undefined && { reason: `a certificate that ${reason}` }) }
    }
  })
}
