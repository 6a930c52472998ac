/** GeneralNames (RFC 5280 §4.2.1.6): the names of a subjectAltName, and whatever else is a list of them. */
import { derInside, derTags, readDer, type DerValue } from './der.ts'
import { readName, type RelativeDistinguishedName } from './distinguished-name.ts'

/** Names by their kind, each as it stands in the certificate. */
export interface GeneralNames {
  readonly email: readonly string[]
  readonly dns: readonly string[]
  readonly uri: readonly string[]
  /** Four or sixteen bytes; twice as many where they are a constraint. */
  readonly ip: readonly Uint8Array[]
  readonly directory: readonly (readonly RelativeDistinguishedName[])[]
  /** The tags of names of the kinds that nobody here compares: otherName, x400Address, ediPartyName, registeredID. */
  readonly other: readonly number[]
}

export const noNames: GeneralNames = { email: [], dns: [], uri: [], ip: [], directory: [], other: [] }

/** A usual certificate has a handful. Each costs time before anybody knows whose it is. */
export const mostNames = 400

const tags = { email: 0x81, dns: 0x82, directory: 0xa4, uri: 0x86, ip: 0x87 } as const

/** Reads a GeneralNames sequence. @throws DerError */
export function readGeneralNames(der: Uint8Array): GeneralNames {
  return sortNames(derInside(readDer(der), derTags.sequence, mostNames))
}

/** Sorts GeneralName values by their kind. @throws DerError for a directoryName that is none. */
export function sortNames(values: Iterable<DerValue>): GeneralNames {
  const email: string[] = []
  const dns: string[] = []
  const uri: string[] = []
  const ip: Uint8Array[] = []
  const directory: RelativeDistinguishedName[][] = []
  const other: number[] = []
  const texts = new Map<number, string[]>([
    [tags.email, email],
    [tags.dns, dns],
    [tags.uri, uri]
  ])
  for (const { tag, content } of values) {
    const list = texts.get(tag)
    // IA5String; a byte above 127 is kept as it is, so that it equals nothing but itself
    if (list !== undefined) list.push(Buffer.from(content).toString('latin1'))
    else if (tag === tags.ip) ip.push(content)
    else if (tag === tags.directory) directory.push(readName(readDer(content)))
    else other.push(tag)
  }
  return { email, dns, uri, ip, directory, other }
}

/** Not toLowerCase: that maps characters outside ASCII onto letters inside it. */
export function lowerCaseAscii(name: string): string {
  return name.replace(/[A-Z]/g, letter => letter.toLowerCase())
}
