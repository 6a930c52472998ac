/** The client certificate of the TLS connection itself, with its chain verified here instead of in the handshake. */
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { LRUCache } from 'lru-cache'
import { withAuthorities } from './authorities.ts'
import { chainChecks, chainVerification, type ChainVerificationOptions } from './chain-verification.ts'
import { peerCertificate, sentAlong, type CertificateSource } from './source.ts'
import { fn, readOptions, required, type Checks } from '../options.ts'
import { reporter, revocationReport, type CertificateReport } from './proxy/options.ts'
import type { PresentedCertificate } from '../client-request.ts'

/** The options of `tlsCertificate()`. */
export interface TlsCertificateOptions extends ChainVerificationOptions {
  /**
   * Told of revocation lists that cannot be read or have run out. Without it, warnings of the process, once a minute at
   * most.
   */
  readonly onReport?: ((report: CertificateReport) => void) | undefined
}

export const tlsCertificateChecks = {
  ...chainChecks,
  ca: required(chainChecks.ca),
  onReport: fn<(report: CertificateReport) => void>()
} satisfies Checks<TlsCertificateOptions>

/** Bytes of certificates that are kept with what was found of them: clients come again. */
const cacheSize = 4_194_304
/** Bytes of what is made of a certificate, roughly. */
const parsedSize = 4096

interface Kept {
  readonly presented: PresentedCertificate
  readonly size: number
}

/**
 * Takes the client certificate of the TLS connection, for a Node server that terminates TLS with `requestCert: true`,
 * `rejectUnauthorized: false` and `ca: []`, and verifies its chain up to `ca`, as {@link proxyCertificate} does behind
 * a proxy.
 *
 * A server whose TLS has a `ca` names these in each handshake, and some clients (those of Go and Java) then send no
 * certificate that was not issued by one of them. With an empty one it names nobody: clients with certificates of their
 * own making get through too.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const certificate = tlsCertificate({ ca: clientsCa })
 * app.use(authorizationServer({ issuer, clients, store, keys, interaction, certificate }))
 * createServer(app, { tls: { key, cert, requestCert: true, rejectUnauthorized: false, ca: [] } }).listen(8443)
 */
export function tlsCertificate(options: TlsCertificateOptions): CertificateSource {
  const { onReport, ...chain } = readOptions(options, tlsCertificateChecks)
  const report = reporter(onReport)
  const present = chainVerification(chain, revocationReport(report))
  const bySocket = new WeakMap<object, PresentedCertificate>()
  // one object for equal certificates: what was parsed and verified of them is kept with it
  const known = new LRUCache<string, Kept>({ maxSize: cacheSize, sizeCalculation: ({ size }, name) => size + name.length })

  const source: CertificateSource = req => {
    const before = bySocket.get(req.socket)
    if (before !== undefined) return before
    const certificate = peerCertificate(req)
    if (certificate === undefined) return undefined
    const chain = [certificate, ...sentAlong(certificate)]
    const last = `last of ${certificate.fingerprint256}`
    const name = isResumed(req.socket) ? last : chain.map(({ fingerprint256 }) => fingerprint256).join()
    let kept = known.get(name)
    if (kept === undefined) {
      const [der = certificate.raw, ...others] = chain.map(({ raw }) => raw)
      kept = { presented: present(der, others), size: chain.reduce((sum, { raw }) => sum + raw.length, parsedSize) }
      known.set(name, kept)
    }
    // whoever resumes the session has the certificate alone: what came with it still holds
    known.set(last, kept)
    bySocket.set(req.socket, kept.presented)
    return kept.presented
  }
  return withAuthorities(source, chain.ca)
}

function isResumed(socket: IncomingMessage['socket']): boolean {
  return (socket as Partial<Pick<TLSSocket, 'isSessionReused'>>).isSessionReused?.() === true
}
