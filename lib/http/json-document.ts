/**
 * Reads a request body that is one JSON object of any shape, for the endpoints that take documents instead of
 * parameters.
 */
import type { IncomingMessage } from 'node:http'
import { ServerError, UnsupportedMediaTypeError } from '../errors.ts'
import { collectBody, tooLarge } from './body-stream.ts'
import { hasDoubledNames, readJson } from './strict-json.ts'
import { contentTypeOf, refuseContentCoding, type ParameterRequest } from './parameters.ts'
import { isJsonObject, type JsonObject } from '../json.ts'

export type JsonDocumentReading =
  | { readonly outcome: 'read'; readonly document: JsonObject }
  /** `reason` completes "the request body …" and repeats nothing of it. */
  | { readonly outcome: 'malformed'; readonly reason: string }

const deepest = 8

/**
 * Reads a body of `application/json` (or one the application has parsed already). What is not exactly one JSON object,
 * has the same name twice in one object, or is nested more than 8 deep, is malformed.
 *
 * Rejects with {@link UnsupportedMediaTypeError} for another type, charset or content coding, RequestTooLargeError for
 * more than `maxBytes`, InvalidRequestError where the connection closed before the body ended, and {@link ServerError}
 * where the application consumed the body and left nothing of it.
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
  const { type, isUtf8 } = contentTypeOf(req)
  if (type === 'application/json' && isUtf8) return
  throw new UnsupportedMediaTypeError('the request body must be application/json in UTF-8', {
    reason: 'the Content-Type is missing, of another type, or names another charset'
  })
}

function parse(bytes: Uint8Array): JsonDocumentReading {
  const read = readJson(bytes)
  if (read.outcome === 'malformed') return malformed(read.cause === 'encoding' ? 'is not UTF-8' : 'is not valid JSON')
  const reading = judge(read.value)
  if (reading.outcome === 'malformed') return reading
  return hasDoubledNames(read.text, read.value) ? malformed('has the same name twice in one object') : reading
}

function judge(value: unknown): JsonDocumentReading {
  if (!isJsonObject(value)) return malformed('must be one JSON object')
  if (isDeep(value)) return malformed(`must not be nested more than ${deepest} deep`)
  return { outcome: 'read', document: value }
}

function isDeep(value: unknown, depth = 1): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth > deepest || Object.values(value).some(item => isDeep(item, depth + 1))
}

function malformed(reason: string): JsonDocumentReading {
  return { outcome: 'malformed', reason }
}
