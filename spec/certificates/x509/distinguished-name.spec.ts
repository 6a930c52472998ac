import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  directoryString,
  DistinguishedNameError,
  distinguishedNameProblem,
  encodedAttribute,
  equalDistinguishedNames,
  formatDistinguishedName,
  parseDistinguishedName
} from '../../../lib/certificates/x509/distinguished-name.ts'
import { tlv } from '../../support/certificates/certificates.ts'
import { anyCharacter } from '../../support/checks/any-character.ts'

const cn = '2.5.4.3'
const parse = parseDistinguishedName

function same(a: string, b: string): boolean {
  return equalDistinguishedNames(parse(a), parse(b))
}

describe('parseDistinguishedName', () => {
  it.each([
    ['CN=a', [[{ type: cn, value: 'a' }]]],
    ['cn=a,O=b', [[{ type: cn, value: 'a' }], [{ type: '2.5.4.10', value: 'b' }]]],
    [' CN = a , O = b ', [[{ type: cn, value: 'a' }], [{ type: '2.5.4.10', value: 'b' }]]],
    [
      'CN=a+UID=b',
      [
        [
          { type: cn, value: 'a' },
          { type: '0.9.2342.19200300.100.1.1', value: 'b' }
        ]
      ]
    ],
    ['2.5.4.3=a', [[{ type: cn, value: 'a' }]]],
    ['OID.2.5.4.3=a', [[{ type: cn, value: 'a' }]]],
    ['oid.1.2.3.4=a', [[{ type: '1.2.3.4', value: 'a' }]]],
    ['emailAddress=a@b.example', [[{ type: '1.2.840.113549.1.9.1', value: 'a@b.example' }]]],
    ['E=a@b.example', [[{ type: '1.2.840.113549.1.9.1', value: 'a@b.example' }]]],
    ['serialNumber=1', [[{ type: '2.5.4.5', value: '1' }]]],
    ['organizationIdentifier=OFBBR-1', [[{ type: '2.5.4.97', value: 'OFBBR-1' }]]],
    ['jurisdictionCountryName=BR', [[{ type: '1.3.6.1.4.1.311.60.2.1.3', value: 'BR' }]]],
    ['CN=a\\, b', [[{ type: cn, value: 'a, b' }]]],
    ['CN=a\\+b\\"c\\\\d\\<e\\>f\\;g\\=h\\#i', [[{ type: cn, value: 'a+b"c\\d<e>f;g=h#i' }]]],
    ['CN=a=b#c', [[{ type: cn, value: 'a=b#c' }]]],
    ['CN=\\ a\\ ', [[{ type: cn, value: ' a ' }]]],
    ['CN=\\20a\\20', [[{ type: cn, value: ' a ' }]]],
    ['CN=Lu\\C4\\8Di\\C4\\87', [[{ type: cn, value: 'Lučić' }]]],
    ['CN=Lučić', [[{ type: cn, value: 'Lučić' }]]],
    ['CN=\\23a', [[{ type: cn, value: '#a' }]]],
    ['CN=', [[{ type: cn, value: '' }]]],
    ['CN="a, b" , O=c', [[{ type: cn, value: 'a, b' }], [{ type: '2.5.4.10', value: 'c' }]]],
    ['CN=" a "', [[{ type: cn, value: ' a ' }]]],
    ['CN="a \\"b\\""', [[{ type: cn, value: 'a "b"' }]]],
    ['CN=#0C0161', [[{ type: cn, value: 'a' }]]],
    ['1.2.3=#0401ff', [[{ type: '1.2.3', value: '0401ff', encoded: true }]]],
    ['', []],
    ['  ', []]
  ])('%j', (text, expected) => {
    expect(parse(text)).toEqual(expected)
  })

  it.each([
    ['a', 'no attribute type'],
    ['=a', 'no attribute type'],
    ['CN=a,', 'no attribute type'],
    ['CN=a,,O=b', 'no attribute type'],
    [',CN=a', 'no attribute type'],
    ['CN=a+', 'no attribute type'],
    ['1=a', 'no attribute type'],
    ['1..2=a', 'no attribute type'],
    ['nickname=a', 'not known'],
    ['/C=DE/CN=a', 'in the form /C='],
    ['CN=a;O=b', 'must be escaped'],
    ['CN=a"b', 'must be escaped'],
    ['CN=<a>', 'must be escaped'],
    ['CN=a\\', 'must be escaped'],
    ['CN=a\\x', 'must be escaped'],
    ['CN=a\0b', 'must be escaped'],
    ['CN=\\ff', 'not UTF-8'],
    ['CN=\\c4x', 'not UTF-8'],
    ['CN=#', 'hex pairs'],
    ['CN=#0', 'hex pairs'],
    ['CN=#zz', 'hex pairs'],
    ['CN="a', 'unclosed quote'],
    ['CN="a"b', 'unclosed quote'],
    ['CN="\\x"', 'wrong escape'],
    [`CN=${'a'.repeat(8192)}`, 'longer than']
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(DistinguishedNameError)
    expect(() => parse(text)).toThrow(message)
    expect(distinguishedNameProblem(text)).toContain(message)
  })

  it('throws nothing but its own error, whatever the string', () => {
    const piece = fc.constantFrom('CN=', 'O=', ',', '+', '\\', '"', '#', '0c', ' ', 'é', '=', ';', '\0', 'a', '\\C4', '1.2.3=')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: anyCharacter }),
          fc.array(piece, { maxLength: 30 }).map(pieces => pieces.join(''))
        ),
        text => {
          try {
            parse(text)
          } catch (error) {
            expect(error).toBeInstanceOf(DistinguishedNameError)
          }
        }
      ),
      { numRuns: 2000 }
    )
  })

  it('reads back what formatDistinguishedName writes', () => {
    const attribute = fc.oneof(
      fc.record({ type: fc.constantFrom(cn, '2.5.4.10', '1.2.3.4'), value: fc.string({ unit: 'grapheme' }) }),
      fc.uint8Array({ minLength: 1, maxLength: 9 }).map(bytes => encodedAttribute('1.2.3', Buffer.concat([Buffer.of(4), bytes])))
    )
    fc.assert(
      fc.property(fc.array(fc.array(attribute, { minLength: 1, maxLength: 3 }), { maxLength: 4 }), name => {
        expect(parse(formatDistinguishedName(name))).toEqual(name)
      }),
      { numRuns: 1000 }
    )
  })
})

describe('distinguishedNameProblem', () => {
  it('is undefined for a name and says that an empty one is empty', () => {
    expect(distinguishedNameProblem('CN=a')).toBeUndefined()
    expect(distinguishedNameProblem('')).toBe('is empty')
  })
})

describe('equalDistinguishedNames', () => {
  it.each([
    ['CN=a,O=b,C=DE', 'cn=A,o=B,c=de'],
    ['CN=a,O=b,C=DE', 'CN = a, O = b, C = DE'],
    ['CN=a+UID=b,O=c', 'UID=b+CN=a,O=c'],
    ['CN=Straße 1', 'CN=\\53TRAßE\\20 1'],
    ['CN=a  b', 'CN=a b'],
    ['CN=\\ a\\ ', 'CN=a'],
    ['CN=é', 'CN=e\u0301'],
    ['CN="Example, Inc."', 'CN=Example\\2C Inc.'],
    ['CN=a', '2.5.4.3=a'],
    ['CN=a', 'OID.2.5.4.3=#0C0161'],
    ['CN=a', 'CN=#130161'],
    ['E=a@b', 'emailAddress=a@b'],
    ['ST=x', 'S=x'],
    ['1.2.3=#0401FF', '1.2.3=#0401ff']
  ])('%s is %s', (a, b) => {
    expect(same(a, b)).toBe(true)
  })

  it.each([
    ['CN=a,O=b', 'CN=a'],
    ['CN=a,O=b,C=DE', 'O=b,CN=a,C=DE'],
    ['CN=a,O=b,C=DE', 'C=DE,O=b,CN=a'],
    ['CN=a,O=b', 'O=b,CN=a'],
    ['CN=a+UID=b,O=c', 'O=c,UID=b+CN=a'],
    ['CN=a,O=b', 'CN=a+O=b'],
    ['CN=a', 'O=a'],
    ['CN=a', 'CN=ab'],
    ['CN=a b', 'CN=ab'],
    ['CN=a,CN=b', 'CN=a,CN=a'],
    ['CN=a+CN=b', 'CN=a+CN=a'],
    ['CN=a\\,O=b', 'CN=a,O=b'],
    ['CN=\\#0C0161', 'CN=#0C0161'],
    ['CN=\\#0401ff', 'CN=#0401ff'],
    ['1.2.3=#0401ff', '1.2.3=#0401fe']
  ])('%s is not %s', (a, b) => {
    expect(same(a, b)).toBe(false)
  })

  it('takes every name for itself and any order within its sets, and no other order, the reverse neither', () => {
    const name = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 3, maxLength: 6 })
    fc.assert(
      fc.property(name, values => {
        const rdns = values.map(value => [{ type: cn, value }])
        const [first = [], second = [], ...rest] = rdns
        expect(equalDistinguishedNames(rdns, rdns)).toBe(true)
        expect(equalDistinguishedNames(rdns, [...rdns].reverse())).toBe(false)
        expect(equalDistinguishedNames([rdns.flat()], [rdns.flat().reverse()])).toBe(true)
        expect(equalDistinguishedNames(rdns, [second, first, ...rest])).toBe(false)
      })
    )
  })
})

describe('directoryString', () => {
  it.each([
    ['UTF8String', tlv(0x0c, Buffer.from('é')), 'é'],
    ['PrintableString', tlv(0x13, Buffer.from('a')), 'a'],
    ['IA5String', tlv(0x16, Buffer.from('a')), 'a'],
    ['TeletexString', tlv(0x14, Buffer.from('é', 'latin1')), 'é'],
    ['BMPString', tlv(0x1e, Buffer.from('00e90061', 'hex')), 'éa'],
    ['a long one', tlv(0x0c, Buffer.from('a'.repeat(300))), 'a'.repeat(300)]
  ])('reads a %s', (_, der, text) => {
    expect(directoryString(der)).toBe(text)
  })

  it.each([
    ['nothing', Buffer.of()],
    ['a tag alone', Buffer.of(0x0c)],
    ['an octet string', tlv(0x04, Buffer.from('a'))],
    ['an indefinite length', Buffer.of(0x0c, 0x80, 0x61, 0, 0)],
    ['a length of eight bytes', Buffer.of(0x0c, 0x88, 0, 0, 0, 0, 0, 0, 0, 1, 0x61)],
    ['a length that is too long', Buffer.of(0x0c, 2, 0x61)],
    ['something after it', Buffer.of(0x0c, 1, 0x61, 0x62)],
    ['broken UTF-8', tlv(0x0c, Buffer.of(0xff))],
    ['half a BMP character', tlv(0x1e, Buffer.of(0))]
  ])('leaves %s alone', (_, der) => {
    expect(directoryString(der)).toBeUndefined()
  })
})
