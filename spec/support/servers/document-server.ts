/** A host of client metadata documents: https on this machine, under an authority of its own. */
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { makeAuthority, makeCertificate } from '../certificates/certificates.ts'

export interface DocumentServer {
  /** The address of a document of this name. */
  at(name: string): string
  /** Serves a document there from now on: the given members, and its address as `client_id`. */
  put(name: string, members?: object, headers?: Readonly<Record<string, string>>): string
  /** Answers there in a way of the spec's own from now on. */
  answer(name: string, listener: RequestListener): string
  /** How often a document of this name was asked for. */
  asked(name: string): number
  /** The headers of the last request. */
  lastHeaders(): Readonly<Record<string, unknown>>
  readonly ca: string
  close(): void
}

export const redirect_uri = 'http://127.0.0.1:7777/callback'

export async function documentServer(): Promise<DocumentServer> {
  const authority = makeAuthority()
  const certificate = makeCertificate({ issuer: authority, sans: { dns: ['localhost'], ip: ['127.0.0.1'] } })
  const listeners = new Map<string, RequestListener>()
  const asked: string[] = []
  let lastHeaders: Readonly<Record<string, unknown>> = {}
  const server = createServer({ key: certificate.keyPem, cert: certificate.pem }, (req, res) => {
    const name = (req.url ?? '').slice(1)
    asked.push(name)
    lastHeaders = req.headers
    const listener = listeners.get(name)
    if (listener === undefined) res.writeHead(404).end()
    else listener(req, res)
  })
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
  server.unref()
  const { port } = server.address() as AddressInfo
  const at = (name: string): string => `https://localhost:${port}/${name}`
  const answer: DocumentServer['answer'] = (name, listener) => {
    listeners.set(name, listener)
    return at(name)
  }
  return {
    at,
    answer,
    put: (name, members = {}, headers = {}) => {
      const document = { client_id: at(name), client_name: 'Notes', redirect_uris: [redirect_uri], ...members }
      return answer(name, (_req, res) => {
        res.writeHead(200, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(JSON.stringify(document))
      })
    },
    asked: name => asked.filter(one => one === name).length,
    lastHeaders: () => lastHeaders,
    ca: authority.pem,
    close() {
      server.closeAllConnections()
      server.close()
    }
  }
}
