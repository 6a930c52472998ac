/**
 * The page a person sees where the endpoint they came to cannot go on, and no address can be trusted with the error.
 */
import type { Request, Response } from 'express'
import { RequestAbortedError, type OAuthError } from '../errors.ts'
import { tellError, toOAuthError } from '../http/error-handler.ts'
import { escapeHtml } from '../http/html.ts'
import type { EndpointContext } from './endpoint.ts'

/** A request whose answer is a page. */
interface Shown {
  readonly context: Pick<EndpointContext, 'interaction' | 'onError'>
  readonly req: Request
  readonly res: Response
}

/**
 * Whatever goes wrong, the person sees. Never rejects.
 *
 * @param about asked, once something did, for what the application's page shows beside the error.
 */
export async function answeringWithPages(
  shown: Shown,
  answer: () => Promise<void>,
  about: () => object = () => ({})
): Promise<void> {
  const { context, req, res } = shown
  try {
    await answer()
  } catch (thrown) {
    tellError(context.onError, thrown, req)
    // where the request broke off nobody is there to see a page
    if (res.headersSent || thrown instanceof RequestAbortedError) res.destroy()
    else await showErrorPage(shown, toOAuthError(thrown), about())
  }
}

/** Shows the error to the person: there is no address it could be sent to. The application's page, or a plain one. */
async function showErrorPage({ context, req, res }: Shown, error: OAuthError, about: object): Promise<void> {
  res.set('Cache-Control', 'no-store')
  const { error: code, error_description } = error.toJSON()
  res.status(error.status >= 500 || ownStatuses.includes(error.status) ? error.status : 400).set(error.headers)
  if (context.interaction.error !== undefined) {
    try {
      await context.interaction.error(req, res, { error: code, error_description, ...about })
      return
    } catch (fault) {
      tellError(context.onError, fault, req)
      if (res.headersSent) {
        res.destroy()
        return
      }
    }
  }
  res.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
  res.set('X-Frame-Options', 'DENY')
  res.type('html').send(page(code, error_description))
}

/** The statuses below 500 that say more than that a request is wrong. */
const ownStatuses = [405, 429]

function page(code: string, description: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>This request cannot be answered</title>
<body style="font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem">
<h1 style="font-size: 1.25rem">This request cannot be answered</h1>
<p>The application that sent you here made a mistake: <code>${escapeHtml(code)}</code>, ${escapeHtml(description)}.</p>
<p>Nothing was shared. Go back, and tell the application’s makers what this page says.</p>
`
}
