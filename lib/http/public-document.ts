/** Documents anyone may read, from any origin: metadata and keys (RFC 8414 §3.1, RFC 9728 §3.1, RFC 9700 §2.6). */
import type { NextFunction, Request, Response } from 'express'
import { MethodNotAllowedError } from '../errors.ts'
import { preflightAge } from './cross-origin.ts'
import { sendJson } from './responses.ts'

/** For browsers: who asks is nobody's concern, and no cookie is asked for or looked at. */
const anyOrigin = { 'Access-Control-Allow-Origin': '*' }

const methods = ['GET', 'HEAD']

const preflight = {
  ...anyOrigin,
  Allow: methods.join(', '),
  'Access-Control-Allow-Methods': methods.join(', '),
  'Access-Control-Allow-Headers': '*',
  'Access-Control-Max-Age': preflightAge
}

/**
 * Answers GET and HEAD with the document, good for a minute in any cache, and OPTIONS with 204 and what a browser asks
 * for beforehand: scripts send headers of their own with requests for such documents.
 */
export function sendPublicDocument(req: Request, res: Response, next: NextFunction, document: object): void {
  if (req.method === 'OPTIONS') res.writeHead(204, preflight).end()
  else if (!methods.includes(req.method)) next(new MethodNotAllowedError(methods))
  else sendJson(res, 200, document, { ...anyOrigin, 'Cache-Control': 'public, max-age=60' })
}
