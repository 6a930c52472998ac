/** Pushed authorization requests as they are kept (RFC 9126): for a minute, for one client, for one answer. */
import type { Client } from '../clients/client.ts'
import { OAuthError } from '../errors.ts'
import { read, write } from '../stores/records.ts'
import type { Key } from '../stores/store.ts'
import { tokenDigest } from '../tokens/grant.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import type { AuthorizationParameters } from './parameters.ts'
import { longestInteraction } from './bounds.ts'
import { isRedirectUriOf } from './redirect.ts'
import type { AuthorizationRequest } from './request.ts'

/** Seconds a pushed request can be opened. */
export const pushedRequestTtl = 60

const prefix = 'urn:ietf:params:oauth:request_uri:'

export interface PushedRequest {
  /** Names the request in {@link usePushedRequest}. */
  readonly pushed: string
  readonly request: AuthorizationRequest
}

/** Keeps a request and returns its `request_uri`: 192 random bits, of which the store has a digest only. */
export async function keepPushedRequest(server: TokenServer, request: AuthorizationRequest): Promise<string> {
  const request_uri = `${prefix}${server.random(24).toString('base64url')}`
  await write(server.store, requestKey(digestOf(request_uri, request.client_id)), request, pushedRequestTtl)
  return request_uri
}

/**
 * The request a client pushed. Reading it does not use it up: a page may be loaded twice.
 *
 * @throws OAuthError `invalid_request_uri`, for the error page, where it is not one of this client's, has expired, or
 * was answered.
 */
export async function findPushedRequest(
  server: TokenServer,
  client: Client,
  parameters: AuthorizationParameters
): Promise<PushedRequest> {
  const request_uri = parameters.get('request_uri')
  // what others host is never fetched
  if (parameters.repeated.has('request_uri') || request_uri?.startsWith(prefix) !== true) throw unusable('not one of this server')
  const pushed = digestOf(request_uri, client.client_id)
  const request = await read<AuthorizationRequest>(server.store, requestKey(pushed))
  if (request === undefined) throw unusable('unknown, expired, or pushed by another client')
  // the client's registration may have changed since
  if (!isRedirectUriOf(client, request.redirect_uri)) throw unusable('its redirect_uri is no longer registered')
  if ((await server.store.get(usedKey(pushed))) !== undefined) throw unusable('it was answered before')
  return { pushed, request }
}

/**
 * Uses a pushed request up, which is due when it is answered: true for exactly one of any number of answers to it, and
 * for further ones to the same interaction.
 *
 * @param interaction the id of the interaction that answers it, where there was one.
 */
export async function usePushedRequest(server: TokenServer, pushed: string, interaction: string | undefined): Promise<boolean> {
  const by = interaction === undefined ? null : tokenDigest(interaction)
  // whoever opened it may take as long as an interaction lasts
  if (await server.store.add(usedKey(pushed), by, pushedRequestTtl + longestInteraction)) return true
  return by !== null && (await server.store.get(usedKey(pushed)))?.value === by
}

function digestOf(request_uri: string, client_id: string): string {
  return tokenDigest(`${request_uri}\n${client_id}`)
}

function requestKey(id: string): Key {
  return { kind: 'pushed_authorization_request', id }
}

function usedKey(id: string): Key {
  return { kind: 'used_pushed_authorization_request', id }
}

function unusable(reason: string): OAuthError {
  return new OAuthError('invalid_request_uri', 400, 'this request_uri is unknown, expired or used', { reason })
}
