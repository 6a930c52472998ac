/** Certificates as proxies write them into headers, each in its own way. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { MadeCertificate } from '../certificates/certificates.ts'

const base64 = ({ der }: MadeCertificate) => der.toString('base64')
const pemOf = (certificates: readonly MadeCertificate[]) => certificates.map(({ pem }) => pem).join('')

/** RFC 9440 §2.1. */
export const rfc9440 = (certificate: MadeCertificate): string => `:${base64(certificate)}:`
export const rfc9440Chain = (...certificates: MadeCertificate[]): string => certificates.map(rfc9440).join(', ')

/** Escapes everything but letters, digits and -._~ */
export const nginx = (...certificates: MadeCertificate[]): string => encodeURIComponent(pemOf(certificates))

/** Leaves what a path may contain as it is: +, / and = among it. */
export const apacheEscaped = (certificate: MadeCertificate): string =>
  certificate.pem.replace(/[^A-Za-z0-9$\-_.+!*'(),:@&=/~]/g, character => escapeByte(character).toLowerCase())

/** Line breaks become spaces. */
export const apachePem = (certificate: MadeCertificate): string => certificate.pem.replaceAll('\n', ' ')

export const haproxy = base64
/** The chain end to end, in one base64. */
export const haproxyChain = (...certificates: MadeCertificate[]): string =>
  Buffer.concat(certificates.map(({ der }) => der)).toString('base64')

/** What stands between the PEM's delimiters, commas between certificates. */
export const traefik = (...certificates: MadeCertificate[]): string => certificates.map(base64).join(',')

export const azure = base64

/** Percent-encoded but for +, = and /. */
export const awsAlb = (...certificates: MadeCertificate[]): string =>
  pemOf(certificates).replace(/[^A-Za-z0-9\-._~+=/]/g, escapeByte)

/** One element, with the leaf's Cert and, where there is more, the Chain with the leaf in it. */
export function envoy(
  [leaf, ...chain]: readonly [MadeCertificate, ...MadeCertificate[]],
  { cert = true, names = true } = {}
): string {
  const hash = createHash('sha256').update(leaf.der).digest('hex')
  return [
    'By=spiffe://as.example/frontend',
    `Hash=${hash}`,
    ...(cert ? [`Cert="${encodeURIComponent(leaf.pem)}"`] : []),
    ...(chain.length > 0 ? [`Chain="${encodeURIComponent(pemOf([leaf, ...chain]))}"`] : []),
    'Subject="CN=billing,O=\\"Example, Inc.\\""',
    ...(names ? ['URI=spiffe://as.example/billing', 'DNS=billing.example.com', 'DNS=billing'] : [])
  ].join(';')
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** PEM of the base64 of DER. */
export function pemOfBase64(base64: string): string {
  return `-----BEGIN CERTIFICATE-----\n${(base64.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`
}

/** A request as Node gives it, from an address. */
export function requestFrom(remoteAddress: string | undefined, ...rawHeaders: string[]): IncomingMessage {
  const headers: Record<string, string> = {}
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? ''
    headers[name] = name in headers ? `${headers[name] ?? ''}, ${rawHeaders[index + 1] ?? ''}` : (rawHeaders[index + 1] ?? '')
  }
  return { socket: { remoteAddress }, headers, rawHeaders } as unknown as IncomingMessage
}
