/**
 * Where client certificates come from: the listeners' own TLS connections, and the header of a proxy where one is
 * configured.
 */
import {
  ConfigurationError,
  directTls,
  proxyCertificate,
  tlsCertificate,
  type CertificateReport,
  type CertificateSource
} from 'clientele'
import { ConfigError, mustBeOf } from './config/config-error.ts'
import type { Config } from './config/config.ts'
import type { Log } from './log.ts'

/**
 * Undefined where no header and no authority is configured: then the certificate of the connection counts, whose chain
 * nobody verifies.
 *
 * @throws {@link ConfigError} for a header that would be believed from anywhere, and for an authority that is none.
 */
export function clientCertificates({ settings, tls }: Config, log: Log): CertificateSource | undefined {
  const configured = settings.client_certificate_header
  const clientCa = tls?.clientCa ?? []
  const report = ({ message, peer }: CertificateReport) => log.warn({ peer }, message)
  // the handshake names no authority and so verifies no chain: see `tlsOptions`
  const fromTls = clientCa.length === 0 ? undefined : namingSettings(() => tlsCertificate({ ca: clientCa, onReport: report }))
  if (configured === undefined) return fromTls
  const { name, format, trusted_proxies } = configured
  const direct = fromTls ?? directTls
  if (clientCa.length === 0)
    log.warn('tls.client_ca names no authority: client certificates in the header count as verified by the proxy')
  const fromProxy = namingSettings(() =>
    proxyCertificate({
      format,
      header: name,
      // what a certificate's chain is made of proves itself; nobody has to be trusted for it
      ...(format === 'rfc9440' && { chainHeader: 'client-cert-chain' }),
      trustedProxies: trusted_proxies,
      ...(clientCa.length > 0 ? { ca: clientCa } : { verifiedByProxy: true }),
      otherwise: direct,
      onReport: report
    })
  )
  // the mutual-TLS listener is for clients themselves, also for one that runs where a proxy does
  return (req, note) => fromProxy(req, note) ?? (req.socket.localPort === tls?.port ? direct(req) : undefined)
}

/** The library's options by the names they have in the configuration file. */
const settingNames: Readonly<Record<string, string>> = {
  header: 'client_certificate_header.name',
  chainHeader: 'client_certificate_header.name',
  trustedProxies: 'client_certificate_header.trusted_proxies',
  ca: 'tls.client_ca'
}

function namingSettings<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const [option = '', rest = ''] = error.key.split(/(?=\[)(.*)/s)
    throw new ConfigError(`${settingNames[option] ?? option}${rest}`, mustBeOf(error))
  }
}
