/** A client's own server, on loopback: told of logouts, and answering as it is made to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose'

/** How to answer one request: a status, or what to do with it. */
export type Answer = number | ((req: IncomingMessage, res: ServerResponse) => void)

export const hang: Answer = () => undefined
export const cut: Answer = req => void req.socket.destroy()
export const endless: Answer = (_req, res) => {
  res.writeHead(200)
  const chunk = Buffer.alloc(1_048_576, 'x')
  const more = (): void => {
    while (!res.destroyed && res.write(chunk));
    res.once('drain', more)
  }
  more()
}
export const redirectTo =
  (location: string): Answer =>
  (_req, res) =>
    void res.writeHead(307, { Location: location }).end()

interface Told {
  readonly path: string
  readonly method: string
  readonly type: string
  readonly form: URLSearchParams
  readonly header: Record<string, unknown>
  readonly claims: JWTPayload & { readonly sid?: string; readonly events?: Record<string, unknown> }
}

export interface LogoutReceiver {
  readonly origin: string
  readonly told: Told[]
  /** The answers to come, by path; 200 afterwards. */
  readonly answers: Map<string, Answer[]>
  /** Resolves once so many have come. */
  reached(count: number, milliseconds?: number): Promise<void>
  close(): Promise<void>
}

export async function logoutReceiver(): Promise<LogoutReceiver> {
  const told: Told[] = []
  const answers = new Map<string, Answer[]>()
  const server = createServer((req, res) => {
    let body = ''
    req.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    req.on('error', () => undefined)
    req.on('end', () => {
      const form = new URLSearchParams(body)
      const path = req.url ?? ''
      const token = form.get('logout_token') ?? ''
      const jwt =
        token === '' ? { header: {}, claims: {} } : { header: { ...decodeProtectedHeader(token) }, claims: decodeJwt(token) }
      told.push({ path, method: req.method ?? '', type: req.headers['content-type'] ?? '', form, ...jwt })
      const answer = answers.get(path)?.shift() ?? 200
      if (typeof answer === 'number') res.writeHead(answer).end()
      else answer(req, res)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    told,
    answers,
    async reached(count, milliseconds = 5000) {
      const end = Date.now() + milliseconds
      while (told.length < count) {
        if (Date.now() > end) throw new Error(`told ${told.length} times within ${milliseconds} ms, not ${count}`)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    },
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}
