/** Certificates for the keys of pages: signed by an authority of the demo, or by the key itself. */
import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Name } from '@peculiar/asn1-x509'
import { issueCertificate } from '../demo/certificates.ts'
import type { DemoMaterial } from '../demo/material.ts'
import { ownSpiffeIds } from '../demo/workloads.ts'
import { HttpError } from '../http-error.ts'

/** A page's wish for a certificate. */
type Wish = Readonly<Partial<Record<'csr' | 'key' | 'by' | 'uris' | 'isExpired' | 'signsCertificates', unknown>>>

/**
 * Answers with a certificate in PEM. Without `key` an authority signs it: that of the trust domain where `by` is
 * `domain`, else the demo's. Neither does for the demo's own clients.
 *
 * @throws {@link HttpError} for a request that is none
 */
export function certificateFor(body: unknown, { ca, caKey, svid }: DemoMaterial): string {
  const { csr, key, by, uris, isExpired, signsCertificates } = (body ?? {}) as Wish
  try {
    const { name, publicKey } = readRequest(String(csr))
    const names = readUris(uris)
    if (name.startsWith('demo-') || names.some(uri => uri.startsWith(ownSpiffeIds))) throw new TypeError('one of the demo’s own')
    const authority = by === 'domain' ? svid : { ca, caKey }
    const issuer = typeof key === 'string' ? { name, key } : { cert: authority.ca, key: authority.caKey }
    const change = { uris: names, isExpired: isExpired === true, signsCertificates: signsCertificates === true }
    return issueCertificate({ name, publicKey }, issuer, change)
  } catch {
    throw new HttpError(400, 'This is no request for a certificate.')
  }
}

function readUris(uris: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(uris) ? uris : []
  return list.slice(0, 3).map(uri => String(uri).slice(0, 200))
}

/** RFC 2986 §4: the name, and the key that the request proves to have. */
function readRequest(pem: string) {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  const [info = der, , signature = der] = partsOf(der)
  const [, subject = der, spki = der] = partsOf(info)
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  // the first octet says how many bits at the end are unused: none
  const bits = contentOf(signature).subarray(1)
  if (!verify('sha256', info, publicKey, bits)) throw new TypeError('a request that its key did not sign')
  const name = AsnConvert.parse(subject, Name)[0]?.[0]?.value.toString() ?? ''
  if (name === '' || name.length > 64) throw new TypeError('a request without a name')
  return { name, publicKey }
}

/** Where the content of a DER value begins, and where it ends. */
function boundsOf(der: Buffer): readonly [number, number] {
  const first = der.readUInt8(1)
  if (first < 128) return [2, 2 + first]
  const count = first & 0x7f
  return [2 + count, 2 + count + der.readUIntBE(2, count)]
}

function contentOf(der: Buffer): Buffer {
  return der.subarray(...boundsOf(der))
}

/** The values that a DER value consists of. */
function partsOf(der: Buffer): readonly Buffer[] {
  const parts: Buffer[] = []
  for (let rest = contentOf(der); rest.length > 0;) {
    const [, end] = boundsOf(rest)
    parts.push(rest.subarray(0, end))
    rest = rest.subarray(end)
  }
  return parts
}

/** Whether a key is one, so that the server can play the TLS client with it. */
export function isPrivateKey(pem: unknown): pem is string {
  try {
    createPrivateKey(String(pem))
    return true
  } catch {
    return false
  }
}
