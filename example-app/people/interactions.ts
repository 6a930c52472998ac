/** Pages that people meet between a client's authorization request and its answer: signing in and agreeing. */
import { Router, type Request, type Response } from 'express'
import type { AuthorizationServer, AuthorizationServerOptions, InteractionPrompt } from 'clientele'
import { currentAccount, currentPerson, type People } from './accounts.ts'
import { decisionOf } from './asks.ts'
import { askerOf, waysBack } from './client-words.ts'
import { showConsent } from './consent-page.ts'
import { hasConsented, rememberConsent } from './consents.ts'
import {
  beginInteraction,
  checkBrowserForm,
  checkInteractionForm,
  fieldOf,
  interactionToken,
  ownsInteraction,
  readForm
} from '../sessions/forms.ts'
import { HttpError, openAgain } from '../http-error.ts'
import { addressOf, localPageOf, type LocalPage } from '../local-pages.ts'
import { loginLimits, tooManyAttempts } from './login-limits.ts'
import { showLocalLogin, showLogin } from './login-page.ts'
import type { Logos } from './logos.ts'
import { sessionOf, signIn } from '../sessions/sessions.ts'
import { ownPage, sendPage } from '../views.ts'

/** Name in `acr` of signing in with a password (OASIS SAML 2.0 Authentication Context, §3.4.10). */
export const passwordLogin = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport'

/** The library's questions, answered from this browser's session. */
export function interactionHooks(base: string, people: People): AuthorizationServerOptions['interaction'] {
  return {
    account: req => currentAccount(req, people),
    consented: (req, { client, sub, scope, resources }) =>
      hasConsented(req, sub, { client_id: client.client_id, scope, resources }),
    prompt(req, res, { id, name }) {
      beginInteraction(req, res, id)
      res.redirect(303, pageOf(base, name, id))
    },
    error(_req, res, { error, error_description, client, redirect_uri }) {
      const message = `The application sent you here with a request that cannot be answered: ${error_description}.`
      const ways = [...waysBack(client, redirect_uri), ownPage(base)]
      sendPage(res, 'error', { base, title: 'That did not work', message, code: error, ways }, res.statusCode)
    }
  }
}

interface Pages {
  readonly base: string
  readonly server: AuthorizationServer
  readonly people: People
  readonly logos: Logos
}

/** The pages `/login` and `/consent` of the issuer mounted at `base`; needs sessions before it. */
export function interactionPages(pages: Pages): Router {
  const { base, server } = pages
  const router = Router({ caseSensitive: true })
  for (const name of ['login', 'consent'] as const)
    router.get(`/${name}`, async (req, res) => {
      const id = ownInteraction(req)
      const prompt = await server.interaction(req, id)
      // decided, or signed in, in another tab meanwhile: from where the person is
      if (prompt?.name !== name) await server.resume(req, res, id)
      else show(pages, req, res, prompt)
    })
  router.post(
    '/login',
    readForm,
    (req, _res, next) => {
      checkLogin(base, req)
      next()
    },
    ...loginLimits((req, res) => refuseLogin(pages, req, res)),
    (req, res) => login(pages, req, res)
  )
  router.post('/consent', readForm, (req, res) => decide(pages, req, res))
  return router
}

async function login(pages: Pages, req: Request, res: Response): Promise<void> {
  const { base, server, people } = pages
  const id = fieldOf(req, 'interaction') ?? ''
  const page = id === '' ? localPageOf(req) : undefined
  if (page !== undefined && currentAccount(req, people) !== undefined) {
    res.redirect(303, addressOf(base, page))
    return
  }
  const goal = page ?? (await loginPrompt(server, req, id))
  if (goal === undefined) {
    await server.resume(req, res, id)
    return
  }
  const username = fieldOf(req, 'username') ?? ''
  const person = await people.verify(username, fieldOf(req, 'password') ?? '')
  if (person === undefined) {
    showAgain(base, req, res, goal, { username, message: 'That username and password do not match.' }, 401)
    return
  }
  const before = sessionOf(req)?.account
  const signedIn = { sub: person.sub, auth_time: Math.floor(Date.now() / 1000), acr: passwordLogin, amr: ['pwd'] }
  const account = await signIn(req, res, signedIn)
  // whoever sat here before is gone, for the applications they used too
  if (before?.sid !== undefined && before.sub !== account.sub) await server.logout.everywhere({ sid: before.sid })
  if (page !== undefined) res.redirect(303, addressOf(base, page))
  else await server.resume(req, res, id, { login: account })
}

/**
 * Whoever sends a form twice, or one from before somebody decided in another tab, gets what the request has come to.
 */
async function decide({ base, server, people }: Pages, req: Request, res: Response): Promise<void> {
  const id = fieldOf(req, 'interaction') ?? ''
  const sub = currentAccount(req, people)?.sub
  if (checkForm(base, 'consent', req, sub ?? '') === 'other') {
    await server.resume(req, res, id)
    return
  }
  if (decisionOf(req, pageOf(base, 'consent', id)) === 'deny') {
    await server.resume(req, res, id, { error: 'access_denied' })
    return
  }
  const prompt = await server.interaction(req, id)
  if (prompt?.name === 'consent') {
    const { client, scope, resources } = prompt
    await rememberConsent(req, { client_id: client.client_id, scope, resources })
  }
  await server.resume(req, res, id, { consent: true })
}

/** @throws HttpError 403 for a form that was not shown in this browser, 400 for one that signs in to nothing. */
function checkLogin(base: string, req: Request): void {
  const page = localPageOf(req)
  if ((fieldOf(req, 'interaction') ?? '') !== '') checkForm(base, 'login', req, '')
  else if (page !== undefined) checkBrowserForm(req, openAgain(addressOf(base, page)))
  else {
    checkBrowserForm(req)
    throw new HttpError(400, withoutRequest)
  }
}

const withoutRequest = 'This page is opened by an application that asks you to sign in.'

/** @throws HttpError 403 for a form that was not shown in this browser; it leads to the one that is to be shown. */
function checkForm(base: string, name: InteractionPrompt['name'], req: Request, sub: string): 'same' | 'other' {
  const id = fieldOf(req, 'interaction') ?? ''
  return checkInteractionForm(req, id, sub, openAgain(pageOf(base, name, id)))
}

async function loginPrompt(server: AuthorizationServer, req: Request, id: string): Promise<InteractionPrompt | undefined> {
  const prompt = await server.interaction(req, id)
  return prompt?.name === 'login' ? prompt : undefined
}

/** The id in the address, if this browser began it. */
function ownInteraction(req: Request): string {
  const { interaction } = req.query
  if (typeof interaction !== 'string' || interaction === '') throw new HttpError(400, withoutRequest)
  if (!ownsInteraction(req, interaction))
    throw new HttpError(403, 'This sign-in was not started in this browser. Go back to the application and start again.')
  return interaction
}

function pageOf(base: string, name: InteractionPrompt['name'], id: string): string {
  return `${base}/${name}?interaction=${encodeURIComponent(id)}`
}

function show({ base, people, logos }: Pages, req: Request, res: Response, prompt: InteractionPrompt): void {
  if (prompt.name === 'login') {
    showAgain(base, req, res, prompt, { username: prompt.login_hint ?? '' })
    return
  }
  const person = currentPerson(req, people)
  const csrf = interactionToken(req, prompt.id, person?.sub)
  showConsent(res, { base, prompt, person: person?.username, logo: logos.addressOf(prompt.client), csrf })
}

function showAgain(
  base: string,
  req: Request,
  res: Response,
  goal: InteractionPrompt | LocalPage,
  form: { readonly username: string; readonly message?: string },
  status = 200
): void {
  if ('page' in goal) showLocalLogin(req, res, base, goal, form, status)
  else {
    const hidden = { client: askerOf(goal.client), interaction: goal.id, csrf: interactionToken(req, goal.id) }
    showLogin(res, base, { ...hidden, ...form }, status)
  }
}

async function refuseLogin({ base, server }: Pages, req: Request, res: Response): Promise<void> {
  const id = fieldOf(req, 'interaction') ?? ''
  const goal = id === '' ? localPageOf(req) : await loginPrompt(server, req, id)
  if (goal === undefined) throw new HttpError(429, tooManyAttempts)
  showAgain(base, req, res, goal, { username: fieldOf(req, 'username') ?? '', message: tooManyAttempts }, 429)
}
