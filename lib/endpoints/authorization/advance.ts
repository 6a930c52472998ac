/** One step of an authorization: the person is asked for what is missing, or the client gets its code. */
import type { Client } from '../../clients/client.ts'
import { clientDocument } from '../../clients/documents/document.ts'
import { OAuthError } from '../../errors.ts'
import { discardAuthorizationCode, mintAuthorizationCode } from '../../codes/authorization-code.ts'
import type { Exchange } from './exchange.ts'
import { AlreadyAnsweredError, settle, type UnderWay } from './finish.ts'
import type { Account } from '../../authorization-requests/account.ts'
import { checkSignedIn, promptOf, whatIsNeeded } from './need.ts'
import { answerOf, findPending, keepPending, replacePending, type GivenAnswer, type PendingAuthorization } from './pending.ts'
import { sendToClient } from './response.ts'

export interface Authorization extends UnderWay {
  readonly client: Client
  readonly pending: PendingAuthorization
}

/** @param known who has just signed in; otherwise the application is asked who is there. */
export async function advance(exchange: Exchange, authorization: Authorization, known?: Account): Promise<void> {
  const { context, req, res } = exchange
  const { client, pending } = authorization
  const { request } = pending
  const account = known ?? (await context.interaction.account(req))
  if (account !== undefined) checkSignedIn(context, authorization, account)
  const needed = await whatIsNeeded(context, req, authorization, account)
  if (needed !== undefined) {
    if (request.prompt.includes('none')) throw new OAuthError(`${needed}_required`, 400, `a person is needed for ${needed}`)
    const id = await keep(exchange, asShown(authorization, needed), account !== undefined)
    await context.interaction.prompt(req, res, await promptOf(context, { id, name: needed, account }, authorization))
    return
  }
  if (account === undefined) throw new OAuthError('login_required', 400, 'a person is needed for login')
  const { parameters } = await answerWithCode(exchange, authorization, account)
  await sendToClient(res, context, { ...request, client }, parameters)
}

/** Notes what is shown of a client's document for consent: that is what is agreed to, whatever it says by then. */
function asShown(authorization: Authorization, needed: 'login' | 'consent'): Authorization {
  const document = needed === 'consent' ? clientDocument(authorization.client) : undefined
  if (document === undefined) return authorization
  return { ...authorization, pending: { ...authorization.pending, document: document.marks } }
}

/** Keeps the request until the person has done what they are asked for, and returns its id. */
async function keep({ context, req }: Exchange, { waiting, pending }: Authorization, signedIn: boolean): Promise<string> {
  const { server, anonymousBudget } = context
  if (waiting === undefined) {
    if (!signedIn) anonymousBudget.spend(req, pending)
    const id = server.random(24).toString('base64url')
    await keepPending(server, id, pending, signedIn)
    return id
  }
  if (await replacePending(server, waiting.id, pending, waiting.version)) return waiting.id
  // whoever else has done something meanwhile, theirs stays
  const found = await findPending(server, waiting.id)
  if (found === undefined || answerOf(server, found.pending) !== undefined) throw new AlreadyAnsweredError()
  return waiting.id
}

/** The code is there before anybody can be told of it; of several made at once all but one are taken back. */
async function answerWithCode({ context }: Exchange, authorization: Authorization, account: Account): Promise<GivenAnswer> {
  const { server } = context
  const { request } = authorization.pending
  const code = await mintAuthorizationCode(server, {
    client_id: request.client_id,
    redirect_uri: request.redirect_uri,
    sub: account.sub,
    scope: request.scope,
    resources: request.resources,
    code_challenge: request.code_challenge,
    dpop_jkt: request.dpop_jkt,
    instance_jkt: request.instance_jkt,
    nonce: request.nonce,
    claims: request.claims,
    authorization_details: request.authorization_details,
    auth_time: account.auth_time,
    acr: account.acr,
    amr: account.amr,
    sid: account.sid
  })
  const given: GivenAnswer = { parameters: { code }, sub: account.sub }
  let counts: GivenAnswer | undefined
  try {
    counts = await settle(context, authorization, given)
    return counts
  } finally {
    if (counts !== given) await discardAuthorizationCode(server, code)
  }
}
