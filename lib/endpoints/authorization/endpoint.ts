/** The authorization endpoint (RFC 6749 §3.1): from a client's request, through a person, to a code. */
import type { Request, Response } from 'express'
import type { Client } from '../../client.ts'
import { InvalidRequestError, OAuthError } from '../../errors.ts'
import { tellError, toOAuthError } from '../../http/error-handler.ts'
import { mintAuthorizationCode } from '../../tokens/authorization-code.ts'
import { findClient, handlerOf, type Endpoint, type EndpointContext } from '../endpoint.ts'
import { AlreadyAnsweredError, finish, type UnderWay } from './finish.ts'
import {
  findPending,
  keepPending,
  updatePending,
  type Account,
  type FoundAuthorization,
  type InteractionPrompt,
  type InteractionResult,
  type PendingAuthorization
} from './interaction.ts'
import { checkSignedIn, needsSignIn, promptOf, whatIsNeeded } from './need.ts'
import { readAuthorizationParameters, type AuthorizationParameters } from './parameters.ts'
import { findPushedRequest } from './pushed-request.ts'
import { findRedirect, readClient, readRedirect, type TrustedRedirect } from './redirect.ts'
import { readRequestObject } from './request-object.ts'
import { readAuthorizationRequest } from './request.ts'
import { responseModes } from './response-mode.ts'
import { sendErrorToClient, sendToClient, showErrorPage } from './response.ts'

/** Answers authorization requests, GET or POST. */
export function authorizationEndpoint(context: EndpointContext): Endpoint {
  const { server, requestObjects, authorizationDetails } = context
  const types = Object.keys(authorizationDetails)
  const metadata = {
    response_modes_supported: responseModes,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    authorization_signing_alg_values_supported: server.idTokenAlgorithms,
    require_pushed_authorization_requests: context.requirePushedAuthorizationRequests,
    claims_parameter_supported: true,
    request_parameter_supported: true,
    request_object_signing_alg_values_supported: requestObjects.algorithms,
    ...(requestObjects.required && { require_signed_request_object: true }),
    // those of others; what was pushed here is RFC 9126's
    request_uri_parameter_supported: false,
    ...(types.length > 0 && { authorization_details_types_supported: types })
  }
  const handler = handlerOf((req, res) => answerAuthorizationRequest(context, req, res))
  return { member: 'authorization_endpoint', caller: 'person', handler, metadata }
}

/** Never rejects. */
async function answerAuthorizationRequest(context: EndpointContext, req: Request, res: Response): Promise<void> {
  await answering(context, req, res, async () => {
    const parameters = await readAuthorizationParameters(req)
    const client = await readClient(context, parameters)
    if (parameters.get('request_uri') === undefined) await answerRequest(context, req, res, client, parameters)
    else await answerPushedRequest(context, req, res, client, parameters)
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
    const underWay = { waiting: { id, version }, client, pending }
    await redirecting(context, req, res, { ...pending.request, client }, underWay, async () => {
      if ('error' in result) throw new OAuthError(result.error, 400, 'the request was denied')
      const account = 'login' in result ? result.login : await context.interaction.account(req)
      // whoever has yet to sign in cannot have agreed
      const agreed = 'consent' in result && account !== undefined && !needsSignIn(context, { client, pending }, account)
      const consent = agreed ? { sub: account.sub } : pending.consent
      const login = 'login' in result ? result.login : pending.login
      await advance(context, req, res, { ...underWay, pending: { ...pending, login, consent } }, account)
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
  const asked = { client, pending: found.pending }
  const account = await context.interaction.account(req)
  return promptOf(context, id, (await whatIsNeeded(context, req, asked, account)) ?? 'consent', asked)
}

interface Authorization extends UnderWay {
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

/** A request in the query or form itself, or in a request object there (RFC 9101 §5.1). */
async function answerRequest(
  context: EndpointContext,
  req: Request,
  res: Response,
  client: Client,
  given: AuthorizationParameters
): Promise<void> {
  const read = (): Promise<AuthorizationParameters> => readRequestObject(context, client, given)
  const outer = findRedirect(client, given)
  // what is wrong with a request object can be told to whom the parameters beside it name, if that is one of the client's
  const parameters = outer === undefined ? await read() : await redirecting(context, req, res, outer, fresh, read)
  if (parameters === undefined) return
  const redirect = readRedirect(client, parameters)
  await redirecting(context, req, res, redirect, fresh, async () => {
    if (context.requirePushedAuthorizationRequests || client.require_pushed_authorization_requests === true)
      throw new InvalidRequestError('this request has to be pushed', {
        reason: 'RFC 9126 §5: requests without request_uri are refused'
      })
    const request = await readAuthorizationRequest(context, redirect, parameters)
    await advance(context, req, res, { client, pending: { request } })
  })
}

/** A request that was pushed (RFC 9126 §4): whatever else came with its `request_uri` does not count. */
async function answerPushedRequest(
  context: EndpointContext,
  req: Request,
  res: Response,
  client: Client,
  given: AuthorizationParameters
): Promise<void> {
  if (given.get('request') !== undefined) throw new InvalidRequestError('request and request_uri cannot be used together')
  const pending = await findPushedRequest(context.server, client, given)
  await redirecting(context, req, res, { ...pending.request, client }, { pending }, () =>
    advance(context, req, res, { client, pending })
  )
}

/** A request that nobody waits for and nobody pushed can be answered as often as it comes. */
const fresh: UnderWay = { pending: {} }

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
  if (account !== undefined) checkSignedIn(context, authorization, account)
  const needed = await whatIsNeeded(context, req, authorization, account)
  if (needed !== undefined) {
    if (request.prompt.includes('none')) throw new OAuthError(`${needed}_required`, 400, `a person is needed for ${needed}`)
    const id = waiting?.id ?? server.random(24).toString('base64url')
    if (waiting === undefined) await keepPending(server, id, pending)
    else if (!(await updatePending(server, id, pending, waiting.version))) throw new AlreadyAnsweredError()
    await interaction.prompt(req, res, promptOf(context, id, needed, authorization))
    return
  }
  if (account === undefined) throw new OAuthError('login_required', 400, 'a person is needed for login')
  await finish(context, authorization)
  const code = await mintAuthorizationCode(server, {
    client_id: client.client_id,
    redirect_uri: request.redirect_uri,
    sub: account.sub,
    scope: request.scope,
    resources: request.resources,
    code_challenge: request.code_challenge,
    dpop_jkt: request.dpop_jkt,
    nonce: request.nonce,
    claims: request.claims,
    authorization_details: request.authorization_details,
    auth_time: account.auth_time,
    acr: account.acr,
    amr: account.amr
  })
  await sendToClient(res, context, { ...request, client }, { code })
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

/**
 * Errors after it: the client gets them, as the request's one answer. Only what the specification has a code for goes there; a fault
 * of ours is `server_error`, and uses nothing up.
 */
async function redirecting<T>(
  context: EndpointContext,
  req: Request,
  res: Response,
  redirect: TrustedRedirect,
  underWay: UnderWay,
  answer: () => Promise<T>
): Promise<T | undefined> {
  try {
    return await answer()
  } catch (thrown) {
    if (res.headersSent || thrown instanceof AlreadyAnsweredError) throw thrown
    const error = toOAuthError(thrown)
    if (error.status < 500) await finish(context, underWay)
    tellError(context.onError, thrown, req)
    await sendErrorToClient(res, context, redirect, error)
    return undefined
  }
}
