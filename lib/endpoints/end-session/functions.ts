/** Functions the application calls: ending sessions itself, and going on once a person has said whether to sign out. */
import type { Request, Response } from 'express'
import { InvalidRequestError } from '../../errors.ts'
import { answeringWithPages } from '../error-page.ts'
import type { EndpointContext } from '../endpoint.ts'
import { endEverySession, endSession } from './ending.ts'
import { finishLogout, promptOf } from './endpoint.ts'
import type { LogoutPrompt } from './options.ts'
import { findLogoutRequest } from './request.ts'

/** The sessions that end: all of a person's, or one. */
export type WhoseSessions =
  | {
      /** The person, all of whose sessions end. */
      readonly sub: string
    }
  | {
      /** The session that ends. */
      readonly sid: string
      /** The person whose it is, where that is known. */
      readonly sub?: string | undefined
    }

/** Ending sessions from the application, and going on after its page has asked. */
export interface LogoutFunctions {
  /**
   * Ends sessions for clients: refresh tokens without `offline_access` end, and every client that had a part in one and
   * registered a `backchannel_logout_uri` is told, which this does not wait for. Call it from your own sign-out. `sub`
   * alone: every session of the person's, and what clients hold of theirs without a session. The application's own
   * session is yours to end. Rejects with TemporarilyUnavailableError when the store does not answer; call it again
   * then.
   */
  everywhere(whose: WhoseSessions): Promise<void>
  /** Finds what the page shows that asks whether to sign out; undefined when there is no such logout any more. */
  request(id: string): Promise<LogoutPrompt | undefined>
  /**
   * Goes on after the person said yes or no: answers with a redirect or a page. The same form sent again is answered as
   * it was. Never rejects.
   */
  finish(req: Request, res: Response, id: string, decision: 'allow' | 'deny'): Promise<void>
}

export function logoutFunctions(context: EndpointContext): LogoutFunctions {
  const { options } = context.logout
  return {
    async everywhere(whose) {
      const { sid, sub } = whose as { readonly sid?: unknown; readonly sub?: unknown }
      if (typeof sid === 'string' && (sub === undefined || typeof sub === 'string')) await endSession(context, sid, sub)
      else if (sid === undefined && typeof sub === 'string') await endEverySession(context, sub)
      else throw new TypeError('logout.everywhere() needs a sub, or a sid')
    },
    async request(id) {
      try {
        return promptOf(id, await findLogoutRequest(context, id))
      } catch (error) {
        if (error instanceof InvalidRequestError) return undefined
        throw error
      }
    },
    finish(req, res, id, decision) {
      const exchange = { context, req, res }
      return answeringWithPages(exchange, async () => {
        if (options === undefined) throw new InvalidRequestError('there is no logout here')
        await finishLogout(exchange, options, id, decision)
      })
    }
  }
}
