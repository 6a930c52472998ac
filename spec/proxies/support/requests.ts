/** Token requests through a proxy, or past it. */
import { Agent, request } from 'node:https'
import { plainFetch, tlsFetch, type Fetch } from '../../support/journeys/fetch.ts'
import { authorities, presentedAs, type CertificateName } from './material.ts'

/** What came of a request. `handshake` where the proxy wanted nothing to do with the certificate. */
export interface Outcome {
  readonly status: number | 'handshake'
  readonly error?: string
  readonly access_token?: string
}

export interface Ask {
  readonly client_id?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A fetch of a client that connects with this certificate, or with none. */
export function connectedWith(name: CertificateName | undefined): Fetch {
  return tlsFetch({ ca: authorities.server.pem, certificate: name && presentedAs(name) })
}

/** A token request to a proxy. */
export async function throughProxy(port: number, name: CertificateName | undefined, ask: Ask = {}): Promise<Outcome> {
  try {
    return await post(connectedWith(name), `https://127.0.0.1:${port}`, ask)
  } catch {
    return { status: 'handshake' }
  }
}

/** A token request to the server itself, from ::1, which is nobody's proxy. */
export function pastProxy(port: number, ask: Ask): Promise<Outcome> {
  return post(plainFetch, `http://[::1]:${port}`, ask)
}

async function post(fetch: Fetch, origin: string, { client_id = 'billing', headers = {} }: Ask): Promise<Outcome> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id })
  const answer = await fetch(`${origin}/oauth2/token`, { method: 'POST', headers, body })
  const text = await answer.text()
  // a proxy's own pages are HTML
  const { error, access_token } = text.startsWith('{') ? (JSON.parse(text) as Partial<Outcome>) : {}
  return { status: answer.status, ...(error !== undefined && { error }), ...(access_token !== undefined && { access_token }) }
}

/** Two token requests over two connections, the second of which resumes the session of the first. */
export async function resumed(
  port: number,
  name: CertificateName
): Promise<{ readonly status: number; readonly reused: boolean }[]> {
  const { pem: cert, keyPem: key } = presentedAs(name)
  const agent = new Agent({ keepAlive: false, ca: authorities.server.pem, cert, key })
  const ask = () =>
    new Promise<{ status: number; reused: boolean }>((resolve, reject) => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      const sent = request({ host: '127.0.0.1', port, path: '/oauth2/token', method: 'POST', agent, headers }, answer => {
        const reused = 'isSessionReused' in answer.socket && (answer.socket.isSessionReused as () => boolean)()
        answer.resume().once('end', () => resolve({ status: answer.statusCode ?? 0, reused }))
      })
      sent.once('error', reject).end('grant_type=client_credentials&client_id=billing')
    })
  return [await ask(), await ask()]
}
