/** An OAuth client as a person meets it: a site of its own, on another origin than the server, that answers are sent to. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export const verifier = 'v'.repeat(43)

export interface ClientApp {
  readonly origin: string
  readonly redirect_uri: string
  /** The answers that have come, oldest first. */
  readonly answers: URLSearchParams[]
  /** Where its clients are told of logouts: `{toldAt}/{client_id}`. */
  readonly toldAt: string
  /** The logout tokens that have come, with the client each is for. */
  readonly told: { readonly client_id: string; readonly logout_token: string }[]
  /** Serves HTML at a path of its own. */
  page(path: string, html: string): string
  close(): Promise<void>
}

/** Takes answers at /callback and, as clients do, redirects from there to a page: at another origin still. */
export async function startClientApp(): Promise<ClientApp> {
  const answers: URLSearchParams[] = []
  const told: ClientApp['told'] = []
  const pages = new Map<string, string>([
    ['/welcome', '<h1>Back at the client</h1>'],
    ['/goodbye', '<h1>Signed out at the client</h1>']
  ])
  const server: Server = createServer((req, res) => {
    void answer(req).then(({ status, location, html }) => {
      if (location !== undefined) res.setHeader('location', location)
      res.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html><title>client</title>${html}`)
    })
  })
  async function answer(req: IncomingMessage): Promise<{ status: number; location?: string; html: string }> {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://client')
    const [, client_id] = /^\/told\/(\w+)$/.exec(pathname) ?? []
    if (client_id !== undefined) {
      told.push({ client_id, logout_token: new URLSearchParams(await text(req)).get('logout_token') ?? '' })
      return { status: 200, html: '' }
    }
    if (pathname !== '/callback') return { status: pages.has(pathname) ? 200 : 404, html: pages.get(pathname) ?? '' }
    answers.push(req.method === 'POST' ? new URLSearchParams(await text(req)) : searchParams)
    return { status: 303, location: `http://localhost:${portOf(server)}/welcome`, html: '' }
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${portOf(server)}`
  return {
    origin,
    redirect_uri: `${origin}/callback`,
    answers,
    toldAt: `http://localhost:${portOf(server)}/told`,
    told,
    page(path, html) {
      pages.set(path, html)
      return `${origin}${path}`
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** Where the client sends a person's browser. */
export function authorizeUrl(issuer: string, client: ClientApp, parameters: Record<string, string> = {}): string {
  const query = {
    response_type: 'code',
    client_id: 'shop',
    redirect_uri: client.redirect_uri,
    scope: 'openid api:read',
    state: 'st',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters
  }
  return `${issuer}/oauth2/authorize?${new URLSearchParams(query).toString()}`
}

/** The client redeems a code, or refreshes. */
export async function token(
  issuer: string,
  parameters: Record<string, string>
): Promise<Record<string, string | undefined> & { status: string }> {
  const body = new URLSearchParams({ client_id: 'shop', ...parameters })
  const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body })
  return { ...((await response.json()) as Record<string, string>), status: String(response.status) }
}

/** The status the API answers a bearer token with. */
export async function apiStatus(issuer: string, access_token = ''): Promise<number> {
  const response = await fetch(`${issuer}/api/whoami`, { headers: { authorization: `Bearer ${access_token}` } })
  return response.status
}
