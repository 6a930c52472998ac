/**
 * Authorization requests as they are kept while a person signs in and agrees, and for a while after they were
 * answered.
 */
import type { DocumentMarks } from '../../clients/documents/document.ts'
import { find, swap, write } from '../../stores/records.ts'
import type { Key, StoredRecord } from '../../stores/store.ts'
import { tokenDigest } from '../../tokens/grant.ts'
import { opened, sealed } from '../../tokens/sealed.ts'
import type { TokenServer } from '../../tokens/token-server.ts'
import type { Account } from '../../authorization-requests/account.ts'
import { longestInteraction } from '../../authorization-requests/bounds.ts'
import type { AuthorizationRequest } from '../../authorization-requests/request.ts'

/** An authorization request that waits for a person. */
export interface PendingAuthorization {
  readonly request: AuthorizationRequest
  /** The sign-in that happened for this request, if one did. */
  readonly login?: Account | undefined
  /** The person agreed, for this request. */
  readonly consent?: { readonly sub: string } | undefined
  /** The marks of the client's document, where it has one, as the page that asked for consent showed it. */
  readonly document?: DocumentMarks | undefined
  /** The pushed request this is, if it is one: it is used up with the answer. */
  readonly pushed?: string | undefined
  /** Milliseconds since the epoch after which it waits no longer. */
  readonly expires_at?: number | undefined
  /** The answer the client was given, sealed: whoever sends the same form again is given it again. */
  readonly answered?: string | undefined
}

/** The answer a client was given: a code, and the person it is about; or an error. */
export type GivenAnswer =
  | { readonly parameters: { readonly code: string }; readonly sub: string }
  | { readonly parameters: { readonly error: string; readonly error_description: string }; readonly sub?: undefined }

/** Seconds a request waits for which nobody has signed in yet: anyone may send any number of them. */
const untouched = 900
const purpose = 'authorization answer'

/** A waiting request as it was found; `version` says which state of it. */
export interface FoundAuthorization {
  readonly pending: PendingAuthorization
  readonly version: StoredRecord['version']
}

/**
 * Keeps a new request until its person is done.
 *
 * @param signedIn whether somebody is there already; otherwise it waits for them a shorter time.
 */
export async function keepPending(
  server: TokenServer,
  id: string,
  pending: PendingAuthorization,
  signedIn: boolean
): Promise<void> {
  const expires_at = server.clock() + longestInteraction * 1000
  await write(server.store, pendingKey(id), { ...pending, expires_at }, signedIn ? longestInteraction : untouched)
}

/** Writes what has happened to the state of a request that was found; false where it has changed since. */
export function replacePending(
  server: TokenServer,
  id: string,
  pending: PendingAuthorization,
  version: StoredRecord['version']
): Promise<boolean> {
  const left = Math.ceil(((pending.expires_at ?? 0) - server.clock()) / 1000)
  return swap(server.store, pendingKey(id), version, pending, Math.max(1, left))
}

/** The request, waiting or answered; undefined when it was never there or has expired. */
export async function findPending(server: TokenServer, id: string): Promise<FoundAuthorization | undefined> {
  const found = await find<PendingAuthorization>(server.store, pendingKey(id))
  return found && { pending: found.value, version: found.version }
}

/** The same request with its answer: sealed, because a code is in it, and the store sees none. */
export function withAnswer(server: TokenServer, pending: PendingAuthorization, given: GivenAnswer): PendingAuthorization {
  return { ...pending, answered: sealed(server, purpose, given) }
}

/** Opens the answer the client was given; undefined while the request waits. */
export function answerOf(server: TokenServer, { answered }: PendingAuthorization): GivenAnswer | undefined {
  return answered === undefined ? undefined : (opened(server, purpose, answered) as GivenAnswer)
}

function pendingKey(id: string): Key {
  return { kind: 'interaction', id: tokenDigest(id) }
}
