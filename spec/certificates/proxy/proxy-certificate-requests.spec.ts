/** Certificate headers nobody should send, to a server that listens: none is a certificate, and none is more than a refused request. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { certificateHeaders, proxyCertificate, type ProxyCertificateOptions } from '../../../lib/index.ts'
import { harness } from '../../support/servers/authorization-server.ts'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../../support/certificates/certificates.ts'
import { extension } from '../../support/certificates/extensions.ts'
import * as headers from '../../support/clients/proxy-headers.ts'

const authority = makeAuthority({ subject: 'client authority' })
const of = (subject: string, more = {}) => makeCertificate({ subject, issuer: authority, ...more })
const good = of('billing')
const own = makeCertificate({ subject: 'own' })

const registered = { grant_types: ['client_credentials'], response_types: [] }
const clients = [
  {
    client_id: 'billing',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=billing',
    ...registered
  },
  {
    client_id: 'by-name',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: 'billing.example.com',
    ...registered
  },
  {
    client_id: 'own',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ ...own.jwk, x5c: [own.der.toString('base64')] }] },
    ...registered
  }
]

/** The same certificate in each format, or any bytes in its place. */
const writers = {
  rfc9440: headers.rfc9440,
  nginx: headers.nginx,
  apachePem: headers.apachePem,
  haproxy: headers.haproxy,
  envoy: certificate => headers.envoy([certificate]),
  traefik: headers.traefik,
  awsAlb: headers.awsAlb,
  azureAppService: headers.azure
} satisfies Partial<Record<keyof typeof certificateHeaders, (certificate: MadeCertificate) => string>>
type Kind = keyof typeof writers

/** A stand-in for a certificate, of any bytes at all. */
function bytes(der: Buffer): MadeCertificate {
  return { ...good, der, pem: headers.pemOfBase64(der.toString('base64')) }
}

const truncated = (certificate: MadeCertificate) => bytes(certificate.der.subarray(0, -20))
const manyNames = of('billing', { sans: { dns: Array.from({ length: 10_000 }, (_, index) => `${index}.example.com`) } })
const unknown = extension('1.2.3.4', Buffer.of(5, 0), true)

/** What stands where the good certificate should: for `billing`, or for the client that is named. */
const hostile: Readonly<Record<string, readonly [certificate: MadeCertificate, client?: string]>> = {
  'another’s': [of('other')],
  'one nobody vouches for': [makeCertificate({ subject: 'billing' })],
  expired: [of('billing', { notBefore: new Date(0), notAfter: new Date(Date.now() - 60_000) })],
  'with a NUL in its subject': [of('billing\0.example.com')],
  'with a NUL in its name': [of('x', { sans: { dns: ['billing.example.com\0.evil.example'] } }), 'by-name'],
  'of ten thousand names': [manyNames],
  'with an unknown critical extension': [of('billing', { extensions: [unknown] })],
  'cut short': [truncated(good)],
  'cut short, the client’s own': [truncated(own), 'own'],
  'with a byte after it': [bytes(Buffer.concat([good.der, Buffer.of(0)]))],
  'with another after it': [bytes(Buffer.concat([good.der, good.der]))],
  'with a byte after it, the client’s own': [bytes(Buffer.concat([own.der, Buffer.of(0)])), 'own'],
  'of NULs': [bytes(Buffer.alloc(1000))],
  'of 45 KiB': [bytes(Buffer.alloc(45 * 1024, 0x30))],
  'without a byte in it': [bytes(Buffer.of())]
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

describe.each(Object.keys(writers) as Kind[])('behind a proxy that writes as %s', kind => {
  const { header } = certificateHeaders[kind]
  const write = writers[kind]
  let server: Server
  let port = 0
  const failures: unknown[] = []

  beforeAll(async () => {
    const options: ProxyCertificateOptions = {
      ...certificateHeaders[kind],
      trustedProxies: ['127.0.0.1'],
      ca: authority.pem,
      onReport: () => undefined
    }
    const onError = (error: unknown) => void failures.push(error)
    const { app } = await harness({ clients, certificateSource: proxyCertificate(options), clock: Date.now, onError })
    server = createServer({ maxHeaderSize: 256 * 1024 }, app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    ;({ port } = server.address() as AddressInfo)
  })
  afterAll(() => void server.close())

  async function ask(value: string | string[], client_id = 'billing'): Promise<Answer> {
    const sent = request({
      port,
      host: '127.0.0.1',
      path: '/oauth2/token',
      method: 'POST',
      agent: false,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', [header]: value }
    })
    sent.end(new URLSearchParams({ grant_type: 'client_credentials', client_id }).toString())
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of answer) text += String(chunk)
    return { status: answer.statusCode ?? 0, body: JSON.parse(text) as Answer['body'] }
  }

  async function expectRefused(value: string | string[], client?: string): Promise<void> {
    const { status, body } = await ask(value, client)
    expect([400, 401]).toContain(status)
    expect(body).toMatchObject({ error: status === 401 ? 'invalid_client' : 'invalid_request' })
    expect(Object.keys(body).filter(key => key !== 'error_description')).toEqual(['error'])
  }

  it('the good ones are good', async () => {
    expect(await ask(write(good))).toMatchObject({ status: 200 })
    expect(await ask(write(own), 'own')).toMatchObject({ status: 200 })
    expect(await ask(write(own))).toMatchObject({ status: 401 })
  })

  it.each(Object.entries(hostile))('refuses one %s', (_, [certificate, client]) => expectRefused(write(certificate), client))

  it.each<[string, string | string[]]>([
    ['none', ''],
    ['two of the same', [write(good), write(good)]],
    ['an empty one before it', ['', write(good)]],
    ['half of it', write(good).slice(0, write(good).length / 2)],
    ['all of it but a letter', write(good).slice(0, -1).replace('IB', 'I')],
    ['letters that are none of base64', write(good).replace('IB', 'I*')],
    ['PEM without its end', encodeURIComponent(good.pem.slice(0, -10))],
    ['PEM of a key', encodeURIComponent(good.keyPem)],
    ['a NUL, escaped', write(good).replace('MII', 'MI%00I')],
    ['64 KiB of it', write(good).repeat(200).slice(0, 65_536)],
    ['more than 64 KiB', write(good).repeat(200).slice(0, 70_000)],
    ['64 KiB of nothing', 'A'.repeat(65_536)]
  ])('refuses a header with %s', (_, value) => expectRefused(value))

  it('told the operator of every one, as what it was', () => {
    expect(failures.filter(error => !(error instanceof Error) || !('status' in error))).toEqual([])
  })
})
