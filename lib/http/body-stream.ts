/** Reads a request's stream to its end, within a bound, and never waits for a connection that is gone. */
import type { IncomingMessage } from 'node:http'
import { RequestAbortedError, RequestTooLargeError } from '../errors.ts'

/**
 * A refused body up to this size (bytes, as declared) is read and dropped, which keeps the connection; more closes it.
 */
const largestDropped = 1_048_576

/**
 * The whole body. What was announced as larger than `maxBytes` is refused unread; what turns out larger is refused as
 * soon as it does, and nothing further is kept. The rest of a refused body is dropped as it arrives, so that the answer
 * gets through.
 *
 * Rejects with {@link RequestTooLargeError}, or with {@link RequestAbortedError} where the connection failed or closed
 * first.
 */
export function collectBody(req: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const announced = req.headers['content-length']
    if (announced !== undefined && Number(announced) > maxBytes) {
      req.resume()
      reject(tooLarge(maxBytes, Number(announced) > largestDropped))
      return
    }
    if (req.destroyed) {
      reject(new RequestAbortedError())
      return
    }
    const chunks: Uint8Array[] = []
    let length = 0
    let ended = false
    const stop = () => {
      req.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose)
    }
    const onData = (received: Uint8Array | string) => {
      // strings where the application called req.setEncoding()
      const chunk = typeof received === 'string' ? Buffer.from(received, req.readableEncoding ?? 'utf8') : received
      length += chunk.length
      if (length <= maxBytes) {
        chunks.push(chunk)
        return
      }
      stop()
      req.resume()
      reject(tooLarge(maxBytes, true))
    }
    const onEnd = () => {
      ended = true
      const [first = new Uint8Array()] = chunks
      resolve(chunks.length <= 1 ? first : Buffer.concat(chunks, length))
    }
    const onClose = () => {
      // the listeners stay after the end: taking four off costs more than the one call they still get
      if (ended) return
      stop()
      reject(new RequestAbortedError())
    }
    // 'close' comes after every end there is, an aborted upload's too
    req.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose)
  })
}

/** 413, closing the connection where there is no telling how much is still to come. */
export function tooLarge(maxBytes: number, close: boolean): RequestTooLargeError {
  return new RequestTooLargeError(`the request body must not be larger than ${maxBytes} bytes`, {
    reason: `the body is larger than maxBytes, ${maxBytes}`,
    ...(close && { headers: { Connection: 'close' } })
  })
}
