/**
 * The parts of a certificate that path validation (RFC 5280 §6.1) needs: its names, its key, and every extension that
 * limits it.
 */
import type { KeyObject } from 'node:crypto'
import { isStrong, type Signed } from './signature.ts'
import { derBoolean, derCount, DerError, derInside, derOid, derTags, derValues, readDer } from './der.ts'
import { distinguishedNameKey, type RelativeDistinguishedName } from './distinguished-name.ts'
import type { GeneralNames } from './general-names.ts'
import { readNameConstraints, type NameConstraints } from './name-constraints.ts'
import { CertificateError, parseCertificate, type Extension, type ParsedCertificate } from './certificate.ts'

export interface PathCertificate extends Signed {
  readonly der: Uint8Array
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
  /** Most authorities between this one and the end of the path, self-issued ones not counted; undefined: any number. */
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

const oids = {
  subjectAltName: '2.5.29.17',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  extendedKeyUsage: '2.5.29.37'
} as const

/**
 * Processed, or of no consequence where any policy is acceptable (certificatePolicies, RFC 5280 §6.1.1 (c)). Whatever
 * else is critical makes a certificate unusable.
 */
const understood: readonly string[] = [
  oids.basicConstraints,
  oids.keyUsage,
  oids.extendedKeyUsage,
  oids.subjectAltName,
  oids.nameConstraints,
  oids.certificatePolicies
]

const known = new WeakMap<ParsedCertificate, PathCertificate>()

/**
 * Reads one DER certificate as far as a path needs it, once per buffer object, which must not be written to afterwards.
 * What {@link parseCertificate} found of it is not read again.
 *
 * @throws {@link CertificateError} and nothing else.
 */
export function readPathCertificate(der: Uint8Array): PathCertificate {
  const parsed = parseCertificate(der)
  const before = known.get(parsed)
  if (before !== undefined) return before
  try {
    const certificate = { ...read(parsed), der }
    known.set(parsed, certificate)
    return certificate
  } catch (cause) {
    if (cause instanceof DerError) throw new CertificateError('is not an X.509 certificate', { cause })
    throw cause
  }
}

/** A serial number's octets as text. Parsers differ in whether they keep the octet that says "not negative". */
export function serialOf(octets: Uint8Array): string {
  return Buffer.from(octets)
    .toString('hex')
    .replace(/^0+(?=.)/, '')
}

/**
 * Whether subject and issuer are one name. Such a certificate may still be signed by another key: one that came before
 * or after.
 */
export function isSelfIssued({ subjectKey, issuerKey }: PathCertificate): boolean {
  return subjectKey === issuerKey
}

function read(parsed: ParsedCertificate): Omit<PathCertificate, 'der'> {
  const { thumbprint, subject, issuer, serial, notBefore, notAfter, key, version, names, signed } = parsed
  if (!parsed.hasOneAlgorithm) throw new CertificateError('names two signature algorithms')
  const extensions = extensionsByOid(parsed.extensions)
  const valueOf = <T>(oid: string, read: (value: Uint8Array) => T): T | undefined => {
    const extension = extensions.get(oid)
    return extension && read(extension.value)
  }
  const basic = valueOf(oids.basicConstraints, readBasicConstraints)
  return {
    ...signed,
    thumbprint,
    subject,
    subjectKey: distinguishedNameKey(subject),
    issuerKey: distinguishedNameKey(issuer),
    serial: serialOf(serial),
    notBefore,
    notAfter,
    key: key !== undefined && isStrong(key) ? key : undefined,
    version,
    ca: basic?.ca,
    pathLength: basic?.pathLength,
    keyUsage: valueOf(oids.keyUsage, readKeyUsage),
    purposes: valueOf(oids.extendedKeyUsage, value => derInside(readDer(value), derTags.sequence).map(derOid)),
    names,
    nameConstraints: valueOf(oids.nameConstraints, readNameConstraints),
    distributionPoints: valueOf(oids.crlDistributionPoints, readDistributionPoints) ?? [],
    unknownCritical: parsed.extensions.filter(({ critical, oid }) => critical && !understood.includes(oid)).map(({ oid }) => oid)
  }
}

function extensionsByOid(extensions: readonly Extension[]): ReadonlyMap<string, Extension> {
  const byOid = new Map<string, Extension>()
  for (const extension of extensions) {
    // RFC 5280 §4.2: which of two is meant would be a guess
    if (byOid.has(extension.oid)) throw new CertificateError(`has two extensions ${extension.oid}`)
    byOid.set(extension.oid, extension)
  }
  return byOid
}

/** RFC 5280 §4.2.1.9: both members may be left out. */
function readBasicConstraints(value: Uint8Array): { readonly ca: boolean; readonly pathLength: number | undefined } {
  const members = [...derInside(readDer(value), derTags.sequence)]
  const ca = members[0]?.tag === derTags.boolean ? members.shift() : undefined
  const [pathLength, more] = members
  if (more !== undefined) throw new DerError('has something else than basic constraints')
  return { ca: ca !== undefined && derBoolean(ca), pathLength: pathLength && derCount(pathLength) }
}

/** The key usages of RFC 5280 §4.2.1.3, by their bits. */
const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'crlSign',
  'encipherOnly',
  'decipherOnly'
] as const

function readKeyUsage(value: Uint8Array): readonly string[] {
  const [unused = 8, ...octets] = readDer(value, derTags.bitString).content
  // DER: the bits that are not used are zero
  if (unused > 7 || ((octets.at(-1) ?? 0) & (2 ** unused - 1)) !== 0) throw new DerError('is no bit string')
  return keyUsages.filter((_, bit) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0)
}

/** The names in `[0] { [0] fullName }` of each point; points that name nothing there count as no name. */
function readDistributionPoints(value: Uint8Array): string[] {
  const points = derInside(readDer(value), derTags.sequence)
  return points.flatMap(({ content }) => [...derValues(content)]).flatMap(fullNames)
}

/**
 * The names of a DistributionPointName under `[0]`, hex of their DER: what a certificate and a revocation list have in
 * common.
 */
export function fullNames({ tag, content }: { readonly tag: number; readonly content: Uint8Array }): string[] {
  if (tag !== 0xa0) return []
  const [name] = derValues(content)
  return name?.tag === 0xa0 ? Array.from(derValues(name.content), ({ encoded }) => Buffer.from(encoded).toString('hex')) : []
}
