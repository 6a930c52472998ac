/** Name constraints (RFC 5280 §4.2.1.10): the names an authority may certify, and those it may not. */
import { isIP } from 'node:net'
import { DerError, derInside, derTags, readDer, type DerValue } from './der.ts'
import { distinguishedNameKey, type RelativeDistinguishedName } from './distinguished-name.ts'
import { lowerCaseAscii, mostNames, sortNames, type GeneralNames } from './general-names.ts'

export interface NameConstraints {
  readonly permitted: GeneralNames
  readonly excluded: GeneralNames
}

/** All names of a certificate: its subject and its alternative names. */
interface CertificateNames {
  readonly subject: readonly RelativeDistinguishedName[]
  readonly names: GeneralNames
}

type Kind = Exclude<keyof GeneralNames, 'other'>
type NameOf<K extends Kind> = GeneralNames[K][number]

const emailAddress = '1.2.840.113549.1.9.1'

/**
 * Parses the extension's value. @throws DerError where it is none, or has a minimum or maximum (RFC 5280 forbids both).
 */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const bases = new Map<number, DerValue[]>()
  for (const subtrees of derInside(readDer(value), derTags.sequence)) {
    if (bases.has(subtrees.tag)) throw new DerError('has the same constraints twice')
    bases.set(subtrees.tag, derInside(subtrees, subtrees.tag, mostNames).map(baseOf))
  }
  return { permitted: sortNames(bases.get(0xa0) ?? []), excluded: sortNames(bases.get(0xa1) ?? []) }
}

function baseOf(subtree: DerValue): DerValue {
  const [base, more] = derInside(subtree, derTags.sequence)
  if (base === undefined || more !== undefined) throw new DerError('has a subtree with limits, or without a base')
  return base
}

/**
 * Whether a certificate's names keep to the constraints of an authority above it. A name of a kind that cannot be
 * compared does not.
 */
export function keepsTo({ permitted, excluded }: NameConstraints, certificate: CertificateNames): boolean {
  const names = allNames(certificate)
  const limited = new Set([...permitted.other, ...excluded.other])
  return (
    keeps('dns', permitted, excluded, names, isDnsWithin) &&
    keeps('email', permitted, excluded, names, isEmailWithin) &&
    keeps('ip', permitted, excluded, names, isAddressWithin) &&
    keeps('directory', permitted, excluded, names, isNameWithin) &&
    keeps('uri', permitted, excluded, names, isUriWithin) &&
    // a URI without a host cannot be told to be outside what is excluded
    (permitted.uri.length + excluded.uri.length === 0 || names.uri.every(uri => hostOf(uri) !== undefined)) &&
    !names.other.some(tag => limited.has(tag))
  )
}

function keeps<K extends Kind>(
  kind: K,
  permitted: GeneralNames,
  excluded: GeneralNames,
  names: GeneralNames,
  isWithin: (name: NameOf<K>, base: NameOf<K>) => boolean
): boolean {
  const within = (name: NameOf<K>, bases: readonly NameOf<K>[]) => bases.some(base => isWithin(name, base))
  return (names[kind] as readonly NameOf<K>[]).every(
    name =>
      !within(name, excluded[kind] as readonly NameOf<K>[]) &&
      (permitted[kind].length === 0 || within(name, permitted[kind] as readonly NameOf<K>[]))
  )
}

/** The subject counts as a directoryName, and the addresses in it as emails where the alternative names have none. */
function allNames({ subject, names }: CertificateNames): GeneralNames {
  const inSubject = subject.flat().filter(({ type }) => type === emailAddress)
  return {
    ...names,
    directory: subject.length === 0 ? names.directory : [subject, ...names.directory],
    email: names.email.length > 0 ? names.email : inSubject.map(({ value }) => value)
  }
}

/** The name itself and every name below it. A base that begins with a dot stands for what is below alone. */
function isDnsWithin(name: string, base: string): boolean {
  const host = lowerCaseAscii(name)
  const domain = lowerCaseAscii(base)
  if (domain === '') return true
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`)
}

/** A mailbox, all mailboxes of a host, or all of every host below a domain. */
function isEmailWithin(email: string, base: string): boolean {
  const at = email.lastIndexOf('@')
  const local = email.slice(0, at)
  const host = lowerCaseAscii(email.slice(at + 1))
  const baseAt = base.lastIndexOf('@')
  if (baseAt >= 0) return local === base.slice(0, baseAt) && host === lowerCaseAscii(base.slice(baseAt + 1))
  return isHostWithin(host, lowerCaseAscii(base))
}

function isUriWithin(uri: string, base: string): boolean {
  const host = hostOf(uri)
  return host !== undefined && isHostWithin(host, lowerCaseAscii(base))
}

/** A host alone, or the hosts below a domain that is written with a leading dot. */
function isHostWithin(host: string, base: string): boolean {
  return base === '' || (base.startsWith('.') ? host.endsWith(base) : host === base)
}

/** The host name of a URI's authority; undefined where there is none, or it is an address. */
function hostOf(uri: string): string | undefined {
  const [, authority = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri) ?? []
  const host = lowerCaseAscii(authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, ''))
  return host === '' || host.startsWith('[') || isIP(host) !== 0 ? undefined : host
}

/** A base is an address and a mask of the same length. */
function isAddressWithin(address: Uint8Array, base: Uint8Array): boolean {
  const { length } = address
  if (base.length !== 2 * length) return false
  return address.every((byte, index) => {
    const mask = base[length + index] ?? 0xff
    return (byte & mask) === ((base[index] ?? 0) & mask)
  })
}

/** The base's RDNs are the least specific of the name: the end, as names are kept here. */
function isNameWithin(name: readonly RelativeDistinguishedName[], base: readonly RelativeDistinguishedName[]): boolean {
  if (base.length > name.length) return false
  return distinguishedNameKey(name.slice(name.length - base.length)) === distinguishedNameKey(base)
}
