import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseRevocationList, RevocationListError } from '../../../lib/certificates/x509/revocation-list.ts'
import { extension } from '../../support/certificates/extensions.ts'
import { makeAuthority, makeCertificate, tlv } from '../../support/certificates/certificates.ts'
import { issuingDistributionPoint, makeList } from '../../support/certificates/revocation-lists.ts'
import { runs } from '../../support/checks/runs.ts'

const root = makeAuthority({ subject: 'root' })
const bad = makeCertificate({ issuer: root })

describe('parseRevocationList', () => {
  it.each<[string, Buffer]>([
    ['nothing', Buffer.of()],
    ['a certificate', root.der],
    ['something after it', Buffer.concat([makeList({ issuer: root }).der, Buffer.of(0)])],
    ['no nextUpdate', makeList({ issuer: root, nextUpdate: undefined }).der],
    ['a SHA-1 signature', makeList({ issuer: root, hash: 'sha1' }).der],
    ['changes to another list', makeList({ issuer: root, extensions: [extension('2.5.29.27', tlv(2, Buffer.of(1)), true)] }).der],
    ['some reasons alone', makeList({ issuer: root, extensions: [issuingDistributionPoint(tlv(0x83, Buffer.of(1, 2)))] }).der],
    ['several issuers', makeList({ issuer: root, extensions: [issuingDistributionPoint(tlv(0x84, Buffer.of(0xff)))] }).der],
    ['attribute certificates', makeList({ issuer: root, extensions: [issuingDistributionPoint(tlv(0x85, Buffer.of(0xff)))] }).der]
  ])('refuses %s', (_, der) => {
    expect(() => parseRevocationList(der)).toThrow(RevocationListError)
  })

  it('reads a hundred thousand entries', () => {
    const entries = Array.from({ length: 100_000 }, () => ({ serial: Buffer.concat([Buffer.of(0x40), randomBytes(15)]) }))
    const { der } = makeList({ issuer: root, revoked: entries })
    expect(parseRevocationList(der).serials.size).toBe(100_000)
  })

  it('throws nothing but its own error, whatever byte was changed', () => {
    const { der } = makeList({ issuer: root, revoked: [bad], extensions: [issuingDistributionPoint(tlv(0x81, Buffer.of(0xff)))] })
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (position, byte) => {
        const changed = Buffer.from(der)
        changed[position] = byte
        try {
          parseRevocationList(changed)
        } catch (error) {
          expect(error).toBeInstanceOf(RevocationListError)
        }
      }),
      { numRuns: runs(1000) }
    )
  })
})
