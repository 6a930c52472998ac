/** Certificates for the keys of pages: signed by the demo's authority, or by the key itself. */
import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Name } from '@peculiar/asn1-x509'
import { issueCertificate } from '../demo/certificates.ts'
import type { DemoMaterial } from '../demo/material.ts'
import { HttpError } from '../http-error.ts'

/**
 * Answers with a certificate in PEM. Without `key` the authority signs it. @throws {@link HttpError} for a request that
 * is none
 */
export function certificateFor(body: unknown, { ca, caKey }: DemoMaterial): string {
  const { csr, key, isExpired } = (body ?? {}) as { readonly csr?: unknown; readonly key?: unknown; readonly isExpired?: unknown }
  try {
    const { name, publicKey } = readRequest(String(csr))
    const own = typeof key === 'string' ? { name, key } : { cert: ca, key: caKey }
    return issueCertificate({ name, publicKey }, own, isExpired === true)
  } catch {
    throw new HttpError(400, 'This is no request for a certificate.')
  }
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
