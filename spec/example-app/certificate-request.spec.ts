/** The example app's listeners towards clients of every kind of certificate: what they ask for, and whom they let in. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acceptableAuthorities, type TlsVersion } from '../support/certificates/acceptable-authorities.ts'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../support/certificates/certificates.ts'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'

const serverAuthority = makeAuthority({ subject: 'server authority' })
const authority = makeAuthority({ subject: 'client authority' })
const between = makeAuthority({ subject: 'between', issuer: authority })
const certificates: Readonly<Record<string, MadeCertificate>> = {
  billing: makeCertificate({ subject: 'billing', issuer: authority }),
  'billing, by an authority in between': makeCertificate({ subject: 'billing', issuer: between }),
  'billing, by an authority of the same name': makeCertificate({
    subject: 'billing',
    issuer: makeAuthority({ subject: 'client authority' })
  }),
  'billing, by itself': makeCertificate({ subject: 'billing' }),
  own: makeCertificate({ subject: 'own' })
}
const own = certificates['own']
const clients = [
  { client_id: 'billing', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=billing' },
  {
    client_id: 'own',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ ...own?.jwk, x5c: [own?.der.toString('base64')] }] }
  }
].map(client => ({ ...client, grant_types: ['client_credentials'] }))

const folder = mkdtempSync(join(tmpdir(), 'clientele-'))
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content, { mode: 0o600 })
  return join(folder, name)
}
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const versions: readonly TlsVersion[] = ['tls1_2', 'tls1_3']

describe.each(['a second listener', 'the main listener'])('%s that asks for certificates', which => {
  let server: HostedServer
  let port: number

  beforeAll(async () => {
    const main = await freePort()
    port = which === 'the main listener' ? main : await freePort()
    const certificate = makeCertificate({ issuer: serverAuthority, sans: { dns: ['localhost'], ip: ['127.0.0.1', '::1'] } })
    const tls = {
      key: file('server.key', certificate.keyPem),
      cert: file('server.crt', certificate.pem),
      client_ca: [file('ca.crt', authority.pem)]
    }
    server = await startServer({
      issuer: `https://localhost:${main}`,
      clients,
      tls: port === main ? tls : { ...tls, port },
      tenants: [{ path: '/acme', clients }]
    })
  })
  afterAll(() => stop(server))

  it.each(versions)('names no authority in its request, so that nobody keeps a certificate back: %s', async version => {
    expect(await acceptableAuthorities(port, version)).toEqual([])
  })

  const agentFor = (certificate: MadeCertificate | undefined, sent: readonly MadeCertificate[] = []) =>
    new Agent({
      ca: serverAuthority.pem,
      key: certificate?.keyPem,
      cert: certificate && [certificate, ...sent].map(({ pem }) => pem).join('')
    })

  function token(client_id: string, agent: Agent, path = ''): Promise<{ status: number | undefined; resumed: boolean }> {
    const url = `https://127.0.0.1:${port}${path}/oauth2/token`
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    return new Promise((resolve, reject) => {
      const sent = request(url, { method: 'POST', headers, agent }, answer => {
        const resumed = (answer.socket as { isSessionReused?: () => boolean }).isSessionReused?.() === true
        answer.resume().once('end', () => resolve({ status: answer.statusCode, resumed }))
      })
      sent.once('error', reject).end(new URLSearchParams({ grant_type: 'client_credentials', client_id }).toString())
    })
  }

  it.each<[string, string, readonly MadeCertificate[], number]>([
    ['billing', 'billing', [], 200],
    ['billing, by an authority in between', 'billing', [between], 200],
    ['own', 'own', [], 200],
    ['billing, by an authority in between', 'billing', [], 401],
    ['billing, by an authority of the same name', 'billing', [], 401],
    ['billing, by itself', 'billing', [], 401],
    ['own', 'billing', [], 401],
    ['billing', 'own', [], 401]
  ])('judges the certificate %s for the client %s', async (name, client_id, sent, expected) => {
    for (const path of ['', '/acme'])
      expect((await token(client_id, agentFor(certificates[name], sent), path)).status).toBe(expected)
  })

  it('needs one', async () => {
    expect((await token('billing', agentFor(undefined))).status).toBe(401)
  })

  it('knows a chain again on a connection that resumes a session, which has the certificate alone', async () => {
    const agent = agentFor(certificates['billing, by an authority in between'], [between])
    expect(await token('billing', agent)).toEqual({ status: 200, resumed: false })
    expect(await token('billing', agent)).toEqual({ status: 200, resumed: true })
  })
})
