/**
 * A certificate revocation list (RFC 5280 §5), read value by value: lists grow to hundreds of thousands of entries, of
 * which all that matters is the serial numbers.
 */
import type { KeyObject } from 'node:crypto'
import { algorithmProblem, readAlgorithm, verifySignature, type Signed } from './signature.ts'
import { DerError, derOctets, derTags, derTime, derValues, readDer, type DerValue } from './der.ts'
import { distinguishedNameKey, readName } from './distinguished-name.ts'
import { readExtensions } from './certificate.ts'
import { fullNames, serialOf, type PathCertificate } from './path-certificate.ts'

export interface RevocationList extends Signed {
  /** The issuer's name, as `PathCertificate.subjectKey` writes it. */
  readonly issuerKey: string
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** As `PathCertificate.serial` writes them. */
  readonly serials: ReadonlySet<string>
  readonly scope: Scope
}

/** Which of its issuer's certificates a list is about. */
interface Scope {
  readonly only: 'authorities' | 'others' | undefined
  /** Certificates that have one of these among their distribution points; undefined: all. */
  readonly distributionPoints: readonly string[] | undefined
}

/** Bytes that are not a list this server can use. `message` is a clause. */
export class RevocationListError extends Error {
  override readonly name = 'RevocationListError'
}

const issuingDistributionPoint = '2.5.29.28'
const everything: Scope = { only: undefined, distributionPoints: undefined }

/** Parses one DER list. @throws {@link RevocationListError} and nothing else. */
export function parseRevocationList(der: Uint8Array): RevocationList {
  try {
    return read(der)
  } catch (cause) {
    if (cause instanceof RevocationListError) throw cause
    throw new RevocationListError(cause instanceof DerError ? cause.message : 'is not a certificate revocation list', { cause })
  }
}

/** Whether a list of this issuer is about this certificate. */
export function isAbout({ scope, issuerKey }: RevocationList, certificate: PathCertificate): boolean {
  const { only, distributionPoints } = scope
  if (issuerKey !== certificate.issuerKey) return false
  if (only !== undefined && (only === 'authorities') !== (certificate.ca === true)) return false
  return distributionPoints?.some(point => certificate.distributionPoints.includes(point)) ?? true
}

/** Whether this key, which must be the issuer's, signed the list. */
export function isSignedBy(list: RevocationList, { key, keyUsage }: PathCertificate): boolean {
  if (key === undefined || keyUsage?.includes('crlSign') === false) return false
  let byKey = signers.get(list)
  if (byKey === undefined) signers.set(list, (byKey = new WeakMap()))
  let signed = byKey.get(key)
  if (signed === undefined) byKey.set(key, (signed = verifySignature(list, key)))
  return signed
}

const signers = new WeakMap<RevocationList, WeakMap<KeyObject, boolean>>()

function read(der: Uint8Array): RevocationList {
  const [content, algorithm, signature] = derValues(readDer(der, derTags.sequence).content)
  if (content?.tag !== derTags.sequence || algorithm === undefined || signature?.tag !== derTags.bitString)
    throw new RevocationListError('is not a certificate revocation list')
  const values = derValues(content.content)
  let value = next(values)
  // the version; a list without one has no extensions
  if (value.tag === derTags.integer) value = next(values)
  if (!Buffer.from(value.encoded).equals(algorithm.encoded)) throw new RevocationListError('names two signature algorithms')
  const signedBy = readAlgorithm(algorithm)
  const problem = algorithmProblem(signedBy)
  if (problem !== undefined) throw new RevocationListError(problem)
  const issuer = readName(next(values))
  const thisUpdate = derTime(next(values))
  const { nextUpdate, entries, extensions } = readRest(values)
  // without one, a list from years ago would be as good as today's
  if (nextUpdate === undefined) throw new RevocationListError('has no nextUpdate')
  return {
    content: content.encoded,
    algorithm: signedBy,
    signature: derOctets(signature),
    issuerKey: distinguishedNameKey(issuer),
    thisUpdate,
    nextUpdate: derTime(nextUpdate),
    serials: entries === undefined ? new Set() : readSerials(entries),
    scope: extensions === undefined ? everything : readScope(extensions)
  }
}

function next(values: Generator<DerValue, void, undefined>): DerValue {
  const { value } = values.next()
  if (value === undefined) throw new RevocationListError('is not a certificate revocation list')
  return value
}

/** What may follow thisUpdate. */
interface Rest {
  nextUpdate?: DerValue
  entries?: DerValue
  extensions?: DerValue
}

function readRest(values: Iterable<DerValue>): Rest {
  const found: Rest = {}
  for (const value of values) {
    if (value.tag === derTags.utcTime || value.tag === derTags.generalizedTime) found.nextUpdate = value
    else if (value.tag === derTags.sequence) found.entries = value
    else if (value.tag === 0xa0) found.extensions = value
    else throw new RevocationListError('has something this server does not know')
  }
  return found
}

/** Whatever else an entry says, its certificate is on the list. */
function readSerials({ content }: DerValue): ReadonlySet<string> {
  const serials = new Set<string>()
  for (const entry of derValues(content)) {
    const [serial] = derValues(entry.content)
    if (entry.tag !== derTags.sequence || serial?.tag !== derTags.integer)
      throw new RevocationListError('has an entry that cannot be read')
    serials.add(serialOf(serial.content))
  }
  return serials
}

/** RFC 5280 §5.2: a list with a critical extension that is not understood says something else than it seems to. */
function readScope(extensions: DerValue): Scope {
  let scope = everything
  for (const { oid, critical, value } of readExtensions(extensions)) {
    if (oid === issuingDistributionPoint) scope = readDistributionPoint(value)
    else if (critical) throw new RevocationListError(`has the unknown critical extension ${oid}`)
  }
  return scope
}

/**
 * RFC 5280 §5.2.5. Lists of several issuers, for some reasons alone, or of attribute certificates are not for this
 * server.
 */
function readDistributionPoint(extension: Uint8Array): Scope {
  let only: Scope['only']
  let distributionPoints: string[] | undefined
  for (const value of derValues(readDer(extension, derTags.sequence).content)) {
    const isSet = value.content.length === 1 && value.content[0] !== 0
    if (value.tag === 0xa0) distributionPoints = fullNames(value)
    else if (value.tag === 0x81 && isSet) only = 'others'
    else if (value.tag === 0x82 && isSet) only = 'authorities'
    else if (isSet || (value.tag !== 0x81 && value.tag !== 0x82 && value.tag !== 0x84 && value.tag !== 0x85))
      throw new RevocationListError('is for some reasons, for several issuers or for attribute certificates alone')
  }
  return { only, distributionPoints }
}
