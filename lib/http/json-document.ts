/** Reads a request body that is one JSON object of any shape, for the endpoints that take documents instead of parameters. */
import type { IncomingMessage } from 'node:http'
import { ServerError, UnsupportedMediaTypeError } from '../errors.ts'
import { collectBody, tooLarge } from './body-stream.ts'
import { decodeUtf8 } from './form.ts'
import { refuseContentCoding, type ParameterRequest } from './parameters.ts'

/** A JSON object as it was sent: any member may be of any type. Read it by names that `Object.prototype` does not have, or by its own entries. */
export type JsonDocument = Readonly<Record<string, unknown>>

export type JsonDocumentReading =
  | { readonly outcome: 'read'; readonly document: JsonDocument }
  /** `reason` completes "the request body …" and repeats nothing of it. */
  | { readonly outcome: 'malformed'; readonly reason: string }

const deepest = 8

/**
 * Reads a body of `application/json` (or one the application has parsed already). What is not exactly one JSON object, has the same name twice
 * in one object, or is nested more than 8 deep, is malformed.
 *
 * Rejects with {@link UnsupportedMediaTypeError} for another type, charset or content coding, RequestTooLargeError for more than `maxBytes`,
 * InvalidRequestError where the connection closed before the body ended, and {@link ServerError} where the application consumed the body and left nothing of it.
 */
export async function readJsonDocument(req: ParameterRequest, maxBytes: number): Promise<JsonDocumentReading> {
  refuseContentCoding(req.headers['content-encoding'])
  checkType(req)
  if (!req.readableDidRead && !req.readableEnded) return parse(await collectBody(req, maxBytes))
  const { body } = req
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = Buffer.from(body)
    if (bytes.length > maxBytes) throw tooLarge(maxBytes, false)
    return parse(bytes)
  }
  if (body === undefined) {
    throw new ServerError({
      reason: 'a body parser or another middleware consumed the body and left nothing in req.body: mount it after this route'
    })
  }
  const reading = judge(body)
  if (reading.outcome === 'read' && Buffer.byteLength(JSON.stringify(body)) > maxBytes) throw tooLarge(maxBytes, false)
  return reading
}

function checkType(req: IncomingMessage): void {
  const [name = '', ...parameters] = (req.headers['content-type'] ?? '').toLowerCase().split(';')
  const utf8 = parameters.every(parameter => {
    const charset = /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/.exec(parameter)?.[1]
    return charset === undefined || charset === 'utf-8' || charset === 'utf8'
  })
  if (name.trim() === 'application/json' && utf8) return
  throw new UnsupportedMediaTypeError('the request body must be application/json in UTF-8', {
    reason: 'the Content-Type is missing, of another type, or names another charset'
  })
}

function parse(bytes: Uint8Array): JsonDocumentReading {
  const text = decodeUtf8(bytes)
  if (text === undefined) return malformed('is not UTF-8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // the parser's own message quotes the body
    return malformed('is not valid JSON')
  }
  const reading = judge(value)
  if (reading.outcome === 'malformed') return reading
  return countStrings(value) === literalsIn(text) ? reading : malformed('has the same name twice in one object')
}

function judge(value: unknown): JsonDocumentReading {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return malformed('must be one JSON object')
  if (isDeep(value)) return malformed(`must not be nested more than ${deepest} deep`)
  return { outcome: 'read', document: value as JsonDocument }
}

function isDeep(value: unknown, depth = 1): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth > deepest || Object.values(value).some(item => isDeep(item, depth + 1))
}

/**
 * `JSON.parse` keeps the last of two members with one name, where another reader of the same bytes may keep the first. What it dropped had at
 * least a name, so the text has more string literals than the value has names and strings.
 */
function countStrings(value: unknown): number {
  if (typeof value === 'string') return 1
  if (typeof value !== 'object' || value === null) return 0
  const names = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce((count: number, item) => count + countStrings(item), names)
}

function literalsIn(text: string): number {
  return (text.replace(/\\./g, '').split('"').length - 1) / 2
}

function malformed(reason: string): JsonDocumentReading {
  return { outcome: 'malformed', reason }
}
