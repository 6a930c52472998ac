/** An authorization server on real sockets of this machine's loopback, over HTTP or HTTPS, with certificates asked for or not. */
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  authorizationServer,
  memoryStore,
  type AuthorizationServer,
  type AuthorizationServerOptions,
  type Decision,
  type Interaction
} from 'clientele'
import express, { type Express } from 'express'
import { makeAuthority, makeCertificate } from '../certificates/certificates.ts'
import { api, clientAuthority, type Party } from './clients.ts'
import { overheard } from '../checks/emitted.ts'
import { plainFetch, recording, tlsFetch, type Fetch, type Sent } from './fetch.ts'
import { serverKeys } from '../keys/made-keys.ts'

/**
 * `http`: one plain listener. `https`: one TLS listener that asks for a certificate. `aliases`: one TLS listener that does not,
 * and a second that does, which is the metadata's `mtls_endpoint_aliases`.
 */
type Listeners = 'http' | 'https' | 'aliases'

export interface RunningServer {
  readonly issuer: string
  readonly mtlsOrigin: string | undefined
  readonly app: Express
  readonly server: AuthorizationServer
  readonly decisions: readonly Decision[]
  readonly errors: readonly unknown[]
  /** How a client reaches this server: trusting it, and with its certificate where it has one. */
  fetchFor(party?: Party): Fetch
  /** The same, keeping what was sent. */
  recordingFor(party?: Party): { readonly fetch: Fetch; readonly sent: readonly Sent[] }
  close(): Promise<void>
}

interface ServerSetup {
  readonly clients: readonly Pick<Party, 'metadata'>[]
  readonly listeners?: Listeners
  /** The issuer's path. Default: none. */
  readonly path?: string
  readonly interaction?: Interaction
  /** PEM of the CA whose client certificates count, and which clients are told of. False: they are told of none. */
  readonly clientCa?: string | false
  /** What else the server is given; a function where it depends on the issuer. */
  readonly options?: Partial<AuthorizationServerOptions> | ((issuer: string) => Partial<AuthorizationServerOptions>)
}

/** The only person there is. */
export const alice = 'alice'

/** Alice is signed in with every browser, and agrees to everything. */
export const alwaysAlice: Interaction = {
  account: () => ({ sub: alice, auth_time: Math.floor(Date.now() / 1000) - 5 }),
  consented: () => true,
  prompt: (_req, res, { name }) => void res.status(403).send(name)
}

/** Who vouches for the servers made here. */
export const serverAuthority = makeAuthority({ subject: 'server authority' })

export async function startServer(setup: ServerSetup): Promise<RunningServer> {
  const { listeners = 'http', clientCa } = setup
  const main = await listen(listeners === 'http' ? createHttpServer() : createTlsServer(listeners === 'https', clientCa))
  const mtls = listeners === 'aliases' ? await listen(createTlsServer(true, clientCa)) : undefined
  const issuer = `${listeners === 'http' ? 'http' : 'https'}://${main.host}${setup.path ?? ''}`
  const mtlsOrigin = mtls && `https://${mtls.host}`
  const decisions: Decision[] = []
  const errors: unknown[] = []
  const options: AuthorizationServerOptions = {
    issuer,
    mtlsOrigin,
    certificateMethods: listeners !== 'http',
    clients: setup.clients.map(({ metadata }) => metadata),
    store: memoryStore(),
    keys: await serverKeys(['ES256', 'RS256']),
    scopes: ['openid', 'profile', 'offline_access'],
    resources: [{ resource: api, scopes: ['api:read', 'api:write'] }],
    interaction: setup.interaction ?? alwaysAlice,
    claims: sub => (sub === alice ? { name: 'Alice', email: 'alice@example.com' } : undefined),
    onDecision: decision => void decisions.push(decision),
    onError: error => void errors.push(error),
    ...(typeof setup.options === 'function' ? setup.options(issuer) : setup.options)
  }
  const server = authorizationServer(overheard(options))
  const app = express()
  app.use(server)
  mountApi(app, server)
  for (const listener of [main, mtls]) listener?.server.on('request', app)
  const reach = (party?: Party): Fetch => (listeners === 'http' ? plainFetch : fetchFor(party))
  return {
    issuer,
    mtlsOrigin,
    app,
    server,
    decisions,
    errors,
    fetchFor: reach,
    recordingFor: party => recording(reach(party)),
    close: async () => {
      await close(main.server)
      if (mtls !== undefined) await close(mtls.server)
    }
  }
}

/** Where every server here has an API of its own, whichever listener is asked. */
export const apiPath = '/api/whoami'

function mountApi(app: Express, server: AuthorizationServer): void {
  const protect = server.requireAccessToken({ resources: [api], scope: ['api:read'] })
  app.get(apiPath, protect, (req, res) => {
    const { sub, client_id, scope = [] } = req.accessToken ?? {}
    res.json({ sub, client_id, scope: scope.join(' ') })
  })
}

/** A TLS listener of 127.0.0.1; it takes every client certificate and lets the application judge, as the README says. */
export function createTlsServer(requestCert: boolean, clientCa: string | false = clientAuthority.pem): Server {
  const certificate = makeCertificate({ subject: '127.0.0.1', sans: { ip: ['127.0.0.1'] }, issuer: serverAuthority })
  const tls = { key: certificate.keyPem, cert: certificate.pem }
  return createHttpsServer({
    ...tls,
    ...(requestCert && { requestCert, rejectUnauthorized: false, ...(clientCa !== false && { ca: [clientCa] }) })
  })
}

/** How a client reaches a listener of {@link createTlsServer}. */
export function fetchFor(party?: Party): Fetch {
  return tlsFetch({ ca: serverAuthority.pem, certificate: party && 'certificate' in party ? party.certificate : undefined })
}

export function listen(server: Server): Promise<{ readonly server: Server; readonly host: string }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve({ server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }))
  })
}

export function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
