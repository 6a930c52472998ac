/**
 * Signing out: of this server, and of every application that was used with this sign-in. A person does it for
 * themselves, or an application asks for it.
 */
import { Router, type Request, type RequestHandler, type Response } from 'express'
import type { AuthorizationServer, AuthorizationServerOptions, LogoutPrompt } from 'clientele'
import { currentPerson, type People } from './accounts.ts'
import { decisionOf } from './asks.ts'
import { askerOf } from './client-words.ts'
import { fieldOf, sessionForm, sessionToken } from '../sessions/forms.ts'
import { HttpError } from '../http-error.ts'
import { sessionOf, signOut } from '../sessions/sessions.ts'
import { ownPage, sendPage } from '../views.ts'

const signedOutTitle = 'You are signed out'

/** The library's questions about logout. */
export function logoutHooks(base: string): NonNullable<AuthorizationServerOptions['logout']> {
  return {
    signOut: req => signOut(req),
    confirm(_req, res, { id }) {
      res.redirect(303, pageOf(base, id))
    },
    done(_req, res, { signedOut }) {
      if (signedOut) sendPage(res, 'logout', { base, title: signedOutTitle })
      else sendPage(res, 'logout-kept', { base, title: 'You are still signed in' })
    }
  }
}

interface LogoutPagesOptions {
  /** Where the issuer is mounted. */
  readonly base: string
  readonly server: AuthorizationServer
  readonly people: People
  readonly withSession: RequestHandler
}

/** The page `/logout` of an issuer. */
export function logoutPages(options: LogoutPagesOptions): Router {
  const { base, server, withSession } = options
  const router = Router({ caseSensitive: true })
  router.use(`${base}/logout`, withSession)
  router.get(`${base}/logout`, (req, res) => show(req, res, options))
  router.post(`${base}/logout`, ...sessionForm(`${base}/logout`), async (req, res) => {
    const id = fieldOf(req, 'request')
    if (id !== undefined) {
      await server.logout.finish(req, res, id, decisionOf(req, pageOf(base, id)))
      return
    }
    const sid = sessionOf(req)?.account.sid
    if (sid !== undefined) await server.logout.everywhere({ sid })
    await signOut(req)
    res.redirect(303, `${base}/logout`)
  })
  return router
}

async function show(req: Request, res: Response, { base, server, people }: LogoutPagesOptions): Promise<void> {
  const person = currentPerson(req, people)
  const id = requestIn(req.query['request'])
  if (id !== '' && person === undefined) {
    // signed out meanwhile, in another tab: there is nothing left to ask
    await server.logout.finish(req, res, id, 'allow')
    return
  }
  const asked = id === '' ? undefined : await askedFor(server, base, id)
  const title = person === undefined ? signedOutTitle : 'Sign out?'
  const token = person === undefined ? undefined : sessionToken(req)
  const client = asked?.client === undefined ? undefined : askerOf(asked.client)
  sendPage(res, 'logout', { base, title, person: person?.username, csrf: token, request: asked?.id, client })
}

async function askedFor(server: AuthorizationServer, base: string, id: string): Promise<LogoutPrompt> {
  const asked = await server.logout.request(id)
  if (asked === undefined)
    throw new HttpError(400, 'This logout has expired. Go back to the application and start again.', [ownPage(base)])
  return asked
}

function requestIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function pageOf(base: string, id: string): string {
  return id === '' ? `${base}/logout` : `${base}/logout?request=${encodeURIComponent(id)}`
}
