/**
 * The host application's side of the authorization endpoint: who is signed in, and the pages a person meets. The
 * library decides when a person is needed; the application shows its own login and consent, then resumes.
 */
import type { Request, Response } from 'express'
import type { Client } from '../../clients/client.ts'
import type { ClientOrigin } from '../../clients/client-origin.ts'
import type { ConsentedMember } from '../../clients/documents/document.ts'
import type { Account } from '../../authorization-requests/account.ts'
import type { AuthorizationDetail } from '../../tokens/grant.ts'

/** The facts a page needs to know. */
export interface InteractionPrompt {
  /**
   * Names this interaction in `resume()`. Unguessable; bind it to the browser's session, and accept it back from no
   * other.
   */
  readonly id: string
  /** The page that is needed. */
  readonly name: 'login' | 'consent'
  /** The client that asks. */
  readonly client: Client
  /** Says who vouches for the client: show that nobody does where it only `registered` itself, or has a `document`. */
  readonly client_origin: ClientOrigin
  /** The document of a client that is described by one. */
  readonly document?: PromptedDocument | undefined
  /**
   * Where the answer goes. Show its host: that, and not the name a client gives itself, is who gets the code (RFC 9700
   * §4.11.2).
   */
  readonly redirect_uri: string
  /** The scope values it asks for. */
  readonly scope: readonly string[]
  /** The resources it asks for access to. */
  readonly resources: readonly string[]
  /** The client's hint at who the person is, for prefilling the login form. */
  readonly login_hint?: string | undefined
  /** The languages wanted for the page, as the client sent them. */
  readonly ui_locales?: string | undefined
  /** The languages wanted for claims, as the client sent them. */
  readonly claims_locales?: string | undefined
  /** The way to show the page: `page`, `popup`, `touch` or `wap` (OpenID Connect Core §3.1.2.1). */
  readonly display?: string | undefined
  /**
   * True: the person signs in anew, whoever is signed in: the client asked for it, or somebody else is there than it
   * asked for.
   */
  readonly reauthenticate: boolean
  /** Seconds a sign-in may be old (OpenID Connect Core §3.1.2.1), where the client said. */
  readonly max_age?: number | undefined
  /** The kinds of sign-in the client asks for, the best first; the one that was reached is the account's `acr`. */
  readonly acr_values: readonly string[]
  /** The claims asked for one by one, beyond what `scope` gives. Name them on the consent page. */
  readonly claims: readonly string[]
  /** The details asked for, each checked by its type's check (RFC 9396). Show them on the consent page. */
  readonly authorization_details: readonly AuthorizationDetail[]
}

/** The parts of a client's document to show beside its name, which it chose itself (Client ID Metadata Document §6). */
export interface PromptedDocument {
  /** The document's host: who the client is. */
  readonly host: string
  /** The host, or an app's own scheme, that the answer goes to. */
  readonly redirect_host: string
  /** True: all its redirect URIs lead to the person's own machine, where any program could have begun this. */
  readonly loopback: boolean
  /**
   * Members that changed since the person last agreed, so that they are asked again; empty: none, or they never did.
   */
  readonly changed: readonly ConsentedMember[]
}

/** The outcome of an interaction: a sign-in, a consent or a refusal. */
export type InteractionResult =
  | { /** The person has signed in. */ readonly login: Account }
  | { /** The person has agreed. */ readonly consent: true }
  /** The person, or the application's policy, said no (RFC 6749 §4.1.2.1). */
  | { /** The request ends here, and the client is told. */ readonly error: 'access_denied' }

/** The functions the host application implements. */
export interface Interaction {
  /** Finds who is signed in with this browser; undefined when nobody is. */
  account(req: Request): Account | undefined | Promise<Account | undefined>
  /**
   * Whether the person has already agreed that this client gets this scope at each of these resources, which are those
   * the request names, or the one its scope belongs to. What was agreed to for one resource is not agreed to for
   * another. Not asked for requests with `authorization_details`, or with claims beyond the scope: those are agreed to
   * each time.
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
  /**
   * Answers with the error page, where the application has its own. The status is 400; `error` must be readable on it.
   * Lead on from it where `details` say whose request it was. It may answer a POST of another site's: set no session
   * there.
   */
  error?(req: Request, res: Response, details: ErrorDetails): void | Promise<void>
}

/** The facts an error page needs to know. */
export interface ErrorDetails {
  /** The error code. */
  readonly error: string
  /** One sentence on what was wrong. */
  readonly error_description: string
  /** The client whose request it was, once that is known. */
  readonly client?: Client
  /** Says who vouches for that client. */
  readonly client_origin?: ClientOrigin
  /**
   * Where the answer would have gone: one of the client's registered redirect URIs. Never lead there by yourself where
   * the client only `registered` or has a `document`.
   */
  readonly redirect_uri?: string
}
