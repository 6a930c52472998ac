/** The example app with an https issuer, as a process: both listeners, both loopback addresses, and a sign-in over TLS. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { decodeJwt, type JWTPayload } from 'jose'
import { makeAuthority, makeCertificate } from '../support/certificates/certificates.ts'
import { Browser } from '../support/journeys/browser.ts'
import { rsaKey } from '../support/keys/made-keys.ts'
import { tlsFetch } from '../support/journeys/fetch.ts'
import { freePort, startProcess, stop, type RunningServer } from './running-server.ts'

const redirect_uri = 'https://client.example/callback'
const code_verifier = 'v'.repeat(43)
const passwordLogin = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport'
const authority = makeAuthority()
const fetch = tlsFetch({ ca: authority.pem })
const folder = mkdtempSync(join(tmpdir(), 'clientele-tls-'))
const hosts = ['127.0.0.1', '[::1]', 'localhost']
const ports = { main: 0, mtls: 0 }
const listeners = ['main', 'mtls'] as const

let server: RunningServer

beforeAll(async () => {
  for (const name of listeners) ports[name] = await freePort()
  const sans = { dns: ['localhost'], ip: ['127.0.0.1', '::1'] }
  const certificate = makeCertificate({ subject: 'localhost', sans, issuer: authority, key: rsaKey() })
  writeFileSync(join(folder, 'server.key'), certificate.keyPem, { mode: 0o600 })
  writeFileSync(join(folder, 'server.crt'), certificate.pem)
  server = await startProcess({
    issuer: `https://localhost:${ports.main}`,
    tls: { port: ports.mtls, key: join(folder, 'server.key'), cert: join(folder, 'server.crt') },
    clients: [{ client_id: 'web', token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri] }],
    accounts: [{ sub: 'u-alice', username: 'alice', password: 'wonderland' }]
  })
})
afterAll(async () => {
  await stop(server)
  rmSync(folder, { recursive: true, force: true })
})

describe('T1: an https issuer', () => {
  it.each(hosts)('is described on %s, by both listeners, with the same addresses', async host => {
    for (const listener of listeners) {
      const answer = await fetch(`https://${host}:${ports[listener]}/.well-known/openid-configuration`)
      expect(answer.status).toBe(200)
      expect(await answer.json()).toMatchObject({
        issuer: `https://localhost:${ports.main}`,
        token_endpoint: `https://localhost:${ports.main}/oauth2/token`,
        mtls_endpoint_aliases: { token_endpoint: `https://localhost:${ports.mtls}/oauth2/token` }
      })
    }
  })

  it.each(hosts.flatMap(host => listeners.map(listener => ({ host, listener }))))(
    'answers at every endpoint on $host, $listener listener',
    async ({ host, listener }) => {
      const origin = `https://${host}:${ports[listener]}`
      const metadata = (await (await fetch(`${origin}/.well-known/openid-configuration`)).json()) as Record<string, unknown>
      const named = { ...metadata, ...(listener === 'mtls' && (metadata['mtls_endpoint_aliases'] as Record<string, unknown>)) }
      const statusOf = async (name: string, method: string): Promise<number> => {
        const { pathname } = new URL(String(named[name]))
        return (await fetch(`${origin}${pathname}`, { method })).status
      }
      expect(await statusOf('jwks_uri', 'GET')).toBe(200)
      expect(await statusOf('authorization_endpoint', 'GET')).toBe(400)
      expect(await statusOf('userinfo_endpoint', 'GET')).toBe(401)
      for (const name of ['token_endpoint', 'pushed_authorization_request_endpoint'])
        expect(await statusOf(name, 'POST')).toBe(401)
    }
  )
})

describe.each(listeners)('T6: the %s listener', listener => {
  function handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const to = { host: '127.0.0.1', servername: 'localhost', port: ports[listener], ca: authority.pem }
      const socket = connect({ ...to, ...options }, () => resolve(socket))
      socket.once('error', reject).once('secureConnect', () => socket.end())
    })
  }

  it('prefers TLS 1.3, without a certificate of the client', async () => {
    const socket = await handshake({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' })
    expect(socket.getProtocol()).toBe('TLSv1.3')
  })

  it.each(['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384'])('speaks TLS 1.2 with %s', async ciphers => {
    const socket = await handshake({ maxVersion: 'TLSv1.2', ciphers })
    expect([socket.getProtocol(), socket.getCipher().name]).toEqual(['TLSv1.2', ciphers])
  })

  it('chooses among the suites of TLS 1.2 itself', async () => {
    const ciphers = 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256'
    const socket = await handshake({ maxVersion: 'TLSv1.2', ciphers })
    expect(socket.getCipher().name).toBe('ECDHE-RSA-AES128-GCM-SHA256')
  })

  it.each(['ECDHE-RSA-AES128-SHA', 'ECDHE-RSA-AES128-SHA256', 'ECDHE-RSA-CHACHA20-POLY1305', 'AES128-GCM-SHA256'])(
    'refuses TLS 1.2 with %s',
    async ciphers => {
      await expect(handshake({ maxVersion: 'TLSv1.2', ciphers })).rejects.toThrow(/handshake failure/)
    }
  )

  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s', async version => {
    const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' }
    await expect(handshake(old)).rejects.toThrow(/protocol version/)
  })
})

describe('signing in over https', () => {
  const authorizeUrl = (more: Readonly<Record<string, string>>): URL => {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: 'web',
      redirect_uri,
      scope: 'openid',
      code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...more
    })
    return new URL(`https://localhost:${ports.main}/oauth2/authorize?${query.toString()}`)
  }

  async function idTokenOf(answer: URL): Promise<JWTPayload> {
    const code = answer.searchParams.get('code') ?? ''
    const body = new URLSearchParams({ grant_type: 'authorization_code', client_id: 'web', redirect_uri, code, code_verifier })
    const response = await fetch(`https://localhost:${ports.main}/oauth2/token`, { method: 'POST', body })
    const { id_token } = (await response.json()) as { id_token: string }
    return decodeJwt(id_token)
  }

  async function signIn(browser: Browser, more: Readonly<Record<string, string>>): Promise<URL> {
    const login = await browser.open(authorizeUrl(more))
    const consent = await browser.submit(login, { username: 'alice', password: 'wonderland' })
    return browser.finish(await browser.submit(consent, { decision: 'allow' }))
  }

  it.each([
    ['the one there is', passwordLogin],
    ['several', `urn:example:other ${passwordLogin}`],
    ['one nobody knows', 'urn:example:other']
  ])('says in acr how it was done, where acr_values was sent: %s', async (_name, acr_values) => {
    const answer = await signIn(new Browser(fetch), { acr_values })
    expect(await idTokenOf(answer)).toMatchObject({ sub: 'u-alice', acr: passwordLogin })
  })

  it('keeps auth_time for a silent second time with max_age 10000', async () => {
    const browser = new Browser(fetch)
    const { auth_time } = await idTokenOf(await signIn(browser, { max_age: '15000' }))
    expect(auth_time).toEqual(expect.any(Number))
    await pause(1100)
    const again = await browser.open(authorizeUrl({ max_age: '10000', prompt: 'none' }))
    expect((await idTokenOf(browser.finish(again)))['auth_time']).toBe(auth_time)
  })
})
