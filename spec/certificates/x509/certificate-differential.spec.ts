/** Certificates as they are read here, beside how the library that is written for it (@peculiar/asn1-x509) and Node read them. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { AsnConvert } from '@peculiar/asn1-schema'
import { BasicConstraints, Certificate, ExtendedKeyUsage, KeyUsage } from '@peculiar/asn1-x509'
import fc from 'fast-check'
import { formatDistinguishedName } from '../../../lib/certificates/x509/distinguished-name.ts'
import { CertificateError, parseCertificate, type ParsedCertificate } from '../../../lib/certificates/x509/certificate.ts'
import { readPathCertificate, type PathCertificate } from '../../../lib/certificates/x509/path-certificate.ts'
import { extendedKeyUsage, keyUsage, nameConstraints, purposes } from '../../support/certificates/extensions.ts'
import { makeAuthority, makeCertificate } from '../../support/certificates/certificates.ts'
import { runs } from '../../support/checks/runs.ts'

const rsa = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey
const authority = makeAuthority({
  subject: [
    ['C', 'DE'],
    ['1.3.6.1.4.1.99999.1', 'x']
  ],
  pathLength: 2,
  key: rsa
})
const samples = [
  authority,
  makeAuthority({ pathLength: 300, serial: Buffer.of(0, 0xff) }),
  makeCertificate({ version: 1 }),
  makeCertificate({ ca: undefined, notAfter: new Date('2060-01-01') }),
  makeCertificate({
    issuer: authority,
    subject: [
      ['C', 'DE'],
      [
        ['CN', 'a'],
        ['UID', '7']
      ],
      ['1.2.840.113549.1.9.1', Buffer.from('16036140 62'.replace(' ', ''), 'hex')]
    ],
    sans: { dns: ['a.example', ''], ip: ['192.0.2.1', '2001:db8::1'], email: ['a@b.example'], uri: ['urn:a'] },
    extensions: [keyUsage('digitalSignature', 'keyAgreement'), extendedKeyUsage(purposes.clientAuth)]
  }),
  makeAuthority({ extensions: [nameConstraints([['dns', 'example']])] })
].map(({ der }) => der)

const hex = (bytes: Uint8Array | ArrayBuffer) => Buffer.from(new Uint8Array(bytes)).toString('hex')

/** The library writes arcs that are no exact number as hex, and the wrong one where zeros follow. */
const arcs = (oid: string) =>
  oid.split('.').some(arc => arc.startsWith('{') || arc.length > 15) ? 'an OID with a large arc' : oid

function compare(ours: ParsedCertificate, theirs: Certificate): void {
  const { tbsCertificate, signatureAlgorithm, signatureValue } = theirs
  const { version, serialNumber, subject, issuer, validity, extensions } = tbsCertificate
  expect(ours.version).toBe(version + 1)
  expect(hex(ours.serial)).toBe(hex(serialNumber))
  expect(ours.notBefore).toBe(validity.notBefore.getTime().getTime())
  expect(ours.notAfter).toBe(validity.notAfter.getTime().getTime())
  for (const [name, theirs] of [
    [ours.subject, subject],
    [ours.issuer, issuer]
  ] as const)
    expect(name.map(rdn => rdn.map(({ type }) => arcs(type)))).toEqual(
      Array.from(theirs, rdn => Array.from(rdn, ({ type }) => arcs(type))).reverse()
    )
  expect(ours.extensions.map(({ oid, critical, value }) => [arcs(oid), critical, hex(value)])).toEqual(
    Array.from(extensions ?? [], ({ extnID, critical, extnValue }) => [arcs(extnID), critical, hex(extnValue.buffer)])
  )
  expect(arcs(ours.signed.algorithm.oid)).toBe(arcs(signatureAlgorithm.algorithm))
  expect(hex(ours.signed.signature)).toBe(hex(signatureValue))
  // the bytes are compared here: what is written in two ways counts as two
  if (ours.hasOneAlgorithm) expect(tbsCertificate.signature.isEqual(signatureAlgorithm)).toBe(true)
}

function comparePath({ ca, pathLength, keyUsage, purposes }: PathCertificate, { extensions }: ParsedCertificate): void {
  const valueOf = (wanted: string) => extensions.find(({ oid }) => oid === wanted)?.value
  const basic = valueOf('2.5.29.19')
  const constraints = basic && AsnConvert.parse(basic, BasicConstraints)
  expect([ca, pathLength]).toEqual([constraints?.cA, constraints?.pathLenConstraint])
  const usage = valueOf('2.5.29.15')
  expect([...(keyUsage ?? [])].sort()).toEqual(usage === undefined ? [] : AsnConvert.parse(usage, KeyUsage).toJSON().sort())
  const extended = valueOf('2.5.29.37')
  expect(purposes?.map(arcs)).toEqual(extended && [...AsnConvert.parse(extended, ExtendedKeyUsage)].map(arcs))
}

function theirReading(der: Uint8Array): Certificate | undefined {
  try {
    return AsnConvert.parse(der, Certificate)
  } catch {
    return undefined
  }
}

const orError = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch (error) {
    if (error instanceof CertificateError) return undefined
    throw error
  }
}

describe('a certificate', () => {
  it.each(samples.map((der, index) => ({ index, der })))('is read as others read it: sample $index', ({ der }) => {
    const ours = parseCertificate(der)
    compare(ours, AsnConvert.parse(der, Certificate))
    comparePath(readPathCertificate(der), ours)
    const node = new X509Certificate(der)
    expect(ours.key?.equals(node.publicKey)).toBe(true)
    expect([ours.notBefore, ours.notAfter]).toEqual([Date.parse(node.validFrom), Date.parse(node.validTo)])
    expect(formatDistinguishedName(ours.subject).split(',')).toHaveLength(node.subject.split('\n').length)
  })

  it('is read as others read it wherever both read it, whatever bytes were changed', () => {
    const sample = fc.constantFrom(...samples)
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
    const tries = runs(3000)
    let read = 0
    fc.assert(
      fc.property(sample, fc.array(change, { minLength: 1, maxLength: 3 }), (good, changes) => {
        const der = Buffer.from(good)
        for (const { at, byte } of changes) der[at % der.length] = byte
        const ours = orError(() => parseCertificate(der))
        // it looks into values that are opaque here, as nobody compares them but byte by byte
        const theirs = theirReading(der)
        if (ours === undefined || theirs === undefined) return
        read++
        compare(ours, theirs)
        const path = orError(() => readPathCertificate(der))
        if (path !== undefined) comparePath(path, ours)
      }),
      { numRuns: tries }
    )
    expect(read).toBeGreaterThan(tries / 6)
  })
})
