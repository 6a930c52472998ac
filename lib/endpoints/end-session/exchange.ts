/** One exchange with whoever signs out. */
import type { Request, Response } from 'express'
import type { EndpointContext } from '../endpoint.ts'

/** One request to the end session endpoint, or one answer of a person's. */
export interface LogoutExchange {
  readonly context: EndpointContext
  readonly req: Request
  readonly res: Response
}
