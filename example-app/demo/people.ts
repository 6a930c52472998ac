/** The people of the demo, who are no secret. */
import type { RequestHandler } from 'express'
import type { IssuerSettings } from '../config/schema.ts'

/** Names them and their passwords to the login page. */
export function demoPeople({ accounts }: IssuerSettings): RequestHandler {
  const named = accounts.map(({ username, password }) => `${username} / ${password}`)
  return (_req, res, next) => {
    res.locals['people'] = named
    next()
  }
}
