/** Reads an X.509 certificate (RFC 5280): what client authentication needs of it, and nothing taken on trust. */
import { createHash } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate, id_ce_subjectAltName, SubjectAlternativeName, type Extensions, type Name } from '@peculiar/asn1-x509'
import { encodedAttribute, type DistinguishedNameAttribute, type RelativeDistinguishedName } from './distinguished-name.ts'

export interface ParsedCertificate {
  /** `x5t#S256`: base64url of the DER's SHA-256 (RFC 8705 §3.1). */
  readonly thumbprint: string
  /** The subject as RFC 4514 writes it: most specific RDN first. */
  readonly subject: readonly RelativeDistinguishedName[]
  /** The subject alternative names, each as the certificate has it. */
  readonly sans: SubjectAlternativeNames
  /** The SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
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

const parsed = new WeakMap<Uint8Array, ParsedCertificate>()

/**
 * Parses one DER certificate, with nothing after it. Parsed once per buffer object: keep the buffer with the connection, and do not write to it.
 *
 * @throws {@link CertificateError} and nothing else.
 */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  const known = parsed.get(der)
  if (known !== undefined) return known
  if (der.length > largestCertificate) throw new CertificateError(`is longer than ${largestCertificate} bytes`)
  // the parser stops at the end of the outermost sequence and would not see what follows it
  if (sequenceLength(der) !== der.length) throw new CertificateError('is not exactly one DER sequence')
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

function read(der: Uint8Array): ParsedCertificate {
  const { tbsCertificate } = AsnConvert.parse(der, Certificate)
  const { subject, subjectPublicKeyInfo, validity, extensions } = tbsCertificate
  const notBefore = validity.notBefore.getTime().getTime()
  const notAfter = validity.notAfter.getTime().getTime()
  // compared with now, NaN would be neither too early nor too late
  if (!Number.isFinite(notBefore) || !Number.isFinite(notAfter)) throw new CertificateError('has no readable validity')
  return {
    thumbprint: createHash('sha256').update(der).digest('base64url'),
    subject: readName(subject),
    sans: readSans(extensions),
    publicKey: new Uint8Array(AsnConvert.serialize(subjectPublicKeyInfo)),
    notBefore,
    notAfter
  }
}

function readName(name: Name): RelativeDistinguishedName[] {
  const inOrderOfCertificate = Array.from(name, rdn =>
    Array.from(rdn, ({ type, value }): DistinguishedNameAttribute =>
      encodedAttribute(type, new Uint8Array(AsnConvert.serialize(value)))
    )
  )
  return inOrderOfCertificate.reverse()
}

function readSans(extensions: Extensions | undefined): SubjectAlternativeNames {
  const found = Array.from(extensions ?? []).filter(({ extnID }) => extnID === id_ce_subjectAltName)
  // RFC 5280 §4.2: at most one of each; which of two is meant would be a guess
  if (found.length > 1) throw new CertificateError('has two subjectAltName extensions')
  const [extension] = found
  const names = extension === undefined ? [] : Array.from(AsnConvert.parse(extension.extnValue, SubjectAlternativeName))
  return {
    dns: names.map(({ dNSName }) => dNSName).filter(isText),
    uri: names.map(({ uniformResourceIdentifier }) => uniformResourceIdentifier).filter(isText),
    ip: names.map(({ iPAddress }) => iPAddress).filter(isText),
    email: names.map(({ rfc822Name }) => rfc822Name).filter(isText)
  }
}

function isText(value: string | undefined): value is string {
  return value !== undefined && value !== ''
}

/** The length a DER sequence says it has, header included; undefined where the bytes do not start with one. */
function sequenceLength(der: Uint8Array): number | undefined {
  const [tag, length] = der
  if (tag !== 0x30 || length === undefined) return undefined
  if (length < 0x80) return 2 + length
  const lengthBytes = length & 0x7f
  if (lengthBytes === 0 || lengthBytes > 3) return undefined
  return 2 + lengthBytes + der.subarray(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0)
}
