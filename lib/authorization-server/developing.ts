/** Help for whoever develops with a server: refusals on stderr, and the pages they lead to. */
import type { RequestHandler } from 'express'
import { checkNames } from '../decisions/decision.ts'
import { checkPage } from '../http/check-pages.ts'
import type { ErrorPage } from '../http/development-errors.ts'
import { errorListener, type OAuthErrorHandlerOptions } from '../http/error-handler.ts'
import { refusalLog, type Listening } from '../http/refusal-log.ts'

/** The pages of checks that a server answers itself, by their paths below the issuer. */
export type Pages = ReadonlyMap<string, RequestHandler>

interface Developed extends Listening {
  readonly issuer: string
  readonly developmentErrors: boolean
  readonly onError: OAuthErrorHandlerOptions['onError']
}

const noPages: Pages = new Map()

/** Paths of the pages below the issuer. */
export const pagePaths: readonly string[] = checkNames.map(check => `/errors/${check}`)

/**
 * Options whose `onError` writes lines to stderr where nobody else hears of refusals, and the pages those lines, and
 * error bodies, lead to: none where `errorPages` says that they are elsewhere, or nobody is led to any.
 *
 * @param given the options as the application gave them.
 * @param base what the pages stand below. Default: the issuer.
 */
export function developing<Read extends Developed>(
  read: Read,
  given: { readonly errorPages?: unknown },
  base = read.issuer
): { readonly read: Read; readonly pages: Pages } {
  const serves = given.errorPages === undefined && (read.developmentErrors || refusalLog(read) !== undefined)
  const errorPages: ErrorPage = serves ? check => `${base}/errors/${check}` : read.errorPages
  const pages: Pages = serves ? new Map(checkNames.map(check => [`/errors/${check}`, checkPage(check)])) : noPages
  const developed = { ...read, errorPages }
  return { read: { ...developed, onError: errorListener(developed) }, pages }
}
