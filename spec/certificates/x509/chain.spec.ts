import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { chainVerifier, type ChainOptions } from '../../../lib/certificates/x509/chain.ts'
import { ConfigurationError } from '../../../lib/options.ts'
import { extendedKeyUsage, extension, keyUsage, nameConstraints, purposes } from '../../support/certificates/extensions.ts'
import {
  makeAuthority,
  makeCertificate,
  type CertificateOptions,
  type MadeCertificate
} from '../../support/certificates/certificates.ts'

const day = 86_400_000
const root = makeAuthority({ subject: 'root', extensions: [keyUsage('keyCertSign', 'cRLSign')] })
const intermediate = makeAuthority({ subject: 'intermediate', issuer: root })
const leaf = makeCertificate({ subject: 'billing', issuer: intermediate })

function verify(
  certificate: MadeCertificate,
  chain: readonly MadeCertificate[] = [],
  options: Partial<ChainOptions> = {},
  now = Date.now()
): Promise<{ readonly verified: boolean; readonly reason?: string }> {
  const verifier = chainVerifier({ ca: root.pem, ...options })
  return verifier(
    certificate.der,
    chain.map(({ der }) => der),
    now
  )
}

async function reasonOf(...given: Parameters<typeof verify>): Promise<string | undefined> {
  const { verified, reason } = await verify(...given)
  expect(verified).toBe(false)
  return reason
}

describe('a chain', () => {
  it.each<[string, MadeCertificate, MadeCertificate[], Partial<ChainOptions>]>([
    ['straight from the authority', makeCertificate({ issuer: root }), [], {}],
    ['by an intermediate that was sent along', leaf, [intermediate], {}],
    ['by an intermediate from the configuration', leaf, [], { intermediates: intermediate.pem }],
    ['up to an intermediate that is itself trusted', leaf, [], { ca: intermediate.pem }],
    ['with the root and the leaf sent along too', leaf, [leaf, intermediate, root], {}],
    ['sent along in the wrong order, with others between', leaf, [makeAuthority(), root, intermediate], {}],
    ['to one of several authorities', leaf, [intermediate], { ca: [makeAuthority().pem, root.der] }],
    [
      'to the second certificate of a file with text in it',
      leaf,
      [intermediate],
      { ca: `text\n${makeAuthority().pem}more\n${root.pem}` }
    ]
  ])('holds %s', async (_, certificate, chain, options) => {
    expect(await verify(certificate, chain, options)).toEqual({ verified: true })
  })

  it.each(['rsa', 'rsa-pss', 'ed25519', 'ec'] as const)('holds with %s keys', async type => {
    const pair = () =>
      type === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-384' })
        : type === 'ed25519'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync(type as 'rsa', { modulusLength: 2048 })
    const ca = makeAuthority({ key: pair().privateKey, hash: 'sha512' })
    expect(await verify(makeCertificate({ issuer: ca, hash: 'sha384' }), [], { ca: ca.pem })).toEqual({ verified: true })
  })

  it('holds where the issuer writes its name in another encoding and case', async () => {
    const printable = Buffer.from([0x13, 4, ...Buffer.from('ROOT')])
    const again = makeAuthority({ subject: [['CN', printable]], key: root.key })
    expect(await verify(makeCertificate({ issuer: again }), [], { ca: root.pem })).toEqual({ verified: true })
  })

  it('does not hold without its intermediate', async () => {
    expect(await reasonOf(leaf)).toMatch(/not issued by a configured authority/)
  })

  it.each([
    ['a self-signed certificate', makeCertificate({ subject: 'billing' })],
    ['a self-signed certificate of the authority’s name', makeCertificate({ subject: 'root' })],
    ['a certificate of another authority', makeCertificate({ issuer: makeAuthority({ subject: 'other' }) })]
  ])('does not hold for %s', async (_, certificate) => {
    expect(await reasonOf(certificate)).toBeTruthy()
  })

  it('knows authorities by their keys: the same name with another key is another authority', async () => {
    const impostor = makeAuthority({ subject: 'root' })
    const forged = makeCertificate({ subject: 'billing', issuer: impostor })
    expect(await reasonOf(forged, [impostor])).toMatch(/another one of that name/)
    const inTheMiddle = makeAuthority({ subject: 'intermediate', issuer: impostor })
    expect(await reasonOf(makeCertificate({ issuer: inTheMiddle }), [inTheMiddle, intermediate, impostor])).toMatch(/other keys/)
  })

  it('holds through the right one of two intermediates of one name', async () => {
    const twin = makeAuthority({ subject: 'intermediate', issuer: root })
    expect(await verify(leaf, [twin, intermediate])).toEqual({ verified: true })
  })

  it('ignores what cannot be read among those sent along', async () => {
    const verifier = chainVerifier({ ca: root.pem })
    expect(await verifier(leaf.der, [randomBytes(100), Buffer.of(), intermediate.der], Date.now())).toEqual({ verified: true })
  })

  it('is looked for once for one buffer, and its validity each time', async () => {
    const verifier = chainVerifier({ ca: root.pem })
    const now = Date.now()
    const short = makeCertificate({ issuer: root, notAfter: new Date(now + 1500) })
    expect(await verifier(short.der, [], now)).toEqual({ verified: true })
    expect(await verifier(short.der, [], now + 2000)).toMatchObject({ verified: false })
    expect(await verifier(short.der, [], now)).toEqual({ verified: true })
  })
})

describe('a certificate in a chain', () => {
  const through = (options: CertificateOptions, below: CertificateOptions = {}) => {
    const authority = makeAuthority({ subject: 'sub', issuer: root, ...options })
    return reasonOf(makeCertificate({ issuer: authority, ...below }), [authority])
  }
  const unknown = extension('1.2.3.4', Buffer.of(5, 0), true)
  const past = new Date(Date.now() - 2 * day)
  const future = new Date(Date.now() + day / 2)

  it.each<[string, CertificateOptions, RegExp]>([
    ['no authority', { ca: false }, /sub, that is not a certificate authority/],
    ['silent about what it is', { ca: undefined }, /sub, that is not a certificate authority/],
    ['of version 1', { version: 1 }, /sub, that is not a certificate authority/],
    ['not to sign certificates', { extensions: [keyUsage('cRLSign')] }, /sub, that may not sign/],
    ['for servers alone', { extensions: [extendedKeyUsage(purposes.serverAuth)] }, /sub, that has an extended key usage/],
    ['expired', { notAfter: past }, /sub, that expired at 20/],
    ['not valid yet', { notBefore: future }, /sub, that is not valid before 20/],
    ['of an unknown critical extension', { extensions: [unknown] }, /sub, that has the unknown critical extension 1\.2\.3\.4/],
    ['of a short RSA key', { key: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey }, /sub, that has a key/],
    ['of a weak curve', { key: generateKeyPairSync('ec', { namedCurve: 'secp160r1' }).privateKey }, /sub, that has a key/],
    ['signed with SHA-1', { hash: 'sha1' }, /sub, that is signed with/]
  ])('is refused as an intermediate when it is %s', async (_, options, reason) => {
    expect(await through(options)).toMatch(reason)
  })

  it.each<[string, CertificateOptions, RegExp]>([
    ['expired', { notAfter: past }, /^expired at 20/],
    ['not valid yet', { notBefore: future }, /^is not valid before 20/],
    [
      'for servers alone',
      { extensions: [extendedKeyUsage(purposes.serverAuth)] },
      /^has an extended key usage without clientAuth/
    ],
    ['for encryption alone', { extensions: [keyUsage('keyEncipherment')] }, /^has a key usage without/],
    ['of an unknown critical extension', { extensions: [unknown] }, /^has the unknown critical extension/],
    [
      'of two equal extensions',
      { extensions: [keyUsage('digitalSignature'), keyUsage('digitalSignature')] },
      /^has two extensions/
    ],
    ['signed with SHA-1', { hash: 'sha1' }, /^is signed with/]
  ])('is refused as a client’s when it is %s', async (_, options, reason) => {
    expect(await reasonOf(makeCertificate({ issuer: root, ...options }))).toMatch(reason)
  })

  it.each<[string, CertificateOptions]>([
    ['for clients', { extensions: [extendedKeyUsage(purposes.serverAuth, purposes.clientAuth), keyUsage('digitalSignature')] }],
    ['for anything', { extensions: [extendedKeyUsage(purposes.any)] }],
    ['of an unknown extension that is not critical', { extensions: [extension('1.2.3.4', Buffer.of(5, 0))] }],
    ['of a critical certificatePolicies', { extensions: [extension('2.5.29.32', Buffer.of(0x30, 0), true)] }],
    ['made a moment ago by a clock that is ahead', { notBefore: new Date(Date.now() + 5000) }]
  ])('is taken as a client’s when it is %s', async (_, options) => {
    expect(await verify(makeCertificate({ issuer: root, ...options }))).toEqual({ verified: true })
  })

  it('has as many authorities below it as it allows, renewals not counted', async () => {
    const limited = makeAuthority({ subject: 'limited', pathLength: 0 })
    const options = { ca: limited.pem }
    const below = makeAuthority({ subject: 'below', issuer: limited })
    const renewed = makeAuthority({ subject: 'limited', issuer: limited })
    expect(await verify(makeCertificate({ issuer: limited }), [], options)).toEqual({ verified: true })
    expect(await verify(makeCertificate({ issuer: renewed }), [renewed], options)).toEqual({ verified: true })
    expect(await reasonOf(makeCertificate({ issuer: below }), [below], options)).toMatch(
      /allows 0 authorities below it and has 1/
    )
  })

  it('keeps to the names its authority may certify', async () => {
    const authority = makeAuthority({ subject: 'sub', issuer: root, extensions: [nameConstraints([['dns', 'example.com']])] })
    const of = (name: string) => makeCertificate({ issuer: authority, sans: { dns: [name] } })
    expect(await verify(of('a.example.com'), [authority])).toEqual({ verified: true })
    expect(await reasonOf(of('example.org'), [authority])).toMatch(/sub, that may not certify the names of CN=spec/)
  })

  it('has constraints that hold further down, for authorities too', async () => {
    const permitted = nameConstraints([['directory', [['O', 'Example']]]])
    const authority = makeAuthority({ subject: 'sub', issuer: root, extensions: [permitted] })
    const below = makeAuthority({ subject: [['O', 'Other']], issuer: authority })
    const certificate = makeCertificate({
      subject: [
        ['O', 'Example'],
        ['CN', 'a']
      ],
      issuer: below
    })
    expect(await reasonOf(certificate, [below, authority])).toMatch(/may not certify the names of O=Other/)
  })
})

describe('a hostile chain', () => {
  it('of a hundred authorities of one name ends quickly', async () => {
    const twins = Array.from({ length: 100 }, () => makeAuthority({ subject: 'twin', issuer: root }))
    const started = process.cpuUsage().user
    expect(await reasonOf(makeCertificate({ issuer: makeAuthority({ subject: 'twin' }) }), twins)).toBeTruthy()
    expect(process.cpuUsage().user - started).toBeLessThan(2_000_000)
  })

  it('does not reach an authority through more certificates than a path has', async () => {
    let last = root
    const chain = Array.from({ length: 12 }, (_, index) => (last = makeAuthority({ subject: `level ${index}`, issuer: last })))
    expect(await verify(makeCertificate({ issuer: chain[5] ?? root }), chain)).toEqual({ verified: true })
    expect(await reasonOf(makeCertificate({ issuer: last }), chain)).toMatch(/not issued by a configured authority/)
  })

  it('never lets a changed certificate pass, nor throws', async () => {
    const verifier = chainVerifier({ ca: root.pem })
    const { der } = makeCertificate({
      issuer: root,
      sans: { dns: ['a.example'] },
      extensions: [extendedKeyUsage(purposes.clientAuth)]
    })
    // its algorithm's name is the last thing before the signature, twelve bytes with what announces it
    const signedUntil = der.lastIndexOf(Buffer.from('300a06082a8648ce3d040302', 'hex'))
    await fc.assert(
      fc.asyncProperty(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), async (position, change) => {
        const changed = Buffer.from(der)
        changed[position] = (changed[position] ?? 0) ^ change
        const { verified } = await verifier(changed, [], Date.now())
        // behind what is signed stand the algorithm, named a second time, and a signature: ECDSA has several for one text
        if (position < signedUntil) expect(verified).toBe(false)
      }),
      { numRuns: 300 }
    )
  })
})

describe('the authorities of a chain verifier', () => {
  it.each<[string, unknown, string]>([
    ['none', [], 'ca'],
    ['an empty text', '', 'ca'],
    ['a path', '/etc/ssl/ca.pem', 'ca'],
    ['a number', 5, 'ca'],
    ['a private key', root.keyPem, 'ca'],
    ['random bytes', randomBytes(50), 'ca'],
    ['a client’s certificate', [root.pem, leaf.pem], 'ca[1]'],
    ['an authority that may not sign', makeAuthority({ extensions: [keyUsage('digitalSignature')] }).pem, 'ca'],
    [
      'an authority with a weak key',
      makeAuthority({ key: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey }).pem,
      'ca'
    ]
  ])('are not %s', (_, ca, key) => {
    expect(() => chainVerifier({ ca: ca as string })).toThrow(ConfigurationError)
    expect(() => chainVerifier({ ca: ca as string })).toThrow(expect.objectContaining({ key }))
  })

  it('may be a root from before there were extensions, and from before SHA-256', async () => {
    const old = makeAuthority({ version: 1, hash: 'sha1' })
    expect(await verify(makeCertificate({ issuer: old }), [], { ca: old.pem })).toEqual({ verified: true })
  })

  it('name the intermediates where those are wrong', () => {
    expect(() => chainVerifier({ ca: root.pem, intermediates: [leaf.pem] })).toThrow(
      expect.objectContaining({ key: 'intermediates[0]' })
    )
  })
})
