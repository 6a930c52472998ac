/** The listeners: where they are bound, what they demand of TLS, and how they stop. */
import type { Server } from 'node:http'
import type { ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import { createServer, type ExpressApplication } from 'clientele'
import { portOf, type Config } from './config/config.ts'
import { ConfigError } from './config/config-error.ts'
import type { TlsFiles } from './config/tls.ts'
import type { Log } from './log.ts'

export interface Listeners {
  /** Stops accepting, waits for requests in flight, and ends what is still open after `grace` milliseconds. */
  close(grace?: number): Promise<void>
}

/** TLS 1.3, and of 1.2 the four suites every profile of OAuth agrees on. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384'
].join(':')

/**
 * Limits on what one caller can make a listener hold: 32 KiB of headers, a certificate chain or an attestation that
 * ML-DSA signed included, in 10 s; a whole request in 30 s, which is ample for the longest body any endpoint takes; and
 * so many connections that the process has files left.
 */
const limits = {
  maxHeaderSize: 32_768,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2000,
  keepAliveTimeout: 5000
} as const
const mostHeaders = 100
const mostConnections = 5000
/** Milliseconds for a TLS handshake. */
const handshakeTimeout = 10_000

/**
 * Listens where the configuration says. @throws {@link ConfigError} when a port cannot be had; nothing listens then.
 */
export async function listen({ issuer, tls, settings }: Config, app: ExpressApplication, log: Log): Promise<Listeners> {
  const { host, port } = settings.listen ?? {}
  const hosts = (host ?? issuer.hostname) === 'localhost' ? ['127.0.0.1', '::1'] : [host]
  const secure = issuer.protocol === 'https:'
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  const listeners = { close: (grace = 10_000) => closeAll(servers, sockets, grace) }
  const open = async (create: () => Server, port: number, setting: string) => {
    for (const host of hosts) {
      const server = create()
      server.maxHeadersCount = mostHeaders
      server.maxConnections = mostConnections
      trackSockets(server, sockets)
      if (await bind(server, port, host, setting, log)) servers.push(server)
    }
  }
  try {
    const main =
      secure && tls !== undefined
        ? () => createServer(app, { ...limits, tls: tlsOptions(tls, tls.port === undefined) })
        : () => createServer(app, limits)
    await open(main, port ?? portOf(issuer), port === undefined ? 'issuer' : 'listen.port')
    if (tls?.port !== undefined)
      await open(() => createServer(app, { ...limits, tls: tlsOptions(tls, true) }), tls.port, 'tls.port')
  } catch (error) {
    await listeners.close(0)
    throw error
  }
  return listeners
}

/**
 * A certificate is asked for and never required: what needs one answers with an OAuth error instead of a broken
 * handshake.
 */
function tlsOptions(tls: TlsFiles, asksForCertificate: boolean): ServerOptions {
  return {
    key: tls.key,
    cert: tls.cert,
    minVersion: 'TLSv1.2',
    handshakeTimeout,
    ciphers,
    honorCipherOrder: true,
    // an empty list: named here, authorities would be named to every client, and many then keep a certificate of their
    // own making back; without a list, Node would trust every public one. `clientCertificates` verifies the chains
    ...(asksForCertificate && { requestCert: true, rejectUnauthorized: false, ca: [] })
  }
}

/** Binds one server. False where this machine has no such address, as with ::1 where IPv6 is switched off. */
function bind(server: Server, port: number, host: string | undefined, setting: string, log: Log): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (host === '::1' && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')) {
        log.warn({ host, port }, 'not listening on ::1, this machine has no such address')
        resolve(false)
        return
      }
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
        reject(new ConfigError('listen.host', `must be an address of this machine (${host ?? 'it'} is not)`))
        return
      }
      reject(
        new ConfigError(
          setting,
          `must name a port this server can listen on (${port} is ${reasons[error.code ?? ''] ?? 'not available'})`
        )
      )
    })
    server.listen({ port, ...(host !== undefined && { host }) }, () => resolve(true))
  })
}

const reasons: Readonly<Record<string, string>> = { EADDRINUSE: 'in use', EACCES: 'not permitted' }

function trackSockets(server: Server, sockets: Set<Socket>): void {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
}

async function closeAll(servers: readonly Server[], sockets: ReadonlySet<Socket>, grace: number): Promise<void> {
  const closed = servers.map(server => new Promise(resolve => server.close(resolve)))
  // a kept-alive connection becomes idle only once its request is answered
  const sweep = setInterval(() => {
    for (const server of servers) server.closeIdleConnections()
  }, 20)
  const deadline = setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, grace)
  await Promise.all(closed)
  clearInterval(sweep)
  clearTimeout(deadline)
}
