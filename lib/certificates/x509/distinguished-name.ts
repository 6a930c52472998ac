/**
 * Distinguished names as values instead of strings. The same name is written in many ways (order, escapes, attribute
 * names, case, spaces), so names are parsed and compared, never their strings (RFC 4514, RFC 4517 §4.2).
 */
import { derInside, DerError, derOid, derTags, readDer, type DerValue } from './der.ts'
import { attributeName, attributeOid } from './distinguished-name-attributes.ts'

interface DistinguishedNameAttribute {
  /** The attribute type, a dotted OID. */
  readonly type: string
  /** The value: text, or lower-case hex of its BER encoding where `encoded` is true. */
  readonly value: string
  /** The value is not text; it is compared byte by byte. */
  readonly encoded?: true
}

/** A relative distinguished name: usually one attribute; several form a set, in no order. */
export type RelativeDistinguishedName = readonly DistinguishedNameAttribute[]

/** A string that is not a distinguished name. `message` says what is wrong, and where. */
export class DistinguishedNameError extends Error {
  override readonly name = 'DistinguishedNameError'
}

const longestName = 8192
const attributeType = /\s*(?:(?:oid\.)?(\d+(?:\.\d+)+)|([a-z][a-z0-9-]*))\s*=\s*/iy
const hexValue = /#((?:[0-9a-f]{2})+)\s*(?=[,+]|$)/iy
const quotedValue = /"((?:[^"\\]|\\[^])*)"\s*(?=[,+]|$)/y
// one character (by code point) or one escape; the unescaped specials of RFC 4514 §2.4 are not in it
const plainCharacter = /\\([0-9a-f]{2})|\\([ "#+,;<=>\\])|([^\\,+"<>;\0])/iuy
const quotedCharacter = /\\([0-9a-f]{2})|\\([ "#+,;<=>\\])|([^\\"\0])/iuy
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses an RFC 4514 string, most specific attribute first. Spaces around `,`, `+` and `=` and quoted values (RFC 2253)
 * are understood as well, as OpenSSL prints them. An empty string is the empty name.
 *
 * @throws {@link DistinguishedNameError} and nothing else.
 */
export function parseDistinguishedName(rfc4514: string): RelativeDistinguishedName[] {
  if (rfc4514.length > longestName) throw new DistinguishedNameError(`is longer than ${longestName} characters`)
  if (rfc4514.trim() === '') return []
  if (rfc4514.startsWith('/')) throw new DistinguishedNameError('is in the form /C=…/CN=…; write it as CN=…,C=… (RFC 4514)')
  const names: DistinguishedNameAttribute[][] = [[]]
  let position = 0
  for (;;) {
    const { type, valueAt } = parseType(rfc4514, position)
    const { attribute, end } = parseValue(rfc4514, valueAt, type)
    names.at(-1)?.push(attribute)
    if (end >= rfc4514.length) return names
    if (rfc4514[end] === ',') names.push([])
    position = end + 1
  }
}

/**
 * Says what is wrong with a string that should be a subject's name (`tls_client_auth_subject_dn`); undefined when
 * nothing is.
 */
export function distinguishedNameProblem(rfc4514: string): string | undefined {
  try {
    return parseDistinguishedName(rfc4514).length === 0 ? 'is empty' : undefined
  } catch (error) {
    if (error instanceof DistinguishedNameError) return error.message
    throw error
  }
}

/**
 * Whether two names are the same: attribute types by OID, text without regard to case, compatibility forms and runs of
 * white space (caseIgnoreMatch, RFC 4517 §4.2.11), other values byte by byte, the attributes of one RDN as a set, the
 * RDNs in their order.
 */
export function equalDistinguishedNames(
  a: readonly RelativeDistinguishedName[],
  b: readonly RelativeDistinguishedName[]
): boolean {
  return a.length === b.length && distinguishedNameKey(a) === distinguishedNameKey(b)
}

/** One string for a name, the same for every way of encoding it: what {@link equalDistinguishedNames} compares. */
export function distinguishedNameKey(names: readonly RelativeDistinguishedName[]): string {
  return JSON.stringify(names.map(comparable))
}

/** Writes a name as RFC 4514 does. */
export function formatDistinguishedName(names: readonly RelativeDistinguishedName[]): string {
  return names.map(rdn => rdn.map(formatAttribute).join('+')).join(',')
}

/** Text of a BER-encoded directory string (definite length, nothing after it); undefined for any other value. */
export function directoryString(ber: Uint8Array): string | undefined {
  try {
    return textOf(readDer(ber))
  } catch (error) {
    if (error instanceof DerError) return undefined
    throw error
  }
}

function textOf({ tag, content }: DerValue): string | undefined {
  const bytes = Buffer.from(content)
  switch (tag) {
    case 0x0c: // UTF8String
      return decodeUtf8(bytes)
    case 0x13: // PrintableString
    case 0x14: // TeletexString, in practice Latin-1
    case 0x16: // IA5String
      return bytes.toString('latin1')
    case 0x1e: // BMPString
      return bytes.length % 2 === 0 ? bytes.swap16().toString('utf16le') : undefined
    default:
      return undefined
  }
}

function parseType(name: string, position: number): { type: string; valueAt: number } {
  attributeType.lastIndex = position
  const match = attributeType.exec(name)
  if (match === null) throw new DistinguishedNameError(`has no attribute type followed by "=" at character ${position + 1}`)
  const type = match[1] ?? attributeOid(match[2] ?? '')
  if (type === undefined)
    throw new DistinguishedNameError(
      `has an attribute type that is not known by that name at character ${position + 1}; write its OID`
    )
  return { type, valueAt: attributeType.lastIndex }
}

function parseValue(name: string, position: number, type: string): { attribute: DistinguishedNameAttribute; end: number } {
  if (name[position] === '#') {
    hexValue.lastIndex = position
    const hex = hexValue.exec(name)?.[1]
    if (hex === undefined)
      throw new DistinguishedNameError(`has a # that is not followed by hex pairs at character ${position + 1}`)
    return { attribute: encodedAttribute(type, Buffer.from(hex, 'hex')), end: hexValue.lastIndex }
  }
  if (name[position] === '"') {
    quotedValue.lastIndex = position
    const quoted = quotedValue.exec(name)?.[1]
    if (quoted === undefined) throw new DistinguishedNameError(`has an unclosed quote at character ${position + 1}`)
    const { value, end } = parseText(quoted, 0, quotedCharacter)
    if (end !== quoted.length)
      throw new DistinguishedNameError(`has a wrong escape in the quoted value at character ${position + 1}`)
    return { attribute: { type, value: value.all }, end: quotedValue.lastIndex }
  }
  const { value, end } = parseText(name, position, plainCharacter)
  if (end < name.length && name[end] !== ',' && name[end] !== '+')
    throw new DistinguishedNameError(`has a character that must be escaped at character ${end + 1}`)
  return { attribute: { type, value: value.trimmed }, end }
}

/**
 * Reads characters and escapes as far as `character` matches. Hex pairs are bytes of UTF-8 and may add up to one
 * character.
 */
function parseText(text: string, position: number, character: RegExp): { value: { all: string; trimmed: string }; end: number } {
  const pieces: Buffer[] = []
  let significant = 0
  let end = position
  for (;;) {
    character.lastIndex = end
    const match = character.exec(text)
    if (match === null) break
    const [, hexPair, escaped, plain] = match
    pieces.push(hexPair === undefined ? Buffer.from(escaped ?? plain ?? '') : Buffer.from(hexPair, 'hex'))
    // a space at the end counts only where it was escaped
    if (plain?.trim() !== '') significant = pieces.length
    end = character.lastIndex
  }
  const all = decodeUtf8(Buffer.concat(pieces))
  const trimmed = decodeUtf8(Buffer.concat(pieces.slice(0, significant)))
  if (all === undefined || trimmed === undefined)
    throw new DistinguishedNameError(`has hex pairs that are not UTF-8 before character ${end + 1}`)
  return { value: { all, trimmed }, end }
}

/**
 * A Name (RFC 5280 §4.1.2.4) as RFC 4514 writes it: most specific RDN first.
 *
 * @throws DerError for anything else.
 */
export function readName(name: DerValue): RelativeDistinguishedName[] {
  const inOrderOfCertificate = derInside(name, derTags.sequence).map(rdn =>
    derInside(rdn, derTags.set).map(attribute => {
      const [type, value, more] = derInside(attribute, derTags.sequence)
      if (type === undefined || value === undefined || more !== undefined) throw new DerError('is no attribute of a name')
      return encodedAttribute(derOid(type), value.encoded)
    })
  )
  return inOrderOfCertificate.reverse()
}

/** An attribute from the BER encoding of its value. */
export function encodedAttribute(type: string, ber: Uint8Array): DistinguishedNameAttribute {
  const text = directoryString(ber)
  return text === undefined ? { type, value: Buffer.from(ber).toString('hex'), encoded: true } : { type, value: text }
}

function comparable(rdn: RelativeDistinguishedName): string {
  const attributes = rdn.map(({ type, value, encoded }) =>
    JSON.stringify([type, encoded === true, encoded === true ? value : fold(value)])
  )
  return attributes.sort().join()
}

function fold(value: string): string {
  return value.normalize('NFKC').toLowerCase().normalize('NFKC').trim().replace(/\s+/g, ' ')
}

function formatAttribute({ type, value, encoded }: DistinguishedNameAttribute): string {
  if (encoded === true) return `${attributeName(type)}=#${value}`
  const escaped = value
    .replace(/[\\"+,;<>]/g, '\\$&')
    .replace(/\0/g, '\\00')
    .replace(/^[#\s]|\s$/g, edge => (edge === '#' ? '\\#' : Buffer.from(edge).toString('hex').replace(/../g, '\\$&')))
  return `${attributeName(type)}=${escaped}`
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
