/** An application that people sign in to elsewhere, the providers it trusts, and a browser that goes all the way. */
import { afterAll, afterEach, beforeAll } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import express from 'express'
import { memoryStore, type Store } from 'clientele'
import { mcpAuthorization, upstream, type McpAuthorization, type McpAuthorizationOptions } from 'clientele/mcp'
import type { UpstreamOptions } from 'clientele/sign-in'
import { Browser, type PageSeen } from '../example-app/browser.ts'
import { freePort } from '../example-app/running-server.ts'
import { code_challenge, code_verifier, specKeys } from '../support/servers/authorization-server.ts'
import { documentServer, redirect_uri, type DocumentServer } from '../support/servers/document-server.ts'
import { exampleApp, oidcProvider, type Running } from './providers.ts'

export let host: DocumentServer
/** Of the servers people sign in to. */
export const issuers: string[] = []
const providers = new Map<string, Running>()

export function providerOf(name: string): Running {
  const found = providers.get(name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

beforeAll(async () => {
  host = await documentServer()
  for (let count = 0; count < 2; count++) issuers.push(`http://localhost:${await freePort()}`)
  const redirects = issuers.map(issuer => `${issuer}/oauth2/sign-in`)
  const [ours, theirs] = await Promise.all([exampleApp(redirects), oidcProvider(redirects)])
  providers.set('the example app', ours)
  providers.set('oidc-provider', theirs)
}, 60_000)
afterAll(async () => {
  host.close()
  await Promise.all([...providers.values()].map(provider => provider.stop()))
})

/** Everything a store was given, as text. */
function recorded(store: Store, written: string[]): Store {
  const keep = (value: unknown) => void written.push(JSON.stringify(value))
  return {
    get: key => store.get(key),
    set: (key, value, ttl) => (keep(value), store.set(key, value, ttl)),
    add: (key, value, ttl) => (keep(value), store.add(key, value, ttl)),
    take: key => store.take(key),
    swap: (key, version, value, ttl) => (keep(value), store.swap(key, version, value, ttl)),
    delete: key => store.delete(key),
    deleteGrant: grant => store.deleteGrant(grant),
    close: () => store.close()
  }
}

export interface Serving {
  readonly issuer: string
  readonly mcp: McpAuthorization
  readonly clock: { ahead: number }
  readonly written: string[]
}

const listening = new Set<Server>()
afterEach(() => {
  for (const server of listening) {
    server.closeAllConnections()
    server.close()
  }
  listening.clear()
})

/** Serves an application where the server of that issuer should be. */
export async function listen(app: express.Express, issuer: string): Promise<void> {
  // the next server on this port is another one
  const server = createServer((req, res) => void app(req, res.setHeader('connection', 'close')))
  listening.add(server)
  await new Promise<void>(done => server.listen(Number(new URL(issuer).port), 'localhost', done))
}

/** An MCP server whose people sign in at that provider. */
export async function serve(given: UpstreamOptions, options: Partial<McpAuthorizationOptions> = {}): Promise<Serving> {
  const [issuer = ''] = issuers
  const written: string[] = []
  const clock = { ahead: 0 }
  const mcp = mcpAuthorization({
    issuer,
    resource: `${issuer}/mcp`,
    scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
    required: ['notes:read'],
    clientDocuments: { hosts: ['*'], ca: host.ca },
    store: recorded(memoryStore(), written),
    keys: await specKeys(),
    clock: () => Date.now() + 1000 * clock.ahead,
    onError: () => undefined,
    signIn: upstream(given),
    ...options
  })
  const app = express()
  app.use(mcp)
  app.all('/mcp', mcp.requireToken, (req, res) => void res.json((req as { auth?: unknown }).auth))
  await listen(app, issuer)
  return { issuer, mcp, clock, written }
}

export const asking = (issuer: string, client_id: string, more: Readonly<Record<string, string>> = {}): string =>
  `${issuer}/oauth2/authorize?${new URLSearchParams({
    ...{ client_id, redirect_uri, response_type: 'code', code_challenge, code_challenge_method: 'S256' },
    ...{ state: 'st', resource: `${issuer}/mcp`, ...more }
  }).toString()}`

export interface Walk {
  readonly answer: URLSearchParams
  /** Where pages were shown, and what was on them. */
  readonly pages: PageSeen[]
  /** Every address that was redirected to. */
  readonly redirects: URL[]
}

/** Goes wherever a browser would, fills in what the provider asks, and decides on our page; ends at the client, or at a page that is in the way. */
export async function walk(browser: Browser, from: string, provider: Running, decision = 'allow'): Promise<Walk> {
  const [pages, redirects]: [PageSeen[], URL[]] = [[], []]
  let page = await browser.get(from)
  for (let step = 0; step < 30; step++) {
    if (page.location !== undefined) {
      const to = new URL(page.location)
      redirects.push(to)
      if (to.host === new URL(redirect_uri).host) return { answer: to.searchParams, pages, redirects }
      page = await browser.get(page.location)
      continue
    }
    pages.push(page)
    if (page.status !== 200) break
    page = page.url.startsWith(provider.issuer) ? await provider.fill(browser, page) : await browser.submit(page, { decision })
  }
  return { answer: new URLSearchParams(), pages, redirects }
}

export async function redeem(issuer: string, client_id: string, answer: URLSearchParams): Promise<Record<string, string>> {
  const form = { grant_type: 'authorization_code', client_id, code: answer.get('code') ?? '', redirect_uri, code_verifier }
  const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) })
  return (await response.json()) as Record<string, string>
}

/** The pages that were this server's. */
export const ours = (pages: readonly PageSeen[], issuer: string) => pages.filter(({ url }) => url.startsWith(issuer))
