/**
 * Certificates made in this process, for specs that need real ones: encoded here byte by byte, so that what reads them is
 * checked against something else than itself. Keys are P-256 unless one is given.
 */
import { constants, createHash, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { JWK } from 'jose'
import { newKeyPair } from '../../../lib/crypto/key-pairs.ts'

/** One attribute: a name of {@link oids} or a dotted OID, and its text (as UTF8String) or its DER. */
type Attribute = readonly [type: string, value: string | Buffer]
/** RDNs in the certificate's order, the least specific first. An RDN of several attributes is a list of them. A string is a CN alone. */
export type Subject = string | readonly (Attribute | readonly Attribute[])[]

interface Sans {
  readonly dns?: readonly string[]
  readonly uri?: readonly string[]
  readonly ip?: readonly string[]
  readonly email?: readonly string[]
}

export interface CertificateOptions {
  readonly subject?: Subject
  readonly sans?: Sans
  /** Who signs. Default: the certificate itself. */
  readonly issuer?: MadeCertificate
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Whether it is a certificate authority. Default false; undefined leaves basicConstraints out. */
  readonly ca?: boolean | undefined
  /** How many authorities may follow below it. */
  readonly pathLength?: number
  /** Without extensions, as they were before 1996. */
  readonly version?: 1 | 3
  /** What is hashed with; the signature says so too. Default SHA-256. */
  readonly hash?: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  /** Content octets. Default: sixteen random ones. */
  readonly serial?: Buffer
  /** The private key to certify. Default: a new P-256 key. */
  readonly key?: KeyObject
  /** More extensions, DER. */
  readonly extensions?: readonly Buffer[]
}

export interface MadeCertificate {
  readonly pem: string
  readonly keyPem: string
  readonly der: Buffer
  /** The public key, without x5c. */
  readonly jwk: JWK
  readonly key: KeyObject
  /** `x5t#S256` */
  readonly thumbprint: string
  /** The subject's name, DER. */
  readonly name: Buffer
  /** The serial number's content octets. */
  readonly serial: Buffer
}

const oids: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  serialNumber: '2.5.4.5',
  organizationIdentifier: '2.5.4.97',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1'
}

/** A self-signed certificate authority. */
export function makeAuthority(options: CertificateOptions = {}): MadeCertificate {
  return makeCertificate({ subject: 'spec authority', ca: true, ...options })
}

/** A certificate: self-signed, or of `issuer`; valid from an hour ago for a day unless said otherwise. */
export function makeCertificate(options: CertificateOptions = {}): MadeCertificate {
  const key = options.key ?? newKeyPair('P-256').privateKey
  const publicKey = createPublicKey(key)
  const name = encodeName(options.subject ?? 'spec')
  const signer = options.issuer ?? { key, name }
  const isOld = options.version === 1
  const hash = options.hash ?? 'sha256'
  const serial = options.serial ?? Buffer.concat([Buffer.of(0x40), randomBytes(15)])
  const algorithm = signatureAlgorithm(signer.key, hash)
  const tbs = tlv(
    0x30,
    ...(isOld ? [] : [tlv(0xa0, tlv(0x02, Buffer.of(2)))]),
    tlv(0x02, serial),
    algorithm,
    signer.name,
    tlv(
      0x30,
      time(options.notBefore ?? new Date(Date.now() - 3_600_000)),
      time(options.notAfter ?? new Date(Date.now() + 86_400_000))
    ),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    ...(isOld ? [] : [tlv(0xa3, tlv(0x30, ...encodeExtensions(options)))])
  )
  const der = tlv(0x30, tbs, algorithm, signatureOver(tbs, signer.key, hash))
  return {
    pem: `-----BEGIN CERTIFICATE-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`,
    keyPem: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    der,
    // not every kind of key has a JWK
    get jwk() {
      return publicKey.export({ format: 'jwk' })
    },
    key,
    thumbprint: createHash('sha256').update(der).digest('base64url'),
    name,
    serial
  }
}

/** One DER value. */
export function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const value = Buffer.concat(content)
  if (value.length < 0x80) return Buffer.concat([Buffer.of(tag, value.length), value])
  const digits = value.length.toString(16)
  const length = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, value])
}

/** A subjectAltName extension, DER. */
export function subjectAltName({ dns = [], uri = [], ip = [], email = [] }: Sans): Buffer {
  const names = [
    ...email.map(value => tlv(0x81, Buffer.from(value))),
    ...dns.map(value => tlv(0x82, Buffer.from(value))),
    ...uri.map(value => tlv(0x86, Buffer.from(value))),
    ...ip.map(value => tlv(0x87, Buffer.from(isIP(value) === 0 ? [] : ipaddr.parse(value).toByteArray())))
  ]
  return tlv(0x30, oid('2.5.29.17'), tlv(0x04, tlv(0x30, ...names)))
}

function encodeExtensions(options: CertificateOptions): Buffer[] {
  const { ca = false, pathLength, sans, extensions = [] } = options
  const basicConstraints = tlv(
    0x30,
    ...(ca ? [tlv(0x01, Buffer.of(0xff))] : []),
    ...(pathLength === undefined ? [] : [tlv(0x02, Buffer.of(pathLength))])
  )
  const hasConstraints = !('ca' in options) || options.ca !== undefined
  return [
    ...(hasConstraints ? [tlv(0x30, oid('2.5.29.19'), tlv(0x01, Buffer.of(0xff)), tlv(0x04, basicConstraints))] : []),
    ...(sans === undefined ? [] : [subjectAltName(sans)]),
    ...extensions
  ]
}

export function encodeName(subject: Subject): Buffer {
  const rdns = typeof subject === 'string' ? [['CN', subject] as const] : subject
  return tlv(0x30, ...rdns.map(rdn => tlv(0x31, ...(isAttribute(rdn) ? [rdn] : rdn).map(encodeAttribute))))
}

function isAttribute(rdn: Attribute | readonly Attribute[]): rdn is Attribute {
  return typeof rdn[0] === 'string'
}

function encodeAttribute([type, value]: Attribute): Buffer {
  return tlv(0x30, oid(oids[type] ?? type), typeof value === 'string' ? tlv(0x0c, Buffer.from(value)) : value)
}

/** What a certificate or a list says of how it was signed. */
export function signatureAlgorithm(key: KeyObject, hash: NonNullable<CertificateOptions['hash']> = 'sha256'): Buffer {
  const ec = {
    sha1: '1.2.840.10045.4.1',
    sha256: '1.2.840.10045.4.3.2',
    sha384: '1.2.840.10045.4.3.3',
    sha512: '1.2.840.10045.4.3.4'
  }
  const rsa = {
    sha1: '1.2.840.113549.1.1.5',
    sha256: '1.2.840.113549.1.1.11',
    sha384: '1.2.840.113549.1.1.12',
    sha512: '1.2.840.113549.1.1.13'
  }
  if (key.asymmetricKeyType === 'ed25519') return tlv(0x30, oid('1.3.101.112'))
  if (key.asymmetricKeyType === 'ec') return tlv(0x30, oid(ec[hash]))
  if (key.asymmetricKeyType === 'rsa-pss') return pssAlgorithm(hash)
  return tlv(0x30, oid(rsa[hash]), tlv(0x05))
}

const hashOids = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3'
}

/** RFC 4055 §3.1, with a salt as long as the hash. */
function pssAlgorithm(hash: keyof typeof hashOids): Buffer {
  const hashAlgorithm = tlv(0x30, oid(hashOids[hash]), tlv(0x05))
  const mgf = tlv(0x30, oid('1.2.840.113549.1.1.8'), hashAlgorithm)
  const salt = tlv(0x02, Buffer.of({ sha1: 20, sha256: 32, sha384: 48, sha512: 64 }[hash]))
  return tlv(0x30, oid('1.2.840.113549.1.1.10'), tlv(0x30, tlv(0xa0, hashAlgorithm), tlv(0xa1, mgf), tlv(0xa2, salt)))
}

/** The BIT STRING under a certificate or a list. */
export function signatureOver(content: Buffer, key: KeyObject, hash: string): Buffer {
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : hash
  const salt = key.asymmetricKeyType === 'rsa-pss' && { saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return tlv(0x03, Buffer.of(0), sign(algorithm, content, { key, ...salt }))
}

/** GeneralizedTime from 2050, UTCTime before (RFC 5280 §4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`
  return date.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits))
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(arc)))
}

function arc(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left & 0x7f) | 0x80)
  return bytes
}
