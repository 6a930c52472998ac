/** Functions behind the application's pages: for what they show, and for going on once a person has done something. */
import type { Request } from 'express'
import type { Client } from '../../clients/client.ts'
import { InvalidRequestError, OAuthError } from '../../errors.ts'
import { isRedeemable } from '../../codes/authorization-code.ts'
import { findClient } from '../../clients/find-client.ts'
import { type EndpointContext } from '../endpoint.ts'
import { mayUseCodes } from '../../authorization-requests/request.ts'
import { advance } from './advance.ts'
import { answering, redirecting } from './answering.ts'
import type { Exchange } from './exchange.ts'
import { isAsShown, rememberDocument } from './document-consent.ts'
import { AlreadyAnsweredError } from './finish.ts'
import type { Account } from '../../authorization-requests/account.ts'
import type { InteractionPrompt, InteractionResult } from './interaction.ts'
import { needsSignIn, promptOf, whatIsNeeded } from './need.ts'
import { answerOf, findPending, type FoundAuthorization, type GivenAnswer } from './pending.ts'
import { isRedirectUriOf } from '../../authorization-requests/redirect.ts'
import { sendToClient } from './response.ts'

/**
 * Goes on with a request whose person has done something, or, without a result, from where the person is by now. The
 * same form sent again gets the answer that the first got. Never rejects.
 */
export async function resumeAuthorization(exchange: Exchange, id: string, result?: InteractionResult): Promise<void> {
  const { context, req, res } = exchange
  await answering(exchange, async () => {
    const found = await findWaiting(context, id)
    if (found === undefined) throw new InvalidRequestError('this sign-in has expired or is finished already')
    const { pending: kept, client } = found
    const redirect = { ...kept.request, client }
    exchange.redirect = redirect
    const account = hasLogin(result) ? result.login : await context.interaction.account(req)
    const earlier = await givenBefore(exchange, found, result, account)
    if (earlier !== undefined) {
      await sendToClient(res, context, redirect, earlier.parameters)
      return
    }
    // an answer that is of no use any more was one of many there can be
    const pending = { ...kept, answered: undefined }
    const underWay = { waiting: { ...found, id, pending }, client, pending }
    await redirecting(exchange, redirect, underWay, async () => {
      if (isRefusal(result)) throw new OAuthError(result.error, 400, 'the request was denied')
      // what the client may do can have changed while the person was busy
      if (!mayUseCodes(client)) throw new OAuthError('unauthorized_client', 400, 'this client may not ask for codes')
      // whoever has yet to sign in cannot have agreed
      const agreed =
        hasConsent(result) &&
        account !== undefined &&
        !needsSignIn(context, { client, pending }, account) &&
        isAsShown(client, pending.document)
      if (agreed) await rememberDocument(context.server, client, account.sub)
      const consent = agreed ? { sub: account.sub } : pending.consent
      const login = hasLogin(result) ? result.login : pending.login
      const next = { ...pending, login, consent }
      await advance(exchange, { ...underWay, waiting: { ...underWay.waiting, pending: next }, pending: next }, account)
    })
  })
}

/** Finds what the pages of a waiting request show; undefined when it was never there, is finished or expired. */
export async function describeInteraction(
  context: EndpointContext,
  req: Request,
  id: string
): Promise<InteractionPrompt | undefined> {
  const found = await findWaiting(context, id)
  if (found === undefined || answerOf(context.server, found.pending) !== undefined) return undefined
  const account = await context.interaction.account(req)
  const name = (await whatIsNeeded(context, req, found, account)) ?? 'consent'
  return promptOf(context, { id, name, account }, found)
}

interface FoundOfClient extends FoundAuthorization {
  readonly client: Client
}

/** The request, judged again by what its client is by now. */
async function findWaiting(context: EndpointContext, id: string): Promise<FoundOfClient | undefined> {
  const found = await findPending(context.server, id)
  const client = found && (await findClient(context.clients, found.pending.request.client_id))
  if (found === undefined || client === undefined) return undefined
  // a redirect URI that was taken off the client while the person signed in leads nowhere any more
  return isRedirectUriOf(client, found.pending.request.redirect_uri) ? { ...found, client } : undefined
}

/**
 * The answer that was given before, where it is good for this form too: a refusal for a refusal, and for anything else
 * a code nobody has redeemed, for the person it is about alone. Undefined where the request goes on.
 *
 * @throws AlreadyAnsweredError where it is not, and the request was pushed: then there is one answer and no other (RFC
 * 9126 §4).
 */
async function givenBefore(
  { context: { server } }: Exchange,
  { pending, client }: FoundOfClient,
  result: InteractionResult | undefined,
  account: Account | undefined
): Promise<GivenAnswer | undefined> {
  const given = answerOf(server, pending)
  if (given === undefined) return undefined
  const pushed = pending.pushed !== undefined
  const isGood =
    given.sub === undefined
      ? isRefusal(result) || pushed
      : !isRefusal(result) && account?.sub === given.sub && (await isRedeemable(server, given.parameters.code, client.client_id))
  if (!isGood && pushed) throw new AlreadyAnsweredError()
  return isGood ? given : undefined
}

function isRefusal(result: InteractionResult | undefined): result is Extract<InteractionResult, { error: unknown }> {
  return result !== undefined && 'error' in result
}

function hasLogin(result: InteractionResult | undefined): result is Extract<InteractionResult, { login: unknown }> {
  return result !== undefined && 'login' in result
}

function hasConsent(result: InteractionResult | undefined): boolean {
  return result !== undefined && 'consent' in result
}
