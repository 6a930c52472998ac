import { createPublicKey, X509Certificate } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatDistinguishedName } from '../../../lib/certificates/x509/distinguished-name.ts'
import { CertificateError, parseCertificate } from '../../../lib/certificates/x509/certificate.ts'
import { makeAuthority, makeCertificate, subjectAltName, tlv, type Subject } from '../../support/certificates/certificates.ts'
import { rsaKey } from '../../support/keys/made-keys.ts'
import { runs } from '../../support/checks/runs.ts'

describe('parseCertificate', () => {
  it('reads what Node reads', () => {
    const notBefore = new Date('2026-01-02T03:04:05Z')
    const notAfter = new Date('2051-01-02T03:04:05Z')
    const sans = {
      dns: ['a.example', 'b.example'],
      uri: ['spiffe://example/a'],
      ip: ['192.0.2.1', '2001:db8::1'],
      email: ['a@b.example']
    }
    const { der, thumbprint } = makeCertificate({ issuer: makeAuthority(), subject: 'billing', sans, notBefore, notAfter })
    const node = new X509Certificate(der)
    const parsed = parseCertificate(der)
    expect(parsed.thumbprint).toBe(thumbprint)
    expect(Buffer.from(parsed.thumbprint, 'base64url').toString('hex')).toBe(
      node.fingerprint256.replaceAll(':', '').toLowerCase()
    )
    expect(formatDistinguishedName(parsed.subject)).toBe(node.subject)
    expect(parsed.sans).toEqual({ ...sans, ip: ['192.0.2.1', expect.any(String)] })
    expect(parsed.key?.equals(node.publicKey)).toBe(true)
    expect([parsed.notBefore, parsed.notAfter]).toEqual([notBefore.getTime(), notAfter.getTime()])
  })

  it.each<[string, Subject, string]>([
    [
      'in the order of RFC 4514',
      [
        ['C', 'DE'],
        ['O', 'Example, Inc.'],
        ['CN', 'a']
      ],
      'CN=a,O=Example\\, Inc.,C=DE'
    ],
    [
      'an RDN of two attributes',
      [
        ['O', 'x'],
        [
          ['CN', 'a'],
          ['UID', 'b']
        ]
      ],
      'CN=a+UID=b,O=x'
    ],
    ['a PrintableString', [['CN', tlv(0x13, Buffer.from('a'))]], 'CN=a'],
    ['an IA5String', [['emailAddress', tlv(0x16, Buffer.from('a@b.example'))]], 'emailAddress=a@b.example'],
    ['a BMPString', [['CN', tlv(0x1e, Buffer.from('00e9', 'hex'))]], 'CN=é'],
    ['a UTF8String', [['CN', 'Lučić']], 'CN=Lučić'],
    ['a value that is no text', [['1.2.3.4', tlv(0x04, Buffer.of(1, 2))]], '1.2.3.4=#04020102'],
    ['a type without a name', [['1.2.3.4', 'a']], '1.2.3.4=a'],
    ['nothing', [], '']
  ])('reads a subject: %s', (_, subject, text) => {
    expect(formatDistinguishedName(parseCertificate(makeCertificate({ subject }).der).subject)).toBe(text)
  })

  it('reads the key of an RSA certificate', () => {
    const key = rsaKey()
    const { key: read } = parseCertificate(makeCertificate({ key }).der)
    expect(read?.equals(createPublicKey(key))).toBe(true)
  })

  it('parses once per buffer', () => {
    const { der } = makeCertificate()
    expect(parseCertificate(der)).toBe(parseCertificate(der))
    expect(parseCertificate(Buffer.from(der))).toEqual(parseCertificate(der))
  })

  const { der } = makeCertificate()
  it.each([
    ['nothing', Buffer.of(), 'exactly one'],
    ['text', Buffer.from('certificate'), 'exactly one'],
    ['PEM', Buffer.from(makeCertificate().pem), 'exactly one'],
    ['something after it', Buffer.concat([der, Buffer.of(0)]), 'exactly one'],
    ['two certificates', Buffer.concat([der, der]), 'exactly one'],
    ['half of it', der.subarray(0, 100), 'exactly one'],
    ['an indefinite length', Buffer.of(0x30, 0x80, 0, 0), 'exactly one'],
    ['an enormous length', Buffer.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff), 'exactly one'],
    ['an empty sequence', Buffer.of(0x30, 0), 'not an X.509'],
    ['another structure', tlv(0x30, tlv(0x02, Buffer.of(1))), 'not an X.509'],
    [
      'nothing but nesting',
      Array.from({ length: 8000 }).reduce<Buffer>(inner => (inner.length > 30_000 ? inner : tlv(0x30, inner)), Buffer.of()),
      'not an X.509'
    ],
    ['too much', makeCertificate({ sans: { dns: ['a'.repeat(32_768)] } }).der, 'longer'],
    ['ten thousand names', makeCertificate({ sans: { dns: Array.from({ length: 10_000 }, () => 'a') } }).der, 'not an X.509'],
    ['two subjectAltNames', makeCertificate({ sans: { dns: ['a'] }, extensions: [subjectAltName({ dns: ['b'] })] }).der, 'two'],
    ['a subjectAltName that is none', makeCertificate({ extensions: [brokenSan()] }).der, 'not an X.509']
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseCertificate(bytes)).toThrow(CertificateError)
    expect(() => parseCertificate(bytes)).toThrow(message)
  })

  it('throws nothing but its own error, whatever byte was changed', () => {
    const good = makeCertificate({
      subject: [
        ['C', 'DE'],
        ['CN', 'a']
      ],
      sans: { dns: ['a.example'], ip: ['192.0.2.1'] }
    }).der
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (position, byte) => {
        const changed = Buffer.from(good)
        changed[position] = byte
        try {
          parseCertificate(changed)
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError)
        }
      }),
      { numRuns: runs(1000) }
    )
  })
})

function brokenSan(): Buffer {
  return tlv(0x30, tlv(0x06, Buffer.from('551d11', 'hex')), tlv(0x04, tlv(0x02, Buffer.of(1))))
}
