/** Reads an X.509 certificate (RFC 5280): what client authentication needs of it, and nothing taken on trust. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import { thumbprintOf } from '../../clients/credentials.ts'
import { readAlgorithm, type Signed } from './signature.ts'
import { derBoolean, derCount, DerError, derInside, derOctets, derOid, derTags, derTime, readDer, type DerValue } from './der.ts'
import { readName, type RelativeDistinguishedName } from './distinguished-name.ts'
import { noNames, readGeneralNames, type GeneralNames } from './general-names.ts'
import { exponentProblem } from '../../crypto/rsa-strength.ts'

export interface ParsedCertificate {
  /** `x5t#S256`: base64url of the DER's SHA-256 (RFC 8705 §3.1). */
  readonly thumbprint: string
  /** The subject as RFC 4514 writes it: most specific RDN first. */
  readonly subject: readonly RelativeDistinguishedName[]
  readonly issuer: readonly RelativeDistinguishedName[]
  /** The subject alternative names, each as the certificate has it. */
  readonly names: GeneralNames
  /** The same as text. */
  readonly sans: SubjectAlternativeNames
  /** Undefined where it is of a kind that cannot be read. */
  readonly key: KeyObject | undefined
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  /** Milliseconds since the epoch. */
  readonly notAfter: number
  /** The X.509 version: 1, 2 or 3. */
  readonly version: number
  /** The content octets of the serial number. */
  readonly serial: Uint8Array
  readonly extensions: readonly Extension[]
  /** Whether the signature's algorithm is the one the signed part names. */
  readonly hasOneAlgorithm: boolean
  readonly signed: Signed
}

interface SubjectAlternativeNames {
  readonly dns: readonly string[]
  readonly uri: readonly string[]
  readonly ip: readonly string[]
  readonly email: readonly string[]
}

export interface Extension {
  readonly oid: string
  readonly critical: boolean
  readonly value: Uint8Array
}

/** Bytes that are not one certificate. `message` is a clause that says why. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

/** The largest certificate that is looked at, in bytes. */
const largestCertificate = 32_768

const parsed = new WeakMap<Uint8Array, ParsedCertificate>()

/**
 * Parses one DER certificate, with nothing after it. Parsed once per buffer object: keep the buffer with the
 * connection, and do not write to it.
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

function read(der: Uint8Array): ParsedCertificate {
  if (der.length > largestCertificate) throw new CertificateError(`is longer than ${largestCertificate} bytes`)
  const [signedPart, algorithm, signature, more] = derInside(outermost(der), derTags.sequence)
  if (signedPart === undefined || algorithm === undefined || signature === undefined || more !== undefined)
    throw new DerError('is no certificate')
  const { named, ...parts } = readSignedPart(signedPart)
  readAlgorithm(named)
  return {
    thumbprint: thumbprintOf(der),
    ...parts,
    hasOneAlgorithm: Buffer.compare(named.encoded, algorithm.encoded) === 0,
    signed: { content: signedPart.encoded, algorithm: readAlgorithm(algorithm), signature: derOctets(signature) }
  }
}

function outermost(der: Uint8Array): DerValue {
  try {
    return readDer(der, derTags.sequence)
  } catch (cause) {
    throw new CertificateError('is not exactly one DER sequence', { cause })
  }
}

/** RFC 5280 §4.1: everything but the optional unique identifiers, which mean nothing here. */
function readSignedPart(signedPart: DerValue) {
  const values = [...derInside(signedPart, derTags.sequence)]
  const version = values[0]?.tag === 0xa0 ? readVersion(values.shift()) : 1
  const [serial, named, issuer, validity, subject, publicKey, ...optional] = values
  if (named === undefined || issuer === undefined || validity === undefined || subject === undefined || publicKey === undefined)
    throw new DerError('is no certificate')
  if (serial?.tag !== derTags.integer || serial.content.length === 0) throw new DerError('has no serial number')
  const tags = optional.map(({ tag }) => tag)
  // [1] and [2] are the unique identifiers of issuer and subject, and all of them come in this order
  if (tags.some((tag, index) => ![0x81, 0x82, 0xa3].includes(tag) || tag <= (tags[index - 1] ?? 0)))
    throw new DerError('has something else after its key')
  const last = optional.at(-1)
  const extensions = last?.tag === 0xa3 ? readExtensions(last) : []
  const names = readNames(extensions)
  return {
    named,
    version,
    serial: serial.content,
    issuer: readName(issuer),
    ...readValidity(validity),
    subject: readName(subject),
    key: readKey(publicKey),
    extensions,
    names,
    sans: textOf(names)
  }
}

function readVersion(explicit: DerValue | undefined): number {
  const [version, more] = explicit === undefined ? [] : derInside(explicit, 0xa0)
  if (version === undefined || more !== undefined) throw new DerError('has no version')
  return derCount(version) + 1
}

function readValidity(validity: DerValue): Pick<ParsedCertificate, 'notBefore' | 'notAfter'> {
  const [from, until, more] = derInside(validity, derTags.sequence)
  if (from === undefined || until === undefined || more !== undefined) throw new DerError('has no validity')
  try {
    return { notBefore: derTime(from), notAfter: derTime(until) }
  } catch (cause) {
    throw new CertificateError('has no readable validity', { cause })
  }
}

/**
 * The extensions under `[3]` of a certificate, or `[0]` of a revocation list (RFC 5280 §4.1.2.9, §5.1.2.7). @throws
 * DerError
 */
export function readExtensions(explicit: DerValue): readonly Extension[] {
  const [list, more] = derInside(explicit, explicit.tag)
  if (list === undefined || more !== undefined) throw new DerError('has no list of extensions')
  return derInside(list, derTags.sequence).map(extension => {
    const [oid, ...others] = derInside(extension, derTags.sequence)
    const critical = others.length === 2 ? others.shift() : undefined
    const [value, more] = others
    if (oid === undefined || value?.tag !== derTags.octetString || more !== undefined) throw new DerError('has no extension')
    return { oid: derOid(oid), critical: critical !== undefined && derBoolean(critical), value: value.content }
  })
}

function readKey(subjectPublicKeyInfo: DerValue): KeyObject | undefined {
  if (subjectPublicKeyInfo.tag !== derTags.sequence) throw new DerError('has no public key')
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo.encoded), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
  const exponent = key.asymmetricKeyDetails?.publicExponent
  const problem = exponent === undefined ? undefined : exponentProblem(exponent)
  if (problem !== undefined) throw new CertificateError(`has ${problem}`)
  return key
}

const subjectAltName = '2.5.29.17'

function readNames(extensions: readonly Extension[]): GeneralNames {
  const [extension, more] = extensions.filter(({ oid }) => oid === subjectAltName)
  // RFC 5280 §4.2: at most one of each; which of two is meant would be a guess
  if (more !== undefined) throw new CertificateError('has two subjectAltName extensions')
  return extension === undefined ? noNames : readGeneralNames(extension.value)
}

function textOf({ dns, uri, ip, email }: GeneralNames): SubjectAlternativeNames {
  return {
    dns: dns.filter(isText),
    uri: uri.filter(isText),
    ip: ip.map(addressText).filter(isText),
    email: email.filter(isText)
  }
}

function isText(value: string): boolean {
  return value !== ''
}

/** Empty where the bytes are no address. */
function addressText(bytes: Uint8Array): string {
  return bytes.length === 4 || bytes.length === 16 ? ipaddr.fromByteArray([...bytes]).toString() : ''
}
