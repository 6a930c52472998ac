import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer, request as plainRequest } from 'node:http'
import { Agent, createServer, request, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SecureVersion } from 'node:tls'
import { tlsCertificate, type CertificateReport, type CertificateSource, type TlsCertificateOptions } from '../../lib/index.ts'
import { acceptableAuthorities } from '../support/certificates/acceptable-authorities.ts'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../support/certificates/certificates.ts'
import { makeList } from '../support/certificates/revocation-lists.ts'

type Presented = ReturnType<CertificateSource>

const root = makeAuthority({ subject: 'root' })
const between = makeAuthority({ subject: 'between', issuer: root })
const identity = makeCertificate({ subject: 'server', issuer: root })
const leaf = makeCertificate({ subject: 'billing', issuer: root })
const deep = makeCertificate({ subject: 'billing', issuer: between })
const own = makeCertificate({ subject: 'billing' })
const forged = makeCertificate({ subject: 'billing', issuer: makeAuthority({ subject: 'root' }) })
const folder = mkdtempSync(join(tmpdir(), 'clientele-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let source: CertificateSource = () => undefined
const seen: Presented[] = []
let server: Server

beforeAll(async () => {
  const tls = { key: identity.keyPem, cert: identity.pem, requestCert: true, rejectUnauthorized: false, ca: [] }
  server = createServer(tls, (req, res) => {
    seen.push(source(req))
    res.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => server.close().closeAllConnections())

const portOf = (listening: { address(): unknown }) => (listening.address() as AddressInfo).port

function agentFor(chain: readonly MadeCertificate[], maxVersion: SecureVersion = 'TLSv1.3', keepAlive = false): Agent {
  const cert = chain.map(({ pem }) => pem).join('')
  return new Agent({ rejectUnauthorized: false, keepAlive, maxVersion, ...(chain[0] && { key: chain[0].keyPem, cert }) })
}

/** What the source says of a request over this agent, and whether its connection resumed a session. */
async function ask(agent: Agent): Promise<{ presented: Presented; resumed: boolean }> {
  const sent = request({ host: '127.0.0.1', port: portOf(server), agent }).end()
  const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream & { socket: { isSessionReused(): boolean } }]
  const resumed = response.socket.isSessionReused()
  await once(response.resume(), 'end')
  return { presented: seen.at(-1), resumed }
}

async function verdictOn(...chain: readonly MadeCertificate[]) {
  const { presented } = await ask(agentFor(chain))
  return presented?.verify?.(Date.now())
}

describe('tlsCertificate', () => {
  beforeAll(() => {
    source = tlsCertificate({ ca: root.pem })
  })

  it('finds none where none was presented, and none on a plain connection', async () => {
    expect((await ask(agentFor([]))).presented).toBeUndefined()
    const plain = createPlainServer((req, res) => {
      seen.push(source(req))
      res.end()
    }).listen(0)
    const [response] = (await once(plainRequest({ port: portOf(plain) }).end(), 'response')) as [NodeJS.ReadableStream]
    await once(response.resume(), 'end')
    plain.close().closeAllConnections()
    expect(seen.at(-1)).toBeUndefined()
  })

  it('verifies chains up to its authorities, known by their keys', async () => {
    expect(await verdictOn(leaf)).toEqual({ verified: true })
    expect(await verdictOn(deep, between)).toEqual({ verified: true })
    expect(await verdictOn(deep, between, root)).toEqual({ verified: true })
    expect(await verdictOn(deep)).toMatchObject({
      verified: false,
      reason: expect.stringMatching(/^a certificate that is not issued/)
    })
    expect(await verdictOn(forged)).toMatchObject({ verified: false, reason: expect.stringMatching(/another one of that name/) })
    expect(await verdictOn(own)).toMatchObject({ verified: false })
  })

  it('gives a certificate whose chain nobody verified too: it may be one that is registered', async () => {
    const { presented } = await ask(agentFor([own]))
    expect(presented).toMatchObject({ verified: false })
    expect(Buffer.from(presented?.der ?? []).equals(own.der)).toBe(true)
  })

  it('gives the requests of one connection one object, and those of equal certificates', async () => {
    const agent = agentFor([leaf], 'TLSv1.3', true)
    const { presented } = await ask(agent)
    expect((await ask(agent)).presented).toBe(presented)
    expect((await ask(agentFor([leaf]))).presented).toBe(presented)
    agent.destroy()
  })

  it.each<SecureVersion>(['TLSv1.2', 'TLSv1.3'])(
    'knows the chain of a session that is resumed, and of no other: %s',
    async version => {
      source = tlsCertificate({ ca: root.pem })
      const agent = agentFor([deep, between], version)
      for (const resumed of [false, true, true]) {
        const answer = await ask(agent)
        expect([answer.resumed, await answer.presented?.verify?.(Date.now())]).toEqual([resumed, { verified: true }])
      }
      const bare = agentFor([deep], version)
      for (const resumed of [false, true]) {
        const answer = await ask(bare)
        expect([answer.resumed, await answer.presented?.verify?.(Date.now())]).toMatchObject([resumed, { verified: false }])
      }
    }
  )

  it.each(['tls1_2', 'tls1_3'] as const)('goes with a server that names no authority to clients: %s', async version => {
    expect(await acceptableAuthorities(portOf(server), version)).toEqual([])
  })
})

describe('a revocation list of tlsCertificate', () => {
  it('counts, and what is wrong with it is reported', async () => {
    const crl = join(folder, 'list.crl')
    writeFileSync(crl, makeList({ issuer: root, revoked: [leaf] }).pem)
    const reports: CertificateReport[] = []
    source = tlsCertificate({ ca: root.pem, crl, onReport: report => reports.push(report) })
    expect(await verdictOn(leaf)).toMatchObject({ verified: false, reason: expect.stringMatching(/revoked/) })
    await expect(verdictOn(deep, between)).rejects.toMatchObject({ error: 'temporarily_unavailable' })
    expect(reports).toEqual([{ problem: 'revocation', message: expect.stringMatching(/^no revocation list that is valid now/) }])
  })
})

describe('options of tlsCertificate', () => {
  it.each<[string, unknown]>([
    ['ca', {}],
    ['ca', { ca: [] }],
    ['ca', { ca: 'root.pem' }],
    ['ca[0]', { ca: [leaf.pem] }],
    ['intermediates', { ca: root.pem, intermediates: leaf.pem }],
    ['crl', { ca: root.pem, crl: join(folder, 'nowhere.crl') }],
    ['unknownRevocation', { ca: root.pem, unknownRevocation: 'ignore' }],
    ['onReport', { ca: root.pem, onReport: true }],
    ['trustedProxies', { ca: root.pem, trustedProxies: ['127.0.0.1'] }]
  ])('name what is wrong: %s', (key, options) => {
    expect(() => tlsCertificate(options as TlsCertificateOptions)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', key })
    )
  })
})
