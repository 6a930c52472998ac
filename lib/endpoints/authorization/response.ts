/** What the authorization endpoint answers: a redirect to the client, or a page where no redirect can be trusted. */
import type { Request, Response } from 'express'
import type { OAuthError } from '../../errors.ts'
import { tellError } from '../../http/error-handler.ts'
import type { EndpointContext } from '../endpoint.ts'

/**
 * Redirects to the client with the answer in the query (RFC 6749 §4.1.2), and `iss` in every answer (RFC 9207). The registered
 * query of the redirect URI stays as it is. 303: a POST must not be repeated at the client (RFC 9700 §4.12).
 */
export function redirectToClient(
  res: Response,
  context: EndpointContext,
  redirect: { readonly redirect_uri: string; readonly state?: string | undefined },
  answer: Readonly<Record<string, string>>
): void {
  const { redirect_uri, state } = redirect
  const parameters = new URLSearchParams({ ...answer, ...(state !== undefined && { state }), iss: context.server.issuer })
  const location = `${redirect_uri}${redirect_uri.includes('?') ? '&' : '?'}${parameters.toString()}`
  res.writeHead(303, { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', 'Content-Length': 0 })
  res.end()
}

/** Sends an error to the client that asked. */
export function redirectError(
  res: Response,
  context: EndpointContext,
  redirect: { readonly redirect_uri: string; readonly state?: string | undefined },
  error: OAuthError
): void {
  redirectToClient(res, context, redirect, error.toJSON())
}

/** Shows the error to the person: there is no address it could be sent to. The application's page, or a plain one. */
export async function showErrorPage(req: Request, res: Response, context: EndpointContext, error: OAuthError): Promise<void> {
  res.set('Cache-Control', 'no-store')
  const { error: code, error_description } = error.toJSON()
  const status = error.status >= 500 ? error.status : error.status === 405 ? 405 : 400
  res.status(status).set(error.headers)
  if (context.interaction.error !== undefined) {
    try {
      await context.interaction.error(req, res, { error: code, error_description })
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

/** Both values consist of characters RFC 6749 §5.2 allows, less than which none needs escaping but `&`, `<` and `>`. */
function page(code: string, description: string): string {
  const text = (value: string): string => value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>This request cannot be answered</title>
<body style="font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem">
<h1 style="font-size: 1.25rem">This request cannot be answered</h1>
<p>The application that sent you here made a mistake: <code>${text(code)}</code>, ${text(description)}.</p>
<p>Nothing was shared. Go back, and tell the application’s makers what this page says.</p>
`
}
