/** The example app behind real proxies: one that verifies for it, and one that passes on what it gets. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ProxyName, Variant } from './support/documented.ts'
import { certificates, clients, writeMaterial, type CertificateName } from './support/material.ts'
import { installed, startProxy, type Proxy } from './support/proxy.ts'
import { connectedWith, pastProxy, throughProxy } from './support/requests.ts'
import { freePort, startProcess, stop, type RunningServer } from '../example-app/running-server.ts'
import * as headers from '../support/clients/proxy-headers.ts'

const material = writeMaterial()
afterAll(() => material.remove())

/** The app's setting beside each proxy's configuration, and what a client would have to send to forge its header. */
const formats = {
  nginx: { format: 'url-encoded-pem', write: headers.nginx },
  haproxy: { format: 'base64-der', write: headers.haproxy },
  apache: { format: 'url-encoded-pem', write: headers.apacheEscaped }
} as const

interface Setup {
  readonly app: number
  readonly server: RunningServer
  readonly proxy: Proxy
}

async function start(name: ProxyName, variant: Variant, more: object = {}): Promise<Setup> {
  const app = await freePort()
  const { format } = formats[name]
  const server = await startProcess({
    issuer: `http://localhost:${app}`,
    clients,
    client_certificate_header: { name: 'X-SSL-Client-Cert', format, trusted_proxies: ['127.0.0.1'] },
    ...more
  })
  return { app, server, proxy: await startProxy(name, variant, { folder: material.folder, behind: app }) }
}

async function end(setup: Setup | undefined): Promise<void> {
  await setup?.proxy.stop()
  await stop(setup?.server)
}

const forged = (proxy: ProxyName, name: CertificateName) => ({ 'X-SSL-Client-Cert': formats[proxy].write(certificates[name]) })

describe.each(installed)('%s, which verifies', name => {
  let setup: Setup

  beforeAll(async () => {
    setup = await start(name, 'verifies')
  })
  afterAll(() => end(setup))

  it.each(['good', 'deep'] as const)('lets tls_client_auth through: %s', async certificate => {
    const { port } = setup.proxy
    const { status, access_token = '' } = await throughProxy(port, certificate)
    expect(status).toBe(200)
    const whoami = (with_: CertificateName | undefined) =>
      connectedWith(with_)(`https://127.0.0.1:${port}/api/whoami`, { headers: { Authorization: `Bearer ${access_token}` } })
    expect(await (await whoami(certificate)).json()).toMatchObject({ client_id: 'billing' })
    expect((await whoami(undefined)).status).toBe(401)
    expect((await whoami(certificate === 'good' ? 'deep' : 'good')).status).toBe(401)
  })

  it.each(['expired', 'revoked', 'foreign', 'impostor', 'selfMade'] as const)(
    'lets nobody through with one that is %s',
    async certificate => {
      const { status, access_token } = await throughProxy(setup.proxy.port, certificate)
      expect(access_token).toBeUndefined()
      expect(['handshake', 400, 401]).toContain(status)
    }
  )

  it('says to the server when there is none', async () => {
    expect(await throughProxy(setup.proxy.port, undefined)).toEqual({ status: 401, error: 'invalid_client' })
  })

  it('does not pass on what a client puts into its header', async () => {
    const { port } = setup.proxy
    const refused = { status: 401, error: 'invalid_client' }
    for (const spoof of [forged(name, 'good'), { 'x-ssl-client-cert': headers.nginx(certificates.good) }])
      expect(await throughProxy(port, undefined, { headers: spoof })).toEqual(refused)
    expect(await throughProxy(port, 'good', { client_id: 'own', headers: forged(name, 'own') })).toEqual(refused)
    expect((await throughProxy(port, 'good', { headers: forged(name, 'own') })).status).toBe(200)
    // nor may the client have the proxy's own header removed on the way
    const hop = { ...forged(name, 'good'), Connection: 'close, X-SSL-Client-Cert' }
    expect(await throughProxy(port, undefined, { headers: hop })).toEqual(refused)
  })

  it('cannot be gone round: from another address the header counts for nothing', async () => {
    expect(await pastProxy(setup.app, { headers: forged(name, 'good') })).toEqual({ status: 401, error: 'invalid_client' })
  })
})

describe.each(installed)('%s, which passes certificates on to an app with tls.client_ca', name => {
  let setup: Setup

  beforeAll(async () => {
    const [key, cert] = ['as.example.com.key', 'as.example.com.crt'].map(material.path)
    const tls = { port: await freePort(), key, cert, client_ca: [material.path('clients-ca.crt')] }
    setup = await start(name, 'passes on', { tls })
  })
  afterAll(() => end(setup))

  it('lets tls_client_auth and self_signed_tls_client_auth through', async () => {
    expect((await throughProxy(setup.proxy.port, 'good')).status).toBe(200)
    expect((await throughProxy(setup.proxy.port, 'own', { client_id: 'own' })).status).toBe(200)
  })

  it.each<[CertificateName, string]>([
    ['expired', 'billing'],
    ['foreign', 'billing'],
    ['impostor', 'billing'],
    ['selfMade', 'billing'],
    ['own', 'billing'],
    ['ownExpired', 'own'],
    ['good', 'own']
  ])('the app refuses what it should: %s for %s', async (certificate, client_id) => {
    const { status, access_token } = await throughProxy(setup.proxy.port, certificate, { client_id })
    expect(access_token).toBeUndefined()
    expect(['handshake', 400, 401]).toContain(status)
  })

  it('does not pass on what a client puts into its header', async () => {
    const refused = { status: 401, error: 'invalid_client' }
    for (const connection of [undefined, 'selfMade'] as const)
      expect(await throughProxy(setup.proxy.port, connection, { headers: forged(name, 'good') })).toEqual(refused)
    expect(await throughProxy(setup.proxy.port, 'good', { client_id: 'own', headers: forged(name, 'own') })).toEqual(refused)
    expect(await pastProxy(setup.app, { client_id: 'own', headers: forged(name, 'own') })).toEqual(refused)
  })
})
