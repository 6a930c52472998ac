/** What path validation (RFC 5280 §6.1) needs of one certificate: its names, its key, and every extension that limits it. */
import { hash, type KeyObject } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  BasicConstraints,
  ExtendedKeyUsage,
  id_ce_basicConstraints,
  id_ce_certificatePolicies,
  id_ce_cRLDistributionPoints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  KeyUsage,
  type Certificate,
  type Extension
} from '@peculiar/asn1-x509'
import { strongKey, type Signed } from './certificate-signature.ts'
import { derTags, derValues, readDer } from './der.ts'
import { distinguishedNameKey, type RelativeDistinguishedName } from './distinguished-name.ts'
import { noNames, readGeneralNames, readName, type GeneralNames } from './general-names.ts'
import { readNameConstraints, type NameConstraints } from './name-constraints.ts'
import { CertificateError, parseX509 } from './parsed-certificate.ts'

export interface PathCertificate extends Signed {
  /** SHA-256 of the DER, base64url. */
  readonly thumbprint: string
  readonly subject: readonly RelativeDistinguishedName[]
  /** Subject and issuer in a form that is the same for every encoding of the name. */
  readonly subjectKey: string
  readonly issuerKey: string
  /** The serial number, hex, without leading zeros. */
  readonly serial: string
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
  /** Undefined where it is of an unknown kind, or too weak to count. */
  readonly key: KeyObject | undefined
  /** The X.509 version: 1, 2 or 3. */
  readonly version: number
  /** Whether it says that it is a certificate authority; undefined where it says nothing. */
  readonly ca: boolean | undefined
  /** How many further authorities may stand between this one and the end of the path; undefined: any number. */
  readonly pathLength: number | undefined
  /** The key usage bits that are set; undefined: any use. */
  readonly keyUsage: readonly string[] | undefined
  /** The extended key usages, OIDs; undefined: any use. */
  readonly purposes: readonly string[] | undefined
  readonly names: GeneralNames
  readonly nameConstraints: NameConstraints | undefined
  /** The full names of its CRL distribution points, hex of their DER. */
  readonly distributionPoints: readonly string[]
  /** The critical extensions that nothing here understands, OIDs. */
  readonly unknownCritical: readonly string[]
}

/**
 * Processed, or of no consequence where any policy is acceptable (certificatePolicies, RFC 5280 §6.1.1 (c)). Whatever else is critical
 * makes a certificate unusable.
 */
const understood: readonly string[] = [
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_extKeyUsage,
  id_ce_subjectAltName,
  id_ce_nameConstraints,
  id_ce_certificatePolicies
]

const known = new WeakMap<Uint8Array, PathCertificate>()

/**
 * Parses one DER certificate, once per buffer object, which must not be written to afterwards.
 *
 * @throws {@link CertificateError} and nothing else.
 */
export function readPathCertificate(der: Uint8Array): PathCertificate {
  const before = known.get(der)
  if (before !== undefined) return before
  try {
    const certificate = read(parseX509(der), der)
    known.set(der, certificate)
    return certificate
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause
    throw new CertificateError('is not an X.509 certificate', { cause })
  }
}

/** A serial number's octets as text. Parsers differ in whether they keep the octet that says "not negative". */
export function serialOf(octets: Uint8Array): string {
  return Buffer.from(octets)
    .toString('hex')
    .replace(/^0+(?=.)/, '')
}

/** Whether subject and issuer are one name. Such a certificate may still be signed by another key: one that came before or after. */
export function isSelfIssued({ subjectKey, issuerKey }: PathCertificate): boolean {
  return subjectKey === issuerKey
}

function read(certificate: Certificate, der: Uint8Array): PathCertificate {
  const { tbsCertificate, signatureAlgorithm, signatureValue } = certificate
  if (!tbsCertificate.signature.isEqual(signatureAlgorithm)) throw new CertificateError('names two signature algorithms')
  const extensions = extensionsByOid(tbsCertificate.extensions ?? [])
  const valueOf = (oid: string): Uint8Array | undefined => {
    const extension = extensions.get(oid)
    return extension && new Uint8Array(extension.extnValue.buffer)
  }
  const basic = parsed(valueOf(id_ce_basicConstraints), value => AsnConvert.parse(value, BasicConstraints))
  const subject = readName(tbsCertificate.subject)
  return {
    thumbprint: hash('sha256', der, 'base64url'),
    content: contentOf(der),
    algorithm: signatureAlgorithm,
    signature: new Uint8Array(signatureValue),
    subject,
    subjectKey: distinguishedNameKey(subject),
    issuerKey: distinguishedNameKey(readName(tbsCertificate.issuer)),
    serial: serialOf(new Uint8Array(tbsCertificate.serialNumber)),
    notBefore: timeOf(tbsCertificate.validity.notBefore.getTime()),
    notAfter: timeOf(tbsCertificate.validity.notAfter.getTime()),
    key: strongKey(new Uint8Array(AsnConvert.serialize(tbsCertificate.subjectPublicKeyInfo))),
    version: tbsCertificate.version + 1,
    ca: basic?.cA,
    pathLength: basic?.pathLenConstraint,
    keyUsage: parsed(valueOf(id_ce_keyUsage), value => AsnConvert.parse(value, KeyUsage).toJSON()),
    purposes: parsed(valueOf(id_ce_extKeyUsage), value => [...AsnConvert.parse(value, ExtendedKeyUsage)]),
    names: parsed(valueOf(id_ce_subjectAltName), value => readGeneralNames(readDer(value, derTags.sequence).content)) ?? noNames,
    nameConstraints: parsed(valueOf(id_ce_nameConstraints), readNameConstraints),
    distributionPoints: parsed(valueOf(id_ce_cRLDistributionPoints), readDistributionPoints) ?? [],
    unknownCritical: [...extensions.values()]
      .filter(({ critical, extnID }) => critical && !understood.includes(extnID))
      .map(({ extnID }) => extnID)
  }
}

function parsed<T>(value: Uint8Array | undefined, parse: (value: Uint8Array) => T): T | undefined {
  return value === undefined ? undefined : parse(value)
}

function extensionsByOid(extensions: Iterable<Extension>): ReadonlyMap<string, Extension> {
  const byOid = new Map<string, Extension>()
  for (const extension of extensions) {
    // RFC 5280 §4.2: which of two is meant would be a guess
    if (byOid.has(extension.extnID)) throw new CertificateError(`has two extensions ${extension.extnID}`)
    byOid.set(extension.extnID, extension)
  }
  return byOid
}

/** The signed part, byte by byte as it came. */
function contentOf(der: Uint8Array): Uint8Array {
  const [content] = derValues(readDer(der, derTags.sequence).content)
  if (content === undefined) throw new CertificateError('is empty')
  return content.encoded
}

function timeOf(date: Date): number {
  const time = date.getTime()
  if (!Number.isFinite(time)) throw new CertificateError('has no readable validity')
  return time
}

/** The names in `[0] { [0] fullName }` of each point; points that name nothing there count as no name. */
function readDistributionPoints(value: Uint8Array): string[] {
  const points = [...derValues(readDer(value, derTags.sequence).content)]
  return points.flatMap(({ content }) => [...derValues(content)]).flatMap(fullNames)
}

/** The names of a DistributionPointName under `[0]`, hex of their DER: what a certificate and a revocation list have in common. */
export function fullNames({ tag, content }: { readonly tag: number; readonly content: Uint8Array }): string[] {
  if (tag !== 0xa0) return []
  const [name] = derValues(content)
  return name?.tag === 0xa0 ? Array.from(derValues(name.content), ({ encoded }) => Buffer.from(encoded).toString('hex')) : []
}
