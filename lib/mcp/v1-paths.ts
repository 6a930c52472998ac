/** The addresses of the MCP SDK's `mcpAuthRouter`, for clients that know no others. */
import type { RequestHandler } from 'express'
import { queryStringOf, pathOf } from '../http/request-target.ts'

/** Each path below the root of the origin, as it was called, with the one here, below the issuer. */
const paths: ReadonlyMap<string, string> = new Map([
  ['/authorize', '/oauth2/authorize'],
  ['/token', '/oauth2/token'],
  ['/register', '/oauth2/register'],
  ['/revoke', '/oauth2/revoke']
])

/** Answers at those addresses what the server answers at its own; passes on what it does not answer. */
export function v1Paths(server: RequestHandler, issuer: string): RequestHandler {
  const issuerPath = new URL(issuer).pathname.replace(/\/$/, '')
  return (req, res, next) => {
    const path = paths.get(pathOf(req))
    if (path === undefined) {
      next()
      return
    }
    // the server goes by what was asked for, wherever in an application it is mounted
    const { originalUrl } = req
    const query = queryStringOf(req)
    req.originalUrl = `${issuerPath}${path}${query === '' ? '' : `?${query}`}`
    void server(req, res, (error?: unknown) => {
      req.originalUrl = originalUrl
      next(error)
    })
  }
}
