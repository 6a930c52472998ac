/** Certificates for the keys of pages: signed by the demo's authority, or by the key itself. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { CertificationRequest } from '@peculiar/asn1-csr'
import { issueCertificate } from '../demo/certificates.ts'
import type { DemoMaterial } from '../demo/material.ts'
import { HttpError } from '../http-error.ts'

/** Answers with a certificate in PEM. Without `key` the authority signs it. @throws {@link HttpError} for a request that is none */
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

/** RFC 2986 §4. What the request is signed with is what the certificate will be for; a stolen public key would be of no use to anybody here. */
function readRequest(pem: string) {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  const { certificationRequestInfo: info } = AsnConvert.parse(der, CertificationRequest)
  const name = info.subject[0]?.[0]?.value.toString() ?? ''
  if (name === '' || name.length > 64) throw new TypeError('a request without a name')
  const spki = Buffer.from(AsnConvert.serialize(info.subjectPKInfo))
  return { name, publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }) }
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
