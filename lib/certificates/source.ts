/** Sources of client certificates. */
import type { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { LRUCache } from 'lru-cache'
import { InvalidRequestError, OAuthError } from '../errors.ts'
import type { PresentedCertificate } from '../client-request.ts'
import { requestNote } from '../request-note.ts'

/**
 * Finds the client certificate of a request; undefined where none was presented. Called at most once per request, and
 * only when somebody asks. What it throws answers the request with 400 `invalid_request`, never with "no certificate".
 *
 * @param note takes down why something that looked like a certificate was not taken for one: a clause for the decision
 * record.
 */
export type CertificateSource = (req: IncomingMessage, note?: (why: string) => void) => PresentedCertificate | undefined

/** Findings of a source in a request: the certificate, and the note on what was not taken for one. */
interface FoundCertificate {
  readonly certificate: PresentedCertificate | undefined
  readonly note: string | undefined
}

interface Reading {
  readonly source: CertificateSource
  readonly outcome: FoundCertificate | OAuthError
}

const readings = requestNote<IncomingMessage, Reading>('certificate')

/**
 * Asks the source, once per request. @throws OAuthError: the source's own, or {@link InvalidRequestError} for whatever
 * else it threw.
 */
export function certificateOfRequest(req: IncomingMessage, source: CertificateSource): FoundCertificate {
  const known = readings.read(req)
  const outcome = known?.source === source ? known.outcome : askForCertificate(req, source)
  if (known?.source !== source) readings.write(req, { source, outcome })
  if (outcome instanceof OAuthError) throw outcome
  return outcome
}

/** Asks the source, whoever asked which before, and keeps nothing. Never throws: an error is the answer. */
export function askForCertificate(req: IncomingMessage, source: CertificateSource): FoundCertificate | OAuthError {
  let note: string | undefined
  try {
    const certificate = source(req, why => void (note = why))
    return { certificate, note }
  } catch (cause) {
    if (cause instanceof OAuthError) return cause
    const reason = 'the certificate source threw; see the cause'
    return new InvalidRequestError('the client certificate could not be read', { reason, cause })
  }
}

const bySocket = new WeakMap<object, PresentedCertificate>()

/**
 * The certificate of the TLS connection itself, for a Node server that terminates TLS with `requestCert: true`, as Node
 * verified it. With `rejectUnauthorized: false` a certificate that no CA vouches for arrives too, with `verified:
 * false`; one connection's requests share one object. On a plain connection there is none. A server that names its CAs
 * to Node names them to every client as well: `tlsCertificate()` does without.
 */
export function directTls(req: Pick<IncomingMessage, 'socket'>): PresentedCertificate | undefined {
  const socket = req.socket as Partial<Pick<TLSSocket, 'authorized'>> & { authorizationError?: unknown }
  const known = bySocket.get(socket)
  if (known !== undefined) return known
  const certificate = peerCertificate(req)
  if (certificate === undefined) return undefined
  const reason = reasonOf(socket.authorizationError)
  const presented: PresentedCertificate = {
    der: certificate.raw,
    // read when somebody asks: few methods look at it
    get chain() {
      return chainOf(certificate, req)
    },
    // Node never takes `authorized` back, but sets `authorizationError` whenever a handshake on this socket fails to
    // verify
    verified: socket.authorized === true && reason === undefined,
    ...(reason !== undefined && { reason })
  }
  bySocket.set(socket, presented)
  return presented
}

/** Bytes of chains that are kept for those who resume their sessions. */
const keptChains = 1_048_576
const chains = new LRUCache<string, readonly Uint8Array[]>({
  maxSize: keptChains,
  sizeCalculation: (chain, name) => name.length + chain.reduce((sum, { length }) => sum + length, 1)
})

/** Whoever resumes a TLS session has the certificate alone: what came with it before is what came with it. */
function chainOf(certificate: X509Certificate, { socket }: Pick<IncomingMessage, 'socket'>): readonly Uint8Array[] {
  const { fingerprint256 } = certificate
  const isResumed = (socket as Partial<Pick<TLSSocket, 'isSessionReused'>>).isSessionReused?.() === true
  if (isResumed) return chains.get(fingerprint256) ?? []
  const chain = sentAlong(certificate).map(({ raw }) => raw)
  if (chain.length > 0) chains.set(fingerprint256, chain)
  return chain
}

/** The certificate a TLS connection was made with; undefined on a plain one, and where the client presented none. */
export function peerCertificate({ socket }: Pick<IncomingMessage, 'socket'>): X509Certificate | undefined {
  return (socket as Partial<Pick<TLSSocket, 'getPeerX509Certificate'>>).getPeerX509Certificate?.()
}

/** Certificates in a chain that are looked at: more is no chain anybody has. */
export const longestChain = 7

/**
 * The certificates that were sent along with one, from its issuer's upwards. Whoever resumes a TLS session has none of
 * them any more.
 */
export function sentAlong({ issuerCertificate }: X509Certificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  let authority = issuerCertificate
  while (authority !== undefined && chain.length < longestChain) {
    chain.push(authority)
    authority = authority.issuerCertificate
  }
  return chain
}

/** Node documents an Error and sets its code. */
function reasonOf(error: unknown): string | undefined {
  if (error === undefined || error === null) return undefined
  return error instanceof Error ? error.message : typeof error === 'string' ? error : 'not verified'
}
