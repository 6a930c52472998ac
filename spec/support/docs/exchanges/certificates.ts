/** The methods whose client presents a certificate. */
import { keyUsage } from '../../certificates/extensions.ts'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../../certificates/certificates.ts'
import { longValid } from '../../clients/attestation.ts'
import { tlsCertificate, type AuthorizationServerOptions } from 'clientele'
import { makeTrustDomain } from '../../workloads/trust-domain.ts'
import { mtlsHost, tokenPath } from './exchange.ts'
import { grant, secret, sendChanged, type Change, type MethodScript } from './script.ts'
import { faultsOf } from './secrets.ts'

const authority = makeAuthority({ subject: 'Example Client CA', ...longValid })
const stranger = makeAuthority({ subject: 'Another CA', ...longValid })
const over = { notBefore: new Date('2024-01-01'), notAfter: new Date('2025-01-01') }
const certify = (subject: string, issuer?: MadeCertificate, more = {}) =>
  makeCertificate({ subject, ...(issuer && { issuer }), ...longValid, ...more })

const domain = await makeTrustDomain('prod.example', longValid)
const elsewhere = await makeTrustDomain('dev.example', longValid)

function scriptOf(
  method: string,
  client_id: string,
  certificate: MadeCertificate,
  registered: MethodScript['registered'],
  faults: readonly (readonly [string, string, Change])[],
  more: Partial<AuthorizationServerOptions> = {}
): MethodScript {
  return {
    method,
    registered,
    options: { certificateMethods: true, ...more },
    talk: (send, change) =>
      sendChanged(send, { host: mtlsHost, path: tokenPath, form: { ...grant, client_id }, certificate }, change),
    faults: faultsOf(faults)
  }
}

export const tlsClientAuth = scriptOf(
  'tls_client_auth',
  'billing',
  certify('billing', authority),
  { tls_client_auth_subject_dn: 'CN=billing' },
  [
    ['No certificate', 'certificate', { certificate: undefined }],
    ['A certificate of another authority', 'certificate_chain', { certificate: certify('billing', stranger) }],
    ['A certificate the client made itself', 'certificate_chain', { certificate: certify('billing') }],
    ['An expired certificate', 'certificate_chain', { certificate: certify('billing', authority, over) }],
    ['The certificate of another client', 'certificate_subject', { certificate: certify('reports', authority) }],
    ['A client_id nobody has', 'client', { form: { client_id: 'nobody' } }],
    ['A secret beside the certificate', 'registered_method', { form: { client_secret: secret } }]
  ],
  { certificateSource: tlsCertificate({ ca: authority.pem }) }
)

const own = certify('billing')
const expired = certify('billing', undefined, over)
const registeredAs = ({ jwk, der }: MadeCertificate) => ({ ...jwk, x5c: [der.toString('base64')] })

export const selfSignedTlsClientAuth = scriptOf(
  'self_signed_tls_client_auth',
  'billing',
  own,
  { jwks: { keys: [registeredAs(own), registeredAs(expired)] } },
  [
    ['No certificate', 'certificate', { certificate: undefined }],
    ['A certificate with the same name, and another key', 'certificate_key', { certificate: certify('billing') }],
    ['The registered certificate, which has expired', 'certificate_validity', { certificate: expired }],
    ['A client_id nobody has', 'client', { form: { client_id: 'nobody' } }],
    ['A secret beside the certificate', 'registered_method', { form: { client_secret: secret } }]
  ]
)

export const spiffeX509 = scriptOf(
  'spiffe_x509',
  'billing',
  domain.x509Svid('/billing', longValid),
  { spiffe_id: 'spiffe://prod.example/billing' },
  [
    ['No certificate', 'certificate', { certificate: undefined }],
    ['The SVID of another workload', 'spiffe_id', { certificate: domain.x509Svid('/reports', longValid) }],
    ['An SVID of another trust domain', 'spiffe_id', { certificate: elsewhere.x509Svid('/billing', longValid) }],
    [
      'An SVID of this trust domain’s name, by another authority',
      'certificate_chain',
      { certificate: domain.x509Svid('/billing', { issuer: stranger, ...longValid }) }
    ],
    ['An expired SVID', 'certificate_validity', { certificate: domain.x509Svid('/billing', over) }],
    [
      'An SVID whose key usage is not a workload’s',
      'certificate_usage',
      { certificate: domain.x509Svid('/billing', { extensions: [keyUsage('keyCertSign')], ...longValid }) }
    ],
    ['A client_id nobody has', 'client', { form: { client_id: 'nobody' } }]
  ],
  { workloads: { trustDomains: [{ trustDomain: domain.name, bundle: domain.bundle }] } }
)
