/** What the authorization endpoint answers: a response to the client, or a page where no redirect can be trusted. */
import type { Response } from 'express'
import { clientOrigin } from '../../clients/client-origin.ts'
import type { OAuthError } from '../../errors.ts'
import { tellError } from '../../http/error-handler.ts'
import type { EndpointContext } from '../endpoint.ts'
import { signFor } from '../signed-response.ts'
import type { Exchange } from './exchange.ts'
import { sendFormPost } from './form-post.ts'
import type { ErrorDetails } from './interaction.ts'
import type { TrustedRedirect } from '../../authorization-requests/redirect.ts'
import { carrierOf, isSigned } from '../../authorization-requests/response-mode.ts'

/** Seconds a signed response can be used (JARM §2.1 recommends at most ten minutes). */
const signedResponseTtl = 300

/**
 * Sends the answer to the client in the response mode it asked for. `iss` is in every answer (RFC 9207), inside the signature where
 * there is one. The registered query of the redirect URI stays as it is. 303: a POST must not be repeated at the client (RFC 9700
 * §4.12).
 */
export async function sendToClient(
  res: Response,
  context: EndpointContext,
  redirect: TrustedRedirect,
  answer: Readonly<Record<string, string>>
): Promise<void> {
  const { redirect_uri, response_mode } = redirect
  const parameters = await parametersOf(context, redirect, answer)
  const carrier = carrierOf(response_mode)
  if (carrier === 'form_post') {
    sendFormPost(res, redirect_uri, parameters)
    return
  }
  const separator = carrier === 'fragment' ? '#' : redirect_uri.includes('?') ? '&' : '?'
  const location = `${redirect_uri}${separator}${new URLSearchParams(parameters).toString()}`
  res.writeHead(303, { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', 'Content-Length': 0 })
  res.end()
}

async function parametersOf(
  context: EndpointContext,
  { client, state, response_mode }: TrustedRedirect,
  answer: Readonly<Record<string, string>>
): Promise<Readonly<Record<string, string>>> {
  const { server } = context
  const parameters = { ...answer, ...(state !== undefined && { state }) }
  if (!isSigned(response_mode)) return { ...parameters, iss: server.issuer }
  const exp = Math.floor(server.clock() / 1000) + signedResponseTtl
  return { response: await signFor(server, client, client.authorization_signed_response_alg, { ...parameters, exp }) }
}

/** Shows the error to the person: there is no address it could be sent to. The application's page, or a plain one. */
export async function showErrorPage({ context, req, res, redirect }: Exchange, error: OAuthError): Promise<void> {
  res.set('Cache-Control', 'no-store')
  const { error: code, error_description } = error.toJSON()
  res.status(error.status >= 500 || ownStatuses.includes(error.status) ? error.status : 400).set(error.headers)
  if (context.interaction.error !== undefined) {
    try {
      await context.interaction.error(req, res, { error: code, error_description, ...aboutRequest(redirect) })
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

function aboutRequest(redirect: TrustedRedirect | undefined): Partial<ErrorDetails> {
  if (redirect === undefined) return {}
  const { client, redirect_uri } = redirect
  return { client, client_origin: clientOrigin(client), redirect_uri }
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
