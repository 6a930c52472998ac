/** The pages of checks, as they came with the package: what error bodies and lines of development lead to. */
import { readFile } from 'node:fs/promises'
import type { RequestHandler } from 'express'
import { MethodNotAllowedError } from '../errors.ts'
import { isCheckName } from '../decisions/decision.ts'

/** docs/errors of the package this file is in, bundled or not: the folder that holds the last `lib` of the way here. */
export const packagedPages: URL = new URL('docs/errors/', import.meta.url.replace(/(?:dist\/)?lib\/(?!(?:.*\/)?lib\/).*$/, ''))

/** Answers GET with the page of one check, as it was written. What is no check is passed on. */
export function checkPage(check: string): RequestHandler {
  return (req, res, next) => {
    if (!isCheckName(check)) {
      next()
      return
    }
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      next(new MethodNotAllowedError(['GET', 'HEAD']))
      return
    }
    readFile(new URL(`${check}.md`, packagedPages), 'utf8').then(page => {
      res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }).type('text/plain').send(page)
    }, next)
  }
}
