/**
 * A logout request (OpenID Connect RP-Initiated Logout §2): who asks for whose logout, and where the browser may go
 * afterwards.
 */
import type { Client } from '../../clients/client.ts'
import { InvalidRequestError } from '../../errors.ts'
import { read, write } from '../../stores/records.ts'
import type { Key } from '../../stores/store.ts'
import { tokenDigest } from '../../tokens/grant.ts'
import { subjectFor } from '../../tokens/subject.ts'
import type { AuthorizationParameters } from '../../authorization-requests/parameters.ts'
import type { Account } from '../../authorization-requests/account.ts'
import { findClient } from '../../clients/find-client.ts'
import { type EndpointContext } from '../endpoint.ts'
import { checkLength } from '../../authorization-requests/bounds.ts'
import { longestHint } from '../../authorization-requests/id-token-hint.ts'
import { readIdToken } from '../../tokens/id-token.ts'

/** A request that passed every check, as it is kept while a person is asked. */
interface LogoutRequest {
  readonly client_id?: string | undefined
  readonly post_logout_redirect_uri?: string | undefined
  readonly state?: string | undefined
  /** The person the hint names, by what the client calls them, and the session, where it names one. */
  readonly hint?: { readonly sub: string; readonly sid?: string | undefined } | undefined
  readonly logout_hint?: string | undefined
  readonly ui_locales?: string | undefined
}

/** The request, and its client as it is now. */
export interface FoundLogoutRequest {
  readonly request: LogoutRequest
  readonly client: Client | undefined
}

const once = ['id_token_hint', 'logout_hint', 'client_id', 'post_logout_redirect_uri', 'state', 'ui_locales', 'logout']
const texts = ['logout_hint', 'client_id', 'post_logout_redirect_uri', 'state', 'ui_locales']
/** Seconds a person has to answer. */
const lifetime = 3600

/** @throws InvalidRequestError for what must not end a session, or lead anywhere; TemporarilyUnavailableError. */
export async function readLogoutRequest(
  context: EndpointContext,
  parameters: AuthorizationParameters
): Promise<FoundLogoutRequest> {
  for (const name of once) if (parameters.repeated.has(name)) throw new InvalidRequestError(`${name} was sent more than once`)
  for (const name of texts) checkLength(name, parameters.get(name))
  const given = readHint(context, parameters.get('id_token_hint'))
  const named = parameters.get('client_id')
  if (given !== undefined && named !== undefined && given.client_id !== named)
    throw new InvalidRequestError('id_token_hint was issued to another client than client_id')
  const client_id = given?.client_id ?? named
  const client = await clientOf(context, client_id)
  const request = {
    client_id,
    post_logout_redirect_uri: parameters.get('post_logout_redirect_uri'),
    state: parameters.get('state'),
    hint: given?.hint,
    logout_hint: parameters.get('logout_hint'),
    ui_locales: parameters.get('ui_locales')
  }
  checkRedirect(request, client)
  return { request, client }
}

async function clientOf({ clients }: EndpointContext, client_id: string | undefined): Promise<Client | undefined> {
  if (client_id === undefined) return undefined
  const client = await findClient(clients, client_id)
  if (client === undefined) throw new InvalidRequestError('there is no such client')
  return client
}

/** An ID Token of this server's, expired or not. */
function readHint(
  { server }: EndpointContext,
  token: string | undefined
): { readonly client_id: string; readonly hint: NonNullable<LogoutRequest['hint']> } | undefined {
  if (token === undefined) return undefined
  const read = readIdToken(server, token, longestHint)
  if (read === undefined) throw new InvalidRequestError('id_token_hint is not an ID Token of this server')
  const { client_id, sub, sid } = read
  return { client_id, hint: { sub, ...(sid !== undefined && { sid }) } }
}

function checkRedirect({ post_logout_redirect_uri: uri }: LogoutRequest, client: Client | undefined): void {
  if (uri === undefined) return
  if (client === undefined) throw new InvalidRequestError('post_logout_redirect_uri needs id_token_hint or client_id')
  if (client.post_logout_redirect_uris?.includes(uri) !== true)
    throw new InvalidRequestError('post_logout_redirect_uri is not registered for this client')
}

/**
 * Whether the request proves by itself that the person who is there asked for this: its hint names them, and this very
 * session where both say which.
 */
export function provesItself({ server }: EndpointContext, { request, client }: FoundLogoutRequest, account: Account): boolean {
  const { hint } = request
  if (hint === undefined || client === undefined || hint.sub !== subjectFor(server, client, account.sub)) return false
  return hint.sid === undefined || account.sid === undefined || hint.sid === account.sid
}

/**
 * Keeps a request while its person is asked, or until the browser has come back with its cookies. Answers with its id.
 */
export async function keepLogoutRequest({ server }: EndpointContext, request: LogoutRequest): Promise<string> {
  const id = server.random(24).toString('base64url')
  await write(server.store, keyOf(id), request, lifetime)
  return id
}

/**
 * The request that was kept, judged again by what its client is by now. @throws InvalidRequestError where there is
 * none.
 */
export async function findLogoutRequest(context: EndpointContext, id: string): Promise<FoundLogoutRequest> {
  const request = await read<LogoutRequest>(context.server.store, keyOf(id))
  if (request === undefined) throw new InvalidRequestError('this logout has expired')
  const client = await clientOf(context, request.client_id)
  checkRedirect(request, client)
  return { request, client }
}

function keyOf(id: string): Key {
  return { kind: 'logout_request', id: tokenDigest(id) }
}
