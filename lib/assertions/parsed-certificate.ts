/** Reads an X.509 certificate (RFC 5280): what client authentication needs of it, and nothing taken on trust. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate, id_ce_subjectAltName, type Extensions } from '@peculiar/asn1-x509'
import ipaddr from 'ipaddr.js'
import { derTags, readDer } from './der.ts'
import type { RelativeDistinguishedName } from './distinguished-name.ts'
import { readGeneralNames, readName } from './general-names.ts'
import { exponentProblem } from './rsa-strength.ts'

export interface ParsedCertificate {
  /** `x5t#S256`: base64url of the DER's SHA-256 (RFC 8705 §3.1). */
  readonly thumbprint: string
  /** The subject as RFC 4514 writes it: most specific RDN first. */
  readonly subject: readonly RelativeDistinguishedName[]
  /** The subject alternative names, each as the certificate has it. */
  readonly sans: SubjectAlternativeNames
  /** Undefined where it is of a kind that cannot be read. */
  readonly key: KeyObject | undefined
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  /** Milliseconds since the epoch. */
  readonly notAfter: number
}

export interface SubjectAlternativeNames {
  readonly dns: readonly string[]
  readonly uri: readonly string[]
  readonly ip: readonly string[]
  readonly email: readonly string[]
}

/** Bytes that are not one certificate. `message` is a clause that says why. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

/** The largest certificate that is looked at, in bytes. */
export const largestCertificate = 32_768

/** How many values a certificate may be made of. A usual one has about a hundred; each costs time before anybody knows whose it is. */
const berOptions = { maxNodes: 500 }

const parsed = new WeakMap<Uint8Array, ParsedCertificate>()

/**
 * Parses one DER certificate, with nothing after it. Parsed once per buffer object: keep the buffer with the connection, and do not write to it.
 *
 * @throws {@link CertificateError} and nothing else.
 */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  const known = parsed.get(der)
  if (known !== undefined) return known
  let certificate: ParsedCertificate
  try {
    certificate = read(der)
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause
    throw new CertificateError('is not an X.509 certificate', { cause })
  }
  parsed.set(der, certificate)
  return certificate
}

/** The certificate as the parser gives it, for who needs more of it. @throws {@link CertificateError}, or what the parser throws. */
export function parseX509(der: Uint8Array): Certificate {
  if (der.length > largestCertificate) throw new CertificateError(`is longer than ${largestCertificate} bytes`)
  // the parser stops at the end of the outermost sequence and would not see what follows it
  try {
    readDer(der, derTags.sequence)
  } catch (cause) {
    throw new CertificateError('is not exactly one DER sequence', { cause })
  }
  return AsnConvert.parse(der, Certificate, { berOptions })
}

function read(der: Uint8Array): ParsedCertificate {
  const { tbsCertificate } = parseX509(der)
  const { subject, subjectPublicKeyInfo, validity, extensions } = tbsCertificate
  const notBefore = validity.notBefore.getTime().getTime()
  const notAfter = validity.notAfter.getTime().getTime()
  // compared with now, NaN would be neither too early nor too late
  if (!Number.isFinite(notBefore) || !Number.isFinite(notAfter)) throw new CertificateError('has no readable validity')
  return {
    thumbprint: createHash('sha256').update(der).digest('base64url'),
    subject: readName(subject),
    sans: readSans(extensions),
    key: readKey(new Uint8Array(AsnConvert.serialize(subjectPublicKeyInfo))),
    notBefore,
    notAfter
  }
}

function readKey(subjectPublicKeyInfo: Uint8Array): KeyObject | undefined {
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
  const exponent = key.asymmetricKeyDetails?.publicExponent
  const problem = exponent === undefined ? undefined : exponentProblem(exponent)
  if (problem !== undefined) throw new CertificateError(`has ${problem}`)
  return key
}

function readSans(extensions: Extensions | undefined): SubjectAlternativeNames {
  const found = Array.from(extensions ?? []).filter(({ extnID }) => extnID === id_ce_subjectAltName)
  // RFC 5280 §4.2: at most one of each; which of two is meant would be a guess
  if (found.length > 1) throw new CertificateError('has two subjectAltName extensions')
  const [extension] = found
  if (extension === undefined) return { dns: [], uri: [], ip: [], email: [] }
  const names = readGeneralNames(readDer(new Uint8Array(extension.extnValue.buffer), derTags.sequence).content)
  return {
    dns: names.dns.filter(isText),
    uri: names.uri.filter(isText),
    ip: names.ip.map(addressText).filter(isText),
    email: names.email.filter(isText)
  }
}

function isText(value: string): boolean {
  return value !== ''
}

/** Empty where the bytes are no address. */
function addressText(bytes: Uint8Array): string {
  return bytes.length === 4 || bytes.length === 16 ? ipaddr.fromByteArray([...bytes]).toString() : ''
}
