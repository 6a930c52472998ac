/** Reads a request's body and leaves it there: whatever parses it afterwards finds it as it came. */
import type { IncomingMessage } from 'node:http'
import { RequestAbortedError, ServerError } from '../errors.ts'
import { tooLarge } from './body-stream.ts'

/**
 * The whole body, which can be read again afterwards. Where something has read it before, what that kept as
 * `req.rawBody` is it.
 *
 * Rejects with {@link RequestTooLargeError}, with {@link RequestAbortedError} where the connection closed first, and
 * with {@link ServerError} where the body was read before and is not kept.
 */
export async function peekBody(req: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const { rawBody } = req as IncomingMessage & { readonly rawBody?: unknown }
  if (rawBody instanceof Uint8Array) return rawBody
  const { 'content-length': announced, 'transfer-encoding': encoding } = req.headers
  if (encoding === undefined && (announced === undefined || announced === '0')) return new Uint8Array()
  if (req.readableDidRead)
    throw new ServerError({
      reason: 'the body was read before: mount requireAccessToken() before whatever parses bodies, or have that keep req.rawBody'
    })
  if (Number(announced) > maxBytes) throw tooLarge(maxBytes, true)
  return collected(req, maxBytes)
}

function collected(req: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const stop = (): void => void req.off('readable', onReadable).off('close', onClose).off('error', onClose)
    const onReadable = (): void => {
      // what is read to its end without anything in it has ended for everybody
      while (req.readableLength > 0) {
        const chunk = req.read() as Buffer | string | null
        if (chunk === null) break
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk, req.readableEncoding ?? 'utf8') : chunk
        chunks.push(bytes)
        length += bytes.length
      }
      if (length > maxBytes) {
        stop()
        req.resume()
        reject(tooLarge(maxBytes, true))
      } else if (req.complete) {
        stop()
        const body = Buffer.concat(chunks, length)
        // before the end is told
        if (length > 0) req.unshift(body)
        resolve(body)
      }
    }
    const onClose = (): void => {
      stop()
      reject(new RequestAbortedError())
    }
    req.on('readable', onReadable).on('close', onClose).on('error', onClose)
    if (req.destroyed) onClose()
  })
}
