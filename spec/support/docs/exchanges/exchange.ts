/** What is written down of a conversation between a client and a server, as it happens, and what a client sends. */
import type { Decision } from 'clientele'
import type { MadeCertificate } from '../../certificates/certificates.ts'

/** One thing that happened. */
export type Happening =
  | { readonly type: 'handshake'; readonly subject: string; readonly issuer: string; readonly names: string | undefined }
  | { readonly type: 'request'; readonly bytes: string }
  | { readonly type: 'answer'; readonly bytes: string }
  | { readonly type: 'fetch'; readonly url: string; readonly isFound: boolean }
  | { readonly type: 'store'; readonly operation: string; readonly kind: string; readonly came: string }
  | { readonly type: 'decision'; readonly decision: Decision }

/** A request before it is bytes. */
export interface Sending {
  readonly method?: 'GET' | 'POST'
  readonly host?: string
  readonly path: string
  /** Header fields beside those every request has, in their order. */
  readonly headers?: Readonly<Record<string, string>>
  /** Form parameters, in their order. */
  readonly form?: Readonly<Record<string, string>>
  /** The client's certificate, on a connection that asks for one. */
  readonly certificate?: MadeCertificate | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** Sends, and resolves to what came back. */
export type Send = (sending: Sending) => Promise<Answer>

export const issuer = 'https://as.example.com'
export const mtlsHost = 'mtls.as.example.com'
export const api = 'https://api.example.com'
export const tokenPath = '/oauth2/token'

/** What the clocks of client and server read, in seconds since the epoch: 1 December 2026, 9 o'clock. */
export const now = Date.UTC(2026, 11, 1, 9) / 1000

/** How a client spells it on the wire (HTTP/1.1). */
export function bytesOf({ method = 'POST', host = new URL(issuer).host, path, headers = {}, form }: Sending): string {
  const body = form === undefined ? '' : new URLSearchParams(form).toString()
  const fields = {
    Host: host,
    ...headers,
    ...(form !== undefined && { 'Content-Type': 'application/x-www-form-urlencoded' }),
    ...(method === 'POST' && { 'Content-Length': String(Buffer.byteLength(body)) }),
    Connection: 'close'
  }
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  return [`${method} ${path} HTTP/1.1`, ...head, '', body].join('\r\n')
}

export function readAnswer(bytes: string): Answer {
  const [head = '', body = ''] = bytes.split(/\r\n\r\n(.*)/s)
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const [name = '', value = ''] = line.split(/: (.*)/s)
      return [name, value]
    })
  )
  return { status: Number(first.split(' ')[1]), headers, body }
}
