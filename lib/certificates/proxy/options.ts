/** The options of {@link proxyCertificate}, and the checks whether they can be meant. */
import type { CertificateInput } from '../x509/chain.ts'
import type { RevocationProblem } from '../x509/revocation-lists.ts'
import { chainChecks, chainVerification, type PresentChain } from '../chain-verification.ts'
import { harmless, warn } from '../../listeners.ts'
import { certificateFormats, type CertificateFormat, type FormatReader } from './formats.ts'
import type { CertificateSource } from '../source.ts'
import { trustedProxyProblem } from './trusted-proxies.ts'
import {
  ConfigurationError,
  fn,
  integer,
  oneOf,
  readBy,
  required,
  textLike,
  valueLike,
  type Checks,
  type Read
} from '../../options.ts'

/** The options of `proxyCertificate()`. */
export interface ProxyCertificateOptions {
  /** Format the proxy writes the certificate in; `certificateHeaders` has format and header of the usual proxies. */
  readonly format: CertificateFormat
  /** The header's name, in any case. Default: the format's own, where it has one (`rfc9440`, `envoy-xfcc`). */
  readonly header?: string | undefined
  /** The header with the certificates between the client's and its CA. Default: none is read. */
  readonly chainHeader?: string | undefined
  /**
   * The proxies, by address or network (CIDR): connections from elsewhere are nobody whose header is believed. Networks
   * must be no larger than /8 (IPv4) and /7 (IPv6). The address is that of the connection itself, never one a header
   * names.
   */
  readonly trustedProxies: readonly string[]
  /**
   * The CAs whose clients are accepted for `tls_client_auth`: then every chain is verified here, whatever the proxy
   * did.
   */
  readonly ca?: CertificateInput | undefined
  /** CAs between those and the clients, for where the proxy passes no chain on. */
  readonly intermediates?: CertificateInput | undefined
  /** Files with revocation lists, PEM or DER, read again when they change. Needs `ca`. */
  readonly crl?: string | readonly string[] | undefined
  /**
   * Treatment of a certificate no current list tells about: `refuse` (default) answers 503; `accept` takes it as not
   * revoked.
   */
  readonly unknownRevocation?: 'refuse' | 'accept' | undefined
  /**
   * Where there is no `ca`: whether the proxy verified the chain. True says that it passes on nothing it has not
   * verified; the name of a header that it says so in each request, with `SUCCESS` (nginx, Apache) or `0` (HAProxy),
   * and with anything else that it has not. Default: false, and `tls_client_auth` is refused; self-signed certificates
   * and token binding need no chain.
   */
  readonly verifiedByProxy?: boolean | string | undefined
  /**
   * `envoy-xfcc` alone: how many proxies of your own add an element, one behind the other. Default 1: the last element
   * counts.
   */
  readonly hops?: number | undefined
  /**
   * Source of the certificate for connections that do not come from a trusted proxy, such as `directTls`. Default:
   * none.
   */
  readonly otherwise?: CertificateSource | undefined
  /**
   * Told of what an operator should look at. Without it, warnings of the process, once a minute at most. What it throws
   * or rejects with is ignored.
   */
  readonly onReport?: ((report: CertificateReport) => void) | undefined
}

/**
 * - `untrusted_header`: a certificate header from somebody who is no trusted proxy; it was ignored. An attempt, or a
 *   proxy that is missing from the list.
 * - `revocation`: a revocation list that cannot be read, or whose time has passed.
 */
export interface CertificateReport {
  /**
   * `untrusted_header`: somebody who is no trusted proxy sent the header. `revocation`: a revocation list could not be
   * used.
   */
  readonly problem: 'untrusted_header' | 'revocation'
  /** A sentence. It repeats no header's value. */
  readonly message: string
  /** The address of the connection. */
  readonly peer?: string
  /** The header's name, where the problem is one of a header. */
  readonly header?: string
  /** The revocation list's file, where the problem is one of a list. */
  readonly file?: string
}

const headerName = textLike('the name of a header', name => /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name))

const toldByNobody = valueLike<boolean>('true, false or the name of a header', value => typeof value === 'boolean')

export const proxyCertificateChecks = {
  format: required(oneOf([...certificateFormats.keys()])),
  header: headerName,
  chainHeader: headerName,
  trustedProxies: readBy('a list of IP addresses and networks', readProxies),
  ...chainChecks,
  verifiedByProxy: readBy('true, false or the name of a header', (value, key) =>
    typeof value === 'string' ? headerName.read(value, key) : toldByNobody.read(value, key)
  ),
  hops: integer({ min: 1, max: 10 }),
  otherwise: fn<CertificateSource>(),
  onReport: fn<(report: CertificateReport) => void>()
} satisfies Checks<ProxyCertificateOptions>

type ReadProxyCertificate = Read<typeof proxyCertificateChecks>

export interface CertificateHeaders {
  readonly reader: FormatReader
  readonly header: string
  readonly chainHeader: string | undefined
  readonly hops: number
}

/** The judge of a chain: this server, the proxy for all requests, the proxy in a header of each, or nobody. */
export type Verification =
  | { readonly by: 'us'; readonly present: PresentChain }
  | { readonly by: 'proxy' }
  | { readonly by: 'header'; readonly header: string }
  | { readonly by: 'nobody' }

const warningInterval = 60_000

/** @throws ConfigurationError for options that do not go with one another. */
export function checkHeaders(options: ReadProxyCertificate): CertificateHeaders {
  const { format, hops } = options
  const reader = certificateFormats.get(format)
  const header = options.header?.toLowerCase() ?? reader?.header
  if (reader === undefined || header === undefined)
    throw new ConfigurationError('header', `must be given: ${format} has no header of its own`)
  const chainHeader = options.chainHeader?.toLowerCase()
  if (chainHeader !== undefined && reader.readChain === undefined)
    throw new ConfigurationError('chainHeader', `must be left out: ${format} has the chain in the same header`)
  if (chainHeader === header) throw new ConfigurationError('chainHeader', 'must be another header than header')
  if (hops !== undefined && format !== 'envoy-xfcc')
    throw new ConfigurationError('hops', 'must be left out: it is for envoy-xfcc')
  return { reader, header, chainHeader, hops: hops ?? 1 }
}

function readProxies(list: unknown, key: string): readonly string[] {
  if (!Array.isArray(list)) throw new ConfigurationError(key, 'must be a list of IP addresses and networks')
  if (list.length === 0)
    throw new ConfigurationError(key, 'must name at least one proxy: the header is believed from these addresses alone')
  list.forEach((entry: unknown, index) => {
    const problem = trustedProxyProblem(entry)
    if (problem !== undefined) throw new ConfigurationError(`${key}[${index}]`, problem)
  })
  return list as readonly string[]
}

/** @throws ConfigurationError for options that do not go with one another. */
export function checkVerification(options: ReadProxyCertificate, report: (report: CertificateReport) => void): Verification {
  const { ca, verifiedByProxy = false } = options
  if (ca === undefined) {
    for (const key of ['intermediates', 'crl', 'unknownRevocation'] as const)
      if (options[key] !== undefined)
        throw new ConfigurationError(key, 'must be left out where there is no ca: chains are not verified here')
    if (typeof verifiedByProxy === 'string') return { by: 'header', header: verifiedByProxy.toLowerCase() }
    return { by: verifiedByProxy ? 'proxy' : 'nobody' }
  }
  if (verifiedByProxy !== false)
    throw new ConfigurationError('verifiedByProxy', 'must be left out where ca is given: every chain is verified here')
  return { by: 'us', present: chainVerification({ ...options, ca }, revocationReport(report)) }
}

/** Passes on problems of revocation lists as reports of a source. */
export function revocationReport(report: (report: CertificateReport) => void): (problem: RevocationProblem) => void {
  return problem => report({ problem: 'revocation', ...problem })
}

/** Tells who listens, or the process's operator where nobody does. */
export function reporter(told: ProxyCertificateOptions['onReport']): (report: CertificateReport) => void {
  if (told !== undefined) return harmless('onReport', told)
  let lastWarning = -Infinity
  return ({ message }) => {
    const now = performance.now()
    if (now - lastWarning < warningInterval) return
    lastWarning = now
    warn(message)
  }
}
