/** The page where people sign in: for an application's request, or for a page of this server's own. */
import type { Request, Response } from 'express'
import { browserToken } from '../sessions/forms.ts'
import { purposeOf, type LocalPage } from '../local-pages.ts'
import { sendPage } from '../views.ts'

interface LoginForm {
  readonly username: string
  readonly message?: string
}

interface ApplicationLogin extends LoginForm {
  /** The application's name. */
  readonly client: string
  readonly interaction: string
  readonly csrf: string
}

export function showLogin(res: Response, base: string, form: ApplicationLogin, status = 200): void {
  sendPage(res, 'login', { base, title: 'Sign in', message: undefined, ...form }, status)
}

/** The same, for a page of this server's own. */
export function showLocalLogin(
  req: Request,
  res: Response,
  base: string,
  goal: LocalPage,
  form: LoginForm = { username: '' },
  status = 200
): void {
  const { page, user_code } = goal
  const hidden = { purpose: purposeOf(goal), page, user_code, csrf: browserToken(req, res) }
  sendPage(res, 'login', { base, title: 'Sign in', message: undefined, ...hidden, ...form }, status)
}
