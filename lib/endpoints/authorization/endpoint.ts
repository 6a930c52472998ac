/** The authorization endpoint (RFC 6749 §3.1): from a client's request, through a person, to a code. */
import type { Request, Response } from 'express'
import type { Client } from '../../client.ts'
import { InvalidRequestError, MethodNotAllowedError, OAuthError } from '../../errors.ts'
import { readParameters } from '../../http/parameters.ts'
import { tellError, toOAuthError } from '../../http/error-handler.ts'
import { mintAuthorizationCode } from '../../tokens/authorization-code.ts'
import { findClient, type EndpointContext } from '../endpoint.ts'
import {
  findPending,
  finishPending,
  keepPending,
  updatePending,
  type Account,
  type FoundAuthorization,
  type InteractionPrompt,
  type InteractionResult,
  type PendingAuthorization
} from './interaction.ts'
import { AuthorizationParameters, readAuthorizationRequest, readRedirect, type AuthorizationRequest } from './request.ts'
import { redirectError, redirectToClient, showErrorPage } from './response.ts'

/** Answers an authorization request, GET or POST. Never rejects. */
export async function authorizationEndpoint(context: EndpointContext, req: Request, res: Response): Promise<void> {
  await answering(context, req, res, async () => {
    const parameters = await readAuthorizationParameters(req)
    const redirect = await readRedirect(context, parameters)
    await redirecting(context, req, res, redirect, async () => {
      const request = readAuthorizationRequest(context, redirect, parameters)
      await advance(context, req, res, { client: redirect.client, pending: { request } })
    })
  })
}

/** Goes on with a request whose person has done something. Never rejects. */
export async function resumeAuthorization(
  context: EndpointContext,
  req: Request,
  res: Response,
  id: string,
  result: InteractionResult
): Promise<void> {
  await answering(context, req, res, async () => {
    const { found, client } = await findWaiting(context, id)
    if (found === undefined || client === undefined)
      throw new InvalidRequestError('this sign-in has expired or is finished already')
    const { pending, version } = found
    await redirecting(context, req, res, pending.request, async () => {
      if ('error' in result) {
        if (!(await finishPending(context.server, id))) throw finishedAlready()
        throw new OAuthError(result.error, 400, 'the request was denied')
      }
      const account = 'login' in result ? result.login : await context.interaction.account(req)
      const consent = 'consent' in result && account !== undefined ? { sub: account.sub } : pending.consent
      const login = 'login' in result ? result.login : pending.login
      await advance(
        context,
        req,
        res,
        { waiting: { id, version }, client, pending: { request: pending.request, login, consent } },
        account
      )
    })
  })
}

/** What the pages of a waiting request show; undefined when it was never there, is finished or expired. */
export async function describeInteraction(
  context: EndpointContext,
  req: Request,
  id: string
): Promise<InteractionPrompt | undefined> {
  const { found, client } = await findWaiting(context, id)
  if (found === undefined || client === undefined) return undefined
  const { pending } = found
  const account = await context.interaction.account(req)
  const name = await whatIsNeeded(context, req, { client, pending }, account)
  return promptOf(id, name ?? 'consent', client, pending.request)
}

interface Authorization {
  /** Which state of which waiting request this is; absent where the request has just come. */
  readonly waiting?: { readonly id: string; readonly version: FoundAuthorization['version'] }
  readonly client: Client
  readonly pending: PendingAuthorization
}

async function findWaiting(
  context: EndpointContext,
  id: string
): Promise<{ found: FoundAuthorization | undefined; client: Client | undefined }> {
  const found = await findPending(context.server, id)
  return { found, client: found && (await findClient(context, found.pending.request.client_id)) }
}

/** One step: ask the person for what is missing, or finish with a code. */
async function advance(
  context: EndpointContext,
  req: Request,
  res: Response,
  authorization: Authorization,
  known?: Account
): Promise<void> {
  const { server, interaction } = context
  const { client, pending, waiting } = authorization
  const { request } = pending
  const account = known ?? (await interaction.account(req))
  const needed = await whatIsNeeded(context, req, authorization, account)
  if (needed !== undefined) {
    if (request.prompt.includes('none')) throw new OAuthError(`${needed}_required`, 400, `a person is needed for ${needed}`)
    const id = waiting?.id ?? server.random(24).toString('base64url')
    if (waiting === undefined) await keepPending(server, id, pending)
    else if (!(await updatePending(server, id, pending, waiting.version))) throw finishedAlready()
    await interaction.prompt(req, res, promptOf(id, needed, client, request))
    return
  }
  if (account === undefined) throw new OAuthError('login_required', 400, 'a person is needed for login')
  if (waiting !== undefined && !(await finishPending(server, waiting.id))) throw finishedAlready()
  const code = await mintAuthorizationCode(server, {
    client_id: client.client_id,
    redirect_uri: request.redirect_uri,
    sub: account.sub,
    scope: request.scope,
    resources: request.resources,
    code_challenge: request.code_challenge,
    nonce: request.nonce,
    auth_time: account.auth_time,
    acr: account.acr,
    amr: account.amr
  })
  redirectToClient(res, context, request, { code })
}

function finishedAlready(): InvalidRequestError {
  return new InvalidRequestError('this sign-in is finished already')
}

async function whatIsNeeded(
  context: EndpointContext,
  req: Request,
  authorization: Authorization,
  account: Account | undefined
): Promise<'login' | 'consent' | undefined> {
  const { client, pending } = authorization
  const { request, login, consent } = pending
  if (account === undefined) return 'login'
  // a sign-in counts as made for this request only while it is still the one in force
  const signedInForThis = login?.sub === account.sub && login.auth_time === account.auth_time
  if (!signedInForThis && (mustSignIn(request) || isTooOld(context, request, account))) return 'login'
  if (consent?.sub === account.sub) return undefined
  if (request.prompt.includes('consent')) return 'consent'
  const details = { client, sub: account.sub, scope: request.scope, resources: request.resources }
  return (await context.interaction.consented(req, details)) ? undefined : 'consent'
}

function mustSignIn(request: AuthorizationRequest): boolean {
  return request.prompt.includes('login') || request.prompt.includes('select_account')
}

/** OpenID Connect Core §3.1.2.1: max_age 0 asks for a sign-in every time. */
function isTooOld(context: EndpointContext, request: AuthorizationRequest, account: Account): boolean {
  return request.max_age !== undefined && context.server.clock() / 1000 - account.auth_time >= request.max_age
}

function promptOf(id: string, name: 'login' | 'consent', client: Client, request: AuthorizationRequest): InteractionPrompt {
  const { scope, resources, login_hint, ui_locales } = request
  return { id, name, client, scope, resources, login_hint, ui_locales }
}

/** The query of a GET, the form of a POST (RFC 6749 §3.1). */
async function readAuthorizationParameters(req: Request): Promise<AuthorizationParameters> {
  if (req.method === 'POST') return new AuthorizationParameters(Object.entries(await readParameters(req)).filter(isPresent))
  if (req.method !== 'GET') throw new MethodNotAllowedError(['GET', 'POST'])
  const start = req.originalUrl.indexOf('?')
  const query = start === -1 ? '' : req.originalUrl.slice(start + 1)
  return new AuthorizationParameters(new URLSearchParams(query))
}

function isPresent(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined
}

/** Errors before the redirect can be trusted: the person sees them. */
async function answering(context: EndpointContext, req: Request, res: Response, answer: () => Promise<void>): Promise<void> {
  try {
    await answer()
  } catch (thrown) {
    tellError(context.onError, thrown, req)
    if (res.headersSent) res.destroy()
    else await showErrorPage(req, res, context, toOAuthError(thrown))
  }
}

/** Errors after it: the client gets them. Only what the specification has a code for goes there; a fault of ours is `server_error`. */
async function redirecting(
  context: EndpointContext,
  req: Request,
  res: Response,
  redirect: { readonly redirect_uri: string; readonly state?: string | undefined },
  answer: () => Promise<void>
): Promise<void> {
  try {
    await answer()
  } catch (thrown) {
    if (res.headersSent) throw thrown
    tellError(context.onError, thrown, req)
    redirectError(res, context, redirect, toOAuthError(thrown))
  }
}
