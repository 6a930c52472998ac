/**
 * Endpoints that scripts of any origin may call: their answers are for whoever shows a credential, and a browser adds
 * none by itself.
 */
import type { RequestHandler } from 'express'
import { eachOf, required, textLike } from '../options.ts'

/** Seconds for which browsers may keep what they asked for beforehand: a day, which is longer than any of them does. */
export const preflightAge = '86400'

interface CrossOrigin {
  readonly methods: readonly string[]
  /** Request headers beside `Content-Type` and those of OAuth. */
  readonly headers?: readonly string[]
  /** Answer headers beside those of OAuth that a script may read. */
  readonly exposed?: readonly string[]
  /** Origins whose scripts may call. Default: every origin. */
  readonly origins?: readonly string[] | undefined
}

/** An option that lists origins. */
export const originList = eachOf(
  'origins',
  required(
    textLike('an origin, such as https://app.example.com', value => URL.canParse(value) && new URL(value).origin === value)
  )
)

/** `*` stands for every header but this one (Fetch §3.3.4); older browsers read the names. */
const requestHeaders = [
  ...['Authorization', 'Content-Type', 'DPoP', 'OAuth-Client-Attestation', 'OAuth-Client-Attestation-PoP'],
  '*'
]
const answerHeaders = ['WWW-Authenticate', 'DPoP-Nonce', 'OAuth-Client-Attestation-Challenge', 'Retry-After']

/**
 * Lets scripts of every origin, or of those listed, call a handler, cookies and client certificates left out. OPTIONS
 * is answered with 204 and what a browser asks for beforehand; every other answer says that it may be read. Scripts of
 * an origin that is not listed are told neither.
 */
export function crossOrigin(handler: RequestHandler, options: CrossOrigin): RequestHandler {
  const { exposed = [], origins } = options
  const allowed = allowedOrigin(origins)
  return (req, res, next) => {
    if (origins !== undefined) res.vary('Origin')
    const origin = allowed(req.headers.origin)
    if (req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined) {
      res.writeHead(204, origin === undefined ? {} : { 'Access-Control-Allow-Origin': origin, ...preflight(options) }).end()
      return
    }
    if (req.headers.origin !== undefined && origin !== undefined) {
      res.setHeader('Access-Control-Allow-Origin', origin)
      res.setHeader('Access-Control-Expose-Headers', [...answerHeaders, ...exposed].join(', '))
    }
    void handler(req, res, next)
  }
}

/** Put together when a browser asks: every tenant has several of these handlers, and most callers are no browsers. */
function preflight({ methods, headers = [] }: CrossOrigin): Readonly<Record<string, string>> {
  return {
    Allow: methods.join(', '),
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': [...headers, ...requestHeaders].join(', '),
    'Access-Control-Max-Age': preflightAge
  }
}

const everyOrigin = (): string => '*'

/** Finds the origin, or `*`, that the answer to a script of some origin names; undefined: none. */
function allowedOrigin(origins: readonly string[] | undefined): (origin: string | undefined) => string | undefined {
  if (origins === undefined) return everyOrigin
  const listed = new Set(origins)
  return origin => (origin !== undefined && listed.has(origin) ? origin : undefined)
}
