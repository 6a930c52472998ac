import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { describe, expect, it } from '@jest/globals'
import type { JWK } from 'jose'
import {
  selfSignedChecks,
  tlsClientAuthChecks,
  verifySelfSigned,
  verifyTlsClientAuth
} from '../../lib/certificates/client-certificate.ts'
import { clientKeys } from '../../lib/client-keys/client-keys.ts'
import { guardedFetch } from '../../lib/outbound/guarded-fetch.ts'
import { toClient, type Client, type ClientMetadata } from '../../lib/clients/client.ts'
import { DecisionBuilder } from '../../lib/decisions/builder.ts'
import type { PresentedCertificate } from '../../lib/client-request.ts'
import {
  makeAuthority,
  makeCertificate,
  type CertificateOptions,
  type MadeCertificate
} from '../support/certificates/certificates.ts'
import { refusal } from '../assertions/signing.ts'
import { rsaKey } from '../support/keys/made-keys.ts'

const authority = makeAuthority()
const made = makeCertificate({ subject: 'billing', issuer: authority })
const start = Date.UTC(2026, 0, 1)
const end = Date.UTC(2026, 1, 1)

function tlsClient(metadata: Partial<ClientMetadata> = {}): Client {
  return toClient({
    client_id: 'billing',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=billing',
    ...metadata
  })
}

function selfSignedClient(keys: readonly unknown[]): Client {
  return toClient({
    client_id: 'billing',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: keys as JWK[] }
  })
}

function presented({ der }: { der: Uint8Array }, verified = true): PresentedCertificate {
  return { der, verified }
}

function tls(certificate: PresentedCertificate | undefined, client = tlsClient(), now = Date.now()) {
  return verifyTlsClientAuth({ client, certificate, decision: new DecisionBuilder('token'), clock: () => now })
}

function selfSigned(certificate: PresentedCertificate | undefined, keys: readonly unknown[], now = Date.now()) {
  const client = selfSignedClient(keys)
  return verifySelfSigned({
    client,
    certificate,
    decision: new DecisionBuilder('token'),
    clock: () => now,
    clientKeys: clientKeys()
  })
}

describe('verifyTlsClientAuth', () => {
  it('accepts the registered subject, passing every check in order', async () => {
    const decision = new DecisionBuilder('token')
    const input = { client: tlsClient(), certificate: presented(made), decision, clock: Date.now }
    expect(await verifyTlsClientAuth(input)).toEqual({
      credential: `x5t#S256:${made.thumbprint}`,
      used: expect.stringMatching(/^subject:tls_client_auth_/)
    })
    const record = decision.finish('authenticated')
    expect(record.checks).toEqual(tlsClientAuthChecks.map(check => ({ check, outcome: 'pass' })))
    expect(record.credential).toBe(`x5t#S256:${made.thumbprint}`)
  })

  it('refuses a request without a certificate', async () => {
    expect(await refusal(() => tls(undefined))).toMatchObject({ check: 'certificate', received: 'no certificate' })
  })

  it.each([Buffer.of(), Buffer.from('x'), Buffer.concat([made.der, Buffer.of(0)])])(
    'refuses what is no certificate',
    async der => {
      expect(await refusal(() => tls(presented({ der })))).toMatchObject({ check: 'certificate' })
    }
  )

  it('refuses a chain that was not verified, whatever the subject, and says why where that is known', async () => {
    expect(await refusal(() => tls(presented(made, false)))).toMatchObject({ check: 'certificate_chain' })
    const certificate = { ...presented(made, false), reason: 'SELF_SIGNED_CERT_IN_CHAIN' }
    expect(await refusal(() => tls(certificate))).toMatchObject({ received: 'SELF_SIGNED_CERT_IN_CHAIN' })
  })

  it('refuses another subject', async () => {
    const other = makeCertificate({ subject: 'other', issuer: authority })
    expect(await refusal(() => tls(presented(other)))).toMatchObject({
      check: 'certificate_subject',
      expected: 'CN=billing',
      received: 'CN=other'
    })
  })
})

describe.each<[string, (now: number, options: CertificateOptions) => unknown]>([
  [
    'verifyTlsClientAuth',
    (now, options) => tls(presented(makeCertificate({ subject: 'billing', ...options })), tlsClient(), now)
  ],
  [
    'verifySelfSigned',
    (now, options) => {
      const certificate = makeCertificate(options)
      return selfSigned(presented(certificate, false), [certificate.jwk], now)
    }
  ]
])('%s', (_, attempt) => {
  const validity = { notBefore: new Date(start), notAfter: new Date(end) }

  it.each([start - 10_000, start, start + 1, end])('accepts a certificate within its validity (%d)', async now => {
    await attempt(now, validity)
  })

  it.each([0, start - 10_001, end + 1, end + 1e12])('refuses one outside it (%d)', async now => {
    expect(await refusal(() => attempt(now, validity))).toMatchObject({ check: 'certificate_validity' })
  })
})

describe('verifySelfSigned', () => {
  const own = makeCertificate({ subject: 'anything' })
  const withX5c = (certificate: MadeCertificate, ...more: string[]): JWK => ({
    ...certificate.jwk,
    x5c: [certificate.der.toString('base64'), ...more]
  })

  it('accepts a certificate that is registered, or whose key is, passing every check in order', async () => {
    for (const jwk of [withX5c(own), own.jwk]) {
      const decision = new DecisionBuilder('token')
      const input = {
        client: selfSignedClient([makeCertificate().jwk, jwk]),
        certificate: presented(own, false),
        decision,
        clock: Date.now,
        clientKeys: clientKeys()
      }
      expect(await verifySelfSigned(input)).toEqual({
        credential: `x5t#S256:${own.thumbprint}`,
        used: expect.stringMatching(/^(?:kid|jkt):/)
      })
      expect(decision.finish('authenticated').checks).toEqual(selfSignedChecks.map(check => ({ check, outcome: 'pass' })))
    }
  })

  it('accepts RSA and Ed25519 keys', async () => {
    const privateKey = rsaKey()
    const rsa = makeCertificate({ key: privateKey })
    await selfSigned(presented(rsa, false), [rsa.jwk])
    const { publicKey } = generateKeyPairSync('ed25519')
    expect(await refusal(() => selfSigned(presented(rsa, false), [publicKey.export({ format: 'jwk' })]))).toMatchObject({
      check: 'certificate_key'
    })
  })

  const other = makeCertificate({ subject: 'anything' })
  const renewed = makeCertificate({ subject: 'anything', key: own.key })
  it.each<[string, unknown[]]>([
    ['no keys', []],
    ["another certificate's key", [other.jwk]],
    ['another certificate of the same name', [withX5c(other)]],
    ['another certificate of the same key', [withX5c(renewed)]],
    ['the certificate as another one’s issuer only', [withX5c(other, own.der.toString('base64'))]],
    ['an empty x5c', [{ ...own.jwk, x5c: [] }]],
    ['an x5c that is no list', [{ ...own.jwk, x5c: own.der.toString('base64') }]],
    ['an x5c of something else', [{ ...own.jwk, x5c: [5] }]],
    ['the private key', [own.key.export({ format: 'jwk' })]],
    ['malformed keys', [null, 5, {}, { kty: 'EC' }, { kty: 'EC', crv: 'P-256', x: 5, y: {} }, { kty: 'RSA', n: '', e: '' }]]
  ])('refuses a client that registered %s', async (_, keys) => {
    expect(await refusal(() => selfSigned(presented(own, false), keys))).toMatchObject({
      check: 'certificate_key',
      received: `x5t#S256:${own.thumbprint}`
    })
  })

  it('is not impressed by a verified chain', async () => {
    expect(await refusal(() => selfSigned(presented(made, true), [own.jwk]))).toMatchObject({ check: 'certificate_key' })
  })

  it('refuses a request without a certificate', async () => {
    expect(await refusal(() => selfSigned(undefined, [own.jwk]))).toMatchObject({ check: 'certificate' })
  })

  it('finds a certificate behind a jwks_uri once it is there', async () => {
    let keys = [other.jwk]
    let time = Date.now()
    const server = createServer((_, res) => res.end(JSON.stringify({ keys })))
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const jwks_uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const client = toClient({ client_id: 'billing', token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks_uri })
    const clock = () => time
    const source = clientKeys({ fetchJson: guardedFetch({ allowLoopback: true }), clock })
    const attempt = () =>
      verifySelfSigned({
        client,
        certificate: presented(own, false),
        decision: new DecisionBuilder('token'),
        clock,
        clientKeys: source
      })
    expect(await refusal(attempt)).toMatchObject({ check: 'certificate_key' })
    keys = [other.jwk, withX5c(own)]
    time += 30_000
    expect(await attempt()).toMatchObject({ credential: `x5t#S256:${own.thumbprint}` })
    await new Promise(done => server.close(done))
  })
})

describe('a real handshake', () => {
  it('presents the certificate that is then accepted', async () => {
    const localhost = makeCertificate({ issuer: authority, sans: { dns: ['localhost'] } })
    const server = createTlsServer({ key: localhost.keyPem, cert: localhost.pem, ca: authority.pem, requestCert: true })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const accepted = new Promise<TLSSocket>(done => server.once('secureConnection', done))
    const options = { host: '127.0.0.1', servername: 'localhost', ca: authority.pem, key: made.keyPem, cert: made.pem }
    const socket = connect({ ...options, port: (server.address() as AddressInfo).port })
    const peer = await accepted
    const certificate = { der: peer.getPeerCertificate().raw, verified: peer.authorized }
    expect(await tls(certificate)).toMatchObject({ credential: `x5t#S256:${made.thumbprint}` })
    socket.destroy()
    await new Promise(done => server.close(done))
  })
})
