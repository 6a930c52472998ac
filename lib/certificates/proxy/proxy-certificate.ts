/** The client certificate as a proxy in front of this server passes it on. */
import { withAuthorities } from '../authorities.ts'
import { LRUCache } from 'lru-cache'
import { derValues, DerError } from '../x509/der.ts'
import { CertificateError, parseCertificate } from '../x509/certificate.ts'
import { readHeader, unreadable } from './header.ts'
import { longestChain, type CertificateSource } from '../source.ts'
import { proxyTrust } from './trusted-proxies.ts'
import { readOptions } from '../../options.ts'
import {
  checkHeaders,
  checkVerification,
  proxyCertificateChecks,
  reporter,
  type CertificateHeaders,
  type ProxyCertificateOptions,
  type Verification
} from './options.ts'
import type { PresentedCertificate } from '../../client-request.ts'

/**
 * Takes the client certificate from a header that a trusted proxy sets. From a trusted proxy, no header or an empty one
 * is no certificate, and one that cannot be read (sent twice, cut short, not the format's encoding, not exactly one
 * X.509 certificate) is 400 `invalid_request`. From anybody else the header is ignored and reported.
 *
 * The proxy must overwrite or remove the header on every request that reaches it; docs/certificates.md shows how.
 *
 * @throws ConfigurationError naming the option that is wrong, and wherever the header would be believed from anywhere.
 *
 * @example
 * const certificate = proxyCertificate({ ...certificateHeaders.nginx, trustedProxies: ['10.0.0.5'], ca: readFileSync('clients-ca.pem', 'utf8') })
 * app.use(authorizationServer({ issuer, clients, store, keys, interaction, certificate }))
 */
export function proxyCertificate(options: ProxyCertificateOptions): CertificateSource {
  const given = readOptions(options, proxyCertificateChecks)
  const headers = checkHeaders(given)
  const isTrusted = proxyTrust(given.trustedProxies)
  const { otherwise } = given
  const report = reporter(given.onReport)
  const read = certificateReader(headers, checkVerification(given, report))

  const source: CertificateSource = (req, note) => {
    const peer = req.socket.remoteAddress
    if (isTrusted(peer)) return read(req)
    if ((req.headers[headers.header] ?? '') !== '') {
      const message = `the header ${headers.header} from ${peer ?? 'a closed connection'} was ignored: it does not come from one of trustedProxies`
      note?.(message)
      report({ problem: 'untrusted_header', message, header: headers.header, ...(peer !== undefined && { peer }) })
    }
    return otherwise?.(req, note)
  }
  return withAuthorities(source, given.ca)
}

/** Characters of headers kept with what they were parsed to: a client sends the same ones with every request. */
const cacheSize = 4_194_304

function certificateReader(headers: CertificateHeaders, verification: Verification): CertificateSource {
  const { reader, header, chainHeader, hops } = headers
  // one object for equal headers: what was parsed and verified of it is kept with it
  const known = new LRUCache<string, PresentedCertificate>({ maxSize: cacheSize, sizeCalculation: (_, key) => 1 + key.length })
  return req => {
    const value = readHeader(req, header)
    if (value === '') return undefined
    const chainValue = chainHeader === undefined ? '' : readHeader(req, chainHeader, reader.chainIsList)
    const key = `${value}\n${chainValue}`
    let presented = known.get(key)
    if (presented === undefined) {
      const [leaf, ...sentAlong] = reader.read(value, hops)
      if (leaf === undefined) return undefined
      const chain = chainValue === '' ? [] : (reader.readChain?.(chainValue) ?? [])
      presented = toPresented(leaf, [...sentAlong, ...chain], verification)
      known.set(key, presented)
    }
    if (verification.by !== 'header') return presented
    const verdict = readHeader(req, verification.header)
    return isGood(verdict) ? { ...presented, verified: true } : { ...presented, reason: reasonOf(verdict) }
  }
}

/** Whether the proxy says that it verified the chain: `SUCCESS` from nginx and Apache, `0` from HAProxy. */
function isGood(verdict: string): boolean {
  return verdict === 'SUCCESS' || verdict === '0'
}

function reasonOf(verdict: string): string {
  return verdict === '' ? 'the proxy did not say whether it verified the chain' : `the proxy says ${verdict}`
}

function toPresented(der: Uint8Array, sentAlong: readonly Uint8Array[], verification: Verification): PresentedCertificate {
  const chain = splitChain(sentAlong)
  try {
    parseCertificate(der)
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    throw unreadable(`has a certificate that ${error.message}`, error)
  }
  if (verification.by === 'proxy') return { der, chain, verified: true }
  if (verification.by !== 'us')
    return { der, chain, verified: false, reason: 'nobody verified the chain: see ca and verifiedByProxy' }
  return verification.present(der, chain)
}

/** The certificates of a chain one by one: HAProxy puts them end to end. */
function splitChain(sentAlong: readonly Uint8Array[]): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  try {
    for (const bytes of sentAlong) {
      for (const { encoded } of derValues(bytes)) {
        if (chain.length === longestChain) throw unreadable(`has a chain of more than ${longestChain} certificates`)
        chain.push(encoded)
      }
    }
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    throw unreadable(`has a chain that ${error.message}`, error)
  }
  return chain
}
