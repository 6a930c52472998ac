/** The example app behind a proxy on 127.0.0.1 (which the requests here pretend to be), reached by everybody else on ::1. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pino } from 'pino'
import { memoryStore, type CertificateFormat } from 'clientele'
import { createApp } from '../../example-app/app.ts'
import { checkConfig } from '../../example-app/config/config.ts'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../support/certificates/certificates.ts'
import { plainFetch, tlsFetch, type Fetch } from '../support/journeys/fetch.ts'
import * as proxies from '../support/clients/proxy-headers.ts'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'

const authority = makeAuthority({ subject: 'client authority' })
const billing = makeCertificate({ subject: 'billing', issuer: authority })
const forged = makeCertificate({ subject: 'billing', issuer: makeAuthority({ subject: 'client authority' }) })
const foreign = makeCertificate({ subject: 'billing', issuer: makeAuthority({ subject: 'foreign authority' }) })
const expired = makeCertificate({ subject: 'billing', issuer: authority, notAfter: new Date(Date.now() - 60_000) })
const own = makeCertificate({ subject: 'own' })

const bound = { grant_types: ['client_credentials', 'authorization_code'], tls_client_certificate_bound_access_tokens: true }
const clients = [
  { client_id: 'billing', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=billing', ...bound },
  {
    client_id: 'own',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ ...own.jwk, x5c: [own.der.toString('base64')] }] },
    ...bound
  }
].map(client => ({ ...client, redirect_uris: ['https://client.example/cb'], scope: 'openid api:read' }))

const formats: Readonly<Record<string, (certificate: MadeCertificate) => string>> = {
  rfc9440: proxies.rfc9440,
  'url-encoded-pem': proxies.nginx,
  'envoy-xfcc': certificate => proxies.envoy([certificate]),
  'base64-der': proxies.haproxy
}

interface Setup {
  readonly port: number
  readonly server: HostedServer
}

async function start(format: string, more: object = {}): Promise<Setup> {
  const port = await freePort()
  const server = await startServer({
    issuer: `http://localhost:${port}`,
    clients,
    client_certificate_header: { name: 'X-Client-Cert', format, trusted_proxies: ['127.0.0.1'] },
    tenants: [{ path: '/acme', clients }],
    ...more
  })
  return { port, server }
}

interface Asked {
  readonly client_id?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Where the request comes from, which is also where it goes. */
  readonly host?: '127.0.0.1' | '[::1]'
  readonly path?: string
}

async function token(port: number, { client_id = 'billing', headers = {}, host = '127.0.0.1', path = '' }: Asked) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id })
  const answer = await plainFetch(`http://${host}:${port}${path}/oauth2/token`, { method: 'POST', headers, body })
  return { status: answer.status, body: (await answer.json()) as { access_token?: string; error?: string } }
}

describe.each(Object.keys(formats))('a certificate header of format %s', format => {
  const write = (certificate: MadeCertificate) => ({ 'X-Client-Cert': formats[format]?.(certificate) ?? '' })
  let setup: Setup

  beforeAll(async () => {
    setup = await start(format)
  })
  afterAll(() => stop(setup.server))

  it.each(['', '/acme'])('authenticates by certificate at every endpoint of %j', async path => {
    const { port } = setup
    for (const [client_id, certificate] of [
      ['billing', billing],
      ['own', own]
    ] as const) {
      const headers = write(certificate)
      const { status, body } = await token(port, { client_id, headers, path })
      expect(status).toBe(200)
      const at = (endpoint: string, sent: Readonly<Record<string, string>>) =>
        plainFetch(`http://127.0.0.1:${port}${path}${endpoint}`, {
          headers: { Authorization: `Bearer ${body.access_token ?? ''}`, ...sent }
        })
      expect(await (await at('/api/whoami', headers)).json()).toMatchObject({ client_id })
      expect((await at('/api/whoami', {})).status).toBe(401)
      expect((await at('/api/whoami', write(forged))).status).toBe(401)
      // the token is this client's, and says nothing about a person
      expect((await at('/oauth2/userinfo', headers)).status).toBe(403)
      expect((await at('/oauth2/userinfo', {})).status).toBe(401)
      const pushed = new URLSearchParams({
        client_id,
        response_type: 'code',
        redirect_uri: 'https://client.example/cb',
        scope: 'openid',
        code_challenge: 'a'.repeat(43),
        code_challenge_method: 'S256'
      })
      const par = (sent: Readonly<Record<string, string>>) =>
        plainFetch(`http://127.0.0.1:${port}${path}/oauth2/par`, { method: 'POST', body: pushed, headers: sent })
      expect((await par(headers)).status).toBe(201)
      expect((await par({})).status).toBe(401)
    }
  })

  it('is ignored when it comes from somebody else, and that is logged', async () => {
    const answer = await token(setup.port, { headers: write(billing), host: '[::1]' })
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    const line = 'the header x-client-cert from ::1 was ignored'
    while (!setup.server.stdout().includes(line)) await pause(10)
    expect(setup.server.stdout()).not.toContain(billing.der.toString('base64').slice(30, 70))
  })

  it('is needed, and has to be one of the client', async () => {
    for (const headers of [{}, { 'X-Client-Cert': '' }, write(own)])
      expect(await token(setup.port, { headers })).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(await token(setup.port, { client_id: 'own', headers: write(billing) })).toMatchObject({ status: 401 })
  })

  it.each(['x', 'MIIB', '%', ':AAAA:', 'Cert="', '-----BEGIN CERTIFICATE-----'])('is refused as unreadable: %s', async value => {
    const answer = await token(setup.port, { headers: { 'X-Client-Cert': value } })
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })

  it('is in the metadata', async () => {
    const metadata = await (await plainFetch(`http://127.0.0.1:${setup.port}/.well-known/openid-configuration`)).json()
    expect(metadata).toMatchObject({
      tls_client_certificate_bound_access_tokens: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth'])
    })
    expect(metadata).not.toHaveProperty('mtls_endpoint_aliases')
  })

  it('counts as verified by the proxy where no authority is configured, and the operator is told', async () => {
    expect((await token(setup.port, { headers: write(forged) })).status).toBe(200)
    expect(setup.server.stdout()).toContain('count as verified by the proxy')
  })
})

describe('with tls.client_ca beside it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-'))
  const serverAuthority = makeAuthority()
  const file = (name: string) => join(folder, name)
  let setup: Setup
  let mtls: number

  beforeAll(async () => {
    const certificate = makeCertificate({ issuer: serverAuthority, sans: { dns: ['localhost'], ip: ['127.0.0.1', '::1'] } })
    writeFileSync(file('server.key'), certificate.keyPem)
    writeFileSync(file('server.crt'), certificate.pem)
    writeFileSync(file('ca.crt'), authority.pem)
    mtls = await freePort()
    const tls = { port: mtls, key: file('server.key'), cert: file('server.crt'), client_ca: [file('ca.crt')] }
    setup = await start('url-encoded-pem', { tls })
  })
  afterAll(async () => {
    await stop(setup.server)
    rmSync(folder, { recursive: true, force: true })
  })

  const sent = (certificate: MadeCertificate) => ({ headers: { 'X-Client-Cert': proxies.nginx(certificate) } })

  it('verifies the chain itself', async () => {
    expect((await token(setup.port, sent(billing))).status).toBe(200)
    expect((await token(setup.port, { client_id: 'own', ...sent(own) })).status).toBe(200)
    for (const certificate of [forged, foreign, expired, makeCertificate({ subject: 'billing' })])
      expect(await token(setup.port, sent(certificate))).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(setup.server.stdout()).not.toContain('count as verified by the proxy')
  })

  it('still takes certificates of its own mutual-TLS listener, whoever connects', async () => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'billing' })
    const statusOf = async (fetch: Fetch, host: string, headers = {}) =>
      (await fetch(`https://${host}:${mtls}/oauth2/token`, { method: 'POST', body, headers })).status
    for (const host of ['127.0.0.1', '[::1]']) {
      expect(await statusOf(tlsFetch({ ca: serverAuthority.pem, certificate: billing }), host)).toBe(200)
      expect(await statusOf(tlsFetch({ ca: serverAuthority.pem, certificate: foreign }), host)).toBe(401)
      expect(await statusOf(tlsFetch({ ca: serverAuthority.pem }), host)).toBe(401)
    }
    const spoof = { 'X-Client-Cert': proxies.nginx(billing) }
    expect(await statusOf(tlsFetch({ ca: serverAuthority.pem }), '[::1]', spoof)).toBe(401)
    expect(await statusOf(tlsFetch({ ca: serverAuthority.pem, certificate: billing }), '[::1]', spoof)).toBe(200)
  })
})

describe('a header that cannot be meant', () => {
  it.each<[string, object]>([
    ['client_certificate_header.trusted_proxies[1]', { trusted_proxies: ['127.0.0.1', '0.0.0.0/0'] }],
    ['client_certificate_header.trusted_proxies[0]', { trusted_proxies: ['::/0'] }],
    ['client_certificate_header.trusted_proxies[0]', { trusted_proxies: ['10.0.0.0/99'] }],
    ['client_certificate_header.name', { name: 'client-cert-chain' }]
  ])('ends the start: %s', async (path, change) => {
    const header = { name: 'client-cert', format: 'rfc9440' satisfies CertificateFormat, trusted_proxies: ['::1'], ...change }
    const config = checkConfig({ issuer: 'http://localhost:4010', client_certificate_header: header }, '.')
    const start = createApp({ config, store: memoryStore(), log: pino({ level: 'silent' }) })
    await expect(start).rejects.toThrow(new RegExp(`^${path.replace(/[.[\]]/g, '\\$&')} must `))
  })
})
