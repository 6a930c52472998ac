/** Everybody's certificates, in the files the documented configurations name. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientMetadata, WorkloadsOptions } from 'clientele'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../../support/certificates/certificates.ts'
import { extendedKeyUsage, keyUsage, purposes } from '../../support/certificates/extensions.ts'
import { makeList } from '../../support/certificates/revocation-lists.ts'

const past = new Date(Date.now() - 3_600_000)

const server = makeAuthority({ subject: 'server authority' })
const authority = makeAuthority({ subject: 'client authority', extensions: [keyUsage('keyCertSign', 'cRLSign')] })
const intermediate = makeAuthority({
  subject: 'intermediate',
  issuer: authority,
  extensions: [keyUsage('keyCertSign', 'cRLSign')]
})
const subject = 'billing'
const ofClient = [keyUsage('digitalSignature'), extendedKeyUsage(purposes.clientAuth)]

/** The authority of a SPIFFE trust domain, in nobody's files. */
export const trustDomain = makeAuthority({ subject: 'prod.example', extensions: [keyUsage('keyCertSign', 'cRLSign')] })
const svidOf = (issuer: MadeCertificate, path: string): MadeCertificate =>
  makeCertificate({
    subject: 'workload',
    issuer,
    sans: { uri: [`spiffe://prod.example${path}`] },
    extensions: [keyUsage('digitalSignature')]
  })

/** All are of the one subject the client `billing` registered, but for `own`, which is that of the client `own`, and for SVIDs. */
export const certificates = {
  good: makeCertificate({ subject, issuer: authority, extensions: ofClient }),
  deep: makeCertificate({ subject, issuer: intermediate, extensions: ofClient }),
  expired: makeCertificate({ subject, issuer: authority, notBefore: new Date(past.getTime() - 86_400_000), notAfter: past }),
  revoked: makeCertificate({ subject, issuer: authority }),
  foreign: makeCertificate({ subject, issuer: makeAuthority({ subject: 'foreign authority' }) }),
  impostor: makeCertificate({ subject, issuer: makeAuthority({ subject: 'client authority' }) }),
  selfMade: makeCertificate({ subject }),
  own: makeCertificate({ subject: 'own' }),
  svid: svidOf(trustDomain, '/billing'),
  otherSvid: svidOf(trustDomain, '/billing2'),
  // of an authority that the proxy believes, and the trust domain does not know
  forgedSvid: svidOf(authority, '/billing'),
  ownExpired: makeCertificate({ subject: 'own', notBefore: new Date(past.getTime() - 86_400_000), notAfter: past })
}
export type CertificateName = keyof typeof certificates

export const authorities = { server, client: authority, intermediate }

/** The leaf with what its client sends along. */
export function presentedAs(name: CertificateName): { readonly pem: string; readonly keyPem: string } {
  const { pem, keyPem } = certificates[name]
  return { pem: name === 'deep' ? pem + intermediate.pem : pem, keyPem }
}

const keysOf = ({ jwk, der }: MadeCertificate) => ({ ...jwk, x5c: [der.toString('base64')] })

const bound = { grant_types: ['client_credentials'], response_types: [], tls_client_certificate_bound_access_tokens: true }

/** What both servers behind the proxies know of clients. */
export const clients: readonly ClientMetadata[] = [
  { client_id: 'billing', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=billing', ...bound },
  {
    client_id: 'own',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [keysOf(certificates.own), keysOf(certificates.ownExpired)] },
    ...bound
  }
]

/** A workload, and the bundle its SVIDs are verified with. */
export const workload: ClientMetadata = {
  client_id: 'mesh',
  token_endpoint_auth_method: 'spiffe_x509',
  spiffe_id: 'spiffe://prod.example/billing',
  ...bound
}
export const workloads: WorkloadsOptions = {
  trustDomains: [{ trustDomain: 'prod.example', bundle: { keys: [{ ...keysOf(trustDomain), use: 'x509-svid' }] } }]
}

export interface Material {
  readonly folder: string
  readonly path: (file: string) => string
  /** Writes the revocation lists of both authorities into one of the files, renamed into place. */
  readonly revoke: (file: string, ...revoked: readonly CertificateName[]) => void
  readonly remove: () => void
}

/** Writes the files. `clients-ca.crl` has the certificate `revoked` on it, and `own.crl` none. */
export function writeMaterial(): Material {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-proxies-'))
  const path = (file: string): string => join(folder, file)
  const { pem, keyPem } = makeCertificate({
    subject: '127.0.0.1',
    issuer: server,
    sans: { dns: ['localhost'], ip: ['127.0.0.1', '::1'] }
  })
  const revoke = (file: string, ...revoked: readonly CertificateName[]): void => {
    const lists = [
      makeList({ issuer: authority, revoked: revoked.map(name => certificates[name]) }).pem,
      makeList({ issuer: intermediate }).pem
    ]
    writeFileSync(path(file), lists.join(''))
  }
  writeFileSync(path('as.example.com.crt'), pem)
  writeFileSync(path('as.example.com.key'), keyPem)
  writeFileSync(path('as.example.com.pem'), pem + keyPem)
  writeFileSync(path('clients-ca.crt'), authority.pem)
  revoke('clients-ca.crl', 'revoked')
  revoke('own.crl')
  return { folder, path, revoke, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
