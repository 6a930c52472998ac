/** The application's part of logout: how its own session ends, and the pages people meet. */
import type { Request, Response } from 'express'
import type { Client } from '../../clients/client.ts'
import type { ClientOrigin } from '../../clients/client-origin.ts'
import { fn, required, type Checks } from '../../options.ts'
import type { PostJson } from '../../outbound/guarded-fetch.ts'
import type { LogoutDelivery } from './delivery.ts'

/** A logout somebody asked for, and that its person has yet to agree to. */
export interface LogoutPrompt {
  /**
   * Names it in `logout.finish()`. Take the answer from a form that only a page of yours, in this person's session, can
   * have sent.
   */
  readonly id: string
  /** The client that asks, as far as that is known. */
  readonly client?: Client | undefined
  /** Says who vouches for that client. */
  readonly client_origin?: ClientOrigin | undefined
  /** Where the browser goes afterwards; one of the client's registered URIs. */
  readonly post_logout_redirect_uri?: string | undefined
  /** The person to be signed out, in the client's words: a hint and no proof. */
  readonly logout_hint?: string | undefined
  /** The languages the person prefers, as the client says. */
  readonly ui_locales?: string | undefined
}

/** The outcome of a logout that leads to no client. */
export interface LogoutOutcome {
  /** False: the person said no, and is still signed in. */
  readonly signedOut: boolean
  /** The client that asked, as far as that is known. */
  readonly client?: Client | undefined
}

/** The parts of logout that only the application can play. */
export interface LogoutOptions {
  /**
   * Ends the application's own session with this browser, for good. Resolve once it has ended: the answer goes out
   * then.
   */
  readonly signOut: (req: Request, res: Response) => unknown
  /**
   * Asks the person whether to sign out, where the request does not prove that they asked for it: answer with a page,
   * or a redirect to one, and call `server.logout.finish()` with what they say. Default: a plain page.
   */
  readonly confirm?: ((req: Request, res: Response, prompt: LogoutPrompt) => unknown) | undefined
  /** Answers with the page that a logout ends on where the browser goes nowhere else. Default: a plain page. */
  readonly done?: ((req: Request, res: Response, outcome: LogoutOutcome) => unknown) | undefined
  /**
   * Posts logout tokens to clients. Default: https only, to public addresses (loopback too where the issuer itself is
   * on it), within 5 seconds.
   */
  readonly postJson?: PostJson | undefined
}

export const logoutChecks = {
  signOut: required(fn<LogoutOptions['signOut']>()),
  confirm: fn<NonNullable<LogoutOptions['confirm']>>(),
  done: fn<NonNullable<LogoutOptions['done']>>(),
  postJson: fn<PostJson>()
} satisfies Checks<LogoutOptions>

/** Logout, as the rest of the server knows it. */
export interface LogoutPolicy {
  /** Undefined: there is no endpoint, and sessions end by `logout.everywhere()` alone. */
  readonly options: LogoutOptions | undefined
  readonly delivery: LogoutDelivery
}
