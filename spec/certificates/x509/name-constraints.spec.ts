import { describe, expect, it } from '@jest/globals'
import { keepsTo } from '../../../lib/certificates/x509/name-constraints.ts'
import { readPathCertificate } from '../../../lib/certificates/x509/path-certificate.ts'
import { extension, generalName, nameConstraints, type Base } from '../../support/certificates/extensions.ts'
import { makeCertificate, tlv, type Subject } from '../../support/certificates/certificates.ts'

function constraintsOf(permitted: readonly Base[], excluded: readonly Base[]) {
  const { nameConstraints: read } = readPathCertificate(
    makeCertificate({ extensions: [nameConstraints(permitted, excluded)] }).der
  )
  if (read === undefined) throw new Error('no constraints')
  return read
}

/** A certificate of these names. */
function named(names: readonly Base[], subject: Subject = []) {
  const extensions = names.length === 0 ? [] : [extension('2.5.29.17', tlv(0x30, ...names.map(generalName)))]
  return readPathCertificate(makeCertificate({ subject, extensions }).der)
}

const example: Subject = [
  ['C', 'DE'],
  ['O', 'Example']
]
const unit: Subject = [...example, ['CN', 'billing']]

const within: [Base, Base][] = [
  [
    ['dns', 'example.com'],
    ['dns', 'example.com']
  ],
  [
    ['dns', 'example.com'],
    ['dns', 'a.b.EXAMPLE.com']
  ],
  [
    ['dns', '.example.com'],
    ['dns', 'a.example.com']
  ],
  [
    ['dns', ''],
    ['dns', 'anything']
  ],
  [
    ['email', 'a@example.com'],
    ['email', 'a@EXAMPLE.com']
  ],
  [
    ['email', 'example.com'],
    ['email', 'b@example.com']
  ],
  [
    ['email', '.example.com'],
    ['email', 'b@mail.example.com']
  ],
  [
    ['uri', 'example.com'],
    ['uri', 'https://user@example.com:8443/a']
  ],
  [
    ['uri', '.example.com'],
    ['uri', 'spiffe://a.Example.com/x']
  ],
  [
    ['ip', '192.0.2.0/24'],
    ['ip', '192.0.2.77']
  ],
  [
    ['ip', '192.0.2.64/26'],
    ['ip', '192.0.2.100']
  ],
  [
    ['ip', '2001:db8::/32'],
    ['ip', '2001:db8:1::1']
  ],
  [
    ['directory', example],
    ['directory', unit]
  ],
  [
    ['directory', example],
    [
      'directory',
      [
        ['C', 'de'],
        ['O', 'EXAMPLE']
      ]
    ]
  ]
]

const outside: [Base, Base][] = [
  [
    ['dns', 'example.com'],
    ['dns', 'badexample.com']
  ],
  [
    ['dns', 'example.com'],
    ['dns', 'example.com.evil.test']
  ],
  [
    ['dns', 'example.com'],
    ['dns', 'evil.test\0.example.org']
  ],
  [
    ['dns', '.example.com'],
    ['dns', 'example.com']
  ],
  [
    ['email', 'a@example.com'],
    ['email', 'A@example.com']
  ],
  [
    ['email', 'example.com'],
    ['email', 'b@mail.example.com']
  ],
  [
    ['email', '.example.com'],
    ['email', 'b@example.com']
  ],
  [
    ['uri', 'example.com'],
    ['uri', 'https://a.example.com/']
  ],
  [
    ['uri', 'example.com'],
    ['uri', 'https://evil.test/@example.com']
  ],
  [
    ['uri', 'example.com'],
    ['uri', 'https://example.com@evil.test/']
  ],
  [
    ['ip', '192.0.2.0/24'],
    ['ip', '192.0.3.1']
  ],
  [
    ['ip', '192.0.2.64/26'],
    ['ip', '192.0.2.1']
  ],
  [
    ['ip', '192.0.2.0/24'],
    ['ip', '2001:db8::1']
  ],
  [
    ['directory', example],
    [
      'directory',
      [
        ['O', 'Example'],
        ['C', 'DE']
      ]
    ]
  ],
  [
    ['directory', example],
    ['directory', [['C', 'DE']]]
  ],
  [
    ['directory', example],
    [
      'directory',
      [
        ['C', 'DE'],
        ['O', 'Example2'],
        ['CN', 'billing']
      ]
    ]
  ]
]

describe('keepsTo', () => {
  it.each(within)('%j covers %j', (base, name) => {
    expect(keepsTo(constraintsOf([base], []), named([name]))).toBe(true)
    expect(keepsTo(constraintsOf([], [base]), named([name]))).toBe(false)
  })

  it.each(outside)('%j does not cover %j', (base, name) => {
    expect(keepsTo(constraintsOf([base], []), named([name]))).toBe(false)
    expect(keepsTo(constraintsOf([], [base]), named([name]))).toBe(true)
  })

  it('says nothing about names of other kinds', () => {
    expect(
      keepsTo(
        constraintsOf([['dns', 'example.com']], []),
        named(
          [
            ['ip', '192.0.2.1'],
            ['uri', 'urn:x']
          ],
          unit
        )
      )
    ).toBe(true)
  })

  it('wants every name within, and each in one of the permitted', () => {
    const constraints = constraintsOf(
      [
        ['dns', 'a.test'],
        ['dns', 'b.test']
      ],
      [['dns', 'no.a.test']]
    )
    expect(
      keepsTo(
        constraints,
        named([
          ['dns', 'a.test'],
          ['dns', 'x.b.test']
        ])
      )
    ).toBe(true)
    expect(
      keepsTo(
        constraints,
        named([
          ['dns', 'a.test'],
          ['dns', 'c.test']
        ])
      )
    ).toBe(false)
    expect(
      keepsTo(
        constraints,
        named([
          ['dns', 'a.test'],
          ['dns', 'no.a.test']
        ])
      )
    ).toBe(false)
  })

  it('looks at the subject, and at the addresses in it where there are no others', () => {
    const subject: Subject = [...unit, ['emailAddress', 'a@example.org']]
    expect(keepsTo(constraintsOf([['directory', example]], []), named([], unit))).toBe(true)
    expect(keepsTo(constraintsOf([['directory', [['O', 'Other']]]], []), named([], unit))).toBe(false)
    expect(keepsTo(constraintsOf([['email', 'example.com']], []), named([], subject))).toBe(false)
    expect(keepsTo(constraintsOf([['email', 'example.com']], []), named([['email', 'a@example.com']], subject))).toBe(true)
  })

  it.each<[string, readonly Base[], readonly Base[], Base]>([
    ['a URI without a host, where URIs are limited', [], [['uri', 'example.com']], ['uri', 'urn:example:a']],
    ['a URI with an address, where URIs are limited', [], [['uri', 'example.com']], ['uri', 'https://192.0.2.1/']],
    ['a name of a kind that is limited and cannot be compared', [], [['other', '1.2.3']], ['other', '1.2.4']]
  ])('refuses %s', (_, permitted, excluded, name) => {
    expect(keepsTo(constraintsOf(permitted, excluded), named([name]))).toBe(false)
  })

  it('cannot be read with limits RFC 5280 forbids', () => {
    const limited = tlv(0x30, tlv(0xa0, tlv(0x30, generalName(['dns', 'a']), tlv(0x80, Buffer.of(1)))))
    expect(() => readPathCertificate(makeCertificate({ extensions: [extension('2.5.29.30', limited, true)] }).der)).toThrow(
      'is not an X.509 certificate'
    )
  })
})
