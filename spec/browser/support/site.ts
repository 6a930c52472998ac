/** The example app as a process of its own, its client, and what people do on its pages. */
import { afterAll, beforeAll, expect } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from 'clientele'
import type { Locator, Page } from 'playwright-core'
import { serve } from '../../example-app/in-process.ts'
import { freePort, startProcess, stop } from '../../example-app/running-server.ts'
import { documentServer, type DocumentServer } from '../../support/servers/document-server.ts'
import { authorizeUrl, startClientApp, token, verifier, type ClientApp } from './client-app.ts'

export interface Site {
  issuer: string
  client: ClientApp
  /** Where clients have documents; a server in this process does not trust its certificate. */
  documents: DocumentServer
}

/** Serves for as long as the spec file runs: as a process of its own or, on a store of the spec's, in this one. */
export function site(store?: Store): Site {
  const running = {} as Site
  let close: () => Promise<unknown> = () => Promise.resolve()
  const folder = mkdtempSync(join(tmpdir(), 'clientele-site-'))
  beforeAll(async () => {
    running.client = await startClientApp()
    running.documents = await documentServer()
    if (store === undefined) {
      running.issuer = `http://localhost:${await freePort()}`
      const ca = join(folder, 'documents.pem')
      writeFileSync(ca, running.documents.ca)
      const server = await startProcess(settings(running.issuer, running.client), { NODE_EXTRA_CA_CERTS: ca })
      close = () => stop(server)
    } else {
      const serving = await serve(issuer => settings(issuer, running.client), store)
      running.issuer = serving.issuer
      close = () => serving.close()
    }
  })
  afterAll(async () => {
    await close()
    await running.client.close()
    running.documents.close()
    rmSync(folder, { recursive: true })
  })
  return running
}

const crowd = Array.from({ length: 50 }, (_nobody, index) => `person-${index + 1}`)
let met = 0

/** The username of someone who has allowed nothing yet. */
export function someone(): string {
  const username = crowd[met]
  if (username === undefined) throw new Error('there are not enough people')
  met += 1
  return username
}

function settings(issuer: string, client: ClientApp): object {
  const web = {
    token_endpoint_auth_method: 'none',
    redirect_uris: [client.redirect_uri],
    post_logout_redirect_uris: [`${client.origin}/goodbye`],
    grant_types: ['authorization_code', 'refresh_token']
  }
  const toldAt = (client_id: string) => ({ client_id, backchannel_logout_uri: `${client.toldAt}/${client_id}` })
  return {
    issuer,
    clients: [
      { ...web, ...toldAt('shop'), client_name: 'Corner Shop' },
      { ...web, ...toldAt('maps'), client_name: 'Bob & <script>Maps</script>' },
      {
        client_id: 'tv',
        client_name: 'Corner Cinema',
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        response_types: []
      },
      {
        client_id: 'centre',
        client_name: 'Call Centre',
        client_secret: 'the secret of the call centre',
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['urn:openid:params:grant-type:ciba'],
        response_types: []
      }
    ],
    accounts: [
      { sub: 'u-alice', username: 'alice', password: 'wonderland', claims: { name: 'Alice' } },
      { sub: 'u-bob', username: 'bob', password: 'builder' },
      ...crowd.map(username => ({ sub: `u-${username}`, username, password: 'wonderland' }))
    ],
    client_documents: { hosts: ['localhost'] },
    resources: [
      { resource: 'https://api.example.com', scopes: ['api:read', 'api:write'], access_token_format: 'jwt' },
      { resource: 'https://files.example.com', scopes: ['files:read'], access_token_format: 'opaque' }
    ]
  }
}

/** Opens the client's request in this browser. */
export async function begin({ issuer, client }: Site, page: Page, parameters: Record<string, string> = {}): Promise<void> {
  await page.goto(authorizeUrl(issuer, client, parameters))
}

/** Presses a button and waits for the page it leads to. */
export async function press(page: Page, button: Locator): Promise<void> {
  const arrived = page.waitForEvent('framenavigated', frame => frame === page.mainFrame())
  await button.click()
  await arrived
}

export async function signIn(page: Page, username = 'alice', password = 'wonderland'): Promise<void> {
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(password)
  await press(page, page.getByRole('button', { name: 'Sign in' }))
}

export async function allow(page: Page): Promise<void> {
  await press(page, page.getByRole('button', { name: 'Allow' }))
}

/** What the client was answered, once this browser has arrived there. */
export async function answered({ issuer, client }: Site, page: Page): Promise<URLSearchParams> {
  await page.getByRole('heading', { name: 'Back at the client' }).waitFor()
  const answer = client.answers.pop()
  expect(answer?.get('iss')).toBe(issuer)
  expect(answer?.get('state')).toBe('st')
  return answer ?? new URLSearchParams()
}

/** Signs in, allows, and lets the client redeem its code. */
export async function tokensFor(
  at: Site,
  page: Page,
  username: string,
  parameters: Record<string, string> = {}
): ReturnType<typeof token> {
  await begin(at, page, parameters)
  if (page.url().includes('/login')) await signIn(page, username)
  if (page.url().includes('/consent')) await allow(page)
  const tokens = await redeem(at, await answered(at, page), parameters)
  expect(tokens.status).toBe('200')
  return tokens
}

export function redeem(at: Site, answer: URLSearchParams, { client_id = 'shop', resource }: Record<string, string> = {}) {
  return token(at.issuer, {
    grant_type: 'authorization_code',
    client_id,
    redirect_uri: at.client.redirect_uri,
    code: answer.get('code') ?? '',
    code_verifier: verifier,
    ...(resource !== undefined && { resource })
  })
}
