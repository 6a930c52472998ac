/**
 * Answering one exchange with the authorization endpoint: its errors, before and after anything can be sent to the
 * client.
 */
import { clientOrigin, isVouchedFor } from '../../clients/client-origin.ts'
import { tellError, toOAuthError } from '../../http/error-handler.ts'
import { answeringWithPages } from '../error-page.ts'
import type { Exchange } from './exchange.ts'
import type { ErrorDetails } from './interaction.ts'
import { AlreadyAnsweredError, settle, type UnderWay } from './finish.ts'
import type { GivenAnswer } from './pending.ts'
import type { TrustedRedirect } from '../../authorization-requests/redirect.ts'
import { sendToClient } from './response.ts'

/** An error that the person sees although there is a redirect: nobody vouches for where it leads. */
class ShownError extends Error {
  override readonly name = 'ShownError'
}

/** Errors before the redirect can be trusted: the person sees them. Never rejects. */
export async function answering(exchange: Exchange, answer: () => Promise<void>): Promise<void> {
  const unwrapped = async (): Promise<void> => {
    try {
      await answer()
    } catch (caught) {
      throw caught instanceof ShownError ? caught.cause : caught
    }
  }
  await answeringWithPages(exchange, unwrapped, () => aboutRequest(exchange.redirect))
}

function aboutRequest(redirect: TrustedRedirect | undefined): Partial<ErrorDetails> {
  if (redirect === undefined) return {}
  const { client, redirect_uri } = redirect
  return { client, client_origin: clientOrigin(client), redirect_uri }
}

/**
 * Errors after it: the client gets them, as the request's one answer. Only what the specification has a code for goes
 * there; a fault of ours is `server_error`, and uses nothing up.
 */
export async function redirecting<T>(
  exchange: Exchange,
  redirect: TrustedRedirect,
  underWay: UnderWay,
  answer: () => Promise<T>
): Promise<T | undefined> {
  const { context, req, res } = exchange
  exchange.redirect = redirect
  try {
    return await answer()
  } catch (thrown) {
    if (res.headersSent || thrown instanceof AlreadyAnsweredError || thrown instanceof ShownError) throw thrown
    const error = toOAuthError(thrown)
    const given: GivenAnswer = { parameters: error.toJSON() }
    // what may be over in a moment uses nothing up either
    const counts = error.status < 500 && error.status !== 429 ? await settle(context, underWay, given) : given
    tellError(context.onError, thrown, req)
    await sendToClient(res, context, redirect, counts.parameters)
    return undefined
  }
}

/** A request that nobody waits for and nobody pushed can be answered as often as it comes. */
const fresh: UnderWay = { pending: {} }

/**
 * The same while a request is read. Whoever may register a client may register any address: a faulty request of a
 * client that nobody vouches for takes nobody there who has not signed in (RFC 9700 §4.11.2).
 */
export function reading<T>(exchange: Exchange, redirect: TrustedRedirect, read: () => Promise<T>): Promise<T | undefined> {
  return redirecting(exchange, redirect, fresh, async () => {
    try {
      return await read()
    } catch (thrown) {
      if (isVouchedFor(redirect.client) || (await isSignedIn(exchange))) throw thrown
      throw new ShownError('for the person alone', { cause: thrown })
    }
  })
}

/** Not asked of a POST, which may come from another site, without the session it belongs to. */
async function isSignedIn({ context, req }: Exchange): Promise<boolean> {
  return req.method !== 'POST' && (await context.interaction.account(req)) !== undefined
}
