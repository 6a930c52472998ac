/**
 * The end session endpoint (OpenID Connect RP-Initiated Logout 1.0): a client asks that a person be signed out, here
 * and wherever they were with this session.
 */
import { clientOrigin } from '../../clients/client-origin.ts'
import { InvalidRequestError } from '../../errors.ts'
import { sendSeeOther } from '../../http/responses.ts'
import type { Account } from '../../authorization-requests/account.ts'
import { answeringWithPages } from '../error-page.ts'
import { readAuthorizationParameters, type AuthorizationParameters } from '../../authorization-requests/parameters.ts'
import { handlerOf, type Endpoint, type EndpointContext } from '../endpoint.ts'
import { endSession } from './ending.ts'
import type { LogoutExchange } from './exchange.ts'
import type { LogoutOptions, LogoutPrompt } from './options.ts'
import { checkForm, showConfirmation, showDone } from './pages.ts'
import { findLogoutRequest, keepLogoutRequest, provesItself, readLogoutRequest, type FoundLogoutRequest } from './request.ts'

/**
 * Answers GET and POST. A POST, which may come from another site and then without the session of whoever sits there,
 * goes on as a GET. Whoever is signed in is asked, unless the hint names them; what is wrong with a request is a page,
 * and ends nothing.
 */
export function endSessionEndpoint(context: EndpointContext, options: LogoutOptions): Endpoint {
  const metadata = { backchannel_logout_supported: true, backchannel_logout_session_supported: true }
  const handler = handlerOf((req, res) => {
    const exchange = { context, req, res }
    return answeringWithPages(exchange, () => answer(exchange, options))
  })
  return { member: 'end_session_endpoint', caller: 'person', handler, metadata }
}

async function answer(exchange: LogoutExchange, options: LogoutOptions): Promise<void> {
  const { context, req, res } = exchange
  res.set('Cache-Control', 'no-store')
  const parameters = await readAuthorizationParameters(req)
  const kept = parameters.get('logout')
  if (req.method === 'POST' && parameters.get('decision') !== undefined) {
    await takeForm(exchange, options, parameters)
    return
  }
  const found = kept === undefined ? await readLogoutRequest(context, parameters) : await findLogoutRequest(context, kept)
  if (req.method === 'HEAD') res.writeHead(200).end()
  else if (req.method === 'POST') await sendOn(exchange, found, kept)
  else await goOn(exchange, options, found, kept)
}

/** 303 to the same request by GET: browsers leave the session's cookie out of a POST from another site. */
async function sendOn(
  { context, req, res }: LogoutExchange,
  { request }: FoundLogoutRequest,
  kept: string | undefined
): Promise<void> {
  if (kept === undefined) context.anonymousBudget.spend(req, request)
  const logout = kept ?? (await keepLogoutRequest(context, request))
  sendSeeOther(res, `${context.addressOf('end_session_endpoint')}?${new URLSearchParams({ logout }).toString()}`)
}

async function goOn(
  exchange: LogoutExchange,
  options: LogoutOptions,
  found: FoundLogoutRequest,
  kept: string | undefined
): Promise<void> {
  const { context, req, res } = exchange
  const account = await context.interaction.account(req)
  if (account !== undefined && !provesItself(context, found, account)) {
    const id = kept ?? (await keepLogoutRequest(context, found.request))
    const prompt = promptOf(id, found)
    if (options.confirm === undefined) showConfirmation(exchange, prompt)
    else await options.confirm(req, res, prompt)
    return
  }
  await signOutAndLeave(exchange, options, found, account)
}

/** The form of the built-in page. */
async function takeForm(exchange: LogoutExchange, options: LogoutOptions, parameters: AuthorizationParameters): Promise<void> {
  const id = parameters.get('logout') ?? ''
  if (options.confirm !== undefined || !checkForm(exchange, id, parameters.get('_csrf') ?? ''))
    throw new InvalidRequestError('this form belongs to another browser, or its time is over')
  await finishLogout(exchange, options, id, parameters.get('decision') === 'allow' ? 'allow' : 'deny')
}

/** Goes on with what the person said. */
export async function finishLogout(
  exchange: LogoutExchange,
  options: LogoutOptions,
  id: string,
  decision: 'allow' | 'deny'
): Promise<void> {
  const found = await findLogoutRequest(exchange.context, id)
  if (decision === 'allow') {
    await signOutAndLeave(exchange, options, found, await exchange.context.interaction.account(exchange.req))
    return
  }
  await leave(exchange, options, found, false)
}

/** Gathers what the page that asks shows. */
export function promptOf(id: string, { request, client }: FoundLogoutRequest): LogoutPrompt {
  const { post_logout_redirect_uri, logout_hint, ui_locales } = request
  const asking = client === undefined ? {} : { client, client_origin: clientOrigin(client) }
  return { id, ...asking, post_logout_redirect_uri, logout_hint, ui_locales }
}

async function signOutAndLeave(
  exchange: LogoutExchange,
  options: LogoutOptions,
  found: FoundLogoutRequest,
  account: Account | undefined
): Promise<void> {
  const { context, req, res } = exchange
  if (account !== undefined) {
    // what is to be said is kept before the session ends: whoever is not signed out can ask again, whoever is could not
    if (account.sid !== undefined) await endSession(context, account.sid, account.sub)
    await options.signOut(req, res)
  }
  await leave(exchange, options, found, true)
}

async function leave(
  exchange: LogoutExchange,
  options: LogoutOptions,
  { request, client }: FoundLogoutRequest,
  signedOut: boolean
): Promise<void> {
  const { post_logout_redirect_uri: uri, state } = request
  if (signedOut && uri !== undefined) sendSeeOther(exchange.res, state === undefined ? uri : withState(uri, state))
  else if (options.done === undefined) showDone(exchange.res, signedOut)
  else await options.done(exchange.req, exchange.res, { signedOut, client })
}

/** In the query, before a fragment there may be. */
function withState(uri: string, state: string): string {
  const [address = '', ...fragment] = uri.split('#')
  const separator = address.includes('?') ? '&' : '?'
  return [`${address}${separator}${new URLSearchParams({ state }).toString()}`, ...fragment].join('#')
}
