/** Headers as each proxy writes them, and as nobody should. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatDistinguishedName } from '../../../lib/certificates/x509/distinguished-name.ts'
import { parseCertificate } from '../../../lib/certificates/x509/certificate.ts'
import { InvalidRequestError } from '../../../lib/errors.ts'
import { certificateFormats, type CertificateFormat } from '../../../lib/certificates/proxy/formats.ts'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../../support/certificates/certificates.ts'
import * as proxies from '../../support/clients/proxy-headers.ts'
import { anyCharacter } from '../../support/checks/any-character.ts'

const root = makeAuthority()
const sub = makeAuthority({ subject: 'sub', issuer: root })
// long enough for base64 with all of +, / and =
const leaf = makeCertificate({ subject: 'billing', issuer: sub, sans: { dns: ['billing.example.com', 'a', 'b'] } })

const base64 = leaf.der.toString('base64')
const pem = encodeURIComponent(leaf.pem)

function read(format: CertificateFormat, value: string, hops = 1): Buffer[] {
  const reader = certificateFormats.get(format)
  return (reader?.read(value, hops) ?? []).map(bytes => Buffer.from(bytes))
}

function readChain(format: CertificateFormat, value: string): Buffer[] {
  return (certificateFormats.get(format)?.readChain?.(value) ?? []).map(bytes => Buffer.from(bytes))
}

const ders = (...certificates: MadeCertificate[]) => certificates.map(({ der }) => der)

describe('a header as written by', () => {
  it.each<[string, CertificateFormat, string, MadeCertificate[]]>([
    ['RFC 9440', 'rfc9440', proxies.rfc9440(leaf), [leaf]],
    ['nginx', 'url-encoded-pem', proxies.nginx(leaf), [leaf]],
    ['Apache, escaped', 'url-encoded-pem', proxies.apacheEscaped(leaf), [leaf]],
    ['Apache, as it is', 'pem', proxies.apachePem(leaf), [leaf]],
    ['HAProxy', 'base64-der', proxies.haproxy(leaf), [leaf]],
    ['Envoy', 'envoy-xfcc', proxies.envoy([leaf]), [leaf]],
    ['Envoy with the chain', 'envoy-xfcc', proxies.envoy([leaf, sub]), [leaf, leaf, sub]],
    ['Envoy with the chain alone', 'envoy-xfcc', proxies.envoy([leaf, sub], { cert: false }), [leaf, sub]],
    ['Traefik', 'base64-der', proxies.traefik(leaf), [leaf]],
    ['Traefik with the chain', 'base64-der', proxies.traefik(leaf, sub), [leaf, sub]],
    ['an ALB in verify mode', 'url-encoded-pem', proxies.awsAlb(leaf), [leaf]],
    ['an ALB in passthrough mode', 'url-encoded-pem', proxies.awsAlb(leaf, sub, root), [leaf, sub, root]],
    ['Azure', 'base64-der', proxies.azure(leaf), [leaf]]
  ])('%s', (_, format, value, certificates) => {
    expect(read(format, value)).toEqual(ders(...certificates))
  })

  it.each<[string, CertificateFormat, string, MadeCertificate[]]>([
    ['RFC 9440', 'rfc9440', proxies.rfc9440Chain(sub, root), [sub, root]],
    ['somebody who encodes PEM', 'url-encoded-pem', proxies.nginx(sub, root), [sub, root]],
    ['somebody with base64', 'base64-der', proxies.traefik(sub, root), [sub, root]]
  ])('%s in a header of its own for the chain', (_, format, value, certificates) => {
    expect(readChain(format, value)).toEqual(ders(...certificates))
  })

  it.each<[string, CertificateFormat, string]>([
    ['RFC 9440, with nothing between the colons', 'rfc9440', '::'],
    ['Apache, without a certificate', 'pem', '(null)'],
    ['somebody who sends blanks', 'url-encoded-pem', '%20 ']
  ])('%s: none', (_, format, value) => {
    expect(read(format, value)).toEqual([])
  })

  it('RFC 9440, in its own example', () => {
    // RFC 9440 Appendix A
    const [example] = read('rfc9440', rfc9440Example)
    expect(formatDistinguishedName(parseCertificate(example ?? Buffer.of()).subject)).toBe('CN=BC')
  })
})

describe('Envoy’s header', () => {
  const other = makeCertificate({ subject: 'other' })

  it('counts what the last proxy added, whatever came with the request', () => {
    const value = [other, leaf].map(certificate => proxies.envoy([certificate], { names: false })).join()
    expect(read('envoy-xfcc', value)).toEqual(ders(leaf))
    expect(read('envoy-xfcc', value, 2)).toEqual(ders(other))
    expect(() => read('envoy-xfcc', value, 3)).toThrow(InvalidRequestError)
  })

  it('has no more elements than proxies where one has names in it, which are not quoted', () => {
    const mixed = [true, false].map(names => [proxies.envoy([other], { names }), proxies.envoy([leaf], { names: !names })].join())
    for (const value of mixed) {
      expect(read('envoy-xfcc', value, 2)).toEqual(ders(other))
      expect(() => read('envoy-xfcc', value)).toThrow(InvalidRequestError)
    }
  })

  it.each(['Cert="', 'By=a;Cert="abc', 'Subject="\\', 'Cert="%22,', 'a="b\\'])(
    'does not let a client’s %j swallow what the proxy adds',
    spoof => {
      expect(() => read('envoy-xfcc', `${spoof},${proxies.envoy([leaf])}`)).toThrow(InvalidRequestError)
    }
  )

  it('reads quoted values with separators, escapes and names repeated', () => {
    const value = `By=spiffe://a/b;Subject="CN=a\\",Cert=\\"x;y,O=\\\\";URI=;DNS=a;DNS=b;${proxies.envoy([leaf])}`
    expect(read('envoy-xfcc', value)).toEqual(ders(leaf))
  })

  it.each([
    ['no Cert', 'By=a;Hash=b;Subject="CN=a"'],
    ['two Certs', `${proxies.envoy([leaf])};${proxies.envoy([leaf])}`],
    ['a Cert of several', `Cert="${proxies.nginx(leaf, sub)}"`],
    ['a certificate without a key', encodeURIComponent(leaf.pem)],
    ['an empty element', `,${proxies.envoy([leaf])},`],
    ['a quote in the middle', 'Cert=a"b"'],
    ['something after a quote', `Cert="${pem}"x`],
    ['nothing but separators', ';;;,,,']
  ])('is unreadable with %s', (_, value) => {
    expect(() => read('envoy-xfcc', value)).toThrow(InvalidRequestError)
  })
})

describe.each<[CertificateFormat, [string, string][]]>([
  [
    'rfc9440',
    [
      ['no colons', base64],
      ['one colon', `:${base64}`],
      ['two items', `:${base64}:, :${base64}:`],
      ['a parameter', `:${base64}:;a=1`],
      ['base64url', `:${Buffer.from([0xfb, 0xff]).toString('base64url')}:`],
      ['spaces inside', `: ${base64} :`],
      ['a single colon', ':'],
      ['PEM', pem]
    ]
  ],
  [
    'url-encoded-pem',
    [
      ['a bad escape', `${pem}%`],
      ['escapes that are not UTF-8', `%ff${pem}`],
      ['PEM cut short', pem.slice(0, -20)],
      ['PEM cut in the middle', pem.slice(0, 200)],
      ['a private key', encodeURIComponent(leaf.keyPem)],
      ['something before it', `x${pem}`],
      ['something after it', `${pem}x`],
      ['an empty block', encodeURIComponent('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----')],
      ['a block in a block', pem.replace('BEGIN', 'BEGIN%20CERTIFICATE-----BEGIN')],
      ['base64 alone', base64],
      ['padding in the middle', pem.replace('MII', 'M%3D%3D')],
      ['a NUL', `${pem}%00`],
      ['eight certificates', pem.repeat(8)]
    ]
  ],
  [
    'pem',
    [
      ['an encoded one', pem],
      ['null', 'null'],
      ['text', 'SUCCESS']
    ]
  ],
  [
    'base64-der',
    [
      ['PEM', pem],
      ['colons', `:${base64}:`],
      ['an empty item', `${base64},,${base64}`],
      ['a comma at the end', `${base64},`],
      ['base64 of an impossible length', 'AAAAA'],
      ['letters that are none of base64', `${base64.slice(0, 10)}-_${base64.slice(12)}`],
      ['eight items', Array.from({ length: 8 }, () => base64).join()],
      ['64 KiB of commas', ','.repeat(65_536)]
    ]
  ]
])('%s', (format, cases) => {
  it.each(cases)('is unreadable: %s', (_, value) => {
    expect(() => read(format, value)).toThrow(InvalidRequestError)
    expect(() => read(format, value)).toThrow(expect.objectContaining({ status: 400, error: 'invalid_request' }))
  })
})

describe.each([...certificateFormats.keys()])('hostile input to %s', format => {
  const good: Readonly<Record<CertificateFormat, string>> = {
    rfc9440: proxies.rfc9440(leaf),
    'url-encoded-pem': proxies.awsAlb(leaf, sub),
    pem: proxies.apachePem(leaf),
    'base64-der': proxies.traefik(leaf, sub),
    'envoy-xfcc': `${proxies.envoy([sub])},${proxies.envoy([leaf, sub])}`
  }

  const survives = (value: string): void => {
    for (const ask of [() => read(format, value), () => readChain(format, value)]) {
      try {
        ask()
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidRequestError)
      }
    }
  }

  it('is read or refused, and nothing else', () => {
    const pieces = fc.constantFrom(
      '"',
      '\\',
      ';',
      ',',
      '=',
      ':',
      '%',
      '%0',
      '%22',
      ' ',
      '\t',
      '-----BEGIN CERTIFICATE-----',
      '-----END CERTIFICATE-----',
      'Cert=',
      'AAAA',
      '=='
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: anyCharacter, maxLength: 300 }),
          fc.array(pieces, { maxLength: 60 }).map(list => list.join(''))
        ),
        survives
      )
    )
  })

  it('is read or refused when it is a good one with something put in, or taken out', () => {
    const text = good[format]
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(5), fc.string({ maxLength: 4 }), (at, cut, put) =>
        survives(text.slice(0, at) + put + text.slice(at + cut))
      )
    )
  })

  it('is done with in little time, however long', () => {
    const started = process.cpuUsage().user
    for (const piece of [
      '"',
      '\\',
      '=',
      'a=',
      'a="',
      'a=";',
      ',',
      ':',
      '%',
      '%41',
      ' ',
      'A',
      '-----BEGIN CERTIFICATE-----',
      pem,
      good[format]
    ])
      survives(piece.repeat(Math.ceil(65_536 / piece.length)).slice(0, 65_536))
    expect(process.cpuUsage().user - started).toBeLessThan(1_500_000)
  })
})

const rfc9440Example = `:MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=:`
