/** Renders pages/*.eta. Whatever a template interpolates is escaped. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import type { RequestHandler, Response } from 'express'
import helmet from 'helmet'
import { isLoopback } from './config/clients.ts'
import type { Way } from './http-error.ts'

/** The project's folder: the first above this file that has a package.json, whether this file is bundled or not. */
export const projectRoot = folderOf('package.json', dirname(fileURLToPath(import.meta.url)))

function folderOf(name: string, from: string): string {
  return existsSync(join(from, name)) ? from : folderOf(name, dirname(from))
}

/** Where templates and the stylesheet are; they are read from the sources, not from dist. */
export const pagesFolder = join(projectRoot, 'example-app', 'pages')

const eta = new Eta({ views: pagesFolder, cache: true })

/** A page of the issuer mounted at `base`. */
interface Page {
  readonly base: string
  readonly title: string
  readonly [value: string]: unknown
}

/** Where every page of an error leads on to, where nothing better is known. */
export function ownPage(base: string): Way {
  return { text: 'Your account', href: `${base}/account` }
}

/** Answers with a page that no cache may keep. What `res.locals` holds is there for every page. */
export function sendPage(res: Response, template: string, page: Page, status = 200): void {
  res
    .status(status)
    .set('Cache-Control', 'no-store')
    .type('html')
    .send(eta.render(template, { ...res.locals, ...page }))
}

/**
 * The headers of every answer. Pages run no script and cannot be framed.
 *
 * There is no `form-action`: browsers apply it to where a submitted form is redirected, and on to every further
 * redirect, so it would stop people on their way back to the client. HSTS is left out on loopback, where it would bind
 * every other server on the machine. Cross-Origin-Opener-Policy is left out for clients that sign people in through a
 * popup.
 */
export function securityHeaders(issuer: URL): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"]
      }
    },
    crossOriginOpenerPolicy: false,
    strictTransportSecurity:
      issuer.protocol === 'https:' && !isLoopback(issuer.hostname) ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' }
  })
}
