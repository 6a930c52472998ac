/** An authorization server and an API on real TLS sockets, under the names the documents use, and everything that happens at them. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import {
  authorizationServer,
  memoryStore,
  type AuthorizationServerOptions,
  type ClientMetadata,
  type FetchJson,
  type Store
} from 'clientele'
import express from 'express'
import { makeAuthority, makeCertificate } from '../../certificates/certificates.ts'
import { longValid } from '../../clients/attestation.ts'
import { alwaysAlice, close, listen } from '../../journeys/server.ts'
import { serverKeys } from '../../keys/made-keys.ts'
import { api, bytesOf, issuer, mtlsHost, now, readAnswer, type Happening, type Send } from './exchange.ts'

const authority = makeAuthority({ subject: 'server authority', ...longValid })
const hosts = [new URL(issuer).host, mtlsHost, new URL(api).host]
const certificate = makeCertificate({ subject: 'as.example.com', sans: { dns: hosts }, issuer: authority, ...longValid })
const keys = serverKeys(['ES256'])

export interface RecordedServer {
  readonly happened: readonly Happening[]
  readonly send: Send
  /** Forgets what happened. */
  forget(): void
  close(): Promise<void>
}

export interface RecordedSetup {
  readonly clients: readonly ClientMetadata[]
  readonly options?: Partial<AuthorizationServerOptions> | undefined
  /** What the server finds where it asks others, by address. */
  readonly documents?: Readonly<Record<string, object>> | undefined
}

/** Starts one. Its clock stands still. */
export async function recordedServer({ clients, options, documents = {} }: RecordedSetup): Promise<RecordedServer> {
  const happened: Happening[] = []
  const tell = (one: Happening) => void happened.push(one)
  const fetchJson: FetchJson = url => {
    const json = documents[url]
    tell({ type: 'fetch', url, isFound: json !== undefined })
    return json === undefined ? Promise.reject(new Error(`404 ${url}`)) : Promise.resolve({ json })
  }
  const server = authorizationServer({
    issuer,
    mtlsOrigin: `https://${mtlsHost}`,
    clients,
    clock: () => now * 1000,
    store: watched(memoryStore({ clock: () => now * 1000 }), tell),
    keys: await keys,
    resources: [{ resource: api, scopes: ['invoices:read'] }],
    interaction: alwaysAlice,
    onDecision: decision => tell({ type: 'decision', decision }),
    fetchJson,
    ...options,
    ...(options?.workloads && { workloads: { ...options.workloads, fetchJson } })
  })
  const app = express().disable('x-powered-by')
  app.use((_req, res, next) => {
    res.setHeader('Date', new Date(now * 1000).toUTCString())
    next()
  })
  app.use(server)
  const protect = server.requireAccessToken({ resources: [api], scope: ['invoices:read'], origins: [api] })
  app.get('/invoices', protect, (req, res) => void res.json({ invoices: [], read_by: req.accessToken?.client_id }))

  const tls = { key: certificate.keyPem, cert: certificate.pem }
  const [plain, mutual] = await Promise.all([
    listen(createServer(tls)),
    listen(createServer({ ...tls, requestCert: true, rejectUnauthorized: false }))
  ])
  for (const { server: listener } of [plain, mutual]) listener.on('request', app)
  mutual.server.on('secureConnection', (socket: TLSSocket) => tellHandshake(socket, tell))
  return {
    happened,
    async send(sending) {
      const { host = new URL(issuer).host, certificate: presented } = sending
      const listener = host === mtlsHost ? mutual : plain
      const bytes = bytesOf(sending)
      const isReady = once(listener.server, 'secureConnection')
      const socket = connect({
        ...{ host: '127.0.0.1', port: Number(listener.host.split(':')[1]), servername: host, ca: authority.pem },
        ...(presented && { cert: presented.pem, key: presented.keyPem })
      })
      await Promise.all([isReady, once(socket, 'secureConnect')])
      tell({ type: 'request', bytes })
      socket.write(bytes)
      const chunks: Buffer[] = []
      for await (const chunk of socket) chunks.push(chunk as Buffer)
      const answer = Buffer.concat(chunks).toString()
      tell({ type: 'answer', bytes: answer })
      return readAnswer(answer)
    },
    forget: () => void happened.splice(0),
    close: async () => {
      await Promise.all([plain, mutual].map(({ server: listener }) => close(listener)))
    }
  }
}

function tellHandshake(socket: TLSSocket, tell: (one: Happening) => void): void {
  const { subject, issuer: by, subjectaltname } = socket.getPeerX509Certificate()?.toLegacyObject() ?? {}
  if (subject === undefined) return
  const named = (name: object) =>
    Object.entries(name)
      .map(([type, value]) => `${type}=${String(value)}`)
      .join(', ')
  tell({ type: 'handshake', subject: named(subject), issuer: named(by ?? {}), names: subjectaltname })
}

/** What the server notes for its operators, and what no answer waits for or depends on here. */
const bookkeeping = new Set(['client_credentials', 'credential_use', 'credential_review', 'person_grants', 'person_clients'])

/** The store, and what it is asked. */
function watched(store: Store, tell: (one: Happening) => void): Store {
  const told =
    <Given extends readonly [{ readonly kind: string }, ...unknown[]], Result>(
      operation: string,
      run: (...given: Given) => Promise<Result>,
      say: (result: Result) => string
    ) =>
    async (...given: Given): Promise<Result> => {
      const result = await run(...given)
      const kind = given[0].kind.replace(`${issuer.length}:${issuer}`, '')
      if (!bookkeeping.has(kind)) tell({ type: 'store', operation, kind, came: say(result) })
      return result
    }
  return {
    get: told(
      'get',
      key => store.get(key),
      found => (found === undefined ? 'nothing there' : 'found')
    ),
    set: told(
      'set',
      (key, value, ttl) => store.set(key, value, ttl),
      () => 'written'
    ),
    add: told(
      'add',
      (key, value, ttl) => store.add(key, value, ttl),
      isNew => (isNew ? 'first use' : 'used before')
    ),
    take: told(
      'take',
      key => store.take(key),
      ({ outcome }) => outcome
    ),
    swap: told(
      'swap',
      (key, version, value, ttl) => store.swap(key, version, value, ttl),
      isDone => (isDone ? 'written' : 'changed by another')
    ),
    delete: told(
      'delete',
      key => store.delete(key),
      () => 'gone'
    ),
    deleteGrant: grant => store.deleteGrant(grant),
    close: () => store.close()
  } satisfies Store
}
