/** A client's own server, which publishes its keys. */
import type { JWK } from 'jose'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface KeyServer {
  /** The `jwks_uri`. */
  readonly url: string
  /** How often it was asked. */
  readonly requests: () => number
  /** Puts other keys there. */
  readonly serve: (keys: readonly JWK[]) => void
  /** Answers with something else than a key set. */
  readonly answer: (status: number, body: string) => void
  readonly close: () => Promise<void>
}

/** Serves keys over plain HTTP on the loopback address. */
export async function serveKeys(keys: readonly JWK[]): Promise<KeyServer> {
  let asked = 0
  let answer = { status: 200, body: JSON.stringify({ keys }) }
  const server = createServer((_req, res) => {
    asked++
    res.writeHead(answer.status, { 'Content-Type': 'application/jwk-set+json' }).end(answer.body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/jwks.json`,
    requests: () => asked,
    serve: next => (answer = { status: 200, body: JSON.stringify({ keys: next }) }),
    answer: (status, body) => (answer = { status, body }),
    close: () => new Promise<void>(resolve => server.close(() => resolve()))
  }
}
