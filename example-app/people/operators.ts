/** Pages that only those see who operate the server. */
import type { Request, Response } from 'express'
import type { LocalPage } from '../local-pages.ts'
import { HttpError } from '../http-error.ts'
import { currentPerson, type People } from './accounts.ts'
import { showLocalLogin } from './login-page.ts'

export interface OperatorPagesOptions {
  /** Where the issuer is mounted. */
  readonly base: string
  readonly people: People
  /** The usernames of those who may. */
  readonly operators: readonly string[]
}

/**
 * Finds the operator who asks for a page, by their username; undefined where nobody is signed in, who has been answered
 * with the login form then.
 *
 * @throws HttpError 403 for everybody else.
 */
export function operatorOf(
  req: Request,
  res: Response,
  page: LocalPage['page'],
  { base, people, operators }: OperatorPagesOptions
): string | undefined {
  const person = currentPerson(req, people)
  if (person === undefined) {
    showLocalLogin(req, res, base, { page })
    return undefined
  }
  if (!operators.includes(person.username)) throw new HttpError(403, 'This page is for operators of this server.')
  return person.username
}
