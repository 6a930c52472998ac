/** The library behind real proxies that pass on what they get: verifying chains itself, or going by the proxy's verdict. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import {
  certificateHeaders,
  proxyCertificate,
  type CertificateReport,
  type Decision,
  type ProxyCertificateOptions
} from 'clientele'
import { proxyNames, variants, localBlock, documentedBlock, type ProxyName } from './support/documented.ts'
import {
  authorities,
  certificates,
  clients,
  workload,
  workloads,
  writeMaterial,
  type CertificateName
} from './support/material.ts'
import { installed, startProxy, type Proxy } from './support/proxy.ts'
import { pastProxy, resumed, throughProxy } from './support/requests.ts'
import { harness } from '../support/servers/authorization-server.ts'
import * as headers from '../support/clients/proxy-headers.ts'

const material = writeMaterial()
afterAll(() => material.remove())

interface Setup {
  readonly port: number
  readonly server: Server
  readonly proxy: Proxy
  readonly decisions: Decision[]
  readonly reports: CertificateReport[]
}

async function start(name: ProxyName, options: Partial<ProxyCertificateOptions>): Promise<Setup> {
  const decisions: Decision[] = []
  const reports: CertificateReport[] = []
  const certificate = proxyCertificate({
    ...certificateHeaders[name],
    trustedProxies: ['127.0.0.1'],
    onReport: report => reports.push(report),
    ...options
  })
  const { app } = await harness({
    clients: [...clients, workload],
    workloads,
    certificateSource: certificate,
    clock: Date.now,
    onDecision: decision => void decisions.push(decision)
  })
  const server = createServer(app)
  await new Promise<void>(resolve => server.listen(0, '::', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    server,
    decisions,
    reports,
    proxy: await startProxy(name, 'passes on', { folder: material.folder, behind: port })
  }
}

async function close(setup: Setup | undefined): Promise<void> {
  await setup?.proxy.stop()
  setup?.server.closeAllConnections()
  setup?.server.close()
}

const refused: readonly unknown[] = ['handshake', 400, 401]

it.each(proxyNames.flatMap(name => variants.map(variant => [name, variant] as const)))(
  'the document’s block for %s, which %s, is what runs here',
  (name, variant) => {
    const documented = documentedBlock(name, variant).split('\n')
    const local = localBlock(name, variant, { folder: '/here', port: 1, behind: 2 }).split('\n')
    const changed = documented.filter((line, index) => line !== local[index])
    expect(local).toHaveLength(documented.length)
    // files and addresses, and nothing else
    expect(changed.filter(line => !/\/etc\/|443|127\.0\.0\.1:3000/.test(line))).toEqual([])
  }
)

describe.each(installed)('%s, and chains verified here', name => {
  let setup: Setup

  beforeAll(async () => {
    const chain = name === 'haproxy' ? {} : { intermediates: authorities.intermediate.pem }
    material.revoke('own.crl', 'revoked')
    setup = await start(name, { ca: authorities.client.pem, crl: material.path('own.crl'), ...chain })
  })
  afterAll(() => close(setup))

  it.each<[CertificateName, string]>([
    ['good', 'billing'],
    ['deep', 'billing'],
    ['own', 'own']
  ])('%s is taken for %s', async (certificate, client_id) => {
    expect((await throughProxy(setup.proxy.port, certificate, { client_id })).status).toBe(200)
  })

  it.each(['revoked', 'expired', 'foreign', 'impostor', 'selfMade'] as const)('%s is refused', async certificate => {
    const { status, access_token } = await throughProxy(setup.proxy.port, certificate)
    expect(access_token).toBeUndefined()
    expect(refused).toContain(status)
    if (certificate === 'revoked') {
      expect(status).toBe(401)
      const { checks } = setup.decisions.at(-1) ?? { checks: [] }
      expect(checks).toContainEqual(
        expect.objectContaining({ check: 'certificate_chain', received: expect.stringMatching(/is revoked/) })
      )
    }
  })

  it('keeps the certificate of a session that is resumed', async () => {
    expect(await resumed(setup.proxy.port, 'good')).toEqual([
      { status: 200, reused: false },
      { status: 200, reused: true }
    ])
  })

  it('notices a new list while it runs', async () => {
    expect((await throughProxy(setup.proxy.port, 'good')).status).toBe(200)
    material.revoke('own.crl', 'revoked', 'good')
    await pause(1100)
    expect((await throughProxy(setup.proxy.port, 'good')).status).toBe(401)
    expect((await throughProxy(setup.proxy.port, 'deep')).status).toBe(200)
  })
})

describe.each(installed)('%s, and X.509-SVIDs', name => {
  let setup: Setup

  beforeAll(async () => {
    setup = await start(name, { ca: authorities.client.pem })
  })
  afterAll(() => close(setup))

  it('a workload gets a token that is bound to its SVID', async () => {
    const { status, access_token } = await throughProxy(setup.proxy.port, 'svid', { client_id: 'mesh' })
    expect([status, typeof access_token]).toEqual([200, 'string'])
    expect(setup.decisions.at(-1)).toMatchObject({
      ...{ client_id: 'mesh', method: 'spiffe_x509', outcome: 'authenticated' },
      credential: `x5t#S256:${certificates.svid.thumbprint}`
    })
  })

  it.each<[CertificateName | undefined, string]>([
    ['otherSvid', 'spiffe_id'],
    ['forgedSvid', 'certificate_chain'],
    ['good', 'spiffe_id'],
    [undefined, 'certificate']
  ])('%s is refused at %s', async (certificate, check) => {
    const { status } = await throughProxy(setup.proxy.port, certificate, { client_id: 'mesh' })
    expect(status).toBe(401)
    expect(setup.decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')?.check).toBe(check)
  })

  it('nobody is one by a header sent past the proxy, or through it', async () => {
    const header = certificateHeaders[name].header
    const headers = { [header]: written(name, 'svid') }
    expect((await throughProxy(setup.proxy.port, undefined, { client_id: 'mesh', headers })).status).toBe(401)
    expect(await pastProxy(setup.port, { client_id: 'mesh', headers })).toEqual({ status: 401, error: 'invalid_client' })
  })
})

describe.each(installed)('%s, and its own verdict on chains', name => {
  let setup: Setup

  beforeAll(async () => {
    setup = await start(name, { verifiedByProxy: 'X-SSL-Client-Verify' })
  })
  afterAll(() => close(setup))

  it('takes what the proxy verified, and self-signed certificates where they are registered', async () => {
    expect((await throughProxy(setup.proxy.port, 'good')).status).toBe(200)
    expect((await throughProxy(setup.proxy.port, 'own', { client_id: 'own' })).status).toBe(200)
  })

  it.each(['expired', 'foreign', 'impostor', 'selfMade', undefined] as const)(
    'refuses %s, also when the client says that it was verified',
    async certificate => {
      const spoof = { 'X-SSL-Client-Verify': name === 'haproxy' ? '0' : 'SUCCESS', 'X-SSL-Client-Cert': written(name) }
      for (const sent of [{}, spoof]) {
        const { status, access_token } = await throughProxy(setup.proxy.port, certificate, { headers: sent })
        expect(access_token).toBeUndefined()
        expect(refused).toContain(status)
      }
      expect(await pastProxy(setup.port, { headers: spoof })).toEqual({ status: 401, error: 'invalid_client' })
      expect(setup.reports).toContainEqual(expect.objectContaining({ problem: 'untrusted_header', peer: '::1' }))
    }
  )
})

function written(name: ProxyName, certificate: CertificateName = 'good'): string {
  return name === 'haproxy' ? headers.haproxy(certificates[certificate]) : headers.nginx(certificates[certificate])
}
