/**
 * When a person is needed: the rules of `prompt`, `max_age`, `id_token_hint` and consent (OpenID Connect Core §3.1.2).
 */
import type { Request } from 'express'
import type { Client } from '../../clients/client.ts'
import { clientOrigin } from '../../clients/client-origin.ts'
import { OAuthError } from '../../errors.ts'
import { subjectFor } from '../../tokens/subject.ts'
import { claimsOf } from '../../tokens/claims.ts'
import type { EndpointContext } from '../endpoint.ts'
import { agreedToDocument, promptedDocument } from './document-consent.ts'
import type { Account } from '../../authorization-requests/account.ts'
import type { InteractionPrompt } from './interaction.ts'
import type { PendingAuthorization } from './pending.ts'
import type { AuthorizationRequest } from '../../authorization-requests/request.ts'

interface Asked {
  readonly client: Client
  readonly pending: PendingAuthorization
}

/** Finds what the person has to do; undefined: nothing more. */
export async function whatIsNeeded(
  context: EndpointContext,
  req: Request,
  { client, pending }: Asked,
  account: Account | undefined
): Promise<'login' | 'consent' | undefined> {
  const { request, consent } = pending
  if (account === undefined || needsSignIn(context, { client, pending }, account)) return 'login'
  if (consent?.sub === account.sub) return undefined
  if (request.prompt.includes('consent')) return 'consent'
  // what no remembered consent can cover: the application's answer is about scope
  if (request.authorization_details !== undefined || claimsBeyondScope(request).length > 0) return 'consent'
  const resources = context.server.resources.meant(request)
  const details = { client, sub: account.sub, scope: request.scope, resources }
  const agreed =
    (await context.interaction.consented(req, details)) && (await agreedToDocument(context.server, client, account.sub))
  return agreed ? undefined : 'consent'
}

/** Whether the account in force is not (or no longer) good enough for this request. */
export function needsSignIn(context: EndpointContext, asked: Asked, account: Account): boolean {
  return !signedInForThis(asked.pending, account) && mustSignIn(context, asked, account)
}

/**
 * Whoever signed in for this request can answer it.
 *
 * @throws OAuthError `login_required` for another person than the client asked for (OpenID Connect Core §3.1.2.2),
 * `unmet_authentication_requirements` for another `acr` than it needs (§5.5.1.1).
 */
export function checkSignedIn(context: EndpointContext, asked: Asked, account: Account): void {
  const { pending } = asked
  if (!signedInForThis(pending, account)) return
  if (isSomeoneElse(context, asked, account))
    throw new OAuthError('login_required', 400, 'another person signed in than was asked for')
  if (lacksAcr(pending.request, account))
    throw new OAuthError('unmet_authentication_requirements', 400, 'the sign-in was of another kind than is required')
}

/** Gathers what a page needs to know. */
export async function promptOf(
  { server }: EndpointContext,
  { id, name, account }: { readonly id: string; readonly name: 'login' | 'consent'; readonly account: Account | undefined },
  { client, pending }: Asked
): Promise<InteractionPrompt> {
  const document = await promptedDocument(server, client, pending.request.redirect_uri, account?.sub)
  const { redirect_uri, scope, login_hint, ui_locales, claims_locales } = pending.request
  const { display, acr_values, authorization_details, prompt, max_age } = pending.request
  return {
    id,
    name,
    client,
    client_origin: clientOrigin(client),
    ...(document !== undefined && { document }),
    redirect_uri,
    scope,
    resources: server.resources.meant(pending.request),
    login_hint,
    ui_locales,
    claims_locales,
    display,
    reauthenticate: name === 'login' && (account !== undefined || prompt.some(asked => signInPrompts.includes(asked))),
    ...(max_age !== undefined && { max_age }),
    acr_values,
    claims: claimsBeyondScope(pending.request),
    authorization_details: authorization_details ?? []
  }
}

/** A sign-in counts as made for this request only while it is still the one in force. */
function signedInForThis({ login }: PendingAuthorization, account: Account): boolean {
  return login?.sub === account.sub && login.auth_time === account.auth_time
}

/** The prompts that ask for a sign-in whoever is signed in (OpenID Connect Core §3.1.2.1). */
const signInPrompts: readonly string[] = ['login', 'select_account']

function mustSignIn(context: EndpointContext, asked: Asked, account: Account): boolean {
  const { request } = asked.pending
  return (
    request.prompt.some(asked => signInPrompts.includes(asked)) ||
    isTooOld(context, request, account) ||
    isSomeoneElse(context, asked, account) ||
    lacksAcr(request, account)
  )
}

/** OpenID Connect Core §3.1.2.1: max_age 0 asks for a sign-in every time. */
function isTooOld(context: EndpointContext, request: AuthorizationRequest, account: Account): boolean {
  return request.max_age !== undefined && context.server.clock() / 1000 - account.auth_time >= request.max_age
}

/** Pairwise identifiers lead back to nobody: they are made anew of whoever is there, and compared. */
function isSomeoneElse({ server }: EndpointContext, { client, pending }: Asked, account: Account): boolean {
  const { sub } = pending.request
  return sub !== undefined && sub !== subjectFor(server, client, account.sub)
}

function lacksAcr(request: AuthorizationRequest, account: Account): boolean {
  return request.essentialAcr && !(account.acr !== undefined && request.acr_values.includes(account.acr))
}

function claimsBeyondScope({ claims, scope }: AuthorizationRequest): readonly string[] {
  const given = claimsOf(scope)
  const asked = new Set([...(claims?.userinfo ?? []), ...(claims?.id_token ?? [])])
  return [...asked].filter(name => !given.includes(name))
}
