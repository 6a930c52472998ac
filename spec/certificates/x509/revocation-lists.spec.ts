import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, it } from '@jest/globals'
import { readPathCertificate } from '../../../lib/certificates/x509/path-certificate.ts'
import {
  revocationLists,
  type RevocationOptions,
  type RevocationProblem
} from '../../../lib/certificates/x509/revocation-lists.ts'
import { TemporarilyUnavailableError } from '../../../lib/errors.ts'
import { ConfigurationError } from '../../../lib/options.ts'
import { distributionPoints, keyUsage } from '../../support/certificates/extensions.ts'
import { makeAuthority, makeCertificate, tlv, type MadeCertificate } from '../../support/certificates/certificates.ts'
import { issuingDistributionPoint, makeList, type ListOptions } from '../../support/certificates/revocation-lists.ts'

const hour = 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'clientele-crl-'))
const root = makeAuthority({ subject: 'root' })
const good = makeCertificate({ issuer: root, extensions: [distributionPoints('http://crl.example/a', 'http://crl.example/b')] })
const bad = makeCertificate({ issuer: root })
let files = 0

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(content: string | Buffer, path = join(folder, `list-${(files += 1)}`)): string {
  // renamed into place, as a careful operator would, so that nobody reads half of it
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
  return path
}

function revoked(
  lists: readonly (string | Buffer)[],
  path: readonly MadeCertificate[],
  options: Partial<RevocationOptions> = {}
) {
  const checked = revocationLists({ crl: lists.map(list => write(list)), ...options })
  return checked.revoked(
    path.map(({ der }) => readPathCertificate(der)),
    Date.now()
  )
}

describe('revoked', () => {
  const list = makeList({ issuer: root, revoked: [makeCertificate(), bad] })

  it.each([
    ['PEM', list.pem],
    ['DER', list.der],
    ['PEM after others and some text', `text\n${makeList({ issuer: makeAuthority() }).pem}\n${list.pem}`]
  ])('finds a certificate on a list in %s, and no other', async (_, content) => {
    expect(await revoked([content], [bad, root])).toMatch(/^is revoked \(serial number 4/)
    expect(await revoked([content], [good, root])).toBeUndefined()
  })

  it('finds a serial number whichever way its leading zeros are written', async () => {
    const serial = Buffer.from('00ff01', 'hex')
    const certificate = makeCertificate({ issuer: root, serial })
    expect(await revoked([makeList({ issuer: root, revoked: [{ serial }] }).der], [certificate, root])).toMatch(/ff01/)
  })

  it('finds an authority on the way', async () => {
    const sub = makeAuthority({ subject: 'sub', issuer: root })
    const certificate = makeCertificate({ issuer: sub })
    const lists = [makeList({ issuer: sub }).pem, makeList({ issuer: root, revoked: [sub] }).pem]
    expect(await revoked(lists, [certificate, sub, root])).toMatch(/has an authority in its chain that is revoked/)
  })

  it.each(['rsa', 'rsa-pss', 'ed25519'] as const)('knows a list by its %s signature', async type => {
    const key =
      type === 'ed25519'
        ? generateKeyPairSync(type).privateKey
        : generateKeyPairSync(type as 'rsa', { modulusLength: 2048 }).privateKey
    const authority = makeAuthority({ key })
    const certificate = makeCertificate({ issuer: authority })
    expect(await revoked([makeList({ issuer: authority, revoked: [certificate] }).der], [certificate, authority])).toMatch(
      /revoked/
    )
    expect(await revoked([makeList({ issuer: authority }).der], [certificate, authority])).toBeUndefined()
  })
})

/** Lists that do not tell about {@link good}. */
const silent: [string, Partial<ListOptions>, MadeCertificate?][] = [
  ['of another authority', { issuer: makeAuthority({ subject: 'other' }) }],
  ['of an authority of the same name with another key', { issuer: makeAuthority({ subject: 'root' }) }],
  ['signed by somebody else', { key: makeAuthority().key }],
  ['whose time has passed', { nextUpdate: new Date(Date.now() - 1000) }],
  ['whose time has not come', { thisUpdate: new Date(Date.now() + hour) }],
  ['about authorities alone', { extensions: [issuingDistributionPoint(tlv(0x82, Buffer.of(0xff)))] }],
  ['for another distribution point', { extensions: [issuingDistributionPoint(point('http://crl.example/c'))] }],
  [
    'of an authority that may not sign lists',
    {},
    makeAuthority({ subject: 'root', key: root.key, extensions: [keyUsage('keyCertSign')] })
  ]
]

describe.each(silent)('a list %s', (_, options, authority = root) => {
  const list = makeList({ issuer: root, ...options })

  it('leaves it unknown whether a certificate was revoked, and that is 503', async () => {
    const answer = revoked([list.pem], [good, authority])
    await expect(answer).rejects.toThrow(TemporarilyUnavailableError)
    await expect(answer).rejects.toMatchObject({ status: 503, reason: expect.stringMatching(/no revocation list/) })
  })

  it('is no reason to refuse where the operator says so, who is told', async () => {
    const told: RevocationProblem[] = []
    const answer = revoked([list.pem], [good, authority], {
      unknownRevocation: 'accept',
      onReport: problem => told.push(problem)
    })
    expect(await answer).toBeUndefined()
    expect(told).toHaveLength(1)
  })
})

describe('a list', () => {
  it.each<[string, Buffer]>([
    ['of the others', tlv(0x81, Buffer.of(0xff))],
    ['for one of the certificate’s distribution points', point('http://crl.example/b')],
    ['that says it is for all', tlv(0x81, Buffer.of(0))]
  ])('%s tells about a client’s certificate', async (_, field) => {
    const extensions = [issuingDistributionPoint(field)]
    expect(await revoked([makeList({ issuer: root, extensions }).der], [good, root])).toBeUndefined()
    expect(await revoked([makeList({ issuer: root, extensions, revoked: [good] }).der], [good, root])).toMatch(/revoked/)
  })

  it('whose time has passed can still say that a certificate is revoked', async () => {
    const list = makeList({ issuer: root, revoked: [bad], nextUpdate: new Date(Date.now() - 1000) })
    expect(await revoked([list.der], [bad, root])).toMatch(/revoked/)
    expect(await revoked([list.der], [bad, root], { unknownRevocation: 'accept' })).toMatch(/revoked/)
  })

  it('is needed for every authority on the way', async () => {
    const sub = makeAuthority({ subject: 'sub', issuer: root })
    const path = [makeCertificate({ issuer: sub }), sub, root]
    await expect(revoked([makeList({ issuer: root }).der], path)).rejects.toThrow(TemporarilyUnavailableError)
    await expect(revoked([makeList({ issuer: sub }).der], path)).rejects.toThrow(TemporarilyUnavailableError)
  })
})

describe('files', () => {
  it('are read again when they change', async () => {
    const path = write(makeList({ issuer: root }).pem)
    const lists = revocationLists({ crl: path })
    const chain = [good, root].map(({ der }) => readPathCertificate(der))
    expect(await lists.revoked(chain, Date.now())).toBeUndefined()
    write(makeList({ issuer: root, revoked: [good] }).pem, path)
    await pause(1100)
    const answers = await Promise.all(Array.from({ length: 50 }, () => lists.revoked(chain, Date.now())))
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).toMatch(/revoked/)
  })

  it.each<[string, (path: string) => void]>([
    ['is gone', path => rmSync(path)],
    ['was cut short', path => truncateSync(path, 100)],
    ['holds something else', path => writeFileSync(path, 'something else')]
  ])('leave what they said standing when one %s, and tell the operator', async (_, spoil) => {
    const told: RevocationProblem[] = []
    const path = write(makeList({ issuer: root, revoked: [bad] }).der)
    const lists = revocationLists({ crl: [path], onReport: problem => told.push(problem) })
    spoil(path)
    await pause(1100)
    const ask = (certificate: MadeCertificate, now = Date.now()) =>
      lists.revoked(
        [certificate, root].map(({ der }) => readPathCertificate(der)),
        now
      )
    expect(await ask(bad)).toMatch(/revoked/)
    expect(await ask(good)).toBeUndefined()
    expect(told).toEqual([{ file: path, message: expect.stringContaining(path) }])
    await expect(ask(good, Date.now() + 48 * hour)).rejects.toThrow(TemporarilyUnavailableError)
    write(makeList({ issuer: root }).der, path)
    await pause(1100)
    expect(await ask(bad)).toBeUndefined()
  })

  it.each<[string, unknown, string]>([
    ['no file', join(folder, 'absent'), 'crl'],
    ['a file of something else', [write(makeList({ issuer: root }).der), write('text')], 'crl[1]'],
    ['a certificate', write(root.pem), 'crl'],
    ['nothing', [], 'crl'],
    ['a number', [5], 'crl[0]']
  ])('must be lists from the start: %s', (_, crl, key) => {
    const open = () => revocationLists({ crl: crl as string })
    expect(open).toThrow(ConfigurationError)
    expect(open).toThrow(expect.objectContaining({ key }))
  })

  it('do not depend on whether the operator’s log works', async () => {
    const failing = () => {
      throw new Error('no log')
    }
    const list = makeList({ issuer: makeAuthority() }).der
    expect(await revoked([list], [good, root], { unknownRevocation: 'accept', onReport: failing })).toBeUndefined()
  })
})

function point(url: string): Buffer {
  return tlv(0xa0, tlv(0xa0, tlv(0x86, Buffer.from(url))))
}
