/** One request to the authorization endpoint, or one step of a person's. */
import type { Request, Response } from 'express'
import type { TrustedRedirect } from '../../authorization-requests/redirect.ts'
import type { EndpointContext } from '../endpoint.ts'

/** A request, its answer, and what they are judged by. */
export interface Exchange {
  readonly context: EndpointContext
  readonly req: Request
  readonly res: Response
  /** Where the answer goes, once that is known; an error page leads on by it. */
  redirect?: TrustedRedirect | undefined
}
