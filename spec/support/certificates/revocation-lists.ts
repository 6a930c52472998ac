/** Revocation lists made in this process, encoded byte by byte, for specs that need real ones. */
import type { KeyObject } from 'node:crypto'
import { extension } from './extensions.ts'
import { signatureAlgorithm, signatureOver, time, tlv, type CertificateOptions, type MadeCertificate } from './certificates.ts'

export interface ListOptions {
  readonly issuer: MadeCertificate
  readonly revoked?: readonly Pick<MadeCertificate, 'serial'>[]
  readonly thisUpdate?: Date
  /** Undefined where the list is not to have one. */
  readonly nextUpdate?: Date | undefined
  readonly hash?: CertificateOptions['hash']
  /** Signs instead of the issuer. */
  readonly key?: KeyObject
  readonly extensions?: readonly Buffer[]
}

interface MadeList {
  readonly der: Buffer
  readonly pem: string
}

/** A list of `issuer`, from an hour ago for a day unless said otherwise. */
export function makeList(options: ListOptions): MadeList {
  const { issuer, revoked = [], extensions = [], hash = 'sha256', key = issuer.key } = options
  const nextUpdate = 'nextUpdate' in options ? options.nextUpdate : new Date(Date.now() + 86_400_000)
  const thisUpdate = time(options.thisUpdate ?? new Date(Date.now() - 3_600_000))
  const algorithm = signatureAlgorithm(key, hash)
  const content = tlv(
    0x30,
    tlv(0x02, Buffer.of(1)),
    algorithm,
    issuer.name,
    thisUpdate,
    ...(nextUpdate === undefined ? [] : [time(nextUpdate)]),
    ...(revoked.length === 0 ? [] : [tlv(0x30, ...revoked.map(({ serial }) => tlv(0x30, tlv(0x02, serial), thisUpdate)))]),
    ...(extensions.length === 0 ? [] : [tlv(0xa0, tlv(0x30, ...extensions))])
  )
  const der = tlv(0x30, content, algorithm, signatureOver(content, key, hash))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return { der, pem: `-----BEGIN X509 CRL-----\n${lines.join('\n')}\n-----END X509 CRL-----\n` }
}

/** The extension that says which certificates a list is about (RFC 5280 §5.2.5). */
export function issuingDistributionPoint(...fields: readonly Buffer[]): Buffer {
  return extension('2.5.29.28', tlv(0x30, ...fields), true)
}
