/**
 * The host application's side of the authorization endpoint: who is signed in, and the pages a person meets. The library
 * decides when a person is needed; the application shows its own login and consent, then resumes.
 */
import type { Request, Response } from 'express'
import type { Client } from '../../client.ts'
import { tokenDigest, toJson, type AuthorizationDetail } from '../../tokens/grant.ts'
import type { Key, StoredRecord } from '../../stores/store.ts'
import type { TokenServer } from '../../tokens/token-server.ts'
import type { AuthorizationRequest } from './request.ts'

/** The person signed in with a browser. */
export interface Account {
  /** The stable, never reassigned identifier of the person at this issuer (OpenID Connect Core §2). */
  readonly sub: string
  /** When the person signed in: seconds since the epoch. */
  readonly auth_time: number
  readonly acr?: string | undefined
  readonly amr?: readonly string[] | undefined
}

/** What a page needs to know. */
export interface InteractionPrompt {
  /** Names this interaction in `resume()`. Unguessable; bind it to the browser's session, and accept it back from no other. */
  readonly id: string
  readonly name: 'login' | 'consent'
  readonly client: Client
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  /** What the client knows of the person, for prefilling the login form. */
  readonly login_hint?: string | undefined
  readonly ui_locales?: string | undefined
  /** The languages wanted for claims, as the client sent them. */
  readonly claims_locales?: string | undefined
  /** How the page should be shown: `page`, `popup`, `touch` or `wap` (OpenID Connect Core §3.1.2.1). */
  readonly display?: string | undefined
  /** How the person should sign in, the best first; what they did is the account's `acr`. */
  readonly acr_values: readonly string[]
  /** The claims asked for one by one, beyond what `scope` gives. Name them on the consent page. */
  readonly claims: readonly string[]
  /** What exactly is asked for, each checked by its type's check (RFC 9396). Show it on the consent page. */
  readonly authorization_details: readonly AuthorizationDetail[]
}

/** What the person did. */
export type InteractionResult =
  | { readonly login: Account }
  | { readonly consent: true }
  /** The person, or the application's policy, said no (RFC 6749 §4.1.2.1). */
  | { readonly error: 'access_denied' }

/** What the host application implements. */
export interface Interaction {
  /** Who is signed in with this browser; undefined when nobody is. */
  account(req: Request): Account | undefined | Promise<Account | undefined>
  /**
   * Whether the person has already agreed that this client gets this scope. Not asked for requests with `authorization_details`, or
   * with claims beyond the scope: those are agreed to each time.
   */
  consented(
    req: Request,
    details: {
      readonly client: Client
      readonly sub: string
      readonly scope: readonly string[]
      readonly resources: readonly string[]
    }
  ): boolean | Promise<boolean>
  /** A person is needed: answer with a page, or a redirect to one. When they are done, call the server's `resume()`. */
  prompt(req: Request, res: Response, prompt: InteractionPrompt): void | Promise<void>
  /** Answers with the error page, where the application has its own. The status is 400; `error` must be readable on it. */
  error?(
    req: Request,
    res: Response,
    details: { readonly error: string; readonly error_description: string }
  ): void | Promise<void>
}

/** An authorization request that waits for a person. */
export interface PendingAuthorization {
  readonly request: AuthorizationRequest
  /** The sign-in that happened for this request, if one did. */
  readonly login?: Account | undefined
  /** The person agreed, for this request. */
  readonly consent?: { readonly sub: string } | undefined
  /** The pushed request this is, if it is one: it is used up with the answer. */
  readonly pushed?: string | undefined
  /** Milliseconds since the epoch after which it waits no longer. */
  readonly expires_at?: number | undefined
}

/** Seconds a person has for signing in and agreeing, all steps together. */
export const longestInteraction = 3600

function pendingKey(id: string): Key {
  return { kind: 'interaction', id: tokenDigest(id) }
}

/** A waiting request as it was found; `version` says which state of it. */
export interface FoundAuthorization {
  readonly pending: PendingAuthorization
  readonly version: StoredRecord['version']
}

/** Keeps a new request until its person is done. */
export async function keepPending(server: TokenServer, id: string, pending: PendingAuthorization): Promise<void> {
  const expires_at = server.clock() + longestInteraction * 1000
  await server.store.set(pendingKey(id), toJson({ ...pending, expires_at }), longestInteraction)
}

/**
 * Keeps what has been done since the request was found. Where someone else has done something meanwhile, theirs stays; false
 * where they finished it.
 */
export async function updatePending(
  server: TokenServer,
  id: string,
  pending: PendingAuthorization,
  version: StoredRecord['version']
): Promise<boolean> {
  const left = Math.ceil(((pending.expires_at ?? 0) - server.clock()) / 1000)
  const updated = await server.store.swap(pendingKey(id), version, toJson(pending), Math.max(1, left))
  return updated || (await findPending(server, id)) !== undefined
}

/** The waiting request, or undefined when it was never there, is finished or expired. */
export async function findPending(server: TokenServer, id: string): Promise<FoundAuthorization | undefined> {
  const record = await server.store.get(pendingKey(id))
  return record && { pending: record.value as unknown as PendingAuthorization, version: record.version }
}

/** Finishes a waiting request: of any number of callers exactly one may answer it. */
export async function finishPending(server: TokenServer, id: string): Promise<boolean> {
  return (await server.store.take(pendingKey(id))).outcome === 'taken'
}
