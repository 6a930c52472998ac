/**
 * The page where people decide on what applications ask of them from elsewhere (OpenID Connect CIBA), one request at a
 * time.
 */
import { Router, type Request, type Response } from 'express'
import type { Account, AuthorizationServer, AuthorizationServerOptions, BackchannelAuthentication, PersonHint } from 'clientele'
import { currentAccount, type People } from './accounts.ts'
import { asksOf, decisionOf } from './asks.ts'
import { askerOf } from './client-words.ts'
import { decidedBefore, decideOnce } from './decisions.ts'
import { fieldOf, sessionForm, sessionToken } from '../sessions/forms.ts'
import { HttpError } from '../http-error.ts'
import { showLocalLogin } from './login-page.ts'
import { networkLimit, tooManyAttempts } from './login-limits.ts'
import { changeSession, takeNotice } from '../sessions/sessions.ts'
import { sendPage } from '../views.ts'

/**
 * The library's question, answered from this issuer's people: a `login_hint` is a username. No `login_hint_token` is
 * trusted here.
 */
export function backchannelHooks(
  people: People,
  requestTtl: number
): NonNullable<AuthorizationServerOptions['backchannelAuthentication']> {
  const find = (hint: PersonHint) => {
    if ('login_hint' in hint) return people.named(hint.login_hint)
    return 'sub' in hint ? people.find(hint.sub) : undefined
  }
  return { identify: hint => find(hint)?.sub, requestTtl }
}

/** The page `/ciba` of the issuer mounted at `base`; needs sessions before it. */
export function cibaPages(base: string, server: AuthorizationServer, people: People): Router {
  const router = Router({ caseSensitive: true })
  const limit = networkLimit('ciba', () => {
    throw new HttpError(429, tooManyAttempts)
  })
  const signedIn =
    (answer: (req: Request, res: Response, account: Account) => Promise<void>) => async (req: Request, res: Response) => {
      const account = currentAccount(req, people)
      if (account !== undefined) await answer(req, res, account)
      else showLocalLogin(req, res, base, { page: 'ciba' }, undefined, req.method === 'GET' ? 200 : 401)
    }
  const show = async (req: Request, res: Response, account: Account) => {
    const waiting = await server.backchannel.pending(account)
    await showWaiting(req, res, base, waiting, people.find(account.sub)?.username)
  }
  router.get('/ciba', signedIn(show))
  router.post(
    '/ciba',
    limit,
    ...sessionForm(`${base}/ciba`),
    signedIn(async (req, res, account) => {
      await decide(req, base, server, account)
      res.redirect(303, `${base}/ciba`)
    })
  )
  return router
}

async function decide(req: Request, base: string, server: AuthorizationServer, account: Account): Promise<void> {
  const id = fieldOf(req, 'request') ?? ''
  const ways = [{ text: 'See what is asked', href: `${base}/ciba` }]
  const allowed = decisionOf(req, `${base}/ciba`) === 'allow'
  const asked = (await server.backchannel.pending(account)).find(request => request.id === id)
  const what = `request ${id}`
  const decided =
    asked === undefined
      ? decidedBefore(req, what)
      : await decideOnce(req, { what, allowed, client: askerOf(asked.client) }, () =>
          allowed ? server.backchannel.approve(req, id, account) : server.backchannel.deny(req, id, account)
        )
  if (decided === undefined) throw new HttpError(400, 'This request was decided before, or has expired.', ways)
  const notice = `${decided.client} was told that you ${decided.allowed ? 'agree' : 'said no'}.`
  await changeSession(req, session => ({ ...session, notice }))
}

async function showWaiting(
  req: Request,
  res: Response,
  base: string,
  waiting: readonly BackchannelAuthentication[],
  person: string | undefined
): Promise<void> {
  const notice = await takeNotice(req)
  // whoever has just been asked came for the newest
  const asked = waiting.find(({ id }) => id === req.query['request']) ?? waiting[0]
  const page = { base, person, notice, csrf: sessionToken(req) }
  if (asked === undefined) {
    sendPage(res, 'ciba-empty', { ...page, title: 'Nothing is asked of you' })
    return
  }
  const asks = asksOf(asked)
  const others = waiting.filter(request => request !== asked)
  sendPage(res, 'ciba', {
    ...page,
    ...asks,
    title: `Allow ${asks.asker}?`,
    request: asked.id,
    binding_message: asked.binding_message,
    others: others.map(({ id, client, binding_message }) => ({
      link: `${base}/ciba?request=${encodeURIComponent(id)}`,
      client: askerOf(client),
      binding_message
    }))
  })
}
