import { describe, expect, it, jest } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer, request as send } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  certificateHeaders,
  InvalidRequestError,
  OAuthError,
  proxyCertificate,
  TemporarilyUnavailableError,
  type CertificateReport,
  type ProxyCertificateOptions
} from '../../../lib/index.ts'
import { makeAuthority, makeCertificate } from '../../support/certificates/certificates.ts'
import * as proxies from '../../support/clients/proxy-headers.ts'
import { makeList } from '../../support/certificates/revocation-lists.ts'

const root = makeAuthority({ subject: 'root' })
const sub = makeAuthority({ subject: 'sub', issuer: root })
const leaf = makeCertificate({ subject: 'billing', issuer: root })
const deep = makeCertificate({ subject: 'billing', issuer: sub })
const own = makeCertificate({ subject: 'billing' })
const proxy = '10.0.0.5'

const from = proxies.requestFrom

const source = (options: Partial<ProxyCertificateOptions> = {}) =>
  proxyCertificate({ ...certificateHeaders.rfc9440, trustedProxies: [proxy, 'fd00::/8'], onReport: () => undefined, ...options })

describe('from a trusted proxy', () => {
  it.each([proxy, `::ffff:${proxy}`, 'fd00::1'])('the header is the certificate: %s', address => {
    const presented = source()(from(address, 'Client-Cert', proxies.rfc9440(own)))
    expect(presented).toMatchObject({ verified: false, reason: expect.stringMatching(/nobody verified/) })
    expect(Buffer.from(presented?.der ?? []).equals(own.der)).toBe(true)
  })

  it.each([[], ['Client-Cert', ''], ['Client-Cert', '::'], ['Other', 'a']])('%j is no certificate', (...headers) => {
    const otherwise = jest.fn(() => ({ der: own.der, verified: true }))
    expect(source({ otherwise })(from(proxy, ...headers))).toBeUndefined()
    expect(otherwise).not.toHaveBeenCalled()
  })

  it.each<[string, string[]]>([
    ['twice the same', ['Client-Cert', proxies.rfc9440(leaf), 'client-cert', proxies.rfc9440(leaf)]],
    ['one beside an empty one', ['Client-Cert', '', 'Client-Cert', proxies.rfc9440(leaf)]],
    ['another format', ['Client-Cert', proxies.nginx(leaf)]],
    ['half a certificate', ['Client-Cert', `:${leaf.der.subarray(0, 100).toString('base64')}:`]],
    ['a certificate and a byte', ['Client-Cert', `:${Buffer.concat([leaf.der, Buffer.of(0)]).toString('base64')}:`]],
    ['two certificates in one', ['Client-Cert', `:${Buffer.concat([leaf.der, leaf.der]).toString('base64')}:`]],
    ['no certificate at all', ['Client-Cert', `:${Buffer.from('hello').toString('base64')}:`]],
    [
      '10,000 names',
      ['Client-Cert', proxies.rfc9440(makeCertificate({ sans: { dns: Array.from({ length: 10_000 }, () => 'a') } }))]
    ],
    ['64 KiB and more', ['Client-Cert', `:${'A'.repeat(70_000)}:`]],
    ['a chain that is none', ['Client-Cert', proxies.rfc9440(leaf), 'Client-Cert-Chain', 'x']],
    [
      'a chain of text',
      ['Client-Cert', proxies.rfc9440(leaf), 'Client-Cert-Chain', `:${Buffer.from('hello').toString('base64')}:`]
    ],
    [
      'a chain of eight',
      ['Client-Cert', proxies.rfc9440(leaf), 'Client-Cert-Chain', proxies.rfc9440Chain(...Array.from({ length: 8 }, () => sub))]
    ]
  ])('%s is unreadable, and never "no certificate"', (_, headers) => {
    const started = process.cpuUsage().user
    expect(() => source({ ca: root.pem })(from(proxy, ...headers))).toThrow(InvalidRequestError)
    expect(process.cpuUsage().user - started).toBeLessThan(1_000_000)
  })

  it('equal headers are one object, parsed once', () => {
    const read = source({ verifiedByProxy: true })
    const [first, second] = [0, 1].map(() => read(from(proxy, 'Client-Cert', proxies.rfc9440(leaf))))
    expect(first).toBe(second)
    expect(read(from(proxy, 'Client-Cert', proxies.rfc9440(own)))).not.toBe(first)
  })
})

describe('from anybody else', () => {
  it.each(['10.0.0.6', '127.0.0.1', '::1', undefined])('the header is ignored, noted and reported: %s', address => {
    const reports: CertificateReport[] = []
    const notes: string[] = []
    const read = source({ verifiedByProxy: true, onReport: report => reports.push(report) })
    expect(read(from(address, 'Client-Cert', proxies.rfc9440(leaf)), why => notes.push(why))).toBeUndefined()
    expect(reports).toEqual([
      {
        problem: 'untrusted_header',
        header: 'client-cert',
        message: expect.stringMatching(/^the header client-cert from .* was ignored/),
        ...(address !== undefined && { peer: address })
      }
    ])
    expect(notes).toEqual([reports[0]?.message])
    expect(JSON.stringify(reports)).not.toContain(leaf.der.toString('base64').slice(20, 60))
  })

  it.each([[], ['Client-Cert', '']])('%j is nothing to report', (...headers) => {
    const report = jest.fn()
    expect(source({ onReport: report })(from('192.0.2.1', ...headers))).toBeUndefined()
    expect(report).not.toHaveBeenCalled()
  })

  it('the certificate may come from elsewhere, the header or not', () => {
    const direct = { der: own.der, verified: true }
    const read = source({ otherwise: () => direct })
    expect(read(from('192.0.2.1'))).toBe(direct)
    expect(read(from('192.0.2.1', 'Client-Cert', proxies.rfc9440(leaf)))).toBe(direct)
  })

  it('is not helped by an unreadable header', () => {
    expect(source()(from('192.0.2.1', 'Client-Cert', 'x', 'Client-Cert', 'y'))).toBeUndefined()
  })

  it('is reported as a warning of the process, once a minute, unless somebody listens', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const read = source({ onReport: undefined })
    for (let time = 0; time < 5; time++) read(from('192.0.2.1', 'Client-Cert', 'x'))
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn.mock.lastCall).toEqual([expect.stringContaining('192.0.2.1'), 'ClienteleWarning'])
    const failing = source({
      onReport: () => {
        throw new Error('no log')
      }
    })
    expect(failing(from('192.0.2.1', 'Client-Cert', 'x'))).toBeUndefined()
    expect(warn.mock.lastCall).toEqual([expect.stringContaining('no log'), 'ClienteleWarning'])
    warn.mockRestore()
  })
})

describe('the chain', () => {
  const verdict = async (options: Partial<ProxyCertificateOptions>, ...headers: string[]) => {
    const presented = source(options)(from(proxy, ...headers))
    return presented?.verify === undefined ? presented : presented.verify(Date.now())
  }

  it('is verified here where there is a CA', async () => {
    expect(await verdict({ ca: root.pem }, 'Client-Cert', proxies.rfc9440(leaf))).toEqual({ verified: true })
    expect(await verdict({ ca: root.pem }, 'Client-Cert', proxies.rfc9440(own))).toMatchObject({
      verified: false,
      reason: expect.stringMatching(/^a certificate that is not issued by/)
    })
  })

  it('counts for nothing before it was verified', () => {
    expect(source({ ca: root.pem })(from(proxy, 'Client-Cert', proxies.rfc9440(leaf)))).toMatchObject({ verified: false })
  })

  it.each<[string, Partial<ProxyCertificateOptions>, string[]]>([
    ['a header of its own', {}, ['Client-Cert', proxies.rfc9440(deep), 'Client-Cert-Chain', proxies.rfc9440Chain(sub, root)]],
    [
      'several of them',
      {},
      [
        'Client-Cert',
        proxies.rfc9440(deep),
        'Client-Cert-Chain',
        proxies.rfc9440(sub),
        'Client-Cert-Chain',
        proxies.rfc9440(root)
      ]
    ],
    [
      'one base64 of all',
      certificateHeaders.haproxy,
      ['X-SSL-Client-Cert', proxies.haproxy(deep), 'X-SSL-Client-Chain', proxies.haproxyChain(sub, root)]
    ],
    [
      'the same header',
      { ...certificateHeaders.traefik, chainHeader: undefined },
      ['X-Forwarded-Tls-Client-Cert', proxies.traefik(deep, sub)]
    ],
    [
      'PEM in one header',
      { ...certificateHeaders.awsAlbPassthrough, chainHeader: undefined },
      ['X-Amzn-Mtls-Clientcert', proxies.awsAlb(deep, sub)]
    ],
    [
      'Envoy’s Chain',
      { ...certificateHeaders.envoy, chainHeader: undefined },
      ['X-Forwarded-Client-Cert', proxies.envoy([deep, sub])]
    ],
    ['the configuration', { intermediates: sub.pem }, ['Client-Cert', proxies.rfc9440(deep)]]
  ])('may come from %s', async (_, options, headers) => {
    expect(await verdict({ ca: root.pem, ...options }, ...headers)).toEqual({ verified: true })
  })

  it('is looked at beside the leaf: the same leaf without it does not hold', async () => {
    const read = source({ ca: root.pem })
    const headers = ['Client-Cert', proxies.rfc9440(deep)]
    const withChain = read(from(proxy, ...headers, 'Client-Cert-Chain', proxies.rfc9440(sub)))
    const without = read(from(proxy, ...headers))
    expect(await withChain?.verify?.(Date.now())).toEqual({ verified: true })
    expect(await without?.verify?.(Date.now())).toMatchObject({ verified: false })
  })

  it('is looked up in revocation lists, read again when they change', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clientele-'))
    const crl = join(folder, 'crl.pem')
    writeFileSync(crl, makeList({ issuer: root, revoked: [leaf] }).pem)
    const read = source({ ca: root.pem, crl })
    const ask = (der: typeof leaf) => read(from(proxy, 'Client-Cert', proxies.rfc9440(der)))?.verify?.(Date.now())
    expect(await ask(leaf)).toMatchObject({ verified: false, reason: expect.stringMatching(/is revoked/) })
    expect(await ask(makeCertificate({ issuer: root }))).toEqual({ verified: true })
    rmSync(folder, { recursive: true })

    const reports: CertificateReport[] = []
    const stale = join(mkdtempSync(join(tmpdir(), 'clientele-')), 'crl.pem')
    writeFileSync(stale, makeList({ issuer: root, nextUpdate: new Date(Date.now() - 1000) }).pem)
    const closed = source({ ca: root.pem, crl: [stale], onReport: report => reports.push(report) })
    const answer = closed(from(proxy, 'Client-Cert', proxies.rfc9440(leaf)))?.verify?.(Date.now())
    await expect(answer).rejects.toThrow(TemporarilyUnavailableError)
    expect(reports).toEqual([{ problem: 'revocation', message: expect.stringMatching(/no revocation list/) }])
    const open = source({ ca: root.pem, crl: [stale], unknownRevocation: 'accept' })
    expect(await open(from(proxy, 'Client-Cert', proxies.rfc9440(leaf)))?.verify?.(Date.now())).toEqual({ verified: true })
    rmSync(join(stale, '..'), { recursive: true })
  })

  it('was verified by the proxy where the operator says so', async () => {
    expect(await verdict({ verifiedByProxy: true }, 'Client-Cert', proxies.rfc9440(leaf))).toEqual({
      der: expect.anything(),
      chain: [],
      verified: true
    })
  })

  it.each(['SUCCESS', '0'])('was verified where the proxy says %s', async said => {
    const headers = ['Client-Cert', proxies.rfc9440(leaf), 'X-Verify', said]
    expect(await verdict({ verifiedByProxy: 'X-Verify' }, ...headers)).toMatchObject({ verified: true })
  })

  it.each(['', 'NONE', 'FAILED:certificate has expired', 'GENEROUS', '20', 'success', 'SUCCESS, SUCCESS', '00'])(
    'was not verified where the proxy says %j',
    async said => {
      const headers = ['Client-Cert', proxies.rfc9440(leaf), 'X-Verify', said]
      const presented = await verdict({ verifiedByProxy: 'x-verify' }, ...headers)
      expect(presented).toMatchObject({ verified: false, reason: expect.stringContaining(said) })
    }
  )

  it('is not taken as verified for one request because it was for another', () => {
    const read = source({ verifiedByProxy: 'x-verify' })
    const ask = (...said: string[]) => read(from(proxy, 'Client-Cert', proxies.rfc9440(leaf), ...said))
    expect(ask('X-Verify', 'SUCCESS')?.verified).toBe(true)
    expect(ask()?.verified).toBe(false)
    expect(() => ask('X-Verify', 'SUCCESS', 'X-Verify', 'FAILED')).toThrow(OAuthError)
  })
})

it('reads what Node gives of a real request', async () => {
  const read = proxyCertificate({ ...certificateHeaders.rfc9440, trustedProxies: ['127.0.0.1'] })
  const outcomes: unknown[] = []
  const server = createServer((req, res) => {
    try {
      outcomes.push(read(req)?.der.length)
    } catch (error) {
      outcomes.push((error as OAuthError).reason)
    }
    res.end()
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  for (const value of [proxies.rfc9440(leaf), [proxies.rfc9440(leaf), proxies.rfc9440(own)], '']) {
    await new Promise<void>((done, fail) => {
      const sent = send({ port, host: '127.0.0.1', headers: { 'Client-Cert': value } }, answer =>
        answer.resume().once('end', done)
      )
      sent.once('error', fail).end()
    })
  }
  server.close()
  expect(outcomes).toEqual([leaf.der.length, 'the certificate header was sent more than once', undefined])
})
