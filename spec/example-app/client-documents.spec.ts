/** Clients with documents of their own at the example app: the setting, and what the consent page shows of them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkConfig } from '../../example-app/config/config.ts'
import { documentServer, redirect_uri, type DocumentServer } from '../support/servers/document-server.ts'
import { Browser } from './browser.ts'
import { freePort, startProcess, stop, type RunningServer } from './running-server.ts'
import { alice, open, redeem, through } from './visit.ts'

let host: DocumentServer
let server: RunningServer
let issuer: string
const folder = mkdtempSync(join(tmpdir(), 'clientele-authority-'))

beforeAll(async () => {
  host = await documentServer()
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, host.ca)
  issuer = `http://localhost:${await freePort()}`
  const people = { accounts: [{ sub: 'u-alice', ...alice }] }
  const settings = {
    issuer,
    ...people,
    client_documents: { hosts: ['localhost'] },
    tenants: [
      { path: '/none', ...people },
      { path: '/own', ...people, client_documents: { hosts: ['*'], redirect_uris: 'same-origin' } }
    ]
  }
  server = await startProcess(settings, { NODE_EXTRA_CA_CERTS: ca })
}, 60_000)
afterAll(async () => {
  host.close()
  await stop(server)
  rmSync(folder, { recursive: true })
})

async function consentOf(client_id: string) {
  const browser = new Browser()
  const login = await open(browser, issuer, { client_id, redirect_uri })
  return browser.follow(await browser.submit(login, alice))
}

describe('a client with a document', () => {
  it('signs a person in', async () => {
    const client_id = host.put('signs-in')
    const { answer } = await through(new Browser(), issuer, { client_id, redirect_uri })
    expect(await redeem(issuer, answer, client_id, { redirect_uri })).toHaveProperty('id_token')
  })

  it('is shown by its host, where the answer goes, and that this is on the person’s machine', async () => {
    const client_name = '<img src=x onerror=alert(1)> & "Notes"'
    const client_id = host.put('shown', { client_name, logo_uri: 'https://logos.example/logo.png' })
    const { text, status } = await consentOf(client_id)
    expect(status).toBe(200)
    for (const words of [new URL(client_id).host, '127.0.0.1:7777', 'loopback', '&lt;img src=x']) expect(text).toContain(words)
    expect(text).not.toContain('<img src=x')
    expect(text).not.toMatch(/(?:src|href)="https:\/\/logos/)
  })

  it('is not said to be on the person’s machine where one redirect URI is elsewhere', async () => {
    const client_id = host.put('elsewhere', { redirect_uris: [redirect_uri, 'https://app.example/cb'] })
    expect((await consentOf(client_id)).text).not.toContain('loopback')
  })

  it('is nobody at a tenant that has none, and at one with another rule', async () => {
    const client_id = host.put('tenants', { redirect_uris: ['https://app.example/cb'] })
    for (const path of ['/none', '/own']) {
      const page = await open(new Browser(), issuer + path, { client_id, redirect_uri: 'https://app.example/cb' })
      expect([page.status, page.text.includes('invalid_request')]).toEqual([400, true])
    }
  })
})

it.each<[string, unknown]>([
  ['client_documents', 'on'],
  ['client_documents', null],
  ['client_documents.hosts', { hosts: [] }],
  ['client_documents.hosts[0]', { hosts: [1] }],
  ['client_documents.redirect_uris', { redirect_uris: 'all' }],
  ['client_documents.host', { host: '*' }]
])('%s is named where it is %j', (key, client_documents) => {
  const check = () => checkConfig({ issuer: 'http://localhost:4010', client_documents }, '.')
  expect(check).toThrow(new RegExp(`^${key.replace(/[[\]]/g, '\\$&')} `))
})
