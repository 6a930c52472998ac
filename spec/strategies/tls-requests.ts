/** Real TLS connections with real client certificates, for the strategies that are about them. */
import type { Express } from 'express'
import { createServer, type Server } from 'node:https'
import request, { type Response } from 'supertest'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../support/certificates/certificates.ts'
import { encode } from '../support/servers/strategy-app.ts'

/** Whose certificates count. */
export const authority = makeAuthority()
const server = makeCertificate({ subject: 'server', issuer: authority, sans: { ip: ['127.0.0.1'] } })

/** What a client connects with: its key, and its certificate with any intermediates. */
export interface TlsClient {
  readonly key: string
  readonly cert: string
}

export function tlsClient(certificate: MadeCertificate, ...intermediates: readonly MadeCertificate[]): TlsClient {
  return { key: certificate.keyPem, cert: [certificate, ...intermediates].map(({ pem }) => pem).join('') }
}

/** A server that asks every client for a certificate and turns nobody away. */
export function tlsServer(app: Express): Server {
  return createServer(
    { key: server.keyPem, cert: server.pem, ca: authority.pem, requestCert: true, rejectUnauthorized: false },
    app
  )
}

/** POSTs a form to the application over a connection with the client's certificate, or with none. */
export async function postOver(
  app: Express,
  client: TlsClient | undefined,
  form: Readonly<Record<string, string | undefined>>,
  headers: Readonly<Record<string, string>> = {}
): Promise<Response> {
  const test = request(tlsServer(app)).post('/').ca(authority.pem).set('Content-Type', 'application/x-www-form-urlencoded')
  if (client !== undefined) void test.key(client.key).cert(client.cert)
  return test.set(headers).send(encode(form))
}
