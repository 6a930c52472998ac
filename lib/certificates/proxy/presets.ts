/** The headers proxies put certificates in, by the names they are known by. */
import type { CertificateFormat } from './formats.ts'

/** The header a proxy hands a client certificate on in. */
export interface CertificateHeader {
  /** The way the certificate is written there. */
  readonly format: CertificateFormat
  /** The header's name, in lower case. */
  readonly header: string
  /** The header of the intermediates, where the proxy has one of its own. */
  readonly chainHeader?: string
}

const headers = {
  /** Anything that speaks RFC 9440. */
  rfc9440: { format: 'rfc9440', header: 'client-cert', chainHeader: 'client-cert-chain' },
  /** `proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert` */
  nginx: { format: 'url-encoded-pem', header: 'x-ssl-client-cert' },
  /** The header that the ingress controller sends with `auth-tls-pass-certificate-to-upstream`. */
  ingressNginx: { format: 'url-encoded-pem', header: 'ssl-client-cert' },
  /** `http-request set-header X-SSL-Client-Cert %[ssl_c_der,base64]`, and the chain in X-SSL-Client-Chain. */
  haproxy: { format: 'base64-der', header: 'x-ssl-client-cert', chainHeader: 'x-ssl-client-chain' },
  /** `RequestHeader set X-SSL-Client-Cert "expr=%{escape:%{SSL_CLIENT_CERT}}"` */
  apache: { format: 'url-encoded-pem', header: 'x-ssl-client-cert' },
  /** `RequestHeader set X-SSL-Client-Cert "%{SSL_CLIENT_CERT}s"` */
  apachePem: { format: 'pem', header: 'x-ssl-client-cert' },
  /** `forward_client_cert_details: SANITIZE_SET` with `cert` and, better, `chain`. */
  envoy: { format: 'envoy-xfcc', header: 'x-forwarded-client-cert' },
  /** The `passTLSClientCert` middleware with `pem: true`. */
  traefik: { format: 'base64-der', header: 'x-forwarded-tls-client-cert' },
  /** An Application Load Balancer in verify mode. */
  awsAlb: { format: 'url-encoded-pem', header: 'x-amzn-mtls-clientcert-leaf' },
  /** An Application Load Balancer in passthrough mode, which verifies nothing. */
  awsAlbPassthrough: { format: 'url-encoded-pem', header: 'x-amzn-mtls-clientcert' },
  /** Azure App Service, which verifies nothing. */
  azureAppService: { format: 'base64-der', header: 'x-arr-clientcert' }
} as const satisfies Readonly<Record<string, CertificateHeader>>

/**
 * Format and header of each proxy. Where the proxy leaves the header's name to its configuration, it is the one of
 * docs/certificates.md; a different one may be named beside it.
 *
 * @example
 * proxyCertificate({ ...certificateHeaders.nginx, trustedProxies: ['10.0.0.5'], verifiedByProxy: true })
 */
export const certificateHeaders: { readonly [Proxy in keyof typeof headers]: CertificateHeader } = headers
