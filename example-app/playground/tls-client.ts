/** The TLS client that the server plays for a page, which cannot present a certificate itself. */
import { request, type RequestOptions } from 'node:https'
import { text } from 'node:stream/consumers'
import { HttpError } from '../http-error.ts'
import { isPrivateKey } from './certificates.ts'

export interface PlayedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** The headers a page may send along. */
const passed = ['content-type', 'dpop', 'authorization', 'traceparent']

/**
 * Sends a page's request to this server's own listener for certificates, and nowhere else.
 *
 * @param ca the authority of the listener's certificate.
 * @throws {@link HttpError} for what is no request.
 */
export async function sendWithCertificate(body: unknown, origin: string, ca: string): Promise<PlayedAnswer> {
  const { path, headers, body: form, cert, key } = (body ?? {}) as Readonly<Record<string, unknown>>
  if (typeof path !== 'string' || !/^(?:\/[\w.-]+)*\/oauth2\/[\w-]+$/.test(path) || typeof form !== 'string')
    throw new HttpError(400, 'This is no request to an endpoint of this server.')
  if (cert !== undefined && (typeof cert !== 'string' || !isPrivateKey(key)))
    throw new HttpError(400, 'This is no certificate with its key.')
  const sent = Object.entries((headers ?? {}) as Readonly<Record<string, unknown>>).flatMap(([name, value]) =>
    passed.includes(name.toLowerCase()) && typeof value === 'string' && !/[^\t\x20-\x7e]/.test(value)
      ? [[name, value] as const]
      : []
  )
  const { hostname, port } = new URL(origin)
  const options: RequestOptions = {
    ...{ hostname, port, path, method: 'POST', ca, headers: Object.fromEntries(sent), timeout: 10_000, agent: false },
    ...(typeof cert === 'string' && isPrivateKey(key) && { cert, key })
  }
  return ask(options, form).catch(() => {
    throw new HttpError(400, 'The certificate could not be presented.')
  })
}

/** Rejects for whatever keeps it from an answer, a certificate that is none or another key's among it. */
function ask(options: RequestOptions, form: string): Promise<PlayedAnswer> {
  return new Promise((resolve, reject) => {
    const asking = request(options, answer => {
      text(answer).then(read => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: read }), reject)
    })
    asking.once('error', reject)
    asking.once('timeout', () => asking.destroy(new Error('no answer in time')))
    asking.end(form)
  })
}
