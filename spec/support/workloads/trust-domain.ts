/** A SPIFFE trust domain of a spec's own: its authority, its keys, its bundle, and SVIDs of workloads. */
import type { JWK } from 'jose'
import { makeAuthority, makeCertificate, type CertificateOptions, type MadeCertificate } from '../certificates/certificates.ts'
import { keyUsage } from '../certificates/extensions.ts'
import { makeIssuer, signAs, type JwtParts } from '../servers/trusted-issuer.ts'

interface MadeTrustDomain {
  readonly name: string
  readonly authority: MadeCertificate
  readonly bundle: { readonly keys: readonly JWK[] }
  /** A JWT-SVID for `aud`, good for a minute, changed as given. */
  jwtSvid(path: string, aud: string, parts?: JwtParts): Promise<string>
  /** An X.509-SVID, of the authority itself unless another is given. */
  x509Svid(path: string, options?: CertificateOptions): MadeCertificate
}

export async function makeTrustDomain(
  name = 'prod.example',
  validity: Pick<CertificateOptions, 'notBefore' | 'notAfter'> = {}
): Promise<MadeTrustDomain> {
  const authority = makeAuthority({
    subject: name,
    sans: { uri: [`spiffe://${name}`] },
    extensions: [keyUsage('keyCertSign', 'cRLSign')],
    ...validity
  })
  const signer = await makeIssuer(`https://oidc.${name}`)
  const keys: JWK[] = [
    { ...authority.jwk, use: 'x509-svid', x5c: [authority.der.toString('base64')] },
    { ...signer.jwk, use: 'jwt-svid' }
  ]
  return {
    name,
    authority,
    bundle: { keys },
    jwtSvid: (path, aud, parts = {}) =>
      signAs(signer, aud, Date.now() / 1000, {
        ...parts,
        claims: { iss: undefined, sub: `spiffe://${name}${path}`, ...parts.claims }
      }),
    x509Svid: (path, options = {}) =>
      makeCertificate({
        subject: [['O', 'SPIFFE']],
        sans: { uri: [`spiffe://${name}${path}`] },
        issuer: authority,
        extensions: [keyUsage('digitalSignature')],
        ...options
      })
  }
}
