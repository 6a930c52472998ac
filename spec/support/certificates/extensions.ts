/** Extensions of certificates, DER, for specs: what makes one an authority's, or limits what it is good for (RFC 5280 §4.2.1). */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { encodeName, oid, tlv, type Subject } from './certificates.ts'

/** Any extension; its value is DER. */
export function extension(id: string, value: Buffer, critical = false): Buffer {
  return tlv(0x30, oid(id), ...(critical ? [tlv(0x01, Buffer.of(0xff))] : []), tlv(0x04, value))
}

const usages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign'
] as const

export function keyUsage(...used: (typeof usages)[number][]): Buffer {
  const bits = usages.reduce((byte, usage, index) => (used.includes(usage) ? byte | (0x80 >> index) : byte), 0)
  const unused = bits === 0 ? 0 : Math.clz32(bits & -bits) === 31 ? 0 : 31 - Math.clz32(bits & -bits)
  return extension('2.5.29.15', tlv(0x03, Buffer.of(unused, bits)), true)
}

export const purposes = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2', any: '2.5.29.37.0' } as const

export function extendedKeyUsage(...ids: string[]): Buffer {
  return extension('2.5.29.37', tlv(0x30, ...ids.map(oid)))
}

/** Where a certificate says its revocation list is: one URL for each point. */
export function distributionPoints(...urls: string[]): Buffer {
  return extension('2.5.29.31', tlv(0x30, ...urls.map(url => tlv(0x30, tlv(0xa0, tlv(0xa0, tlv(0x86, Buffer.from(url))))))))
}

/** A constraint, or a name: its kind and how it is written. An address with a slash has a mask of so many bits. */
export type Base =
  readonly [kind: 'dns' | 'email' | 'uri' | 'ip' | 'other', value: string] | readonly [kind: 'directory', value: Subject]

export function nameConstraints(permitted: readonly Base[], excluded: readonly Base[] = []): Buffer {
  const trees = (tag: number, bases: readonly Base[]) =>
    bases.length === 0 ? [] : [tlv(tag, ...bases.map(base => tlv(0x30, generalName(base))))]
  return extension('2.5.29.30', tlv(0x30, ...trees(0xa0, permitted), ...trees(0xa1, excluded)), true)
}

export function generalName([kind, value]: Base): Buffer {
  if (kind === 'directory') return tlv(0xa4, encodeName(value))
  if (kind === 'ip') return tlv(0x87, addressAndMask(value))
  if (kind === 'other') return tlv(0xa0, oid(value), tlv(0xa0, tlv(0x0c, Buffer.from('x'))))
  return tlv({ email: 0x81, dns: 0x82, uri: 0x86 }[kind], Buffer.from(value, 'latin1'))
}

function addressAndMask(text: string): Buffer {
  const [address = '', bits] = text.split('/')
  const bytes = isIP(address) === 0 ? [] : ipaddr.parse(address).toByteArray()
  if (bits === undefined) return Buffer.from(bytes)
  return Buffer.from([
    ...bytes,
    ...bytes.map((_, index) => (0xff << Math.max(0, Math.min(8, 8 - (Number(bits) - 8 * index)))) & 0xff)
  ])
}
