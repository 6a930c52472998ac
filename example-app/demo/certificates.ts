/** A small certification authority for the demo, in plain JavaScript. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject
} from 'node:crypto'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version
} from '@peculiar/asn1-x509'

interface KeyPair {
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS #8. */
  readonly key: string
}

export interface Certificates extends Authority {
  readonly server: KeyPair
  /** The tls_client_auth client's, signed by the CA. */
  readonly client: KeyPair
  /** The self_signed_tls_client_auth client's. */
  readonly selfSigned: KeyPair
  /** The attester's, signed by an authority that certifies nothing else. */
  readonly attester: KeyPair & { /** The authority's certificate in PEM. */ readonly ca: string }
  /** The spiffe_x509 client's X.509-SVID, signed by the authority of the trust domain. */
  readonly svid: KeyPair & Authority
}

/** An authority that signs certificates. */
interface Authority {
  /** Its certificate in PEM. */
  readonly ca: string
  /** Its key in PEM, PKCS #8. */
  readonly caKey: string
}

/** Signer of certificates: a name and its key. */
interface Signer extends Subject {
  readonly privateKey: KeyObject
}

/** Subject of a certificate: a name and its public key. */
interface Subject {
  readonly name: string
  readonly publicKey: KeyObject
}

/** A client's certificate, where it is not an everyday one. */
interface CertificateChange {
  /** The URI names in it, such as a SPIFFE ID. Default none. */
  readonly uris?: readonly string[]
  /** True: it ended a minute ago. */
  readonly isExpired?: boolean
  /** True: its key usage says that it signs certificates, although it is no authority's. */
  readonly signsCertificates?: boolean
}

const ecdsaWithSha256 = '1.2.840.10045.4.3.2'
const commonName = '2.5.4.3'
const year = 365 * 86_400_000

/**
 * Makes a CA, a certificate for localhost, one for each of the two certificate methods, an attester's with its own CA,
 * and an X.509-SVID with the authority of its trust domain; good for a year.
 */
export function makeCertificates(spiffe: { readonly trustDomain: string; readonly id: string }): Certificates {
  const ca = signer('clientele demo CA')
  const server = signer('localhost')
  const client = signer('demo-tls')
  const selfSigned = signer('demo-self-signed-tls')
  const attesterCa = signer('clientele demo attester CA')
  const attester = signer('demo attester')
  const domain = signer(spiffe.trustDomain)
  const workload = signer('demo-spiffe-x509')
  const localhost = new SubjectAlternativeName([
    new GeneralName({ dNSName: 'localhost' }),
    new GeneralName({ iPAddress: '127.0.0.1' }),
    new GeneralName({ iPAddress: '::1' })
  ])
  return {
    ca: authority(ca),
    caKey: pemOf(ca),
    server: pair(server, ca, [extension(id_ce_subjectAltName, localhost), ...leaf(id_kp_serverAuth)]),
    client: pair(client, ca, leaf(id_kp_clientAuth)),
    selfSigned: pair(selfSigned, selfSigned, leaf(id_kp_clientAuth)),
    attester: { ca: authority(attesterCa), ...pair(attester, attesterCa, leaf()) },
    svid: {
      ca: authority(domain, [uriNames([`spiffe://${spiffe.trustDomain}`])]),
      caKey: pemOf(domain),
      ...pair(workload, domain, [...leaf(id_kp_clientAuth), uriNames([spiffe.id])])
    }
  }
}

function authority(ca: Signer, more: readonly Extension[] = []): string {
  return certificate(ca, ca, [
    ...more,
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true)
  ])
}

function signer(name: string): Signer {
  return { name, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
}

function pair(subject: Signer, issuer: Signer, extensions: Extension[]): KeyPair {
  return {
    cert: certificate(subject, issuer, extensions),
    key: pemOf(subject)
  }
}

function pemOf({ privateKey }: Signer): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** A client's certificate, by an issuer whose name is in its certificate or given. */
export function issueCertificate(
  subject: Subject,
  { key, ...issuer }: { readonly key: string; readonly cert?: string; readonly name?: string },
  { uris = [], isExpired = false, signsCertificates = false }: CertificateChange = {}
): string {
  const privateKey = createPrivateKey(key)
  const name = issuer.cert === undefined ? (issuer.name ?? '') : new X509Certificate(issuer.cert).subject.replace(/^CN=/, '')
  const signing = { name, privateKey, publicKey: createPublicKey(privateKey) }
  const flags = KeyUsageFlags.digitalSignature | (signsCertificates ? KeyUsageFlags.keyCertSign : 0)
  const extensions = [...leaf(id_kp_clientAuth, flags), ...(uris.length === 0 ? [] : [uriNames(uris)])]
  return certificate(subject, signing, extensions, isExpired ? Date.now() - 60_000 : undefined)
}

function uriNames(uris: readonly string[]): Extension {
  const names = uris.map(uri => new GeneralName({ uniformResourceIdentifier: uri }))
  return extension(id_ce_subjectAltName, new SubjectAlternativeName(names))
}

/** @param usage what it is for in TLS; undefined: nothing there. */
function leaf(usage?: string, flags: number = KeyUsageFlags.digitalSignature): Extension[] {
  return [
    extension(id_ce_basicConstraints, new BasicConstraints(), true),
    extension(id_ce_keyUsage, new KeyUsage(flags), true),
    ...(usage === undefined ? [] : [extension(id_ce_extKeyUsage, new ExtendedKeyUsage([usage]))])
  ]
}

/** RFC 5280 §4.1. */
function certificate(subject: Subject, issuer: Signer, extensions: Extension[], end?: number): string {
  const now = end === undefined ? Date.now() : end - year
  const signature = new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 })
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature,
    issuer: nameOf(issuer),
    validity: new Validity({ notBefore: time(now - 60_000), notAfter: time(now + year) }),
    subject: nameOf(subject),
    subjectPublicKeyInfo: AsnConvert.parse(spkiOf(subject), SubjectPublicKeyInfo),
    extensions: new Extensions([
      ...extensions,
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdOf(subject))),
      extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdOf(issuer)) }))
    ])
  })
  const signatureValue = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), issuer.privateKey)
  const der = AsnConvert.serialize(
    new Certificate({ tbsCertificate, signatureAlgorithm: signature, signatureValue: bytes(signatureValue) })
  )
  const base64 = Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n')
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
}

function nameOf({ name }: Subject): Name {
  const value = new AttributeValue({ utf8String: name })
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: commonName, value })])])
}

function time(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000)
}

/** 126 random bits, with the first two bits 01: positive, and of one length. */
function serialNumber(): ArrayBuffer {
  const random = randomBytes(16)
  random.writeUInt8((random.readUInt8(0) & 0x3f) | 0x40, 0)
  return bytes(random)
}

function spkiOf({ publicKey }: Subject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' })
}

function keyIdOf(subject: Subject): ArrayBuffer {
  return bytes(createHash('sha1').update(spkiOf(subject)).digest())
}

function bytes(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer
}
