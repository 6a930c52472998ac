/** The smallest application that authenticates with Passport: one place for every fact pinned here. */
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express'
import passport, { type AuthenticateOptions, type Strategy } from 'passport'

/** The options this library uses; see models and the spec about them. */
export const options: AuthenticateOptions & { authInfo: false } = {
  session: false,
  assignProperty: 'authenticatedClient',
  authInfo: false
}

/** What Passport put on the request. */
export const clientOf = (req: Request): unknown => (req as Request & { authenticatedClient?: unknown }).authenticatedClient

const showClient: RequestHandler = (req, res) => {
  // a strategy that succeeds twice for one request comes here twice
  if (!res.headersSent) res.json({ client: clientOf(req) ?? null })
}

export interface AppOptions {
  readonly strategies: readonly Strategy[]
  /** What to authenticate with; the names of all strategies where absent. */
  readonly use?: string | string[] | Strategy
  readonly options?: AuthenticateOptions & { authInfo?: boolean }
  readonly parsers?: readonly RequestHandler[]
  readonly handler?: RequestHandler
  /** Sees what reached `next(error)`; Express's own handler answers it. */
  readonly onError?: (error: unknown) => void
}

/** Every path of the app authenticates, then answers `{ client }`, or what `handler` answers. */
export function passportApp(setup: AppOptions): Express {
  const authenticator = new passport.Passport()
  for (const strategy of setup.strategies) authenticator.use(strategy)
  const use = setup.use ?? setup.strategies.map(({ name }) => name ?? '')
  const app = express()
  app.use(...(setup.parsers ?? []), (_req, _res, next) => next())
  app.use(authenticator.authenticate(use, setup.options ?? options) as RequestHandler, setup.handler ?? showClient)
  const seeError: ErrorRequestHandler = (error, _req, _res, next) => {
    setup.onError?.(error)
    next(error)
  }
  app.use(seeError)
  return app
}
