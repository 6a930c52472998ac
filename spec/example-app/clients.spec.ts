/** The operators' page: who may open it, and what it never shows. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Browser } from './browser.ts'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'
import { alice } from './visit.ts'

let issuer: string
let server: HostedServer
const bob = { username: 'bob', password: 'builder' }
const machine = { grant_types: ['client_credentials'], response_types: [] }

beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}`
  const settings = {
    issuer,
    clients: [
      {
        ...machine,
        client_id: 'billing',
        client_name: 'Billing <b>',
        client_secret: 'the secret of billing',
        credentials: [{ type: 'secret', id: 'next', value: 'the next secret', label: 'winter', expires_at: 4_000_000_000 }]
      },
      { client_id: 'spa', token_endpoint_auth_method: 'none', redirect_uris: ['https://spa.example/cb'] }
    ],
    accounts: [
      { sub: 'u-alice', ...alice },
      { sub: 'u-bob', ...bob }
    ],
    tenants: [
      {
        path: '/acme',
        clients: [{ ...machine, client_id: 'acme-only', client_secret: 'the secret of acme' }],
        accounts: [{ sub: 'u-other-alice', ...alice }]
      }
    ]
  }
  server = await startServer(settings, { OPERATORS: ' alice , nobody ' })
})
afterAll(() => stop(server))

async function signedIn(person: typeof alice, at = issuer) {
  const browser = new Browser()
  const login = await browser.get(`${at}/account/clients`)
  expect(login.text).toContain('to see what applications prove themselves with')
  const answer = await browser.submit(login, person)
  expect(answer.location).toBe(`${at}/account/clients`)
  return { browser, page: await browser.get(`${at}/account/clients`) }
}

it('shows an operator each client’s credentials, and no secret', async () => {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  const Authorization = `Basic ${Buffer.from('billing:the%20next%20secret').toString('base64')}`
  expect((await fetch(`${issuer}/oauth2/token`, { method: 'POST', body: form, headers: { Authorization } })).status).toBe(200)
  const { browser, page } = await signedIn(alice)
  expect(page.status).toBe(200)
  for (const text of [
    'Billing &lt;b&gt;',
    'client_secret',
    'secret:next',
    'winter',
    '2096-10-02 07:06 UTC',
    'method:client_secret_basic',
    'live'
  ])
    expect(page.text).toContain(text)
  // used a moment ago
  expect(page.text).toContain(`${new Date().toISOString().slice(0, 13).replace('T', ' ')}:`)
  expect(page.text).not.toContain('the secret of billing')
  expect(page.text).not.toContain('the next secret')
  expect(page.text).not.toContain('acme-only')
  expect((await browser.get(issuer)).text).toContain('/account/clients')
})

it('is closed to everyone else, and nobody’s home page leads there', async () => {
  const { browser, page } = await signedIn(bob)
  expect(page.status).toBe(403)
  expect(page.text).not.toContain('billing')
  expect((await browser.get(issuer)).text).not.toContain('/account/clients')
})

it('shows a tenant’s operator that tenant’s clients alone', async () => {
  const { page } = await signedIn(alice, `${issuer}/acme`)
  expect(page.text).toContain('acme-only')
  expect(page.text).not.toContain('billing')
})
