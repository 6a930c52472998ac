/** Endpoints that scripts of any origin may call: their answers are for whoever shows a credential, and a browser adds none by itself. */
import type { RequestHandler } from 'express'

/** A day, which is longer than any browser keeps it. */
const maxAge = '86400'

export interface CrossOrigin {
  readonly methods: readonly string[]
  /** Request headers beside `Content-Type` and those of OAuth. */
  readonly headers?: readonly string[]
  /** Answer headers beside those of OAuth that a script may read. */
  readonly exposed?: readonly string[]
}

/** `*` stands for every header but this one (Fetch §3.3.4); older browsers read the names. */
const requestHeaders = [
  ...['Authorization', 'Content-Type', 'DPoP', 'OAuth-Client-Attestation', 'OAuth-Client-Attestation-PoP'],
  '*'
]
const answerHeaders = ['WWW-Authenticate', 'DPoP-Nonce', 'OAuth-Client-Attestation-Challenge', 'Retry-After']

/**
 * Lets scripts of every origin call a handler, cookies and client certificates left out. OPTIONS is answered with 204 and what a browser asks for
 * beforehand; every other answer says that it may be read.
 */
export function crossOrigin(handler: RequestHandler, { methods, headers = [], exposed = [] }: CrossOrigin): RequestHandler {
  const preflight = {
    'Access-Control-Allow-Origin': '*',
    Allow: methods.join(', '),
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': [...headers, ...requestHeaders].join(', '),
    'Access-Control-Max-Age': maxAge
  }
  const readable = [...answerHeaders, ...exposed].join(', ')
  return (req, res, next) => {
    if (req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined) {
      res.writeHead(204, preflight).end()
      return
    }
    // most callers are no browsers, and have no use for it
    if (req.headers.origin !== undefined) {
      res.setHeader('Access-Control-Allow-Origin', '*')
      res.setHeader('Access-Control-Expose-Headers', readable)
    }
    void handler(req, res, next)
  }
}
