/** Documents anyone may read, from any origin: metadata and keys (RFC 8414 §3.1, RFC 9700 §2.6). */
import type { NextFunction, Request, Response } from 'express'
import { MethodNotAllowedError } from '../errors.ts'
import { sendJson } from '../http/responses.ts'

/** Answers GET and HEAD with the document, good for a minute in any cache. */
export function sendPublicDocument(req: Request, res: Response, next: NextFunction, document: object): void {
  if (req.method !== 'GET' && req.method !== 'HEAD') next(new MethodNotAllowedError(['GET', 'HEAD']))
  else sendJson(res, 200, document, { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=60' })
}
