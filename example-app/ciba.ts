/** The page where people decide on what applications ask of them from elsewhere (OpenID Connect CIBA), one request at a time. */
import { Router, urlencoded, type Request, type Response } from 'express'
import type { Account, AuthorizationServer, AuthorizationServerOptions, BackchannelAuthentication, PersonHint } from 'clientele'
import type { People } from './accounts.ts'
import { asksOf, decisionOf } from './asks.ts'
import { HttpError } from './http-error.ts'
import { currentAccount, showLogin } from './interactions.ts'
import { networkLimit } from './login-limits.ts'
import { csrf, fieldOf } from './sessions.ts'
import { sendPage } from './views.ts'

/** The library's question, answered from this issuer's people: a `login_hint` is a username. No `login_hint_token` is trusted here. */
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
  const form = [urlencoded({ extended: false, limit: '16kb', parameterLimit: 20 }), csrf.csrfSynchronisedProtection]
  const limit = networkLimit('ciba', () => {
    throw new HttpError(429, 'Too many attempts. Wait a quarter of an hour and try again.')
  })
  const signedIn =
    (answer: (req: Request, res: Response, account: Account) => Promise<void>) => async (req: Request, res: Response) => {
      const account = currentAccount(req, people)
      if (account !== undefined) await answer(req, res, account)
      else showLogin(req, res, base, { page: 'ciba' }, { username: '' }, req.method === 'GET' ? 200 : 401)
    }
  const show = async (req: Request, res: Response, account: Account) => {
    showWaiting(req, res, base, await server.backchannel.pending(account), people.find(account.sub)?.username)
  }
  router.get('/ciba', signedIn(show))
  router.post(
    '/ciba',
    limit,
    ...form,
    signedIn(async (req, res, account) => {
      await decide(req, server, account)
      res.redirect(303, `${base}/ciba`)
    })
  )
  return router
}

async function decide(req: Request, server: AuthorizationServer, account: Account): Promise<void> {
  const id = fieldOf(req, 'request')
  if (id === undefined) throw new HttpError(400, 'There is nothing to decide.')
  const asked = (await server.backchannel.pending(account)).find(request => request.id === id)
  const allowed = decisionOf(req) === 'allow'
  const decided = allowed ? await server.backchannel.approve(req, id, account) : await server.backchannel.deny(req, id, account)
  if (!decided || asked === undefined) throw new HttpError(400, 'This request was decided before, or has expired.')
  const { client } = asksOf(asked)
  req.session.notice = allowed ? `${client} was told that you agree.` : `${client} was told that you said no.`
}

function showWaiting(
  req: Request,
  res: Response,
  base: string,
  waiting: readonly BackchannelAuthentication[],
  person: string | undefined
): void {
  const { notice } = req.session
  delete req.session.notice
  // whoever has just been asked came for the newest
  const asked = waiting.find(({ id }) => id === req.query['request']) ?? waiting[0]
  const page = { base, person, notice, csrf: csrf.generateToken(req) }
  if (asked === undefined) {
    sendPage(res, 'ciba-empty', { ...page, title: 'Nothing is asked of you' })
    return
  }
  const asks = asksOf(asked)
  const others = waiting.filter(request => request !== asked)
  sendPage(res, 'ciba', {
    ...page,
    ...asks,
    title: `Allow ${asks.client}?`,
    request: asked.id,
    binding_message: asked.binding_message,
    others: others.map(({ id, client, binding_message }) => ({
      link: `${base}/ciba?request=${encodeURIComponent(id)}`,
      client: client.client_name ?? client.client_id,
      binding_message
    }))
  })
}
