/** Reads a header that a proxy sets, and refuses what no proxy would send. */
import type { IncomingMessage } from 'node:http'
import { InvalidRequestError } from '../../errors.ts'

/** Characters in one header. Node's own limit, for all of them together, is 16 KiB unless it is raised. */
const longestHeader = 65_536

/**
 * The error for a header that cannot be read. `why` completes "the certificate header …", for the operator; it must
 * quote nothing of it.
 */
export function unreadable(why: string, cause?: unknown): InvalidRequestError {
  const reason = `the certificate header ${why}`
  return new InvalidRequestError('the client certificate could not be read', { reason, ...(cause !== undefined && { cause }) })
}

/**
 * A header's value; empty where it was not sent.
 *
 * @param name in lower case.
 * @param isList whether several lines of it are one list (RFC 9110 §5.3). Otherwise two are one the proxy set and one
 * it did not remove.
 * @throws InvalidRequestError for a second line, or more than 65,536 characters.
 */
export function readHeader(req: Pick<IncomingMessage, 'headers' | 'rawHeaders'>, name: string, isList = false): string {
  const value = req.headers[name]
  if (value === undefined) return ''
  if (!isList && countOf(req.rawHeaders, name) > 1) throw unreadable('was sent more than once')
  const text = typeof value === 'string' ? value : value.join(', ')
  if (text.length > longestHeader) throw unreadable(`is longer than ${longestHeader} characters`)
  return text
}

function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index]
    if (header?.length === name.length && header.toLowerCase() === name) count++
  }
  return count
}
